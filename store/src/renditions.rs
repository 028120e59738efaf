//! A video's renditions from the plan on, and their published segments.

mod listed;
mod lost;

use std::{collections::HashMap, ops::Range};

use crate::{
    Error, FileTrack, NewJob, Result, SegmentName, Signal, Signals, Timestamp, VideoId,
    captions::{PlannedCaptions, insert_planned},
    jobs::{PLAN_VERSION, insert_job},
    sql::{FromRow, LockScope, Row, Sql, Transaction, query},
    videos::mark_playable,
    webhooks::{Event, note},
};

// Renditions with their progress, of the videos that a condition chooses; `$2` is now.
macro_rules! with_progress {
    ($which:literal) => {
        concat!(
            "select r.*, v.duration_seconds,
                 (select count(*) from segments s where s.video_id = r.video_id and s.rendition = r.name) as published,
                 (select count(*) from jobs j where j.video_id = r.video_id and j.kind in ('audio', 'video')
                      and j.lease_until >= $2 and ' ' || j.track || ' ' like '% ' || r.name || ' %') as workers,
                 (select sum(j.speed) from jobs j where j.video_id = r.video_id and j.kind in ('audio', 'video')
                      and j.lease_until >= $2 and ' ' || j.track || ' ' like '% ' || r.name || ' %') as speed
             from renditions r join videos v on v.id = r.video_id where ",
            $which,
            " order by r.position"
        )
    };
}

/// The medium of a rendition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Pictures.
    Video,
    /// Sound.
    Audio,
}

/// A planned rendition.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendition {
    /// The folder below the video, such as `720p`.
    pub name: String,
    /// The medium.
    pub kind: Kind,
    /// In pixels; pictures only.
    pub width: Option<u32>,
    /// In pixels; pictures only.
    pub height: Option<u32>,
    /// Frames a second; pictures only.
    pub frame_rate: Option<f64>,
    /// Planned, then measured.
    pub bitrate_bps: Option<u64>,
    /// BCP 47; sound only.
    pub language: Option<String>,
    /// A menu's label; sound only.
    pub label: Option<String>,
    /// RFC 6381, once the init segment is published.
    pub codecs: Option<String>,
    /// Segments in the plan.
    pub segments_total: u32,
    /// Players begin on it: with the first segment of all of these, the video is playable.
    pub start_up: bool,
}

/// A rendition and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// The rendition.
    pub rendition: Rendition,
    /// Segments published so far.
    pub segments_published: u32,
    /// Playlists list it: players begin on it, or can live on it.
    pub listed: bool,
    /// Workers that have runs of it in hand.
    pub workers: u32,
    /// Seconds of it that they make in a second, all together, over their last stretch; `None` until that is known.
    pub speed: Option<f64>,
    /// How long it takes at that speed until it is whole.
    pub seconds_left: Option<f64>,
}

/// Published segments of a rendition that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedRange {
    /// The rendition's name.
    pub rendition: String,
    /// Segments `[first, last)`.
    pub segments: Range<u32>,
}

/// A published segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its number, from 0.
    pub number: u32,
    /// The packager's facts about it, as JSON.
    pub facts: String,
}

/// The part of the source within a published segment that could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The segment's number.
    pub number: u32,
    /// Its length.
    pub milliseconds: u64,
}

/// The tables of renditions and segments.
#[derive(Clone, Debug)]
pub struct Renditions {
    sql: Sql,
    signals: Signals,
}

impl Renditions {
    pub(crate) fn new(sql: Sql, signals: Signals) -> Self {
        Self { sql, signals }
    }

    /// Records a video's plan, its renditions, its caption tracks and the jobs that fill them, all or nothing; the
    /// video moves to `planned`. A rendition that is there already keeps its segments, a track its cues.
    pub async fn plan(&self, id: &VideoId, plan: &NewPlan<'_>) -> Result<()> {
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        let done = query(
            // A deleted video, a failed one and one that another worker has planned are all no longer `uploaded`.
            "update videos set state = 'planned', plan = $2, duration_seconds = $3, length_ms = $5, notes = $4,
                 plan_version = $6
             where id = $1 and state = 'uploaded'",
        )
        .bind(id.as_str())
        .bind(plan.json)
        .bind(plan.duration_seconds)
        .bind(&plan.notes.join("\n"))
        .bind((plan.duration_seconds * 1000.0) as i64)
        .bind(PLAN_VERSION)
        .execute(&mut tx)
        .await?;
        if done == 0 {
            return Err(Error::Gone(id.clone()));
        }
        for (position, rendition) in plan.renditions.iter().enumerate() {
            insert_rendition(&mut tx, id, position, rendition).await?;
        }
        // One time for all: within a video, jobs go in the order of their segments; and the time of its upload,
        // so that a video keeps its place in the queue.
        let queued = query("select queued_at from jobs where video_id = $1 and kind = 'prepare'");
        let queued: Option<i64> = queued.bind(id.as_str()).fetch_optional(&mut tx).await?;
        let queued = queued.map_or_else(Timestamp::now, Timestamp);
        for job in plan.jobs {
            insert_job(&mut tx, id, job, queued).await?;
        }
        let captions = PlannedCaptions { tracks: plan.captions, listen: plan.listen };
        insert_planned(&mut tx, id, &captions, queued).await?;
        if plan.renditions.iter().any(|rendition| rendition.start_up) {
            // Segments from before a failure may be enough.
            if mark_playable(id).execute(&mut tx).await? > 0 {
                note(Event::Playable, id).execute(&mut tx).await?;
            }
        }
        tx.commit().await?;
        self.signals.publish(Signal::Changed(id.clone()));
        self.signals.notify_workers();
        Ok(())
    }

