//! In charge of asking the origin once, and of what is done with its answer: kept, shared, or left to the one
//! who asked first. Runs on its own, so that nobody's disconnect ends it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, response::Parts};
use http_body_util::BodyExt;
use server::{Body, BoxError, Interim, Request, Response, body};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    House,
    flight::{End, Failure, Flight, Heard, Hold, Reason},
    hop,
    key::Target,
    object::{Head, Object, Receipt},
    room::Taken,
    storable::{self, Asker, Audience},
    table::Purpose,
    vary,
};

// For so long a key whose answer was for one request is not waited for by others.
const PASS: Duration = Duration::from_secs(30);

/// What to ask the origin.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    pub(crate) target: Target,
    pub(crate) purpose: Purpose,
    /// The request's headers that are told to the origin.
    pub(crate) told: HeaderMap,
    pub(crate) asker: Asker,
    pub(crate) hop: Hop,
    pub(crate) via: HeaderValue,
    /// What we have and may not use without asking.
    pub(crate) stale: Option<Arc<Object>>,
    /// Where interim answers go: to the one who asked first.
    pub(crate) interim: Option<Interim>,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// From a client: a peer may be asked.
    First,
    /// From a peer: only the origin may.
    Second,
}

impl Errand {
    fn request(&self, stale: Option<&Object>) -> Request {
        let mut request = Request::new(body::empty());
        if let Some(client) = self.interim.clone() {
            request.extensions_mut().insert(client);
        }
        *request.method_mut() = Method::GET;
        // The key's path was a URI's once.
        *request.uri_mut() = self.target.path_and_query().parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.clone_from(&self.told);
        headers.insert(header::VIA, self.via.clone());
        if let Ok(host) = HeaderValue::from_str(self.target.host()) {
            headers.insert(header::HOST, host);
        }
        // RFC 9111 §4.3.1: with both validators where we have both.
        if let Some(stale) = stale {
            for (ours, theirs) in
                [(header::ETAG, header::IF_NONE_MATCH), (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE)]
            {
                if let Some(value) = stale.head.headers.get(ours) {
                    headers.insert(theirs, value.clone());
                }
            }
        }
        request
    }
}

impl House {
    /// Sends a flight off. `permit` is given back when it has landed.
    pub(crate) fn dispatch(
        self: &Arc<Self>,
        flight: Arc<Flight>,
        errand: Errand,
        permit: Option<OwnedSemaphorePermit>,
    ) {
        let trip = Trip { house: self.clone(), flight, errand, _permit: permit };
        self.tasks.spawn(async move {
            let cut = trip.house.cut.clone();
            cut.run_until_cancelled(trip.fly()).await;
        });
    }
}

/// A flight on its way. However its task ends, it is taken from the table and everybody wakes.
struct Trip {
    house: Arc<House>,
    flight: Arc<Flight>,
    errand: Errand,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Trip {
    async fn fly(&self) {
        let mut stale = self.errand.stale.as_deref();
        let place = tokio::time::timeout(self.house.config.first_byte, self.house.fetching.acquire()).await;
        let Ok(Ok(_place)) = place else { return self.flight.tell(self.full()) };
        loop {
            let heard = match self.ask(stale).await {
                Ok((parts, _, receipt)) if parts.status == StatusCode::NOT_MODIFIED && stale.is_some() => {
                    let Some(object) = self.validated(&parts.headers, receipt) else {
                        // It does not make ours good: ask for the whole.
                        stale = None;
                        continue;
                    };
                    Heard::Validated(object)
                }
                Ok((parts, body, receipt)) => {
                    let stand_in = if is_failure(parts.status) { self.stand_in(None) } else { None };
                    match stand_in {
                        Some(object) => Heard::StandIn(object),
                        None => return self.receive(parts, body, receipt).await,
                    }
                }
                Err(failure) => {
                    self.house.figures.failures.inc();
                    self.failed(failure)
                }
            };
            return self.flight.tell(heard);
        }
    }

    async fn ask(&self, stale: Option<&Object>) -> Result<(Parts, Body, Receipt), Failure> {
        let Self { house, errand, .. } = self;
        let asked = house.clock.now();
        house.figures.fetches.inc();
        let answer = self.ask_somebody(stale);
        let response = match tokio::time::timeout(house.config.first_byte, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::warn!(path = errand.target.path(), error, "no origin answers");
                return Err(Failure::Unreachable);
            }
            Err(_) => {
                tracing::warn!(path = errand.target.path(), "the origin did not answer in time");
                return Err(Failure::Silent);
            }
        };
        let (mut parts, body) = response.into_parts();
        hop::drop_hop_by_hop(&mut parts.headers);
        let at = house.clock.now();
        house.figures.waited(at.since(asked));
        let names = vary::names(&parts.headers).unwrap_or_default();
        let receipt = Receipt {
            at,
            date: house.clock.date(),
            asked: at.since(asked),
            selecting: vary::select(&names, &errand.told),
            negative: house.config.negative,
        };
        Ok((parts, body, receipt))
    }

