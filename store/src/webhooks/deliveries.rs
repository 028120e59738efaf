//! Deliveries: claimed by lease, sent, and kept for a while as a log. The same queue as that of jobs: the database is all that
//! processes share.

use std::{fmt, time::Duration};

use super::{Event, Webhooks};
use crate::{
    Result, Timestamp, UserId,
    sql::{FromRow, LockScope, Row, query},
};

// Of each webhook, what is over.
const MOST_LOGGED: i64 = 100;
const LOGGED_FOR: Duration = Duration::from_hours(24 * 30);

// One delivery of a webhook at a time: a target that answers slowly takes one place and not all of them, and gets events
// mostly in their order. In PostgreSQL two claims at once may pass over each other's and so take two; that does no harm.
macro_rules! claim {
    ($locking:literal) => {
        concat!(
            "update deliveries set lease_owner = $1, lease_until = $2, attempts = attempts + 1
             where id = (
                 select d.id from deliveries d
                 where d.state = 'waiting' and d.not_before <= $3 and (d.lease_until is null or d.lease_until < $3)
                   and not exists (
                       select 1 from deliveries k
                       where k.webhook_id = d.webhook_id and k.state = 'waiting' and k.lease_until >= $3)
                 order by d.not_before, d.id limit 1",
            $locking,
            ") returning *"
        )
    };
}
const CLAIM: &str = claim!("");
const CLAIM_SHARED: &str = claim!(" for update skip locked");

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be sent, for the first time or again.
    Waiting,
    /// The target has taken it.
    Delivered,
    /// It is given up.
    Failed,
}

/// A delivery: what happened, and to which video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The same at every attempt.
    pub id: String,
    /// The webhook.
    pub webhook: String,
    /// The event.
    pub event: Event,
    /// The video, which may be gone.
    pub video: String,
    /// Its title then.
    pub title: String,
    /// The code and the sentence of a failure.
    pub failure: Option<(String, String)>,
    /// The caption track, and its language where it is known.
    pub captions: Option<(String, Option<String>)>,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// How often it was sent, since a person last sent it again.
    pub attempts: u32,
}

/// A delivery of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The delivery.
    pub delivery: Delivery,
    /// How far it has come.
    pub state: DeliveryState,
    /// The next attempt of one that waits.
    pub next_at: Option<Timestamp>,
    /// The last attempt.
    pub attempted_at: Option<Timestamp>,
    /// The status of its answer.
    pub status: Option<u16>,
    /// Why it did not succeed, as a sentence for people.
    pub problem: Option<String>,
}

/// A claimed delivery and where it goes.
#[derive(Clone)]
pub struct Due {
    /// The delivery.
    pub delivery: Delivery,
    /// Where it goes; `None` when its webhook is switched off.
    pub target: Option<Target>,
    owner: String,
}

/// Where a delivery goes.
#[derive(Clone)]
pub struct Target {
    /// The address.
    pub url: String,
    /// The secret that signs it.
    pub secret: String,
}

/// The outcome of an attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempted<'a> {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it did not succeed.
    pub problem: Option<&'a str>,
    /// The pause before the next attempt; `None` when there is none.
    pub again_in: Option<Duration>,
    /// Whether the target asks to be left alone for good: its webhook is switched off.
    pub gone: bool,
}

impl Webhooks {
    /// Claims the delivery that is due for the longest time, for `lease`; exactly one claimer gets it.
    pub async fn claim(&self, owner: &str, lease: Duration) -> Result<Option<Due>> {
        let now = Timestamp::now();
        let statement = if self.sql.is_shared() { CLAIM_SHARED } else { CLAIM };
        let claim = query(statement).bind(owner).bind((now + lease).0).bind(now.0);
        let Some(delivery) = claim.fetch_optional::<Delivery>(&self.sql).await? else { return Ok(None) };
        // Judged as it is sent, not as it was queued: its person may be disabled since, or no administrator any more.
        let target = query(
            "select h.url, h.secret from webhooks h join users u on u.id = h.user_id
             where h.id = $1 and h.active and not u.disabled and u.deleted_at is null
               and (h.videos = 'own' or u.role = 'administrator')",
        );
        let target = target.bind(&delivery.webhook).fetch_optional(&self.sql).await?;
        Ok(Some(Due { delivery, target, owner: owner.to_owned() }))
    }

