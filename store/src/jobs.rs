//! In charge of work that is left: queued, claimed by lease, finished or given back. The database is the
//! queue; signals only tell workers to look.

use std::time::Duration;

use crate::{
    Result, Signals, Timestamp, VideoId,
    sql::{FromRow, LockScope, Row, Sql, Transaction, query},
};

/// What there is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Probe the source, fix the plan, write the playlists.
    Prepare,
    /// Take a telling frame.
    Poster,
    /// Copy a text track of the file; the job's track is the caption track's id.
    Text,
    /// Encode a run of one audio rendition.
    Audio,
    /// Encode a run of all video renditions.
    Video,
    /// Measure, write the playlists again, mark the video ready. Waits until the video is encoded.
    Finish,
    /// Listen and write captions; the job's track is the caption track's id.
    Captions,
    /// Write the playlists again, for the captions that they list have changed.
    Playlists,
}

// SQLite has one writer at a time and no word for it; in PostgreSQL, claimers pass by what another is claiming.
macro_rules! claim {
    ($locking:literal) => {
        concat!(
            "update jobs set lease_owner = $1, lease_until = $2, attempts = attempts + 1, again = false
             where id = (
                 select j.id from jobs j
                 where j.kind in ($4, $5, $6, $7, $8, $9, $10, $11)
                   and j.not_before <= $3
                   and (j.lease_until is null or j.lease_until < $3)
                   and (j.kind <> 'finish' or not exists (
                       select 1 from jobs k where k.video_id = j.video_id and k.id <> j.id
                         and k.kind not in ('captions', 'playlists')))
                   and (j.kind not in ('prepare', 'finish', 'playlists') or not exists (
                       select 1 from jobs k where k.video_id = j.video_id and k.id <> j.id
                         and k.kind in ('prepare', 'finish', 'playlists') and k.lease_until >= $3))
                   and (j.kind <> 'captions' or (
                       exists (select 1 from videos v where v.id = j.video_id and v.state in ('playable', 'ready'))
                       and not exists (
                           select 1 from jobs k join videos v on v.id = k.video_id
                           where v.state in ('uploaded', 'planned') and k.lease_until >= $3
                             and k.kind in ('prepare', 'audio', 'video'))))
                 order by j.priority desc, j.queued_at, j.first
                 limit 1",
            $locking,
            ") returning *"
        )
    };
}
const CLAIM: &str = claim!("");
const CLAIM_SHARED: &str = claim!(" for update skip locked");

/// Work to be queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// What there is to do.
    pub kind: Kind,
    /// The rendition or the caption track, where the kind has one for each.
    pub track: String,
    /// Segments `[first, last)`.
    pub segments: (u32, u32),
    /// Higher goes first.
    pub priority: i64,
}

/// Work that is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub(crate) id: String,
    pub(crate) owner: String,
    /// Whose it is.
    pub video: VideoId,
    /// What there is to do.
    pub kind: Kind,
    /// The rendition or the caption track, where the kind has one for each.
    pub track: String,
    /// Segments `[first, last)`.
    pub segments: (u32, u32),
    /// How often it was claimed, this time included.
    pub attempts: u32,
}

/// The queue.
#[derive(Clone, Debug)]
pub struct Jobs {
    sql: Sql,
    signals: Signals,
}

impl Jobs {
    pub(crate) fn new(sql: Sql, signals: Signals) -> Self {
        Self { sql, signals }
    }

