//! Stored responses: a head that is made once, a body in one piece, and the header block of a hit, which changes once a
//! second, as `Age` does (RFC 9111 §5.1).

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use server::conditional::Validators;

use crate::{
    cache_control::{CacheControl, Flag},
    cache_status::{self, CacheStatus, Ttl},
    clock::Moment,
    freshness::{self, Freshness},
    held::StoredBytes,
    shown::TicketsFrom,
    vary::Selecting,
};

// The memory of one object and its cache entry besides their bytes: the structs, the two header maps' tables, moka's
// nodes. Measured, then rounded up: without it a cache of many small objects would be far over its bound.
const OVERHEAD: usize = 1536;
const OVERHEAD_OF_A_FIELD: usize = 96;

// RFC 9111 §3.2 lets a cache keep the fields that the integrity of what it has stored depends on: those that describe these
// very bytes. A 304 has none, so its values may be of another body.
const OF_THE_BODY: [HeaderName; 6] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_RANGE,
    HeaderName::from_static("content-md5"),
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
];

/// All of a response but its body.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    /// End to end, without `Age`; with `Date`, and with `Content-Length` when that is known.
    pub(crate) headers: HeaderMap,
    pub(crate) len: Option<u64>,
    pub(crate) freshness: Freshness,
    /// When its age was zero.
    pub(crate) born: Moment,
    /// When the origin's response arrived.
    pub(crate) received: Moment,
    pub(crate) validators: Validators,
    /// Whether it needs a ticket, and which.
    pub(crate) tickets_from: Option<TicketsFrom>,
    pub(crate) dated: Dated,
    /// The request's values of the fields that `Vary` names (RFC 9111 §4.1).
    pub(crate) selecting: Selecting,
}

/// Whether a response had `Last-Modified`. Without it `If-Range` by date never matches (RFC 9110 §13.1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dated {
    Yes,
    No,
}

/// The request fields that a response was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MadeOf {
    /// Those that are part of the key.
    Key,
    /// Further ones, which only one client sent.
    UnkeyedFields,
}

/// When and how a response came in.
#[derive(Clone, Debug)]
pub(crate) struct ResponseTiming {
    pub(crate) at: Moment,
    pub(crate) date: SystemTime,
    /// Between the question and the head of the answer.
    pub(crate) asked: Duration,
    pub(crate) selecting: Selecting,
    /// Whether the request had fields that are in no key.
    pub(crate) made_of: MadeOf,
    /// How long an error without a lifetime of its own is kept.
    pub(crate) negative: Duration,
}

