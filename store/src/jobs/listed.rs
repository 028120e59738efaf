//! The queue as operators look at it: what runs and what waits, and who works on it since when.

use std::{fmt, ops::Range};

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
    /// Its place in the queue.
    pub place: JobPlace,
}

/// The place of a job that waits, after which a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPlace {
    /// The more urgent, the smaller.
    rank: i64,
    turn: i64,
    queued_at: i64,
    first: i64,
    id: String,
}

/// A part of the queue.
#[derive(Clone, Debug)]
pub struct JobPage {
    /// Those that run, then those that wait, by class and by turn.
    pub jobs: Vec<ListedJob>,
    /// Where the next page starts, if there is one.
    pub next: Option<JobPlace>,
}

macro_rules! list {
    ($running:literal, $which:literal, $order:literal) => {
        // Segments are counted for the page's jobs alone.
        concat!(
            // Blanks around both names, for `80p` is within `480p`.
            "select j.*, (
                select count(*) from segments s
                where s.video_id = j.video_id and s.number >= j.first and s.number < j.last
                    and ' ' || j.track || ' ' like '% ' || s.rendition || ' %'
            ) as published from (
                select jobs.*, v.title, ",
            $running,
            " as running from jobs join videos v on v.id = jobs.video_id where ",
            $which,
            " order by ",
            $order,
            " limit $2) j order by -j.priority, j.turn, j.queued_at, j.first, j.id"
        )
    };
}

// In the index's order, for all of them are on the page.
const RUNNING: &str = list!("1", "jobs.lease_until >= $1", "jobs.lease_until");
// By class and turn: of jobs in one class, those of the least served owner are claimed first.
const WAITING: &str = list!(
    "0",
    // SQLite enters an index of an expression at a bound of that expression, and at none of a row.
    "(jobs.lease_until is null or jobs.lease_until < $1) and -jobs.priority >= $3
        and (-jobs.priority, jobs.turn, jobs.queued_at, jobs.first, jobs.id) > ($3, $4, $5, $6, $7)",
    "-jobs.priority, jobs.turn, jobs.queued_at, jobs.first, jobs.id"
);

impl Jobs {
    /// Returns at most `limit` jobs: those that run, then those that wait, by class and by turn; or those that wait after a
    /// place.
    pub async fn list(&self, after: Option<&JobPlace>, limit: u32) -> Result<JobPage> {
        let (now, limit) = (Timestamp::now().0, limit as usize);
        let mut jobs: Vec<ListedJob> = Vec::new();
        if after.is_none() {
            // As many as there are workers, so that they are all on the first page.
            jobs = query(RUNNING).bind(now).bind(limit as i64).fetch_all(self.sql()).await?;
        }
        let beginning = JobPlace { rank: i64::MIN, turn: 0, queued_at: 0, first: 0, id: String::new() };
        let JobPlace { rank, turn, queued_at, first, id } = after.unwrap_or(&beginning);
        let left = limit - jobs.len();
        // The job beyond the page shows that there is a next one, without a count.
        let waiting = query(WAITING).bind(now).bind(left as i64 + 1);
        let waiting = waiting.bind(*rank).bind(*turn).bind(*queued_at).bind(*first).bind(id);
        let mut waiting: Vec<ListedJob> = waiting.fetch_all(self.sql()).await?;
        let more = waiting.len() > left;
        waiting.truncate(left);
        let last = waiting.last().map_or(beginning.clone(), |job| job.place.clone());
        let next = more.then_some(last);
        jobs.append(&mut waiting);
        Ok(JobPage { jobs, next })
    }
}

impl fmt::Display for JobPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rank, turn, queued_at, first, id } = self;
        write!(f, "{rank}_{turn}_{queued_at}_{first}_{id}")
    }
}

impl JobPlace {
    /// Reads what a list has written.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, '_');
        let mut number = || parts.next()?.parse().ok();
        let (rank, turn, queued_at, first) = (number()?, number()?, number()?, number()?);
        let id = parts.next().filter(|id| !id.contains('\0'))?.to_owned();
        Some(Self { rank, turn, queued_at, first, id })
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
            place: JobPlace {
                rank: -priority,
                turn: number("turn")?,
                queued_at: number("queued_at")?,
                first: number("first")?,
                id: row.try_get("id")?,
            },
        })
    }
}
