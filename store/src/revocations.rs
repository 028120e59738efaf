//! Revocations: whatever takes somebody's right to watch away voids tickets and has caches drop videos by this one way, and whatever
//! ends a session, a token or an account has servers look again at what runs by it. A row of SQL carries it, so that neither a kill
//! behind the change nor a change by another process is lost. Leaves purging and looking to the signals' subscribers.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    Result, Signal, Signals, UserId, VideoId, id,
    sql::{FromRow, LockScope, Row, Sql, Transaction, query},
};

// A change by another process reaches every edge within a second: this, and two rounds of purges at 400 ms where an edge is slow
// are the worst of it.
const LOOK_EVERY: Duration = Duration::from_millis(300);
// Above it one row stands for all videos: caches revalidate what they have, which costs less than as many purges.
const MOST_NAMED: usize = 200;

/// The videos that somebody who loses a right may have tickets of. A ticket names nobody, so all tickets of a video become void;
/// other viewers get another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ticketed<'a> {
    /// One.
    One(&'a VideoId),
    /// A person's own ones and those that are shared with them.
    Of(&'a UserId),
    /// All private ones, which administrators may watch.
    Private,
    /// All, where strangers may watch none.
    All,
}

const VOID_ONE: &str = "
    update videos set tickets_from = case when tickets_from >= $1 then tickets_from + 1 else $1 end
    where id = $2 returning id as video_id";
const VOID_OF_PERSON: &str = "
    update videos set tickets_from = case when tickets_from >= $1 then tickets_from + 1 else $1 end
    where id in (select id from videos where owner_id = $2
                 union select video_id from grants where user_id = $2)
    returning id as video_id";
const VOID_PRIVATE: &str = "
    update videos set tickets_from = case when tickets_from >= $1 then tickets_from + 1 else $1 end
    where visibility = 'private' returning id as video_id";
const VOID_ALL: &str = "
    update videos set tickets_from = case when tickets_from >= $1 then tickets_from + 1 else $1 end
    returning id as video_id";

/// Makes tickets void that end before the second `tickets_from`, and those that were made since by a clock behind. Once the
/// transaction is committed, [`publish`] has caches drop the videos.
pub(crate) async fn void_tickets(tx: &mut Transaction, of: Ticketed<'_>, tickets_from: u64) -> Result<()> {
    let (statement, name) = match of {
        Ticketed::One(video) => (VOID_ONE, Some(video.as_str())),
        Ticketed::Of(user) => (VOID_OF_PERSON, Some(user.as_str())),
        Ticketed::Private => (VOID_PRIVATE, None),
        Ticketed::All => (VOID_ALL, None),
    };
    let statement = query(statement).bind(tickets_from as i64);
    let statement = match name {
        Some(name) => statement.bind(name),
        None => statement,
    };
    let videos: Vec<VideoId> = statement.fetch_all(&mut *tx).await?;
    note(tx, &videos).await
}

/// Notes videos that caches are to drop once the transaction is committed.
pub(crate) async fn note(tx: &mut Transaction, videos: &[VideoId]) -> Result<()> {
    let id = id::random();
    let statement = if videos.len() > MOST_NAMED {
        query("insert into revocations (id, video_id) values ($1, null)").bind(&id)
    } else {
        query("insert into revocations (id, video_id) select value || $1, value from json_each($2)")
            .bind(&id)
            .bind(&VideoId::list(videos))
    };
    statement.execute(tx).await.map(drop)
}

/// Notes that a session, a token or a right of a person ends once the transaction is committed.
pub(crate) async fn note_person(tx: &mut Transaction, user: &UserId) -> Result<()> {
    query("insert into revocations (id, user_id) values ($1, $2)")
        .bind(&id::random())
        .bind(user.as_str())
        .execute(tx)
        .await
        .map(drop)
}

/// Something of a person that lets them in.
pub(crate) struct Key<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) id: &'a str,
}

