//! Identities: accounts at an OpenID provider that sign in to accounts here. A person has one at each provider.

use super::User;
use crate::{
    Result, Timestamp, UserId,
    sql::{LockScope, Sql, query},
};

/// A person at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The provider's own name for itself, a URL.
    pub issuer: &'a str,
    /// The provider's name for the person, which stays theirs.
    pub subject: &'a str,
}

/// The table of identities.
#[derive(Clone, Debug)]
pub struct Identities {
    sql: Sql,
}

impl Identities {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Returns the account that an identity signs in to.
    pub async fn user(&self, identity: Identity<'_>) -> Result<Option<User>> {
        let query = query(
            "select u.* from identities i join users u on u.id = i.user_id
             where i.issuer = $1 and i.subject = $2 and u.deleted_at is null",
        );
        query.bind(identity.issuer).bind(identity.subject).fetch_optional(&self.sql).await
    }

    /// Links an identity to an account, in place of the one that the account had at this provider. Returns whether no other
    /// account has it.
    pub async fn link(&self, user: &UserId, identity: Identity<'_>) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        // Asked under the lock: the unique key would refuse the row as well, but as an error of the database.
        let other: Option<String> =
            query("select user_id from identities where issuer = $1 and subject = $2 and user_id <> $3")
                .bind(identity.issuer)
                .bind(identity.subject)
                .bind(user.as_str())
                .fetch_optional(&mut tx)
                .await?;
        if other.is_some() {
            return Ok(false);
        }
        query("delete from identities where user_id = $1 and issuer = $2")
            .bind(user.as_str())
            .bind(identity.issuer)
            .execute(&mut tx)
            .await?;
        query("insert into identities (issuer, subject, user_id, created_at) values ($1, $2, $3, $4)")
            .bind(identity.issuer)
            .bind(identity.subject)
            .bind(user.as_str())
            .bind(Timestamp::now().0)
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Returns whether an account has an identity at a provider.
    pub async fn has(&self, user: &UserId, issuer: &str) -> Result<bool> {
        let query = query("select subject from identities where user_id = $1 and issuer = $2");
        let subject: Option<String> =
            query.bind(user.as_str()).bind(issuer).fetch_optional(&self.sql).await?;
        Ok(subject.is_some())
    }

    /// Takes an account's identity at a provider away. Returns whether there was one.
    pub async fn unlink(&self, user: &UserId, issuer: &str) -> Result<bool> {
        let query = query("delete from identities where user_id = $1 and issuer = $2");
        Ok(query.bind(user.as_str()).bind(issuer).execute(&self.sql).await? > 0)
    }
}
