//! The task of a fetch: asks the origin once, and stores the answer, shares it, or leaves it to the request that started the
//! fetch. A task of its own, so that no client's disconnect ends it for the others.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header, response::Parts};
use server::{Body, BoxError, Request, Response};
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use crate::{
    EdgeInner,
    fetch_request::{FetchRequest, Hop},
    fill_budget::Reservation,
    hop,
    incoming::{self, Incoming},
    object::{Head, MadeOf, Object, ResponseTiming},
    shared_fetch::{End, Failure, FetchOutcome, Hold, Reason, SharedFetch},
    storable::{self, Cacheability},
    vary,
};

// For so long requests do not join fetches of a key whose last answer was private (hit-for-pass, as Varnish has it).
const PASS: Duration = Duration::from_secs(30);

/// A fetch at work. However its task ends, it is taken from those in flight, and all its waiters wake.
pub(crate) struct FetchTask {
    inner: Arc<EdgeInner>,
    shared_fetch: Arc<SharedFetch>,
    fetch_request: FetchRequest,
}

impl FetchTask {
    /// Starts the task of a fetch. `permit` is given back when the fetch has ended.
    pub(crate) fn start(
        inner: &Arc<EdgeInner>,
        shared_fetch: Arc<SharedFetch>,
        fetch_request: FetchRequest,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let fetch_task = Self { inner: inner.clone(), shared_fetch, fetch_request };
        let work = async move {
            let _permit = permit;
            let shutdown = fetch_task.inner.shutdown.clone();
            tokio::select! {
                () = fetch_task.run() => {}
                () = fetch_task.abandoned() => { fetch_task.inner.metrics.abandoned.inc(); }
                () = shutdown.cancelled() => {}
            }
        };
        // The trace of the request that starts it; the others that wait for it have theirs.
        inner.tasks.spawn(work.in_current_span());
    }

    /// Ends once the fetch has no waiters any more: a client that resets a thousand requests would else have a thousand
    /// segments fetched.
    async fn abandoned(&self) {
        loop {
            // Before the check, so that the last waiter's leaving in between is not missed.
            let left = self.shared_fetch.left();
            if self.inner.cache.in_flight.abandon(&self.fetch_request.fetch_key, &self.shared_fetch) {
                return;
            }
            left.await;
        }
    }

    async fn run(&self) {
        let mut stale = self.fetch_request.stale.as_deref();
        let mut unkeyed = self.fetch_request.unkeyed.clone();
        // A permit is waited for no longer than a slow origin is: clients cannot tell the two apart.
        let permit = tokio::time::timeout(self.inner.config.first_byte, self.inner.fetching.acquire()).await;
        let Ok(Ok(_permit)) = permit else { return self.shared_fetch.publish(self.full()) };
        loop {
            let outcome = match self.ask(stale, &unkeyed).await {
                Ok((parts, _, timing)) if parts.status == StatusCode::NOT_MODIFIED && stale.is_some() => {
                    let Some(object) = self.validated(&parts.headers, timing) else {
                        // It does not make ours good: ask for the whole.
                        stale = None;
                        continue;
                    };
                    FetchOutcome::Validated(object)
                }
                Ok((parts, body, timing)) => {
                    if let Some(keyed) = self.keyed(&parts, &unkeyed) {
                        // It is for others too, and must not depend on what this one client sent.
                        unkeyed = keyed;
                        continue;
                    }
                    let stale_if_error =
                        if is_failure(parts.status) { self.stale_if_error(None) } else { None };
                    match stale_if_error {
                        Some(object) => FetchOutcome::StaleIfError(object),
                        None => return self.receive(parts, body, timing).await,
                    }
                }
                Err(failure) => {
                    self.inner.metrics.failures.inc();
                    self.failed(failure)
                }
            };
            return self.shared_fetch.publish(outcome);
        }
    }

