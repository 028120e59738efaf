//! The queue: what is worked on, by whom and how fast, and what waits.

use axum::extract::{Query, State, rejection::QueryRejection};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{
    Response,
    document::json,
    schema::{id, time},
};
use store::{JobPlace, ListedJob, QueueFigure, Timestamp, VideoId};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Origin,
    error::{Result, bad_request},
    schema::{job_kinds, queue_states},
};

const PAGE: u32 = 50;
const MOST_PAGE: u32 = 200;

/// How many jobs are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobQuery {
    /// The jobs of a page; 50 where it is not given.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobList)]
pub(crate) struct Queue {
    /// All jobs, counted by kind and state.
    counts: Vec<Count>,
    /// Those that run, then those that wait, the most urgent first.
    jobs: Vec<Job>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobCount)]
struct Count {
    #[schema(schema_with = job_kinds)]
    kind: String,
    #[schema(schema_with = queue_states)]
    state: &'static str,
    jobs: i64,
    oldest_seconds: f64,
}

#[derive(Serialize, ToSchema)]
struct Job {
    video: Video,
    #[schema(schema_with = job_kinds)]
    kind: &'static str,
    /// How urgent it is.
    class: &'static str,
    #[schema(schema_with = queue_states)]
    state: &'static str,
    /// The renditions of a run, or the caption track.
    tracks: Vec<String>,
    first_segment: u32,
    /// All segments of all renditions of a run, and those that are published.
    segments_total: u64,
    segments_published: u32,
    /// Segments a minute since the worker began; null before the first, and where there are none.
    #[schema(required)]
    segments_per_minute: Option<f64>,
    attempts: u32,
    #[schema(schema_with = time)]
    queued_at: String,
    #[schema(required)]
    worker: Option<String>,
    #[schema(required, format = DateTime)]
    since: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = JobVideo)]
struct Video {
    #[schema(schema_with = id)]
    id: VideoId,
    title: String,
}

/// Lists the queue.
#[utoipa::path(
    get, path = "/api/v1/jobs", tag = "administration", operation_id = "listJobs",
    params(JobQuery),
    responses((status = 200, body = Queue), (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`")),
)]
pub(crate) async fn list(
    State(origin): State<Origin>,
    query: std::result::Result<Query<JobQuery>, QueryRejection>,
) -> Result<Response> {
    let Query(query) = query.map_err(|e| bad_request("invalid_query", e.body_text()))?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MOST_PAGE).contains(&limit) {
        return Err(bad_request("invalid_limit", format!("A page has 1 to {MOST_PAGE} jobs.")));
    }
    let after = match query.cursor.as_deref().map(JobPlace::parse) {
        Some(None) => return Err(bad_request("invalid_cursor", "The cursor is not one that a list gave.")),
        Some(place) => place,
        None => None,
    };
    let page = origin.store.jobs.list(after.as_ref(), limit).await?;
    let next = page.next.as_ref().map(ToString::to_string);
    let jobs = page.jobs.into_iter().map(Job::from).collect();
    let counts = origin.store.jobs.figures().await?.into_iter().map(Count::from).collect();
    Ok(json(StatusCode::OK, &Queue { counts, jobs, next }))
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