    /// Asks the edge that the key belongs to, and the origin when that is this one or there is none.
    async fn ask_somebody(&self, stale: Option<&Object>) -> Result<Response, BoxError> {
        let Self { house, errand, .. } = self;
        if errand.hop == Hop::First
            && let Some(peers) = &house.peers
            && let Some(answered) = peers.ask(&errand.purpose.key, errand.request(stale)).await
        {
            house.figures.peer_fetches.inc();
            return answered;
        }
        (house.ask)(errand.request(stale)).await
    }

    /// Returns what comes of a fetch without an answer.
    fn failed(&self, failure: Failure) -> Heard {
        let stand_in = self.stand_in(Some(self.house.config.stale_when_down));
        stand_in.map_or(Heard::Failed(failure), Heard::StandIn)
    }

    fn full(&self) -> Heard {
        tracing::warn!(path = self.errand.target.path(), "too much is fetched at once");
        self.house.figures.failures.inc();
        self.failed(Failure::Full)
    }

    /// Returns what we have, when it may stand in (RFC 5861 §4, RFC 9111 §4.2.4).
    fn stand_in(&self, grace: Option<Duration>) -> Option<Arc<Object>> {
        let object = self.errand.stale.as_ref()?;
        let age = object.head.age(self.house.clock.now());
        object.head.freshness.covers_error(age, grace).then(|| object.clone())
    }

    /// Keeps what we have with the fields of a 304, if that speaks of it (RFC 9111 §4.3.4) and it may be kept with them.
    fn validated(&self, update: &HeaderMap, mut receipt: Receipt) -> Option<Arc<Object>> {
        let stale = self.errand.stale.as_ref()?;
        if !stale.head.is_meant_by(update) {
            return None;
        }
        receipt.selecting.clone_from(&stale.head.selecting);
        let head = stale.head.freshened(update, receipt);
        let audience = storable::audience(head.status, &head.headers, self.errand.asker);
        let same_names = vary::names(&head.headers) == vary::names(&stale.head.headers);
        if !matches!(audience, Audience::Everybody | Audience::Validating) || !same_names {
            return None;
        }
        let object = Arc::new(Object::new(&head, stale.body.clone()));
        self.keep(&object);
        Some(object)
    }