    /// Returns a video's renditions in menu order, with their progress.
    pub async fn of(&self, id: &VideoId) -> Result<Vec<Progress>> {
        let query = query(with_progress!("r.video_id = $1"));
        query.bind(id.as_str()).bind(Timestamp::now().0).fetch_all(&self.sql).await
    }

    /// Returns the renditions of many videos by one statement, those of a video in menu order, with their progress.
    pub async fn of_all(&self, ids: &[VideoId]) -> Result<HashMap<VideoId, Vec<Progress>>> {
        let query = query(with_progress!("r.video_id in (select value from json_each($1))"));
        let query = query.bind(&VideoId::list(ids)).bind(Timestamp::now().0);
        let rows: Vec<OfVideo> = query.fetch_all(&self.sql).await?;
        let mut renditions: HashMap<VideoId, Vec<Progress>> = HashMap::new();
        for OfVideo { video, progress } in rows {
            renditions.entry(video).or_default().push(progress);
        }
        Ok(renditions)
    }

    /// Returns the ranges of segments that are published, in order, of each rendition of many videos by one statement.
    pub async fn published(&self, ids: &[VideoId]) -> Result<HashMap<VideoId, Vec<PublishedRange>>> {
        let query = query(
            // Within a range, numbers and places differ by the same.
            "select video_id, rendition, min(number) as first, max(number) + 1 as last from (
                 select video_id, rendition, number,
                     number - row_number() over (partition by video_id, rendition order by number) as island
                 from segments where video_id in (select value from json_each($1))) numbered
             group by video_id, rendition, island order by video_id, rendition, min(number)",
        );
        let rows: Vec<RangeOfVideo> = query.bind(&VideoId::list(ids)).fetch_all(&self.sql).await?;
        let mut ranges: HashMap<VideoId, Vec<PublishedRange>> = HashMap::new();
        for RangeOfVideo { video, range } in rows {
            ranges.entry(video).or_default().push(range);
        }
        Ok(ranges)
    }

    /// Records the codecs read from a rendition's published init segment.
    pub async fn set_codecs(&self, id: &VideoId, rendition: &str, codecs: &str) -> Result<()> {
        query("update renditions set codecs = $3 where video_id = $1 and name = $2")
            .bind(id.as_str())
            .bind(rendition)
            .bind(codecs)
            .execute(&self.sql)
            .await?;
        Ok(())
    }

    /// Records the measured average bit rate of a rendition that is whole.
    pub async fn set_bitrate(&self, id: &VideoId, rendition: &str, bitrate_bps: u64) -> Result<()> {
        query("update renditions set bitrate_bps = $3 where video_id = $1 and name = $2")
            .bind(id.as_str())
            .bind(rendition)
            .bind(bitrate_bps as i64)
            .execute(&self.sql)
            .await?;
        Ok(())
    }

    /// Records a segment whose blob is published; again is fine.
    pub async fn publish(&self, id: &VideoId, rendition: &str, segment: &Segment) -> Result<()> {
        let done = query(
            // The select finds no rendition of a deleted video, where `values` would be a foreign-key error.
            "insert into segments (video_id, rendition, number, facts)
             select r.video_id, r.name, $3, $4 from renditions r where r.video_id = $1 and r.name = $2
             on conflict (video_id, rendition, number) do nothing",
        )
        .bind(id.as_str())
        .bind(rendition)
        .bind(i64::from(segment.number))
        .bind(&segment.facts)
        .execute(&self.sql)
        .await?;
        // An insert without a row has two causes: the segment was recorded before a kill, or its rendition is gone.
        if done == 0 && !self.is_published(id, rendition, segment.number).await? {
            return Err(Error::Gone(id.clone()));
        }
        let name = SegmentName { rendition: rendition.to_owned(), number: segment.number };
        self.signals.publish(Signal::Published(id.clone(), name));
        Ok(())
    }

    /// Returns whether the segment is published.
    pub async fn is_published(&self, id: &VideoId, rendition: &str, number: u32) -> Result<bool> {
        let query =
            query("select count(*) from segments where video_id = $1 and rendition = $2 and number = $3");
        let count: i64 =
            query.bind(id.as_str()).bind(rendition).bind(i64::from(number)).fetch_one(&self.sql).await?;
        Ok(count > 0)
    }

    /// Returns the published segments of a rendition, in order.
    pub async fn segments(&self, id: &VideoId, rendition: &str) -> Result<Vec<Segment>> {
        let query = query(
            "select number, facts from segments where video_id = $1 and rendition = $2 order by number",
        );
        query.bind(id.as_str()).bind(rendition).fetch_all(&self.sql).await
    }
}