    async fn ask(
        &self,
        stale: Option<&Object>,
        unkeyed: &HeaderMap,
    ) -> Result<(Parts, Body, ResponseTiming), Failure> {
        let Self { inner, fetch_request, .. } = self;
        let asked = inner.clock.now();
        inner.metrics.fetches.inc();
        let answer = self.ask_owner_or_origin(|| fetch_request.message(stale, unkeyed));
        let response = match tokio::time::timeout(inner.config.first_byte, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::warn!(path = fetch_request.target.path(), error, "no origin answers");
                return Err(Failure::Unreachable);
            }
            Err(_) => {
                tracing::warn!(path = fetch_request.target.path(), "the origin did not answer in time");
                return Err(Failure::TimedOut);
            }
        };
        let (mut parts, body) = response.into_parts();
        hop::drop_hop_by_hop(&mut parts.headers);
        let at = inner.clock.now();
        inner.metrics.waited(at.since(asked));
        let names = vary::names(&parts.headers).unwrap_or_default();
        let mut sent = fetch_request.forwarded_headers.clone();
        sent.extend(unkeyed.clone());
        let timing = ResponseTiming {
            at,
            date: inner.clock.date(),
            asked: at.since(asked),
            selecting: vary::select(&names, &sent),
            made_of: if unkeyed.is_empty() { MadeOf::Key } else { MadeOf::UnkeyedFields },
            negative: inner.config.negative,
        };
        Ok((parts, body, timing))
    }

    /// Asks the edge that the key belongs to, and the origin when that is this one or there is none.
    async fn ask_owner_or_origin(&self, request: impl Fn() -> Request) -> Result<Response, BoxError> {
        let Self { inner, fetch_request, .. } = self;
        if fetch_request.hop == Hop::First
            && let Some(peers) = &inner.peers
            && let Some(answered) = peers.ask(&fetch_request.fetch_key.key, request()).await
        {
            inner.metrics.peer_fetches.inc();
            return answered;
        }
        (inner.ask)(request()).await
    }

    /// Returns the part of the `unkeyed` fields to ask again with, when the response is for others too but was made with more
    /// of them than it names in `Vary`.
    fn keyed(&self, response: &Parts, unkeyed: &HeaderMap) -> Option<HeaderMap> {
        let Self { inner, fetch_request, .. } = self;
        let cacheability = storable::cacheability(response.status, &response.headers, fetch_request.auth);
        if unkeyed.is_empty() || cacheability == Cacheability::Private || self.is_large(&response.headers) {
            return None;
        }
        let named = vary::names(&response.headers).unwrap_or_default();
        let mut keyed = unkeyed.clone();
        let others: Vec<&HeaderName> = unkeyed.keys().filter(|name| !named.contains(name)).collect();
        for name in &others {
            keyed.remove(*name);
        }
        // An error may have come of the very field.
        if !response.status.is_server_error() {
            inner.unkeyed.learn(&fetch_request.target, &others);
        }
        (!others.is_empty()).then_some(keyed)
    }

    fn is_large(&self, response: &HeaderMap) -> bool {
        let len = response.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse::<u64>().ok());
        len.is_some_and(|len| len > self.inner.config.max_object)
    }

    /// Returns the outcome of a fetch without an answer.
    fn failed(&self, failure: Failure) -> FetchOutcome {
        let stale_if_error = self.stale_if_error(Some(self.inner.config.stale_when_down));
        stale_if_error.map_or(FetchOutcome::Failed(failure), FetchOutcome::StaleIfError)
    }

    fn full(&self) -> FetchOutcome {
        tracing::warn!(path = self.fetch_request.target.path(), "too much is fetched at once");
        self.inner.metrics.failures.inc();
        self.failed(Failure::Full)
    }

    /// Returns the stored object, when it may stand in (RFC 5861 §4, RFC 9111 §4.2.4).
    fn stale_if_error(&self, grace: Option<Duration>) -> Option<Arc<Object>> {
        let object = self.fetch_request.stale.as_ref()?;
        let age = object.head.age(self.inner.clock.now());
        object.head.freshness.covers_error(age, grace).then(|| object.clone())
    }

    /// Stores the object again with the fields of a 304, if the 304 selects it (RFC 9111 §4.3.4) and its new fields allow it:
    /// a 304 may bring a `no-store`.
    fn validated(&self, update: &HeaderMap, mut timing: ResponseTiming) -> Option<Arc<Object>> {
        let stale = self.fetch_request.stale.as_ref()?;
        if !stale.head.is_meant_by(update) {
            return None;
        }
        timing.selecting.clone_from(&stale.head.selecting);
        let head = stale.head.freshened(update, timing);
        let cacheability = storable::cacheability(head.status, &head.headers, self.fetch_request.auth);
        let same_names = vary::names(&head.headers) == vary::names(&stale.head.headers);
        if !matches!(cacheability, Cacheability::Shared | Cacheability::NoCache) || !same_names {
            return None;
        }
        let object = Arc::new(self.object(&head, stale.body.clone()));
        self.keep(&object);
        Some(object)
    }

    async fn receive(&self, parts: Parts, body: Body, timing: ResponseTiming) {
        let cacheability = storable::cacheability(parts.status, &parts.headers, self.fetch_request.auth);
        let (now, made_of) = (timing.at, timing.made_of);
        let head = Head::new(parts.status, parts.headers, timing);
        let large = self.is_large(&head.headers);
        if cacheability == Cacheability::Private || large {
            let reason = match large {
                true => Reason::Large,
                false if made_of == MadeOf::Key => Reason::Private,
                false => Reason::Unkeyed,
            };
            let mut response = Response::new(body);
            let status = head.status;
            *response.status_mut() = status;
            let (mark, mut headers) = (head.tickets_from, head.headers);
            if let Some(mark) = mark {
                mark.put(&mut headers);
            }
            *response.headers_mut() = headers;
            // Before the publication: the request that started the fetch takes it as soon as it sees the outcome.
            self.shared_fetch.leave(response);
            self.complete(|inner| {
                // An error is no sign that later answers of this key will be private, nor is an answer to fields that the
                // others did not send: one client could else have each request of theirs sent to the origin.
                // Nor is the refusal of a ticket: one client without a ticket could else keep it from all others' cache.
                if !status.is_server_error() && reason != Reason::Unkeyed && mark.is_none() {
                    inner.cache.memory.pass(
                        self.fetch_request.fetch_key.key.clone(),
                        self.fetch_request.auth,
                        now.after(PASS),
                    );
                }
            });
            return self.shared_fetch.publish(FetchOutcome::Unshared(reason));
        }
        let Some(fill_budget) = self.inner.fill_budget.take(head.len, self.inner.config.first_byte).await
        else {
            return self.shared_fetch.publish(self.full());
        };
        let head = Arc::new(head);
        self.leave_after_purge(&head);
        self.shared_fetch.publish(FetchOutcome::Streaming(head.clone(), cacheability));
        // A purge may have come between the check and the publication, when `sweep` saw no outcome yet: so check again.
        self.leave_after_purge(&head);
        let Some(whole) = self.take_in(&head, body, fill_budget).await else { return };
        let object = Arc::new(self.object(&head, whole.clone()));
        if cacheability == Cacheability::CollapsedOnly {
            self.complete(|_| {});
        } else {
            self.keep(&object);
        }
        self.shared_fetch.end(End::Whole(whole));
    }

    /// Takes the fetch out of those in flight if a purge came before its head, so that later requests start a new one.
    fn leave_after_purge(&self, head: &Head) {
        if self.shared_fetch.store_only_immutable.load(Ordering::Relaxed) && !head.is_immutable() {
            self.complete(|_| {});
        }
    }

    /// Takes in a body. Returns it in one piece, unless it broke off or was too large to keep.
    async fn take_in(&self, head: &Head, body: Body, fill_budget: Reservation<'_>) -> Option<Bytes> {
        let mut fill_budget = Some(fill_budget);
        let mut hold = Hold::All;
        let mut last = None;
        let mut incoming = Incoming::new(body, head.len);
        loop {
            let data = match incoming.next(self.inner.config.idle).await {
                Ok(Some(data)) => data,
                Ok(None) => break,
                Err(why) => {
                    // RFC 9112 §8: an incomplete response is not stored, for a later hit would present it as whole.
                    let (path, len) = (self.fetch_request.target.path(), incoming.len());
                    tracing::warn!(path, len, why, "an answer is incomplete");
                    self.inner.metrics.failures.inc();
                    if incoming.may_resume()
                        && let Some(again) = self.ask_again(head).await
                    {
                        incoming.resume(again);
                        continue;
                    }
                    self.shared_fetch.end(End::Broken);
                    return None;
                }
            };
            let len = incoming.len();
            if head.len.is_some_and(|whole| len >= whole / 4 * 3) {
                // With so little left, the rest costs less than a second fetch of the whole.
                self.shared_fetch.keep();
            }
            self.inner.metrics.fetched_bytes.inc_by(data.len() as u64);
            let is_kept = len <= self.inner.config.max_object
                && fill_budget.as_mut().is_some_and(|fill_budget| fill_budget.covers(len));
            if hold == Hold::All && !is_kept {
                // From here on the body streams through, as fast as it is read. No new waiter may join, for the first parts
                // will be gone.
                self.complete(|_| {});
                hold = Hold::Window;
                fill_budget = None;
                incoming.forget();
            }
            // Held back until the object is stored: a client that has the last byte and asks again gets a hit.
            if hold == Hold::All && head.len == Some(len) {
                last = Some(data);
                continue;
            }
            if self.shared_fetch.push(data, hold).await.is_err() {
                self.shared_fetch.end(End::Broken);
                return None;
            }
        }
        if hold == Hold::Window {
            self.shared_fetch.end(End::Passed);
            return None;
        }
        Some(self.shared_fetch.gather(last, self.inner.fill_budget.held()))
    }

    /// Asks for an immutable answer again, whose origin may have died in the middle of it. Clients need not see that.
    async fn ask_again(&self, head: &Head) -> Option<Body> {
        if !head.is_immutable() {
            return None;
        }
        let (parts, body, _) = self.ask(None, &HeaderMap::new()).await.ok()?;
        incoming::is_the_same(head, &parts).then_some(body)
    }

    fn object(&self, head: &Head, body: Bytes) -> Object {
        let stored = self.inner.fill_budget.held().store(body.len());
        Object::new(head, body, stored)
    }

    fn keep(&self, object: &Arc<Object>) {
        self.complete(|inner| {
            if object.head.is_immutable() || !self.shared_fetch.store_only_immutable.load(Ordering::Relaxed) {
                inner.cache.memory.insert(self.fetch_request.fetch_key.key.clone(), object);
            }
        });
        self.inner.measure();
    }

    fn complete(&self, keep: impl FnOnce(&EdgeInner)) {
        self.inner
            .cache
            .in_flight
            .complete(&self.fetch_request.fetch_key, &self.shared_fetch, || keep(&self.inner));
    }
}

impl Drop for FetchTask {
    fn drop(&mut self) {
        self.complete(|_| {});
        // Both are without effect when the fetch has come to an end by itself.
        self.shared_fetch.publish(FetchOutcome::Failed(Failure::Stopping));
        self.shared_fetch.end(End::Broken);
    }
}

/// RFC 5861 §4 names these.
fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}
