//! Figures of the tables, for operators: how much work is left, and what became of the videos.

use std::time::Duration;

use crate::{
    Jobs, Result, Timestamp, Videos,
    sql::{FromRow, Row, query},
};

/// Whether a job waits or somebody works on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueState {
    /// Nobody works on it.
    Waiting,
    /// A worker holds its lease.
    Running,
}

/// The jobs of one kind in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueFigure {
    /// The kind's word.
    pub kind: String,
    /// Waiting or running.
    pub state: QueueState,
    /// How many there are.
    pub jobs: i64,
    /// How long ago the oldest was queued.
    pub oldest: Duration,
}

/// The videos in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoFigure {
    /// The state's word.
    pub state: String,
    /// Why they failed; else empty.
    pub code: String,
    /// How many there are.
    pub videos: i64,
}

const QUEUE: &str = "select kind, running, count(*) as jobs, min(queued_at) as oldest
     from (select kind, queued_at, case when lease_until >= $1 then 1 else 0 end as running from jobs) as queue
     group by kind, running";
const VIDEOS: &str = "select state, coalesce(error_code, '') as code, count(*) as videos from videos group by state, coalesce(error_code, '')";

impl Jobs {
    /// Counts what is left.
    pub async fn figures(&self) -> Result<Vec<QueueFigure>> {
        let now = Timestamp::now();
        let rows: Vec<QueueRow> = query(QUEUE).bind(now.0).fetch_all(self.sql()).await?;
        let figure = |row: QueueRow| QueueFigure {
            kind: row.kind,
            state: if row.running { QueueState::Running } else { QueueState::Waiting },
            jobs: row.jobs,
            // Clocks of two machines may differ: a job from the future is new.
            oldest: Duration::from_micros((now.0 - row.oldest).max(0).cast_unsigned()),
        };
        Ok(rows.into_iter().map(figure).collect())
    }
}

impl Videos {
    /// Counts the videos.
    pub async fn figures(&self) -> Result<Vec<VideoFigure>> {
        query(VIDEOS).fetch_all(self.sql()).await
    }
}

impl QueueState {
    /// All states.
    pub const ALL: [Self; 2] = [Self::Waiting, Self::Running];

    /// Returns its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
        }
    }
}

struct QueueRow {
    kind: String,
    running: bool,
    jobs: i64,
    oldest: i64,
}

impl FromRow for QueueRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self {
            kind: row.try_get("kind")?,
            // A constant is a four-byte number in PostgreSQL and has no type in SQLite.
            running: row.try_get::<i32, _>("running")? == 1,
            jobs: row.try_get("jobs")?,
            oldest: row.try_get("oldest")?,
        })
    }
}

impl FromRow for VideoFigure {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { state: row.try_get("state")?, code: row.try_get("code")?, videos: row.try_get("videos")? })
    }
}