    /// Claims the most urgent job of one of `kinds` for `lease`; exactly one claimer gets it.
    ///
    /// What writes playlists is claimed by one at a time for each video, so that none writes what it saw over what
    /// another saw later. Captions wait until their video plays, and as long as an encoder is at work on one that does not yet:
    /// somebody looks at that page and sees nothing.
    pub async fn claim(&self, kinds: &[Kind], owner: &str, lease: Duration) -> Result<Option<Job>> {
        let now = Timestamp::now();
        let places = [now + lease, now];
        let bound = |statement: &'static str| {
            let query = query(statement).bind(owner).bind(places[0].0).bind(places[1].0);
            // One statement for every choice of kinds: a kind that is not wanted is null, which equals nothing.
            Kind::ALL
                .iter()
                .fold(query, |query, kind| query.bind(kinds.contains(kind).then_some(kind.as_str())))
        };
        if self.sql.is_shared() && kinds.iter().any(|kind| kind.writes_playlists()) {
            // Two who claim at once do not see each other's claims; of these kinds that would make two writers.
            let mut tx = self.sql.begin(LockScope::Writers).await?;
            let job = bound(CLAIM_SHARED).fetch_optional(&mut tx).await?;
            tx.commit().await?;
            return Ok(job);
        }
        let statement = if self.sql.is_shared() { CLAIM_SHARED } else { CLAIM };
        bound(statement).fetch_optional(&self.sql).await
    }

    /// Renews the lease of a claimed job. Returns whether it is still ours.
    pub async fn renew(&self, job: &Job, lease: Duration) -> Result<bool> {
        let query = query("update jobs set lease_until = $3 where id = $1 and lease_owner = $2");
        let query = query.bind(&job.id).bind(&job.owner).bind((Timestamp::now() + lease).0);
        Ok(query.execute(&self.sql).await? > 0)
    }

    /// Removes a claimed job that is done, unless there is a reason by now to do it once more. Returns whether it was
    /// still ours.
    pub async fn finish(&self, job: &Job) -> Result<bool> {
        let query = query("delete from jobs where id = $1 and lease_owner = $2 and not again");
        let removed = query.bind(&job.id).bind(&job.owner).execute(&self.sql).await? > 0;
        let ours = removed || release_for_rerun(&self.sql, job).await?;
        self.signals.notify_workers();
        Ok(ours)
    }

    /// Says of a job that may have written playlists, though it was no longer this worker's, that somebody must write
    /// them again: what it wrote last may be older than what another wrote.
    pub async fn requeue_playlists(&self, video: &VideoId) -> Result<()> {
        let mut tx = self.sql.begin(LockScope::Video(video)).await?;
        insert_playlists(&mut tx, video).await?;
        tx.commit().await?;
        self.signals.notify_workers();
        Ok(())
    }

    /// Gives a claimed job back, to be claimed again after `delay`.
    pub async fn release(&self, job: &Job, delay: Duration, counted: Attempt) -> Result<()> {
        query(
            "update jobs set lease_owner = null, lease_until = null, not_before = $3, attempts = attempts - $4
             where id = $1 and lease_owner = $2",
        )
        .bind(&job.id)
        .bind(&job.owner)
        .bind((Timestamp::now() + delay).0)
        .bind(i64::from(counted == Attempt::Interrupted))
        .execute(&self.sql)
        .await?;
        self.signals.notify_workers();
        Ok(())
    }

    /// Returns how many videos are to be encoded before the video `id`, or `None` when it waits for nothing.
    pub async fn queue_position(&self, id: &VideoId) -> Result<Option<u32>> {
        let queued: Option<i64> = query(
            "select min(queued_at) from jobs where video_id = $1 and kind in ('prepare', 'video', 'audio')",
        )
        .bind(id.as_str())
        .fetch_one(&self.sql)
        .await?;
        let Some(queued) = queued else { return Ok(None) };
        let ahead: i64 = query(
            "select count(distinct video_id) from jobs where queued_at < $2 and video_id <> $1 and kind in ('prepare', 'video', 'audio')",
        )
        .bind(id.as_str())
        .bind(queued)
        .fetch_one(&self.sql)
        .await?;
        Ok(Some(ahead as u32))
    }

    /// Frees every lease; only for a store that has no other process.
    pub(crate) async fn release_all(&self) -> Result<()> {
        let query =
            query("update jobs set lease_owner = null, lease_until = null where lease_owner is not null");
        query.execute(&self.sql).await?;
        Ok(())
    }
}

/// Whether a job that is given back had its chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It failed; the attempt counts.
    Failed,
    /// It was stopped from outside; the attempt does not count.
    Interrupted,
}

/// Returns whether a job is still who claimed it's, and keeps others from claiming it until the change is done.
pub(crate) async fn holds_lease(tx: &mut Transaction, job: &Job) -> Result<bool> {
    let held = query("update jobs set lease_owner = lease_owner where id = $1 and lease_owner = $2");
    Ok(held.bind(&job.id).bind(&job.owner).execute(tx).await? > 0)
}

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

pub(crate) async fn insert_prepare(tx: &mut Transaction, id: &VideoId) -> Result<()> {
    // Before all encoding, so that a new video's playlists stand within seconds.
    let job = NewJob { kind: Kind::Prepare, track: String::new(), segments: (0, 0), priority: 100 };
    insert_job(tx, id, &job, Timestamp::now()).await
}

/// Has the playlists of a planned video written again. Those that are being written are written once more, for what
/// was looked at has changed; before the plan there are none, and the plan writes the first.
pub(crate) async fn insert_playlists(tx: &mut Transaction, video: &VideoId) -> Result<()> {
    query(
        "insert into jobs (id, video_id, kind, priority, queued_at)
         select $1, v.id, 'playlists', 50, $3 from videos v
         where v.id = $2 and v.state in ('planned', 'playable', 'ready')
         on conflict (video_id, kind, track, first) do update
         set not_before = 0, again = true",
    )
    .bind(VideoId::random().as_str())
    .bind(video.as_str())
    .bind(Timestamp::now().0)
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn insert_job(
    tx: &mut Transaction,
    video: &VideoId,
    job: &NewJob,
    now: Timestamp,
) -> Result<()> {
    query(
        "insert into jobs (id, video_id, kind, track, first, last, priority, queued_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (video_id, kind, track, first) do nothing",
    )
    .bind(VideoId::random().as_str())
    .bind(video.as_str())
    .bind(job.kind.as_str())
    .bind(&job.track)
    .bind(i64::from(job.segments.0))
    .bind(i64::from(job.segments.1))
    .bind(job.priority)
    .bind(now.0)
    .execute(tx)
    .await?;
    Ok(())
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Prepare,
        Self::Poster,
        Self::Text,
        Self::Audio,
        Self::Video,
        Self::Finish,
        Self::Captions,
        Self::Playlists,
    ];

    const WRITERS: [Self; 3] = [Self::Prepare, Self::Finish, Self::Playlists];

    /// Returns whether jobs of this kind write playlists.
    pub fn writes_playlists(self) -> bool {
        Self::WRITERS.contains(&self)
    }

    /// Returns the kind's word in the database and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Poster => "poster",
            Self::Text => "text",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Finish => "finish",
            Self::Captions => "captions",
            Self::Playlists => "playlists",
        }
    }
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
            segments: (number("first")? as u32, number("last")? as u32),
            attempts: number("attempts")? as u32,
        })
    }
}
