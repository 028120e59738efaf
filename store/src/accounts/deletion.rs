//! The deletion of accounts: begun by a person, ended by a sweep that a kill does not stop for good.

use super::{
    change::{Loss, Lost, LostTickets, void_lost},
    users::{Changed, Standing, Users, look},
};
use crate::{
    Result, Timestamp, UserId,
    revocations::note_person,
    sql::{LockScope, query},
};

/// The remains of an account that is deleted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Deletion<'a> {
    /// The account that gets its videos; `None` deletes them.
    pub heir: Option<&'a UserId>,
    /// The tickets that end with it.
    pub tickets: LostTickets,
}

impl Users {
    /// Begins to delete an account: it is gone for everybody, and its address is free. Its videos go to `heir` at once, or
    /// are left to [`crate::Store::delete_accounts`], which a kill does not stop for good. For a process beside the servers, which
    /// have caches drop what it notes.
    pub async fn delete(&self, id: &UserId, deletion: Deletion<'_>) -> Result<Changed> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        match look(&mut tx, id).await? {
            None => return Ok(Changed::Unknown),
            Some(Standing::LastAdministrator) => return Ok(Changed::LastAdministrator),
            Some(Standing::Replaceable) => {}
        }
        // Before the rows that say what it could watch are gone.
        void_lost(&mut tx, id, Lost { loss: Loss::OfAll, tickets: deletion.tickets }).await?;
        note_person(&mut tx, id).await?;
        if let Some(heir) = deletion.heir {
            // It may be about to go, too, and would take the videos with it.
            if heir == id || look(&mut tx, heir).await?.is_none() {
                return Ok(Changed::UnknownHeir);
            }
            query("update videos set owner_id = $2 where owner_id = $1")
                .bind(id.as_str())
                .bind(heir.as_str())
                .execute(&mut tx)
                .await?;
        }
        // The address is free at once; the unique column keeps a value that no address can be.
        query("update users set deleted_at = $2, email = '', email_key = 'deleted ' || id where id = $1")
            .bind(id.as_str())
            .bind(Timestamp::now().0)
            .execute(&mut tx)
            .await?;
        for statement in [
            "delete from sessions where user_id = $1",
            "delete from tokens where user_id = $1",
            "delete from invitations where invited_by = $1",
            "delete from grants where user_id = $1",
            "delete from webhooks where user_id = $1",
            "delete from identities where user_id = $1",
        ] {
            query(statement).bind(id.as_str()).execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(Changed::Done)
    }

    /// Returns the accounts whose deletion has begun.
    pub(crate) async fn deleted(&self) -> Result<Vec<UserId>> {
        let ids: Vec<String> =
            query("select id from users where deleted_at is not null").fetch_all(&self.sql).await?;
        Ok(ids.into_iter().map(UserId::from).collect())
    }

    /// Removes the row of an account whose deletion has begun.
    pub(crate) async fn remove(&self, id: &UserId) -> Result<()> {
        let query = query("delete from users where id = $1 and deleted_at is not null").bind(id.as_str());
        query.execute(&self.sql).await.map(drop)
    }
}
