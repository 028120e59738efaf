//! The queue: what is worked on, by whom and how fast, and what waits.

use axum::extract::{Query, State, rejection::QueryRejection};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{Response, document::json};
use store::{ListedJob, QueueFigure, Timestamp, VideoId};

use crate::{
    Origin,
    error::{Result, bad_request},
};

const PAGE: u32 = 50;
const MOST_PAGE: u32 = 200;

/// How many jobs are asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct JobQuery {
    limit: Option<u32>,
}

#[derive(Serialize)]
struct Queue {
    /// All jobs, counted by kind and state.
    counts: Vec<Count>,
    /// Those that run, then those that wait, the next one first.
    jobs: Vec<Job>,
}

#[derive(Serialize)]
struct Count {
    kind: String,
    state: &'static str,
    jobs: i64,
    oldest_seconds: f64,
}

#[derive(Serialize)]
struct Job {
    video: Video,
    kind: &'static str,
    class: &'static str,
    state: &'static str,
    /// The renditions of a run, or the caption track.
    tracks: Vec<String>,
    first_segment: u32,
    /// All segments of all renditions of a run, and those that are published.
    segments_total: u64,
    segments_published: u32,
    /// Segments a minute since the worker began; null before the first, and where there are none.
    segments_per_minute: Option<f64>,
    attempts: u32,
    queued_at: String,
    worker: Option<String>,
    since: Option<String>,
}

#[derive(Serialize)]
struct Video {
    id: VideoId,
    title: String,
}

/// Lists the queue.
pub(crate) async fn list(
    State(origin): State<Origin>,
    query: std::result::Result<Query<JobQuery>, QueryRejection>,
) -> Result<Response> {
    let Query(query) = query.map_err(|e| bad_request("invalid_query", e.body_text()))?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MOST_PAGE).contains(&limit) {
        return Err(bad_request("invalid_limit", format!("A page has 1 to {MOST_PAGE} jobs.")));
    }
    let jobs = origin.store.jobs.list(limit).await?.into_iter().map(Job::from).collect();
    let counts = origin.store.jobs.figures().await?.into_iter().map(Count::from).collect();
    Ok(json(StatusCode::OK, &Queue { counts, jobs }))
}

impl From<QueueFigure> for Count {
    fn from(figure: QueueFigure) -> Self {
        Self {
            kind: figure.kind,
            state: figure.state.as_str(),
            jobs: figure.jobs,
            oldest_seconds: figure.oldest.as_secs_f64(),
        }
    }
}

impl From<ListedJob> for Job {
    fn from(job: ListedJob) -> Self {
        let tracks: Vec<String> = job.track.split_whitespace().map(str::to_owned).collect();
        let minutes = |since: Timestamp| (Timestamp::now().0 - since.0) as f64 / 60e6;
        let rate = job.claimed_at.filter(|_| job.published > 0).map(minutes);
        Self {
            segments_total: (job.segments.len() * tracks.len()) as u64,
            segments_published: job.published,
            segments_per_minute: rate.filter(|it| *it > 0.0).map(|it| f64::from(job.published) / it),
            video: Video { id: job.video, title: job.title },
            kind: job.kind.as_str(),
            class: job.class.as_str(),
            state: job.state.as_str(),
            tracks,
            first_segment: job.segments.start,
            attempts: job.attempts,
            queued_at: job.queued_at.rfc3339(),
            worker: job.worker,
            since: job.claimed_at.map(Timestamp::rfc3339),
        }
    }
}
