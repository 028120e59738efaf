//! Changes of accounts by administrators: disabled, promoted, demoted, and given other limits; and what ends with lost rights.

use super::users::{Changed, Role, Standing, User, Users, check_seen, look};
use crate::{
    Result, UserId,
    revocations::{Ticketed, note_person, void_tickets},
    sql::{LockScope, Transaction, query},
};

/// An administrator's change; `None` leaves a part as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change {
    /// Whether it may sign in.
    pub disabled: Option<bool>,
    /// The rights on the whole site.
    pub role: Option<Role>,
    /// The bytes that its videos may have.
    pub quota_bytes: NewLimit,
    /// The minutes that its videos may have.
    pub quota_minutes: NewLimit,
    /// The tickets that end with the account's rights.
    pub tickets: LostTickets,
    /// The revision that the administrator has seen: a later one is not written over.
    pub seen: Option<u64>,
}

/// The tickets that a person has who loses rights. A ticket names nobody, so all tickets of a video that they could have one of
/// become void; other viewers get another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostTickets {
    /// They stay.
    #[default]
    Keep,
    /// Those of private videos that end before this second since 1970 are void, for others play to anybody.
    OfPrivate(u64),
    /// Those of all videos are, for the site plays nothing to strangers.
    OfAll(u64),
}

/// A change of one limit of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewLimit {
    /// It stays.
    #[default]
    Keep,
    /// The limit for everybody counts.
    OfEverybody,
    /// This one counts.
    Own(u64),
}

impl Users {
    /// Changes what administrators may change. A disabled account's sessions end, and so do its tickets. For a process beside the
    /// servers, which have caches drop what it notes. [`crate::Error::Edited`] when somebody has edited it since the revision that
    /// was seen.
    pub async fn change(&self, id: &UserId, change: Change) -> Result<Changed> {
        let mut tx = self.sql.begin(LockScope::Accounts).await?;
        let loss = match (change.disabled, change.role) {
            (Some(true), _) => Some(Loss::OfAll),
            (_, Some(Role::User)) => Some(Loss::OfRole),
            _ => None,
        };
        match look(&mut tx, id).await? {
            None => return Ok(Changed::Unknown),
            Some(Standing::LastAdministrator) if loss.is_some() => return Ok(Changed::LastAdministrator),
            Some(_) => {}
        }
        check_seen(&mut tx, id, change.seen).await?;
        query("update users set revision = revision + 1 where id = $1")
            .bind(id.as_str())
            .execute(&mut tx)
            .await?;
        // Before the update, which would overwrite the role that decides on it.
        if let Some(loss) = loss {
            note_person(&mut tx, id).await?;
            void_lost(&mut tx, id, Lost { loss, tickets: change.tickets }).await?;
        }
        if let Some(role) = change.role {
            query("update users set role = $2 where id = $1")
                .bind(id.as_str())
                .bind(role.as_str())
                .execute(&mut tx)
                .await?;
        }
        if let Some(disabled) = change.disabled {
            query("update users set disabled = $2 where id = $1")
                .bind(id.as_str())
                .bind(disabled)
                .execute(&mut tx)
                .await?;
        }
        for (statement, limit) in [
            ("update users set quota_bytes = $2 where id = $1", change.quota_bytes),
            ("update users set quota_minutes = $2 where id = $1", change.quota_minutes),
        ] {
            let limit = match limit {
                NewLimit::Keep => continue,
                NewLimit::OfEverybody => None,
                NewLimit::Own(limit) => Some(i64::try_from(limit).unwrap_or(i64::MAX)),
            };
            query(statement).bind(id.as_str()).bind(limit).execute(&mut tx).await?;
        }
        if change.disabled == Some(true) {
            query("delete from sessions where user_id = $1").bind(id.as_str()).execute(&mut tx).await?;
        }
        tx.commit().await?;
        Ok(Changed::Done)
    }
}

/// The rights that an account loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// All that it has.
    OfAll,
    /// Those of an administrator: it is back among people, who watch what is public on a closed site, too.
    OfRole,
}

/// A loss of rights, and the tickets that end with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    pub(super) loss: Loss,
    pub(super) tickets: LostTickets,
}

/// Makes the tickets void that an account loses.
pub(super) async fn void_lost(tx: &mut Transaction, id: &UserId, lost: Lost) -> Result<()> {
    let (LostTickets::OfPrivate(from) | LostTickets::OfAll(from)) = lost.tickets else { return Ok(()) };
    let user: User = query("select * from users where id = $1").bind(id.as_str()).fetch_one(&mut *tx).await?;
    let administrator = user.role == Role::Administrator;
    let of = match (lost.loss, lost.tickets) {
        (Loss::OfAll, LostTickets::OfAll(_)) => Ticketed::All,
        (Loss::OfAll | Loss::OfRole, _) if administrator => Ticketed::Private,
        (Loss::OfAll, _) => Ticketed::Of(id),
        (Loss::OfRole, _) => return Ok(()),
    };
    void_tickets(tx, of, from).await
}
