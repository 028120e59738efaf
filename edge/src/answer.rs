//! Answers from a stored or arriving response: preconditions (RFC 9110 §13), ranges (§14), HEAD, and the headers that depend on
//! now.

use std::{ops::Range, time::SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use server::{
    Problem,
    conditional::{self, Decision},
    has_any,
    range::{self, Part},
};

use crate::{
    EdgeInner, Payload,
    cache_status::{self, CacheStatus},
    clock::Moment,
    freshness,
    object::{Dated, Head, Object},
    problem,
    shared_fetch::Waiter,
    shown,
};

/// The part of a response to send.
enum Selected {
    NotModified,
    Whole,
    Part(Range<u64>, u64),
    Unsatisfiable(u64),
}

/// A request without any of these is for the whole response.
const OF_A_PART: [HeaderName; 3] = [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE, header::RANGE];

/// Decides which part of a response answers a request. RFC 9111 §4.3.2: `If-Match` and `If-Unmodified-Since` are for the
/// origin to evaluate; requests with them bypass the cache.
fn select(request: &Parts, head: &Head) -> Selected {
    if head.status != StatusCode::OK || !has_any(&request.headers, &OF_A_PART) {
        return Selected::Whole;
    }
    if conditional::evaluate(&request.method, &request.headers, &head.validators) == Decision::NotModified {
        return Selected::NotModified;
    }
    let Some(len) = head.len else { return Selected::Whole };
    if request.method != Method::GET
        || !request.headers.contains_key(header::RANGE)
        || !range_counts(request, head)
    {
        return Selected::Whole;
    }
    match range::part(&request.headers, len) {
        Part::Whole => Selected::Whole,
        Part::Bytes(bytes) => Selected::Part(bytes, len),
        Part::Unsatisfiable => Selected::Unsatisfiable(len),
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

/// A request about to be answered from a response that others get too.
pub(crate) struct Reply<'a> {
    pub(crate) inner: &'a EdgeInner,
    pub(crate) request: &'a Parts,
}

impl Reply<'_> {
    /// Answers with a fresh object.
    pub(crate) fn hit(&self, object: &Object, now: Moment) -> Response<Payload> {
        let headers = object.hit_headers(now, &self.inner.config.name);
        let response = from_object(self.request, object, headers);
        self.inner.metrics.hit(&response);
        response
    }

    /// Answers with a stale object while it is revalidated (RFC 5861 §3).
    pub(crate) fn stale(&self, object: &Object, now: Moment) -> Response<Payload> {
        self.inner.metrics.stale.inc();
        self.hit(object, now)
    }

    /// Answers with an object that the fetch has brought back.
    pub(crate) fn stored(&self, object: &Object, mut status: CacheStatus) -> Response<Payload> {
        let now = self.inner.clock.now();
        status.ttl = Some(object.head.ttl(now));
        let headers = object.head.headers_at(now, &status, &self.inner.config.name);
        from_object(self.request, object, headers)
    }

    /// Answers with the body of a fetch as it arrives.
    pub(crate) fn stream(&self, waiter: Waiter, head: &Head, status: CacheStatus) -> Response<Payload> {
        from_fetch(self.request, waiter, head, self.stream_headers(head, status))
    }

    fn stream_headers(&self, head: &Head, mut status: CacheStatus) -> HeaderMap {
        let now = self.inner.clock.now();
        status.forward_status = Some(head.status);
        status.ttl = Some(head.ttl(now));
        let mut headers = head.headers_at(now, &status, &self.inner.config.name);
        // RFC 9111 §5.1: without an Age when it was made for this request.
        if head.age(now).as_secs() == 0 {
            headers.remove(header::AGE);
        }
        headers
    }
}

/// Answers with a stored object. `headers` are the ones to send with all of it.
fn from_object(request: &Parts, object: &Object, headers: HeaderMap) -> Response<Payload> {
    answer(request, &object.head, headers, |part| {
        Payload::Bytes(match part {
            Some(part) => object.body.slice(part.start as usize..part.end as usize),
            None => object.body.clone(),
        })
    })
}

/// Answers with a response that is still arriving.
fn from_fetch(request: &Parts, waiter: Waiter, head: &Head, headers: HeaderMap) -> Response<Payload> {
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
    // However the response came here: from memory, from a fetch, or stale.
    if let Err(refusal) = shown::check(request, head.tickets_from) {
        return problem::answer(refusal.into());
    }
    if let Some(mark) = head.tickets_from.filter(|_| shown::keeps_mark(request)) {
        mark.put(&mut headers);
    }
    let (status, part) = match select(request, head) {
        Selected::Whole => (head.status, None),
        Selected::Part(part, len) => {
            let place = format!("bytes {}-{}/{len}", part.start, part.end - 1);
            headers.insert(header::CONTENT_LENGTH, (part.end - part.start).into());
            set(&mut headers, &header::CONTENT_RANGE, &place);
            (StatusCode::PARTIAL_CONTENT, Some(part))
        }
        Selected::NotModified => {
            // RFC 9110 §15.4.5: no fields of a body that does not come.
            headers.remove(header::CONTENT_LENGTH);
            headers.remove(header::CONTENT_TYPE);
            headers.remove(header::CONTENT_ENCODING);
            return respond(StatusCode::NOT_MODIFIED, headers, Payload::empty());
        }
        Selected::Unsatisfiable(len) => return unsatisfiable(len, &headers),
    };
    let payload = if request.method == Method::HEAD { Payload::empty() } else { body(part) };
    respond(status, headers, payload)
}

fn unsatisfiable(len: u64, headers: &HeaderMap) -> Response<Payload> {
    let detail = format!("The range lies outside of the {len} bytes that there are.");
    let mut response =
        problem::answer(Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", detail));
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

/// RFC 9110 §7.6.2: the answer of the last recipient, which must not forward the request.
pub(crate) fn max_forwards_reached() -> Response<Payload> {
    respond(StatusCode::NO_CONTENT, HeaderMap::new(), Payload::empty())
}