impl Head {
    /// Makes a head of what came in; `headers` are end to end already.
    pub(crate) fn new(status: StatusCode, mut headers: HeaderMap, timing: ResponseTiming) -> Self {
        // RFC 9110 §6.6.1: a cache that stores a response without a date adds one.
        if !headers.contains_key(header::DATE)
            && let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(timing.date))
        {
            headers.insert(header::DATE, date);
        }
        let date = freshness::read_date(&headers, &header::DATE).unwrap_or(timing.date);
        let age = freshness::initial_age(&headers, timing.asked, timing.date);
        headers.remove(header::AGE);
        let tickets_from = TicketsFrom::take(&mut headers);
        let modified = freshness::read_date(&headers, &header::LAST_MODIFIED);
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let len = text(&header::CONTENT_LENGTH).and_then(|len| len.parse().ok());
        Self {
            status,
            len,
            freshness: Freshness::of(status, &headers, date, timing.negative),
            born: timing.at.before(age),
            received: timing.at,
            tickets_from,
            validators: Validators {
                etag: text(&header::ETAG).unwrap_or_default().trim().to_owned(),
                // RFC 9111 §4.3.2: without a Last-Modified its Date stands in for If-Modified-Since.
                modified: modified.unwrap_or(date),
            },
            dated: if modified.is_some() { Dated::Yes } else { Dated::No },
            selecting: timing.selecting,
            headers: compact(&headers),
        }
    }

    /// Makes the head that a 304 leaves (RFC 9111 §3.2, §4.3.4): its fields replace ours, save those that
    /// describe the body that we have.
    pub(crate) fn freshened(&self, update: &HeaderMap, timing: ResponseTiming) -> Self {
        let mut headers = self.headers.clone();
        // A 304 without a date is of now.
        headers.remove(header::DATE);
        for name in update.keys().filter(|name| !OF_THE_BODY.contains(name)) {
            headers.remove(name);
            for value in update.get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
        Self::new(self.status, headers, timing)
    }

    /// Returns whether `update`, the fields of a 304, selects this response: by its tag, else by its date, else because it
    /// has neither (RFC 9111 §4.3.4).
    pub(crate) fn is_meant_by(&self, update: &HeaderMap) -> bool {
        if let Some(theirs) = update.get(header::ETAG) {
            let ours = self.validators.etag.as_str();
            return theirs.to_str().is_ok_and(|theirs| match theirs.trim().strip_prefix("W/") {
                Some(weak) => weak == ours.strip_prefix("W/").unwrap_or(ours),
                None => theirs.trim() == ours,
            });
        }
        let theirs = update.get(header::LAST_MODIFIED);
        theirs.is_none_or(|theirs| self.headers.get(header::LAST_MODIFIED) == Some(theirs))
    }

    pub(crate) fn age(&self, now: Moment) -> Duration {
        now.since(self.born)
    }

    pub(crate) fn ttl(&self, now: Moment) -> Ttl {
        Ttl::of(self.freshness.lifetime, self.age(now))
    }

    /// Returns the header fields to send now.
    pub(crate) fn headers_at(&self, now: Moment, status: &CacheStatus, name: &str) -> HeaderMap {
        let mut headers = self.headers.clone();
        // RFC 9111 §5.1: an Age implies that the answer was not made for this request.
        headers.insert(header::AGE, self.age(now).as_secs().into());
        status.append(name, &mut headers);
        headers
    }

    /// Returns whether `update`, the fields of an answer to HEAD, describes the same content (RFC 9111 §4.3.5).
    pub(crate) fn is_of(&self, update: &HeaderMap) -> bool {
        [header::ETAG, header::LAST_MODIFIED, header::CONTENT_LENGTH]
            .iter()
            .all(|name| update.get(name).is_none_or(|theirs| self.headers.get(name) == Some(theirs)))
    }

    /// Returns whether it never changes (RFC 8246).
    pub(crate) fn is_immutable(&self) -> bool {
        CacheControl::of(&self.headers).has(Flag::Immutable)
    }

    fn weight(&self) -> usize {
        let fields = self.headers.iter();
        let fields: usize =
            fields.map(|(name, value)| name.as_str().len() + value.len() + OVERHEAD_OF_A_FIELD).sum();
        // The block of a hit is a second map.
        2 * fields + OVERHEAD
    }
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) head: Arc<Head>,
    pub(crate) body: Bytes,
    /// Whether the next segment was prefetched: once for each object, not for each hit.
    pub(crate) prefetched: AtomicBool,
    block: ArcSwapOption<Block>,
    _stored: StoredBytes,
}

/// The header fields of a hit in one second.
#[derive(Debug)]
struct Block {
    age: u64,
    headers: HeaderMap,
}

impl Object {
    pub(crate) fn new(head: &Head, body: Bytes, stored: StoredBytes) -> Self {
        let mut head = head.clone();
        head.len = Some(body.len() as u64);
        if head.status != StatusCode::NO_CONTENT {
            head.headers.insert(header::CONTENT_LENGTH, body.len().into());
        }
        // RFC 9211 §2: members of caches nearer to the origin describe the fetch of this object, not its hits.
        head.headers.remove(cache_status::NAME);
        Self {
            head: Arc::new(head),
            body,
            prefetched: AtomicBool::new(false),
            block: ArcSwapOption::empty(),
            _stored: stored,
        }
    }

    /// Returns the header fields of a hit.
    pub(crate) fn hit_headers(&self, now: Moment, name: &str) -> HeaderMap {
        let age = self.head.age(now).as_secs();
        if let Some(block) = self.block.load().as_ref().filter(|block| block.age == age) {
            return block.headers.clone();
        }
        let headers = self.head.headers_at(now, &CacheStatus::hit(self.head.ttl(now)), name);
        self.block.store(Some(Arc::new(Block { age, headers: headers.clone() })));
        headers
    }

    /// Returns the bytes that it costs.
    pub(crate) fn weight(&self) -> usize {
        self.body.len() + self.head.weight()
    }
}

/// Copies values into one piece. As they come they are slices of a connection's buffer, which each of them
/// would keep alive.
fn compact(headers: &HeaderMap) -> HeaderMap {
    let mut buffer = BytesMut::with_capacity(headers.values().map(HeaderValue::len).sum());
    for value in headers.values() {
        buffer.extend_from_slice(value.as_bytes());
    }
    let mut buffer = buffer.freeze();
    let mut copy = HeaderMap::with_capacity(headers.len() + 2);
    for (name, value) in headers {
        let bytes = buffer.split_to(value.len());
        // These bytes came from a valid field value, so this cannot fail.
        if let Ok(value) = HeaderValue::from_maybe_shared(bytes) {
            copy.append(name.clone(), value);
        }
    }
    copy
}
