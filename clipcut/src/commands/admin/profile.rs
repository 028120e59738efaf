//! CPU profiles: where this process spends its time, in the format of pprof.

use std::time::Duration;

use axum::{
    extract::Query,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use pprof::{ProfilerGuard, ProfilerGuardBuilder, protos::Message};
use serde::Deserialize;
use server::Problem;

use super::problem;

// A prime, so that work that repeats at a round pace is not always met at the same place.
const FREQUENCY: i32 = 97;
const MOST_SECONDS: u64 = 120;
// Their frames cannot be unwound from a signal; a sample there would hang the process.
const NOT_UNWOUND: [&str; 4] = ["libc", "libgcc", "pthread", "vdso"];

#[derive(Deserialize)]
pub(super) struct Span {
    #[serde(default = "half_a_minute")]
    seconds: u64,
}

fn half_a_minute() -> u64 {
    30
}

/// Answers `/debug/pprof/profile?seconds=30`, as `go tool pprof` and its relatives ask.
pub(super) async fn take(Query(Span { seconds }): Query<Span>) -> Response {
    if !(1..=MOST_SECONDS).contains(&seconds) {
        let detail = format!("A profile takes 1 to {MOST_SECONDS} seconds.");
        return problem(Problem::new(StatusCode::BAD_REQUEST, "invalid_seconds", detail));
    }
    // The process has one profiler: a second profile at once is refused by it.
    let guard = match ProfilerGuardBuilder::default().frequency(FREQUENCY).blocklist(&NOT_UNWOUND).build() {
        Ok(guard) => guard,
        Err(error) => {
            let detail = format!("Another profile is being taken: {error}.");
            return problem(Problem::new(StatusCode::CONFLICT, "profiler_busy", detail));
        }
    };
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    // Names are looked up in the program's own symbols, which takes a core for a moment.
    match tokio::task::spawn_blocking(move || encode(&guard)).await {
        Ok(Ok(profile)) => ([(header::CONTENT_TYPE, "application/octet-stream")], profile).into_response(),
        Ok(Err(error)) => {
            tracing::error!(%error, "cannot write a profile");
            problem(Problem::internal())
        }
        Err(error) => {
            tracing::error!(%error, "cannot write a profile");
            problem(Problem::internal())
        }
    }
}

fn encode(guard: &ProfilerGuard<'_>) -> pprof::Result<Vec<u8>> {
    Ok(guard.report().build()?.pprof()?.encode_to_vec())
}
