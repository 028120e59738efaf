//! Invitations: links by which one person each may sign up. A sign-up uses them up.

use super::Role;
use crate::{
    Result, Timestamp, UserId, id,
    sql::{FromRow, LockScope, Row, Sql, query},
};

/// A link by which one person may sign up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its name in lists; it opens nothing.
    pub id: String,
    /// The only address that may use it, in the form by which addresses are equal.
    pub email: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A new invitation.
#[derive(Clone, Copy, Debug)]
pub struct NewInvitation<'a> {
    /// The administrator.
    pub invited_by: &'a UserId,
    /// The link's key, hashed.
    pub secret: &'a str,
    /// The only address that may use it.
    pub email: Option<&'a str>,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// The table of invitations.
#[derive(Clone, Debug)]
pub struct Invitations {
    sql: Sql,
}

impl Invitations {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Adds an invitation.
    pub async fn add(&self, new: &NewInvitation<'_>) -> Result<Invitation> {
        let invitation = Invitation {
            id: id::random(),
            email: new.email.map(str::to_owned),
            created_at: Timestamp::now(),
            expires_at: new.expires_at,
        };
        query(
            "insert into invitations (id, secret, email, role, invited_by, created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&invitation.id)
        .bind(new.secret)
        .bind(new.email)
        .bind(Role::User.as_str())
        .bind(new.invited_by.as_str())
        .bind(invitation.created_at.0)
        .bind(new.expires_at.0)
        .execute(&self.sql)
        .await?;
        Ok(invitation)
    }

    /// Puts the link of the first account in place of those before. Returns whether there is no account yet.
    pub async fn offer_first(&self, secret: &str, expires_at: Timestamp) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        let any: Option<String> = query("select id from users limit 1").fetch_optional(&mut tx).await?;
        if any.is_some() {
            return Ok(false);
        }
        // Each start of a server without accounts shows another link, and the ones before stand in old logs.
        query("delete from invitations").execute(&mut tx).await?;
        query(
            "insert into invitations (id, secret, role, created_at, expires_at)
             values ($1, $2, 'administrator', $3, $4)",
        )
        .bind(&id::random())
        .bind(secret)
        .bind(Timestamp::now().0)
        .bind(expires_at.0)
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Returns the invitations that have not ended, newest first.
    pub async fn list(&self) -> Result<Vec<Invitation>> {
        query(
            "select * from invitations where expires_at > $1 and invited_by is not null
             order by created_at desc, id",
        )
        .bind(Timestamp::now().0)
        .fetch_all(&self.sql)
        .await
    }

    /// Withdraws an invitation. Returns whether there was one.
    pub async fn remove(&self, id: &str) -> Result<bool> {
        Ok(query("delete from invitations where id = $1").bind(id).execute(&self.sql).await? > 0)
    }

    /// Drops the rows of invitations that have ended.
    pub async fn sweep(&self) -> Result<u64> {
        let query = query("delete from invitations where expires_at <= $1");
        query.bind(Timestamp::now().0).execute(&self.sql).await
    }
}

impl FromRow for Invitation {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            email: row.try_get("email")?,
            created_at: Timestamp(row.try_get("created_at")?),
            expires_at: Timestamp(row.try_get("expires_at")?),
        })
    }
}
