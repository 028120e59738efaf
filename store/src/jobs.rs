//! The job queue: jobs are queued, claimed by lease, finished or released. The database is the queue; signals only wake
//! workers. Leaves the choice of the next one to `claim` and `service`, new jobs to `insert`, runs in hand to
//! `runs`, the list of operators to `listed`, what viewers wait for to `wants`.

mod claim;
mod class;
mod insert;
mod kind;
mod listed;
mod runs;
mod service;
mod wants;

use std::{collections::HashMap, ops::Range, sync::Arc, time::Duration};

use rustix::system::uname;
use traces::TraceContext;

use crate::{
    Result, Signals, Timestamp, VideoId,
    sql::{FromRow, LockScope, Row, Sql, Transaction, query},
};
pub use claim::Claim;
pub(crate) use claim::PLAN_VERSION;
pub use class::{Class, Rank};
pub(crate) use insert::{insert_job, insert_playlists, insert_poster, insert_prepare};
pub use kind::Kind;
pub use listed::{JobPage, JobPlace, ListedJob};
pub use runs::Standing;
pub use service::{CHARGED_AHEAD, Pauses};
pub use wants::Want;

/// A job to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// The kind of work.
    pub kind: Kind,
    /// The rendition or the caption track, where the kind has one for each.
    pub track: String,
    /// Segments `[first, last)`.
    pub segments: Range<u32>,
    /// How urgent it is.
    pub class: Class,
    /// How much work of its video's, in any unit, comes before it in its class.
    pub turn: i64,
}

/// A claimed job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub(crate) id: String,
    pub(crate) owner: String,
    /// The video.
    pub video: VideoId,
    /// The kind of work.
    pub kind: Kind,
    /// The rendition or the caption track, where the kind has one for each.
    pub track: String,
    /// Segments `[first, last)`.
    pub segments: Range<u32>,
    /// How often it was claimed since it last came any further, this time included.
    pub attempts: u32,
    pub(crate) priority: i64,
    /// The request or the job that queued it.
    pub(crate) trace: Option<TraceContext>,
}

/// The queue.
#[derive(Clone, Debug)]
pub struct Jobs {
    sql: Sql,
    signals: Signals,
    /// Where its claims are worked.
    machine: Arc<str>,
}

impl Jobs {
    pub(crate) fn new(sql: Sql, signals: Signals) -> Self {
        // A name that is no UTF-8 is still the same for all processes of a machine.
        let machine = uname().nodename().to_string_lossy().into();
        Self { sql, signals, machine }
    }

    /// Returns the queue as workers of the machine `name` claim from it.
    pub(crate) fn on_machine(&self, name: &str) -> Self {
        Self { machine: name.into(), ..self.clone() }
    }

    pub(crate) fn sql(&self) -> &Sql {
        &self.sql
    }

    /// Renews the lease of a claimed job. Returns whether the lease still held.
    pub async fn renew(&self, job: &Job, lease: Duration) -> Result<bool> {
        // The owner decides and not the time: a lease that ran out and that nobody has claimed may still be renewed.
        let query = query("update jobs set lease_until = $3 where id = $1 and lease_owner = $2");
        let query = query.bind(&job.id).bind(&job.owner).bind((Timestamp::now() + lease).0);
        Ok(query.execute(&self.sql).await? > 0)
    }

    /// Removes a claimed job that is done, unless it was queued again meanwhile. Returns whether the lease
    /// still held.
    pub async fn finish(&self, job: &Job) -> Result<bool> {
        // The check and the deletion are one statement: between two, `insert_playlists` could
        // set `again`, which would go with the row.
        let query = query("delete from jobs where id = $1 and lease_owner = $2 and not again");
        // A `finish` job may have waited for just this row, so workers are notified whatever the outcome.
        let removed = query.bind(&job.id).bind(&job.owner).execute(&self.sql).await? > 0;
        let ours = removed || release_for_rerun(&self.sql, job).await?;
        self.signals.notify_workers();
        Ok(ours)
    }

    /// Queues the playlists of a video once more, after a job that may have written them without its lease: they may be
    /// older than those of the worker that took it over.
    pub async fn requeue_playlists(&self, video: &VideoId) -> Result<()> {
        let mut tx = self.sql.begin(LockScope::Video(video)).await?;
        insert_playlists(&mut tx, video).await?;
        tx.commit().await?;
        self.signals.notify_workers();
        Ok(())
    }

