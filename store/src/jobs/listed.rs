//! The queue as operators look at it: what runs and what waits, and who works on it since when.

use std::ops::Range;

use super::{Class, Jobs, Kind};
use crate::{
    QueueState, Result, Timestamp, VideoId,
    sql::{FromRow, Row, query},
};

/// A job that is listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedJob {
    /// The video.
    pub video: VideoId,
    /// Its title.
    pub title: String,
    /// The kind.
    pub kind: Kind,
    /// The renditions or the caption track, where the kind has any.
    pub track: String,
    /// The segments of a run; else empty.
    pub segments: Range<u32>,
    /// The segments of all its renditions that are published: at most the renditions times the segments.
    pub published: u32,
    /// How urgent it is.
    pub class: Class,
    /// Running or waiting.
    pub state: QueueState,
    /// How often it was claimed.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// The worker's name, while it runs.
    pub worker: Option<String>,
    /// When the worker began, while it runs.
    pub claimed_at: Option<Timestamp>,
}

// Running ones first, then in the order in which they will be claimed. Segments are counted for the page's jobs alone.
const LIST: &str = "
    select j.*, (
        select count(*) from segments s
        where s.video_id = j.video_id and s.number >= j.first and s.number < j.last
            and ' ' || j.track || ' ' like '% ' || s.rendition || ' %'
    ) as published from (
        select jobs.*, v.title, case when jobs.lease_until >= $1 then 1 else 0 end as running
        from jobs join videos v on v.id = jobs.video_id
        order by running desc, jobs.priority desc, jobs.turn, jobs.queued_at, jobs.first, jobs.id limit $2
    ) j order by j.running desc, j.priority desc, j.turn, j.queued_at, j.first, j.id";

impl Jobs {
    /// Returns at most `limit` jobs: those that run, then those that wait, the next one first.
    pub async fn list(&self, limit: u32) -> Result<Vec<ListedJob>> {
        query(LIST).bind(Timestamp::now().0).bind(i64::from(limit)).fetch_all(self.sql()).await
    }
}

impl FromRow for ListedJob {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let number = |column| row.try_get::<i64, _>(column);
        // A constant is a four-byte number in PostgreSQL and has no type in SQLite.
        let runs = row.try_get::<i32, _>("running")? == 1;
        let (priority, kind) = (number("priority")?, row.try_get::<String, _>("kind")?);
        let kind = Kind::ALL.into_iter().find(|one| one.as_str() == kind);
        Ok(Self {
            video: VideoId::of_row(row, "video_id")?,
            title: row.try_get("title")?,
            kind: kind.ok_or_else(|| sqlx::Error::Decode("jobs.kind".into()))?,
            track: row.try_get("track")?,
            segments: number("first")? as u32..number("last")? as u32,
            published: number("published")? as u32,
            class: Class::of(priority),
            state: if runs { QueueState::Running } else { QueueState::Waiting },
            attempts: number("attempts")? as u32,
            queued_at: Timestamp(number("queued_at")?),
            worker: row.try_get::<Option<String>, _>("lease_owner")?.filter(|_| runs),
            claimed_at: row.try_get::<Option<i64>, _>("claimed_at")?.filter(|_| runs).map(Timestamp),
        })
    }
}
