//! The edge's own problems (RFC 9457): nothing is stored, no origin answers, a body broke off.

use http::{Response, StatusCode};
use server::{Problem, cors};

use crate::{Payload, shared_fetch::Failure};

/// Answers with a problem of our own, which pages may read as they may all answers for players.
pub(crate) fn answer(problem: Problem) -> Response<Payload> {
    let mut response = server::Response::from(problem).map(Payload::Stream);
    cors::expose(response.headers_mut(), cors::PLAYBACK);
    response
}

impl Failure {
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::Unreachable => {
                let detail = "The server behind this edge cannot be reached.";
                Problem::new(StatusCode::BAD_GATEWAY, "origin_unreachable", detail)
            }
            Self::TimedOut => {
                let detail = "The server behind this edge did not answer in time.";
                Problem::new(StatusCode::GATEWAY_TIMEOUT, "origin_timeout", detail)
            }
            Self::Full => {
                let detail = "This edge fetches as much as it can already.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_fetches", detail)
            }
            Self::Stopping => {
                let detail = "This edge is shutting down.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "draining", detail)
            }
        }
        .retry_after(1)
    }
}

/// RFC 9111 §5.2.1.7.
pub(crate) fn not_stored() -> Problem {
    let detail = "The request takes only what is stored, and nothing fit is.";
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "not_stored", detail)
}

/// RFC 9110 §15.5.9: the same status that the origin gives without an edge in front of it.
pub(crate) fn stalled() -> Problem {
    let detail = "The request's body came too slowly, or stopped.";
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body_stalled", detail)
}

pub(crate) fn incomplete() -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "incomplete_request", "The request's body broke off.")
}

pub(crate) fn too_many() -> Problem {
    let detail = "Too many requests wait for this already.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_waiting", detail).retry_after(1)
}