    /// Releases a claimed job, to be claimed again after `delay`.
    pub async fn release(&self, job: &Job, delay: Duration, counted: Attempt) -> Result<()> {
        query(
            // The pause is a column and not a sleep: the worker takes other jobs meanwhile, and a restart keeps the pause.
            "update jobs set lease_owner = null, lease_until = null, not_before = $3, attempts = attempts - $4
             where id = $1 and lease_owner = $2",
        )
        .bind(&job.id)
        .bind(&job.owner)
        .bind((Timestamp::now() + delay).0)
        // The claim counts ahead, or a job that kills its process would be claimed for ever; an interruption is taken back.
        .bind(i64::from(counted == Attempt::Interrupted))
        .execute(&self.sql)
        .await?;
        self.signals.notify_workers();
        Ok(())
    }

    /// Returns how many videos are to be encoded before the video `id`, or `None` when none of its jobs is queued.
    pub async fn queue_position(&self, id: &VideoId) -> Result<Option<u32>> {
        Ok(self.queue_positions(std::slice::from_ref(id)).await?.remove(id))
    }

    /// Returns how many videos are to be encoded before each of many, by one statement. Those without a queued job are not
    /// among them.
    pub async fn queue_positions(&self, ids: &[VideoId]) -> Result<HashMap<VideoId, u32>> {
        // Posters, texts, captions and playlists do not count: a viewer waits for
        // pictures and sound, which these kinds make.
        let query = query(
            // The empty text keeps SQLite from going through all jobs in the order of their videos, where those before a time
            // have an index.
            "select q.video_id, (
                 select count(distinct k.video_id || '') from jobs k
                 where k.queued_at < q.queued_at and k.video_id <> q.video_id
                   and k.kind in ('prepare', 'video', 'audio')) as ahead
             from (select video_id, min(queued_at) as queued_at from jobs
                   where video_id in (select value from json_each($1)) and kind in ('prepare', 'video', 'audio')
                   group by video_id) q",
        );
        let rows: Vec<Ahead> = query.bind(&VideoId::list(ids)).fetch_all(&self.sql).await?;
        Ok(rows.into_iter().map(|Ahead { video, ahead }| (video, ahead)).collect())
    }

    /// Frees every lease; only for a store that has no other process.
    pub(crate) async fn release_all(&self) -> Result<()> {
        let query =
            // The folder's lock proves that the owners of all leases are dead; waiting for
            // the leases' end would idle half a minute.
            query("update jobs set lease_owner = null, lease_until = null where lease_owner is not null");
        query.execute(&self.sql).await?;
        Ok(())
    }
}

/// How many videos come before one.
struct Ahead {
    video: VideoId,
    ahead: u32,
}

impl FromRow for Ahead {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let ahead: i64 = row.try_get("ahead")?;
        Ok(Self { video: VideoId::of_row(row, "video_id")?, ahead: ahead as u32 })
    }
}

/// The account of a released job's attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It failed; the attempt counts.
    Failed,
    /// It was stopped from outside; the attempt does not count.
    Interrupted,
}

/// Returns whether a job's lease still holds, and locks its row until the transaction ends.
pub(crate) async fn holds_lease(tx: &mut Transaction, job: &Job) -> Result<bool> {
    // An update that changes nothing locks the row on both databases, and a claim with `skip locked` passes it by.
    let held = query("update jobs set lease_owner = lease_owner where id = $1 and lease_owner = $2");
    Ok(held.bind(&job.id).bind(&job.owner).execute(tx).await? > 0)
}

/// Like [`holds_lease`], of a job that has come further: its attempts are counted anew, since only what stops it at the same
/// place again and again is to end it.
pub(crate) async fn progressed(tx: &mut Transaction, job: &Job) -> Result<bool> {
    let held = query("update jobs set attempts = 1 where id = $1 and lease_owner = $2");
    Ok(held.bind(&job.id).bind(&job.owner).execute(tx).await? > 0)
}

// The run that has just ended was a success; its attempts must not count against the next.
async fn release_for_rerun(sql: &Sql, job: &Job) -> Result<bool> {
    let released = query(
        "update jobs set lease_owner = null, lease_until = null, attempts = 0, again = false
         where id = $1 and lease_owner = $2",
    )
    .bind(&job.id)
    .bind(&job.owner)
    .execute(sql)
    .await?;
    Ok(released > 0)
}

impl FromRow for Job {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let kind: String = row.try_get("kind")?;
        let number = |column| row.try_get::<i64, _>(column);
        Ok(Self {
            id: row.try_get("id")?,
            owner: row.try_get("lease_owner")?,
            video: VideoId::of_row(row, "video_id")?,
            kind: Kind::ALL
                .into_iter()
                .find(|k| k.as_str() == kind)
                .ok_or_else(|| sqlx::Error::Decode("jobs.kind".into()))?,
            track: row.try_get("track")?,
            segments: number("first")? as u32..number("last")? as u32,
            attempts: number("attempts")? as u32,
            priority: number("priority")?,
            trace: row.try_get::<Option<String>, _>("trace")?.as_deref().and_then(TraceContext::parse),
        })
    }
}
