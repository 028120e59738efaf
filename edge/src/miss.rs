//! A request that memory does not answer: it joins the fetch of its key, or starts it, and is answered by what that brings.
//! Leaves fetching to `fetch`, and requests that share nothing to `pass`.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, Method, Response, StatusCode, header, request::Parts};
use server::{Request, body};

use crate::{
    EdgeInner, Payload,
    answer::Reply,
    cache_control::{CacheControl, Flag},
    cache_status::{CacheStatus, Collapsed, Forward, Stored},
    fetch::FetchTask,
    fetch_request::FetchRequest,
    in_flight::JoinResult,
    key::Target,
    memory::CacheEntry,
    pass::{self, Pass},
    prefetch::Prefetch,
    problem,
    shared_fetch::{FetchOutcome, Reason, Waiter},
    shown::{self, TicketsFrom},
    storable::{Cacheability, RequestAuth},
    unkeyed, vary,
};

// Each round forwards more of the fields that `Vary` names. An origin that names new ones in each answer gives private
// answers in effect, so after these rounds the request is passed.
const MOST_ROUNDS: usize = 3;

/// A request that is answered by a fetch.
pub(crate) struct Miss {
    inner: Arc<EdgeInner>,
    target: Target,
    parts: Parts,
    /// The request fields that answers of this key depend on, as far as they are known.
    names: Vec<HeaderName>,
    /// The fields that a fetch of this request sends along although no answer is known to depend on them.
    unkeyed: HeaderMap,
    forward: Forward,
}

/// How a round ends.
enum Round {
    Answered(Response<Payload>),
    /// The next round forwards more fields.
    Again,
    /// The answer of the fetch is for another request alone, so this one goes to the origin itself.
    Pass,
}

impl Miss {
    /// Answers a request that memory did not.
    pub(crate) async fn answer(inner: Arc<EdgeInner>, target: Target, request: Request) -> Response<Payload> {
        let (parts, body) = request.into_parts();
        // RFC 9111 §5.2.1: requests' directives are advice. Heeding no-cache or max-age would let any client
        // send the load of the cache to the origin; this one saves load.
        if CacheControl::of(&parts.headers).has(Flag::OnlyIfCached) {
            return problem::answer(problem::not_stored());
        }
        let entry = inner.cache.memory.get(target.as_str());
        let names = entry.as_deref().map(CacheEntry::selecting_names).unwrap_or_default();
        let forward = forward_reason(entry.as_deref(), &parts.headers);
        let auth = RequestAuth::of(&parts.headers);
        let is_private = entry.is_some_and(|entry| entry.passes(auth, inner.clock.now()));
        // An answer to HEAD has no body to store, but it may validate a stale object.
        if is_private || parts.method == Method::HEAD && forward != Forward::Stale {
            return Pass { inner, target, forward }.answer(Request::from_parts(parts, body)).await;
        }
        // Where something was stored, the key is for many and its fields are known.
        let unkeyed = match forward {
            Forward::UriMiss => {
                let fields =
                    unkeyed::fields(&parts.headers, |name| inner.config.forward_headers.contains(name));
                inner.unkeyed.select(&target, &fields)
            }
            _ => HeaderMap::new(),
        };
        Self { inner, target, parts, names, unkeyed, forward }.rounds().await
    }

    async fn rounds(mut self) -> Response<Payload> {
        for round in 0..MOST_ROUNDS {
            // Join: a request whose fetch is in flight waits for that one.
            let (waiter, collapsed) = match self.join() {
                Ok(joined) => joined,
                Err(response) => return *response,
            };
            if round == 0 {
                // After its own fetch, not before it: the player waits for this one.
                Prefetch { inner: &self.inner, target: &self.target, parts: &self.parts }.next(None);
            }
            // Fetch: a task of its own, which this request only waits for.
            let outcome = waiter.outcome().await;
            // Only a client that goes away leaves a fetch unwanted; from here on this one does not.
            waiter.keep_fetch();
            if waiter.is_too_late_for(&outcome) {
                continue;
            }
            // Answer: from the outcome, unless it is for other requests.
            match self.answer_with(waiter, collapsed, outcome) {
                Round::Answered(response) => return response,
                Round::Again => self.unkeyed.clear(),
                Round::Pass => break,
            }
        }
        let request = Request::from_parts(self.parts, body::empty());
        Pass { inner: self.inner, target: self.target, forward: self.forward }.answer(request).await
    }

    /// Joins the fetch, or starts it. The error is an answer that needs none.
    fn join(&self) -> Result<(Waiter, Collapsed), Box<Response<Payload>>> {
        let inner = &self.inner;
        let mut fetch_request = FetchRequest::new(inner, &self.target, &self.parts, &self.names);
        fetch_request.unkeyed.clone_from(&self.unkeyed);
        // Another fetch may have been stored between the look into memory and this one.
        let stored = || inner.cache.fresh(&self.target, &self.parts);
        match inner.cache.join(&fetch_request.fetch_key, stored) {
            JoinResult::Found(object) => Err(Box::new(self.reply().hit(&object, inner.clock.now()))),
            JoinResult::Full => Err(Box::new(problem::answer(problem::too_many()))),
            JoinResult::Leads(waiter) => {
                inner.metrics.misses.inc();
                FetchTask::start(inner, Arc::clone(&waiter), fetch_request, None);
                Ok((waiter, Collapsed::No))
            }
            JoinResult::Waits(waiter) => {
                inner.metrics.collapsed.inc();
                Ok((waiter, Collapsed::Yes))
            }
        }
    }