/// Deletes a key by a statement of its person and its id. Returns whether it was there.
pub(crate) async fn end(sql: &Sql, statement: &'static str, key: Key<'_>) -> Result<bool> {
    let Key { user, id } = key;
    let mut tx = sql.begin(LockScope::New).await?;
    let ended = query(statement).bind(user.as_str()).bind(id).execute(&mut tx).await?;
    if ended > 0 {
        note_person(&mut tx, user).await?;
    }
    tx.commit().await?;
    Ok(ended > 0)
}

/// A row.
struct Noted {
    id: String,
    about: About,
}

enum About {
    /// A video that caches are to drop.
    Video(VideoId),
    /// All of them.
    Videos,
    /// A person of whom something has ended.
    Person(UserId),
}

/// Has caches drop the videos that are noted, and servers look again at what runs by the persons'.
async fn publish(sql: &Sql, signals: &Signals) -> Result<()> {
    let most = MOST_NAMED as i64;
    let noted: Vec<Noted> =
        query("select id, video_id, user_id from revocations limit $1").bind(most).fetch_all(sql).await?;
    if noted.is_empty() {
        return Ok(());
    }
    let (mut videos, mut all) = (Vec::new(), false);
    for row in &noted {
        match &row.about {
            About::Video(id) => videos.push(id.clone()),
            About::Videos => all = true,
            About::Person(user) => signals.publish(Signal::Ended(user.clone())),
        }
    }
    signals.publish_hidden((!all).then_some(videos));
    // The rows go last: a kill before this has another process publish them again, which does no harm.
    let mut tx = sql.begin(LockScope::New).await?;
    for row in &noted {
        query("delete from revocations where id = $1").bind(&row.id).execute(&mut tx).await?;
    }
    tx.commit().await
}

/// Publishes what a committed change has noted. A failure is no failure of the change: each server looks again by itself.
pub(crate) async fn publish_soon(sql: &Sql, signals: &Signals) {
    if let Err(error) = publish(sql, signals).await {
        tracing::warn!(%error, "cannot have caches drop a video now; it is tried again");
    }
}

/// Publishes what other processes' changes have noted, until `shutdown`.
pub(crate) async fn follow(sql: &Sql, signals: &Signals, shutdown: CancellationToken) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = false;
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        match publish(sql, signals).await {
            Ok(()) => failed = false,
            // An outage is logged once, not three times a second.
            Err(error) if !std::mem::replace(&mut failed, true) => {
                tracing::warn!(%error, "cannot look for lost rights; caches may play on what they keep");
            }
            Err(_) => {}
        }
    }
}

/// The end of a right to one video that somebody had.
pub(crate) struct Revocation<'a> {
    /// Deletes the row of a video and an id.
    pub(crate) statement: &'static str,
    pub(crate) video: &'a VideoId,
    pub(crate) id: &'a str,
    /// Tickets of the video that end before this second are void from now on.
    pub(crate) tickets_from: u64,
}

impl Revocation<'_> {
    /// Deletes the row, and has caches drop the video. Returns whether there was one.
    pub(crate) async fn make(&self, sql: &Sql, signals: &Signals) -> Result<bool> {
        let mut tx = sql.begin(LockScope::Video(self.video)).await?;
        let revoked = query(self.statement).bind(self.video.as_str()).bind(self.id).execute(&mut tx).await?;
        if revoked == 0 {
            return Ok(false);
        }
        void_tickets(&mut tx, Ticketed::One(self.video), self.tickets_from).await?;
        tx.commit().await?;
        publish_soon(sql, signals).await;
        Ok(true)
    }
}

impl FromRow for Noted {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let video: Option<String> = row.try_get("video_id")?;
        let user: Option<String> = row.try_get("user_id")?;
        let about = match (video, user) {
            (Some(video), _) => {
                About::Video(video.parse().map_err(|_| sqlx::Error::Decode("revocations.video_id".into()))?)
            }
            (None, Some(user)) => About::Person(user.into()),
            (None, None) => About::Videos,
        };
        Ok(Self { id: row.try_get("id")?, about })
    }
}
