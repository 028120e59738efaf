//! Mail that is to be sent: a queue by lease, as that of jobs. Leaves texts and sending to the crate `accounts`.

use std::time::Duration;

use crate::{
    Result, Timestamp, id,
    sql::{FromRow, Row, Sql, query},
};

// Attempts are counted by the claim, for a process that dies of a mail counts nothing afterwards. SQLite has one
// writer and no `skip locked`; on PostgreSQL a second claimer would wait for the first one's row without it.
macro_rules! claim {
    ($locking:literal) => {
        concat!(
            "update mails set lease_owner = $1, lease_until = $2, attempts = attempts + 1
             where id = (
                 select id from mails
                 where not_before <= $3 and (lease_until is null or lease_until < $3)
                 order by not_before, id limit 1",
            $locking,
            ") returning *"
        )
    };
}
const CLAIM: &str = claim!("");
const CLAIM_SHARED: &str = claim!(" for update skip locked");

/// The reason of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailKind {
    /// Somebody who gave this address has forgotten their password.
    Reset,
    /// An invitation, by its id.
    Invitation(String),
}

/// A mail that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its name in the queue.
    pub id: String,
    /// Its reason.
    pub kind: MailKind,
    /// The address, as it was typed.
    pub address: String,
    /// The form by which addresses are equal.
    pub address_key: String,
    /// How often it was tried, this time included.
    pub attempts: u32,
    owner: String,
}

/// The queue of mail.
#[derive(Clone, Debug)]
pub struct Mails {
    sql: Sql,
}

impl Mails {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Queues a mail to an address: as it was typed, and in the form by which addresses are equal.
    pub async fn add(&self, kind: &MailKind, address: super::Email<'_>) -> Result<()> {
        let (word, invitation) = match kind {
            MailKind::Reset => ("reset", None),
            MailKind::Invitation(id) => ("invitation", Some(id)),
        };
        query(
            "insert into mails (id, kind, address, address_key, invitation_id, created_at, not_before)
             values ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(&id::random())
        .bind(word)
        .bind(address.shown)
        .bind(address.key)
        .bind(invitation)
        .bind(Timestamp::now().0)
        .execute(&self.sql)
        .await
        .map(drop)
    }

    /// Claims the mail that is due for the longest time, for `lease`; exactly one claimer gets it.
    pub async fn claim(&self, owner: &str, lease: Duration) -> Result<Option<Mail>> {
        let now = Timestamp::now();
        let statement = if self.sql.is_shared() { CLAIM_SHARED } else { CLAIM };
        query(statement).bind(owner).bind((now + lease).0).bind(now.0).fetch_optional(&self.sql).await
    }

    /// Removes a mail that was sent, or is given up. Nothing happens when the lease is gone.
    pub async fn finish(&self, mail: &Mail) -> Result<()> {
        let query = query("delete from mails where id = $1 and lease_owner = $2");
        query.bind(&mail.id).bind(&mail.owner).execute(&self.sql).await.map(drop)
    }

    /// Releases a mail, to be tried again after `delay`.
    pub async fn release(&self, mail: &Mail, delay: Duration) -> Result<()> {
        let query = query(
            "update mails set lease_owner = null, lease_until = null, not_before = $3
             where id = $1 and lease_owner = $2",
        );
        let query = query.bind(&mail.id).bind(&mail.owner).bind((Timestamp::now() + delay).0);
        query.execute(&self.sql).await.map(drop)
    }
}

impl FromRow for Mail {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let invitation: Option<String> = row.try_get("invitation_id")?;
        Ok(Self {
            id: row.try_get("id")?,
            kind: invitation.map_or(MailKind::Reset, MailKind::Invitation),
            address: row.try_get("address")?,
            address_key: row.try_get("address_key")?,
            attempts: row.try_get::<i64, _>("attempts")? as u32,
            owner: row.try_get("lease_owner")?,
        })
    }
}