    fn reply(&self) -> Reply<'_> {
        Reply { inner: &self.inner, request: &self.parts }
    }

    fn answer_with(&mut self, waiter: Waiter, collapsed: Collapsed, outcome: FetchOutcome) -> Round {
        let inner = &self.inner;
        let mut status = CacheStatus { collapsed, ..CacheStatus::forwarded(Some(self.forward)) };
        match outcome {
            FetchOutcome::Streaming(head, cacheability) => {
                if !vary::agrees(&head.selecting, &self.parts.headers) {
                    // It depends on more than the origin was sent: the next round sends that too.
                    self.names.extend(head.selecting.iter().map(|(name, _)| name.clone()));
                    self.forward = Forward::VaryMiss;
                    return Round::Again;
                }
                if collapsed == Collapsed::Yes && cacheability == Cacheability::NoCache {
                    // RFC 9111 §5.2.2.4: each use is validated, so only the request that asked may use this answer.
                    return Round::Pass;
                }
                let is_stored = cacheability != Cacheability::CollapsedOnly;
                status.stored = if is_stored { Stored::Yes } else { Stored::No };
                Round::Answered(self.reply().stream(waiter, &head, status))
            }
            FetchOutcome::Validated(object) => {
                if !vary::agrees(&object.head.selecting, &self.parts.headers) {
                    return Round::Again;
                }
                inner.metrics.validated.inc();
                status.forward_status = Some(StatusCode::NOT_MODIFIED);
                Round::Answered(self.reply().stored(&object, status))
            }
            FetchOutcome::StaleIfError(object) => {
                if !vary::agrees(&object.head.selecting, &self.parts.headers) {
                    return Round::Again;
                }
                inner.metrics.stale.inc();
                Round::Answered(self.reply().stored(&object, status))
            }
            FetchOutcome::Unshared(reason) => self.take_unshared(&waiter, reason, &status),
            FetchOutcome::Failed(failure) => {
                let mut response = problem::answer(failure.problem());
                status.append(&inner.config.name, response.headers_mut());
                Round::Answered(response)
            }
        }
    }

    /// The request that led the fetch gets an answer made for one request, unless the origin was not sent all that it
    /// depends on.
    fn take_unshared(&mut self, waiter: &Waiter, reason: Reason, status: &CacheStatus) -> Round {
        let leads = status.collapsed == Collapsed::No;
        if reason != Reason::Unkeyed {
            self.unkeyed.clear();
        } else if !leads {
            return Round::Again;
        }
        let leftover = leads.then(|| waiter.take_leftover()).flatten();
        let leftover = leftover.filter(|answer| self.is_answered_by(answer.headers()));
        if reason == Reason::Large && self.parts.headers.contains_key(header::RANGE) {
            // The origin cuts the range: else the whole object would cross the line and mostly be dropped.
            self.forward = Forward::Partial;
            return Round::Pass;
        }
        leftover.map_or(Round::Pass, |mut response| {
            let mark = TicketsFrom::take(response.headers_mut());
            if response.status() != StatusCode::FORBIDDEN
                && let Err(refusal) = shown::check(&self.parts, mark)
            {
                return Round::Answered(problem::answer(refusal.into()));
            }
            let mut response = pass::forwarded(&self.inner.config, response, status);
            if let Some(mark) = mark.filter(|_| shown::keeps_mark(&self.parts)) {
                mark.put(response.headers_mut());
            }
            Round::Answered(response)
        })
    }

    /// Returns whether an unshared answer is right for this request, of whose fields only some were forwarded.
    fn is_answered_by(&self, answer: &HeaderMap) -> bool {
        let config = &self.inner.config;
        let is_forwarded = |name: &HeaderName| {
            self.names.contains(name)
                || self.unkeyed.contains_key(name)
                || unkeyed::ALWAYS_FORWARDED.contains(name)
                || config.forward_headers.contains(name)
        };
        let request = &self.parts.headers;
        // `*` names no fields. Of those that are taken to be without effect, a language is the one that people would notice.
        let depends = vary::names(answer).unwrap_or_else(|| vec![header::ACCEPT_LANGUAGE]);
        unkeyed::fields(request, is_forwarded).is_empty()
            && depends.iter().all(|name| is_forwarded(name) || unkeyed::leaves_open(request, name))
    }
}

fn forward_reason(entry: Option<&CacheEntry>, request: &HeaderMap) -> Forward {
    match entry {
        None => Forward::UriMiss,
        Some(entry) if entry.variants.is_empty() => Forward::UriMiss,
        Some(entry) if entry.find(request).is_none() => Forward::VaryMiss,
        Some(_) => Forward::Stale,
    }
}