    async fn receive(&self, parts: Parts, body: Body, receipt: Receipt) {
        let audience = storable::audience(parts.status, &parts.headers, self.errand.asker);
        let now = receipt.at;
        let head = Head::new(parts.status, parts.headers, receipt);
        let large = head.len.is_some_and(|len| len > self.house.config.max_object);
        if audience == Audience::One || large {
            let reason = if large { Reason::Large } else { Reason::Private };
            let mut response = Response::new(body);
            let status = head.status;
            *response.status_mut() = status;
            *response.headers_mut() = head.headers;
            self.flight.leave(response);
            self.land(|house| {
                // An origin that is broken says nothing of what comes after.
                if !status.is_server_error() {
                    house.memory.pass(self.errand.purpose.key.clone(), self.errand.asker, now.after(PASS));
                }
            });
            return self.flight.tell(Heard::Unshared(reason));
        }
        let Some(room) = self.house.room.take(head.len, self.house.config.first_byte).await else {
            return self.flight.tell(self.full());
        };
        let head = Arc::new(head);
        self.part(&head);
        self.flight.tell(Heard::Streaming(head.clone(), audience));
        // The news may have come in between.
        self.part(&head);
        let Some(whole) = self.take_in(&head, body, room).await else { return };
        let object = Arc::new(Object::new(&head, whole.clone()));
        if audience == Audience::Waiting {
            self.land(|_| {});
        } else {
            self.keep(&object);
        }
        self.flight.end(End::Whole(whole));
    }

    /// Parts those who ask from now on from this flight, if news came while it was in the air.
    fn part(&self, head: &Head) {
        if self.flight.suspect.load(Ordering::Relaxed) && !head.is_immutable() {
            self.land(|_| {});
        }
    }

    /// Takes in a body. Returns it in one piece, unless it broke off or was too large to keep.
    async fn take_in(&self, head: &Head, mut body: Body, room: Taken<'_>) -> Option<Bytes> {
        let mut room = Some(room);
        let mut hold = Hold::All;
        let mut len = 0_u64;
        let mut last = None;
        loop {
            let frame = match tokio::time::timeout(self.house.config.idle, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) if head.len.is_none_or(|told| told == len) => break,
                broken => {
                    // RFC 9112 §8: what is incomplete is not stored.
                    let why = if broken.is_err() { "the origin went silent" } else { "the origin broke off" };
                    tracing::warn!(path = self.errand.target.path(), len, why, "an answer is incomplete");
                    self.house.figures.failures.inc();
                    self.flight.end(End::Broken);
                    return None;
                }
            };
            let Ok(data) = frame.into_data() else { continue };
            len += data.len() as u64;
            self.house.figures.fetched_bytes.inc_by(data.len() as u64);
            let is_kept =
                len <= self.house.config.max_object && room.as_mut().is_some_and(|room| room.covers(len));
            if hold == Hold::All && !is_kept {
                // From here on it only passes by, as fast as it is taken. Nobody new may join, for the beginning will be gone.
                self.land(|_| {});
                hold = Hold::Window;
                room = None;
            }
            if hold == Hold::All && head.len == Some(len) && !data.is_empty() {
                last = Some(data);
                continue;
            }
            if self.flight.push(data, hold).await.is_err() {
                self.flight.end(End::Broken);
                return None;
            }
        }
        if hold == Hold::Window {
            self.flight.end(End::Passed);
            return None;
        }
        Some(self.flight.gather(last))
    }

    fn keep(&self, object: &Arc<Object>) {
        self.land(|house| {
            if object.head.is_immutable() || !self.flight.suspect.load(Ordering::Relaxed) {
                house.memory.insert(self.errand.purpose.key.clone(), object);
            }
        });
        self.house.measure();
    }

    fn land(&self, keep: impl FnOnce(&House)) {
        self.house.table.land(&self.errand.purpose, &self.flight, || keep(&self.house));
    }
}

impl Drop for Trip {
    fn drop(&mut self) {
        self.land(|_| {});
        // Both are without effect when the flight has come to an end by itself.
        self.flight.tell(Heard::Failed(Failure::Stopping));
        self.flight.end(End::Broken);
    }
}

/// RFC 5861 §4 names these.
fn is_failure(status: StatusCode) -> bool {
    matches!(status.as_u16(), 500 | 502 | 503 | 504)
}