    /// Records the outcome of an attempt. Nothing happens when the lease is gone.
    pub async fn conclude(&self, due: &Due, outcome: Attempted<'_>) -> Result<()> {
        let state = match (outcome.problem, outcome.again_in) {
            (None, _) => DeliveryState::Delivered,
            (Some(_), Some(_)) => DeliveryState::Waiting,
            (Some(_), None) => DeliveryState::Failed,
        };
        let now = Timestamp::now();
        let mut tx = self.sql.begin(LockScope::New).await?;
        let concluded = query(
            "update deliveries set state = $3, not_before = $4, attempted_at = $5, status = $6, problem = $7,
                 lease_owner = null, lease_until = null
             where id = $1 and lease_owner = $2",
        )
        .bind(&due.delivery.id)
        .bind(&due.owner)
        .bind(state.as_str())
        .bind((now + outcome.again_in.unwrap_or_default()).0)
        .bind(now.0)
        .bind(outcome.status.map(i64::from))
        .bind(outcome.problem)
        .execute(&mut tx)
        .await?;
        if concluded > 0 && outcome.gone {
            let off = query("update webhooks set active = false where id = $1");
            off.bind(&due.delivery.webhook).execute(&mut tx).await?;
        }
        tx.commit().await
    }

    /// Returns the newest deliveries of a person's webhook. `None` when there is no such webhook.
    pub async fn log(&self, user: &UserId, webhook: &str) -> Result<Option<Vec<Logged>>> {
        let known = query("select id from webhooks where user_id = $1 and id = $2");
        let known: Option<String> = known.bind(user.as_str()).bind(webhook).fetch_optional(&self.sql).await?;
        if known.is_none() {
            return Ok(None);
        }
        let log = query(
            "select * from deliveries where webhook_id = $1 order by occurred_at desc, id desc limit $2",
        );
        Ok(Some(log.bind(webhook).bind(MOST_LOGGED).fetch_all(&self.sql).await?))
    }

    /// Has a delivery of a person's webhook sent again, at once and then for a day. Returns whether there is such a one.
    pub async fn send_again(&self, user: &UserId, webhook: &str, delivery: &str) -> Result<bool> {
        // A lease stays: what is being sent at this moment is not sent by another process as well.
        let again = query(
            "update deliveries set state = 'waiting', attempts = 0, not_before = $4
             where id = $3 and webhook_id in (select id from webhooks where user_id = $1 and id = $2)",
        );
        let again = again.bind(user.as_str()).bind(webhook).bind(delivery).bind(Timestamp::now().0);
        Ok(again.execute(&self.sql).await? > 0)
    }

    /// Drops what is over from the log: what is old, and of each webhook all but the newest.
    pub async fn sweep(&self) -> Result<u64> {
        let since = Timestamp(Timestamp::now().0 - LOGGED_FOR.as_micros() as i64);
        let sweep = query(
            "delete from deliveries where state <> 'waiting' and (occurred_at < $1 or id in (
                 select id from (
                     select id, row_number() over (partition by webhook_id order by occurred_at desc, id desc) as place
                     from deliveries where state <> 'waiting') ranked
                 where place > $2))",
        );
        sweep.bind(since.0).bind(MOST_LOGGED).execute(&self.sql).await
    }

    /// Frees every lease; only for a store that has no other process.
    pub(crate) async fn release_all(&self) -> Result<()> {
        let release = query(
            "update deliveries set lease_owner = null, lease_until = null where lease_owner is not null",
        );
        release.execute(&self.sql).await.map(drop)
    }
}

impl DeliveryState {
    const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    /// Returns the word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Debug for Due {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Due").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

impl FromRow for Target {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { url: row.try_get("url")?, secret: row.try_get("secret")? })
    }
}

impl FromRow for Delivery {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let event: String = row.try_get("event")?;
        let code: Option<String> = row.try_get("error_code")?;
        let track: Option<String> = row.try_get("track")?;
        let language: Option<String> = row.try_get("language")?;
        Ok(Self {
            id: row.try_get("id")?,
            webhook: row.try_get("webhook_id")?,
            event: Event::read(&event).ok_or_else(|| sqlx::Error::Decode("deliveries.event".into()))?,
            video: row.try_get("video_id")?,
            title: row.try_get("title")?,
            failure: code.zip(row.try_get("error_message")?),
            captions: track.map(|track| (track, language)),
            occurred_at: Timestamp(row.try_get("occurred_at")?),
            attempts: row.try_get::<i64, _>("attempts")? as u32,
        })
    }
}

impl FromRow for Logged {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let state: String = row.try_get("state")?;
        let state = DeliveryState::ALL.into_iter().find(|one| one.as_str() == state);
        let state = state.ok_or_else(|| sqlx::Error::Decode("deliveries.state".into()))?;
        let next_at = Timestamp(row.try_get("not_before")?);
        Ok(Self {
            delivery: Delivery::from_row(row)?,
            state,
            next_at: Some(next_at).filter(|_| state == DeliveryState::Waiting),
            attempted_at: row.try_get::<Option<i64>, _>("attempted_at")?.map(Timestamp),
            status: row.try_get::<Option<i64>, _>("status")?.map(|status| status as u16),
            problem: row.try_get("problem")?,
        })
    }
}