/// The rows that [`Renditions::plan`] records.
#[derive(Clone, Debug)]
pub struct NewPlan<'a> {
    /// The plan as JSON.
    pub json: &'a str,
    /// The length of the presentation.
    pub duration_seconds: f64,
    /// In menu order.
    pub renditions: &'a [Rendition],
    /// The work that fills them.
    pub jobs: &'a [NewJob],
    /// The file's own text tracks; the jobs that copy them are added here.
    pub captions: &'a [FileTrack],
    /// A machine is to write captions too.
    pub listen: bool,
    /// Sentences for people, of one line each.
    pub notes: &'a [String],
}

async fn insert_rendition(
    tx: &mut Transaction,
    id: &VideoId,
    position: usize,
    rendition: &Rendition,
) -> Result<()> {
    query(
        "insert into renditions (video_id, name, kind, position, width, height, frame_rate, bitrate_bps, language, label, segments_total, start_up, listed)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) on conflict (video_id, name) do nothing",
    )
    .bind(id.as_str())
    .bind(&rendition.name)
    .bind(rendition.kind.as_str())
    .bind(position as i64)
    .bind(rendition.width.map(i64::from))
    .bind(rendition.height.map(i64::from))
    .bind(rendition.frame_rate)
    .bind(rendition.bitrate_bps.map(|n| n as i64))
    .bind(&rendition.language)
    .bind(&rendition.label)
    .bind(i64::from(rendition.segments_total))
    .bind(rendition.start_up)
    .execute(tx)
    .await?;
    Ok(())
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Video, Self::Audio];

    /// Returns the kind's word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

impl FromRow for Progress {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let kind: String = row.try_get("kind")?;
        let kind = Kind::ALL.into_iter().find(|k| k.as_str() == kind);
        let number = |column| row.try_get::<Option<i64>, _>(column);
        let total: i64 = row.try_get("segments_total")?;
        let published: i64 = row.try_get("published")?;
        let rendition = Rendition {
            name: row.try_get("name")?,
            kind: kind.ok_or_else(|| sqlx::Error::Decode("renditions.kind".into()))?,
            width: number("width")?.map(|n| n as u32),
            height: number("height")?.map(|n| n as u32),
            frame_rate: row.try_get("frame_rate")?,
            bitrate_bps: number("bitrate_bps")?.map(|n| n as u64),
            language: row.try_get("language")?,
            label: row.try_get("label")?,
            codecs: row.try_get("codecs")?,
            segments_total: total as u32,
            start_up: row.try_get("start_up")?,
        };
        let workers: i64 = row.try_get("workers")?;
        let speed: Option<f64> = row.try_get("speed")?;
        let duration: Option<f64> = row.try_get("duration_seconds")?;
        let missing = (total - published).max(0) as f64 / total as f64;
        Ok(Self {
            rendition,
            segments_published: published as u32,
            listed: row.try_get("listed")?,
            workers: workers as u32,
            speed,
            seconds_left: duration
                .zip(speed.filter(|speed| *speed > 0.0))
                .map(|(duration, speed)| duration * missing / speed),
        })
    }
}

/// A rendition of one of many videos.
struct OfVideo {
    video: VideoId,
    progress: Progress,
}

impl FromRow for OfVideo {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { video: VideoId::of_row(row, "video_id")?, progress: Progress::from_row(row)? })
    }
}

/// A range of one of many videos.
struct RangeOfVideo {
    video: VideoId,
    range: PublishedRange,
}

impl FromRow for RangeOfVideo {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let number = |column| row.try_get::<i64, _>(column);
        let segments = number("first")? as u32..number("last")? as u32;
        let range = PublishedRange { rendition: row.try_get("rendition")?, segments };
        Ok(Self { video: VideoId::of_row(row, "video_id")?, range })
    }
}

impl FromRow for Segment {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let number: i64 = row.try_get("number")?;
        Ok(Self { number: number as u32, facts: row.try_get("facts")? })
    }
}
