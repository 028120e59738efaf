//! Addresses that are proved by mail: invitations that no administrator has made. The link of one makes an account with that address,
//! or gives it to an account that there is.

use super::{Email, Invitations, Role, Users};
use crate::{
    Result, Timestamp, UserId, id,
    sql::{FromRow, LockScope, Row, Transaction, query},
};

/// The reason of a link that goes to a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkReason {
    /// An administrator has invited somebody.
    Invitation,
    /// Somebody signs up with this address where all may.
    SignUp,
    /// The account is to get this address in place of its own.
    NewAddress(UserId),
}

/// The address that a link has proved, and the account that gets it.
struct ProvedAddress {
    user: UserId,
    shown: String,
    key: String,
}

impl Invitations {
    /// Adds a link that proves an address, of an account that there is or of one that is to be made, in place of the one before. Its
    /// key is made when it is sent. Returns its id.
    pub async fn prove(
        &self,
        address: Email<'_>,
        user: Option<&UserId>,
        expires_at: Timestamp,
    ) -> Result<String> {
        let id = id::random();
        let mut tx = self.sql().begin(LockScope::Accounts).await?;
        match user {
            Some(user) => query("delete from invitations where user_id = $1").bind(user.as_str()),
            None => {
                query("delete from invitations where email = $1 and invited_by is null and user_id is null")
                    .bind(address.key)
            }
        }
        .execute(&mut tx)
        .await?;
        query(
            "insert into invitations (id, secret, email, address, user_id, role, created_at, expires_at)
             values ($1, $1, $2, $3, $4, $5, $6, $7)",
        )
        // No key hashes to an id, so that it opens nothing until it has a key.
        .bind(&id)
        .bind(address.key)
        .bind(address.shown)
        .bind(user.map(UserId::as_str))
        .bind(Role::User.as_str())
        .bind(Timestamp::now().0)
        .bind(expires_at.0)
        .execute(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Puts another key, hashed, in place of a link's. Returns its reason, if it still counts.
    pub async fn rekey(&self, id: &str, secret: &str) -> Result<Option<LinkReason>> {
        let query = query(
            "update invitations set secret = $2 where id = $1 and expires_at > $3 returning invited_by, user_id",
        );
        query.bind(id).bind(secret).bind(Timestamp::now().0).fetch_optional(self.sql()).await
    }
}

impl Users {
    /// Gives an account the address that the link with this hashed key has proved, and uses the link up. Links for a forgotten
    /// password that went to the address before are void. Returns whether it counted, and the address was still free.
    pub async fn take_proved_address(&self, secret: &str) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        let link: Option<ProvedAddress> = query(
            "select user_id, address, email from invitations
             where secret = $1 and expires_at > $2 and user_id is not null",
        )
        .bind(secret)
        .bind(Timestamp::now().0)
        .fetch_optional(&mut tx)
        .await?;
        let Some(ProvedAddress { user, shown, key }) = link else { return Ok(false) };
        query("delete from invitations where secret = $1").bind(secret).execute(&mut tx).await?;
        let free = free_for(&mut tx, &key, &user).await?;
        if free {
            query(
                "update users set email = $2, email_key = $3, revision = revision + 1
                 where id = $1 and deleted_at is null",
            )
            .bind(user.as_str())
            .bind(&shown)
            .bind(&key)
            .execute(&mut tx)
            .await?;
            void_resets(&mut tx, &user).await?;
        }
        tx.commit().await?;
        Ok(free)
    }
}

/// Returns whether no account but `id` has an address.
pub(super) async fn free_for(tx: &mut Transaction, email_key: &str, id: &UserId) -> Result<bool> {
    let query = query("select id from users where email_key = $1 and id <> $2").bind(email_key);
    Ok(query.bind(id.as_str()).fetch_optional::<String>(tx).await?.is_none())
}

/// Voids the links for a forgotten password: they went to an address that is the account's no more.
pub(super) async fn void_resets(tx: &mut Transaction, id: &UserId) -> Result<()> {
    query("delete from password_resets where user_id = $1").bind(id.as_str()).execute(tx).await.map(drop)
}

impl FromRow for LinkReason {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let (inviter, user): (Option<String>, Option<String>) =
            (row.try_get("invited_by")?, row.try_get("user_id")?);
        Ok(match (inviter, user) {
            (Some(_), _) => Self::Invitation,
            (None, Some(user)) => Self::NewAddress(UserId::from(user)),
            (None, None) => Self::SignUp,
        })
    }
}

impl FromRow for ProvedAddress {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            user: UserId::from(row.try_get::<String, _>("user_id")?),
            shown: row.try_get("address")?,
            key: row.try_get("email")?,
        })
    }
}
