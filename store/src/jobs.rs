//! In charge of work that is left: queued, claimed by lease, finished or given back. The database is the
//! queue; signals only tell workers to look.

use std::time::Duration;

use sqlx::{FromRow, Row, sqlite::SqliteRow};

use crate::{Result, Signals, Timestamp, VideoId, sql::Sql};

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
    /// Captions wait until their video plays, and as long as an encoder is at work on one that does not yet:
    /// somebody looks at that page and sees nothing.
    pub async fn claim(&self, kinds: &[Kind], owner: &str, lease: Duration) -> Result<Option<Job>> {
        let now = Timestamp::now();
        let mut query = sqlx::query_as(
            "update jobs set lease_owner = $1, lease_until = $2, attempts = attempts + 1
             where id = (
                 select j.id from jobs j
                 where j.kind in ($4, $5, $6, $7, $8, $9, $10, $11)
                   and j.not_before <= $3
                   and (j.lease_until is null or j.lease_until < $3)
                   and (j.kind <> 'finish' or not exists (
                       select 1 from jobs k where k.video_id = j.video_id and k.id <> j.id
                         and k.kind not in ('captions', 'playlists')))
                   and (j.kind <> 'captions' or (
                       exists (select 1 from videos v where v.id = j.video_id and v.state in ('playable', 'ready'))
                       and not exists (
                           select 1 from jobs k join videos v on v.id = k.video_id
                           where v.state in ('uploaded', 'planned') and k.lease_until >= $3
                             and k.kind in ('prepare', 'audio', 'video'))))
                 order by j.priority desc, j.queued_at, j.first
                 limit 1)
             returning *",
        );
        query = query.bind(owner).bind((now + lease).0).bind(now.0);
        for kind in Kind::ALL {
            // One statement for every choice of kinds: a kind that is not wanted is null, which equals nothing.
            query = query.bind(kinds.contains(&kind).then_some(kind.as_str()));
        }
        Ok(query.fetch_optional(&self.sql.pool).await?)
    }

    /// Renews the lease of a claimed job. Returns whether it is still ours.
    pub async fn renew(&self, job: &Job, lease: Duration) -> Result<bool> {
        let query = sqlx::query("update jobs set lease_until = $3 where id = $1 and lease_owner = $2");
        let query = query.bind(&job.id).bind(&job.owner).bind((Timestamp::now() + lease).0);
        Ok(query.execute(&self.sql.pool).await?.rows_affected() > 0)
    }

    /// Removes a claimed job that is done.
    pub async fn finish(&self, job: &Job) -> Result<()> {
        let query = sqlx::query("delete from jobs where id = $1 and lease_owner = $2");
        query.bind(&job.id).bind(&job.owner).execute(&self.sql.pool).await?;
        self.signals.tell_workers();
        Ok(())
    }

    /// Gives a claimed job back, to be claimed again after `delay`.
    pub async fn give_back(&self, job: &Job, delay: Duration, counted: Attempt) -> Result<()> {
        sqlx::query(
            "update jobs set lease_owner = null, lease_until = null, not_before = $3, attempts = attempts - $4
             where id = $1 and lease_owner = $2",
        )
        .bind(&job.id)
        .bind(&job.owner)
        .bind((Timestamp::now() + delay).0)
        .bind(i64::from(counted == Attempt::Interrupted))
        .execute(&self.sql.pool)
        .await?;
        self.signals.tell_workers();
        Ok(())
    }

    /// Returns how many videos are to be encoded before the video `id`, or `None` when it waits for nothing.
    pub async fn ahead_of(&self, id: &VideoId) -> Result<Option<u32>> {
        let queued: Option<i64> = sqlx::query_scalar(
            "select min(queued_at) from jobs where video_id = $1 and kind in ('prepare', 'video', 'audio')",
        )
        .bind(id.as_str())
        .fetch_one(&self.sql.pool)
        .await?;
        let Some(queued) = queued else { return Ok(None) };
        let ahead: i64 = sqlx::query_scalar(
            "select count(distinct video_id) from jobs where queued_at < $2 and video_id <> $1 and kind in ('prepare', 'video', 'audio')",
        )
        .bind(id.as_str())
        .bind(queued)
        .fetch_one(&self.sql.pool)
        .await?;
        Ok(Some(ahead as u32))
    }

    /// Frees every lease; only for a store that has no other process.
    pub(crate) async fn free_all(&self) -> Result<()> {
        let query = sqlx::query(
            "update jobs set lease_owner = null, lease_until = null where lease_owner is not null",
        );
        query.execute(&self.sql.pool).await?;
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

pub(crate) async fn insert_prepare(change: &mut sqlx::SqliteConnection, id: &VideoId) -> Result<()> {
    // Before all encoding, so that a new video's playlists stand within seconds.
    let job = NewJob { kind: Kind::Prepare, track: String::new(), segments: (0, 0), priority: 100 };
    insert_job(change, id, &job, Timestamp::now()).await
}

/// Has the playlists of a planned video written again. One that is being written starts anew, for what it
/// looked at has changed; before the plan there are none, and the plan writes the first.
pub(crate) async fn insert_playlists(change: &mut sqlx::SqliteConnection, video: &VideoId) -> Result<()> {
    sqlx::query(
        "insert into jobs (id, video_id, kind, priority, queued_at)
         select $1, v.id, 'playlists', 50, $3 from videos v
         where v.id = $2 and v.state in ('planned', 'playable', 'ready')
         on conflict (video_id, kind, track, first) do update
         set lease_owner = null, lease_until = null, not_before = 0, attempts = 0",
    )
    .bind(VideoId::random().as_str())
    .bind(video.as_str())
    .bind(Timestamp::now().0)
    .execute(change)
    .await?;
    Ok(())
}

pub(crate) async fn insert_job(
    change: &mut sqlx::SqliteConnection,
    video: &VideoId,
    job: &NewJob,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
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
    .execute(change)
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

impl FromRow<'_, SqliteRow> for Job {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
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
