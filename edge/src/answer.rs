//! Answers from a stored or arriving response: preconditions (RFC 9110 §13), ranges (§14), HEAD; and the problems of the
//! edge itself.

use std::{ops::Range, time::SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use server::{
    Problem,
    conditional::{self, Decision},
    cors, has_any,
    range::{self, Part},
};

use crate::{
    Payload, cache_status, freshness,
    object::{Dated, Head, Object},
    shared_fetch::{Failure, Waiter},
};

/// The part of a response to send.
enum Cut {
    NotModified,
    Whole,
    Part(Range<u64>, u64),
    Unsatisfiable(u64),
}

/// A request without any of these is for the whole response.
const OF_A_PART: [HeaderName; 3] = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::RANGE];

/// Decides which part of a response answers a request. RFC 9111 §4.3.2: `If-Match` and `If-Unmodified-Since` are for the
/// origin to evaluate; requests with them bypass the cache.
fn cut(request: &Parts, head: &Head) -> Cut {
    if head.status != StatusCode::OK || !has_any(&request.headers, &OF_A_PART) {
        return Cut::Whole;
    }
    if conditional::evaluate(&request.method, &request.headers, &head.validators) == Decision::NotModified {
        return Cut::NotModified;
    }
    let Some(len) = head.len else { return Cut::Whole };
    if request.method != Method::GET
        || !request.headers.contains_key(header::RANGE)
        || !range_counts(request, head)
    {
        return Cut::Whole;
    }
    match range::part(&request.headers, len) {
        Part::Whole => Cut::Whole,
        Part::Bytes(bytes) => Cut::Part(bytes, len),
        Part::Unsatisfiable => Cut::Unsatisfiable(len),
    }
}

fn range_counts(request: &Parts, head: &Head) -> bool {
    // RFC 9110 §13.1.5: a date compares with Last-Modified, and without one with nothing.
    let by_date = request.headers.get(header::IF_RANGE).is_some_and(|field| {
        let field = field.as_bytes();
        !field.starts_with(b"\"") && !field.starts_with(b"W/")
    });
    // §8.8.2.2: a date is a strong validator only if the last change was old by the origin's own clock.
    let answered = freshness::read_date(&head.headers, &header::DATE).unwrap_or(SystemTime::UNIX_EPOCH);
    let counts = || conditional::range_counts(&request.headers, &head.validators, answered);
    !(by_date && head.dated == Dated::No) && counts()
}

/// Answers with a stored object. `headers` are the ones to send with all of it.
pub(crate) fn from_object(request: &Parts, object: &Object, headers: HeaderMap) -> Response<Payload> {
    answer(request, &object.head, headers, |part| {
        Payload::Bytes(match part {
            Some(part) => object.body.slice(part.start as usize..part.end as usize),
            None => object.body.clone(),
        })
    })
}

/// Answers with a response that is still arriving.
pub(crate) fn from_fetch(
    request: &Parts,
    waiter: Waiter,
    head: &Head,
    headers: HeaderMap,
) -> Response<Payload> {
    answer(request, head, headers, |part| {
        waiter.release_fetch();
        Payload::Stream(waiter.body(part.unwrap_or(0..u64::MAX)))
    })
}

fn answer(
    request: &Parts,
    head: &Head,
    mut headers: HeaderMap,
    body: impl FnOnce(Option<Range<u64>>) -> Payload,
) -> Response<Payload> {
    let (status, part) = match cut(request, head) {
        Cut::Whole => (head.status, None),
        Cut::Part(part, len) => {
            let place = format!("bytes {}-{}/{len}", part.start, part.end - 1);
            headers.insert(header::CONTENT_LENGTH, (part.end - part.start).into());
            set(&mut headers, &header::CONTENT_RANGE, &place);
            (StatusCode::PARTIAL_CONTENT, Some(part))
        }
        Cut::NotModified => {
            // RFC 9110 §15.4.5: no fields of a body that does not come.
            headers.remove(header::CONTENT_LENGTH);
            headers.remove(header::CONTENT_TYPE);
            headers.remove(header::CONTENT_ENCODING);
            return respond(StatusCode::NOT_MODIFIED, headers, Payload::empty());
        }
        Cut::Unsatisfiable(len) => return unsatisfiable(len, &headers),
    };
    let payload = if request.method == Method::HEAD { Payload::empty() } else { body(part) };
    respond(status, headers, payload)
}

fn unsatisfiable(len: u64, headers: &HeaderMap) -> Response<Payload> {
    let detail = format!("The range lies outside of the {len} bytes that there are.");
    let mut response =
        problem(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", detail));
    set(response.headers_mut(), &header::CONTENT_RANGE, &format!("bytes */{len}"));
    for member in headers.get_all(cache_status::NAME) {
        response.headers_mut().append(cache_status::NAME, member.clone());
    }
    response
}

fn respond(status: StatusCode, headers: HeaderMap, payload: Payload) -> Response<Payload> {
    let mut response = Response::new(payload);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn set(headers: &mut HeaderMap, name: &HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Answers with a problem of our own, which pages may read as they may all answers for players.
pub(crate) fn problem(problem: Problem) -> Response<Payload> {
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
            Self::Silent => {
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

/// RFC 9110 §7.6.2: the answer of the last recipient, which must not forward the request.
pub(crate) fn max_forwards_reached() -> Response<Payload> {
    respond(StatusCode::NO_CONTENT, HeaderMap::new(), Payload::empty())
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
