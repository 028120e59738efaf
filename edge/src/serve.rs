//! The life of a request: its target, its ticket, a look into memory; and on a miss, whether a fetch is in flight already.

use std::sync::{Arc, atomic::Ordering};

use futures::future::{BoxFuture, Either, Ready, ready};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use server::{Problem, Request, has_any, ticket::Refusal};

use crate::{
    Edge, EdgeInner, Payload, answer,
    cache_status::{CacheStatus, Forward},
    clock::Moment,
    fetch::{FetchRequest, Hop},
    freshness::Use,
    in_flight::{FetchKey, JoinResult},
    key::{Invalid, Target},
    memory::CacheEntry,
    object::{Head, Object},
    prefetch,
    storable::RequestAuth,
    token, vary,
};

/// An answer that may be there at once.
pub type Answer<E> =
    Either<Ready<Result<Response<Payload>, E>>, BoxFuture<'static, Result<Response<Payload>, E>>>;

impl Edge {
    /// Answers a request. What is in memory is answered without waiting for anything.
    pub fn answer<E: Send + 'static>(&self, mut request: Request) -> Answer<E> {
        let inner = &self.0;
        let target = match inner.admit(&mut request) {
            Ok(target) => target,
            Err(refused) => {
                match &refused {
                    Refused::Ticket(_) => inner.metrics.refused.inc(),
                    Refused::Target(_) => inner.metrics.invalid.inc(),
                };
                return Either::Left(ready(Ok(answer::problem(refused.into()))));
            }
        };
        if let Some(why) = inner.exempt(&request, &target) {
            return later(inner.clone().pass(target, request, why));
        }
        if let Some(entry) = inner.memory.get(target.as_str())
            && let Some(object) = entry.find(request.headers())
        {
            let now = inner.clock.now();
            match inner.usable(object, now) {
                Use::Fresh(_) => {
                    let (parts, _) = request.into_parts();
                    let headers = object.hit_headers(now, &inner.config.name);
                    let response = answer::from_object(&parts, object, headers);
                    inner.metrics.hit(&response);
                    if prefetch::has_cmcd(&target, &parts.headers)
                        || !object.prefetched.load(Ordering::Relaxed)
                    {
                        inner.prefetch_next(&target, &parts, Some(object));
                    }
                    return Either::Left(ready(Ok(response)));
                }
                Use::WhileRevalidating => {
                    let (parts, _) = request.into_parts();
                    inner.revalidate_behind(&target, &parts, object);
                    return Either::Left(ready(Ok(inner.stale(&parts, object))));
                }
                Use::AfterValidation => {}
            }
        }
        later(inner.clone().miss(target, request))
    }
}

fn later<E: Send + 'static>(response: impl Future<Output = Response<Payload>> + Send + 'static) -> Answer<E> {
    Either::Right(Box::pin(async { Ok(response.await) }))
}

/// The reason why a request is refused before the cache.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Ticket(#[from] Refusal),
    #[error(transparent)]
    Target(#[from] Invalid),
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Ticket(refusal) => refusal.into(),
            Refused::Target(invalid) => {
                let detail = format!("This cannot be answered: {invalid}.");
                Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
            }
        }
    }
}

impl EdgeInner {
    /// Decides what a request asks for, and whether it may.
    ///
    /// After this the token is on a request only when it is right. Then the request comes from a peer, which has verified
    /// its client's ticket, so it is not verified again.
    fn admit(&self, request: &mut Request) -> Result<Target, Refused> {
        let scheme = self.config.scheme;
        if has_any(request.headers(), &[token::NAME]) {
            if self.token.as_ref().is_some_and(|token| token.is_in(request.headers())) {
                return Ok(Target::decode(scheme, request.uri(), request.headers(), None)?);
            }
            // A wrong token must not make a client's request look like a peer's further on.
            request.headers_mut().remove(token::NAME);
        }
        let path = self.access.check(request.uri().path(), || self.clock.date())?;
        Ok(Target::decode(scheme, request.uri(), request.headers(), path.as_deref())?)
    }

    /// Returns why a request bypasses the cache, if it does.
    fn exempt(&self, request: &Request, target: &Target) -> Option<Forward> {
        if *request.method() != Method::GET && *request.method() != Method::HEAD {
            return Some(Forward::Method);
        }
        if self.is_bypassed(target) {
            return Some(Forward::Bypass);
        }
        // RFC 9111 §4.3.2: these preconditions are for the origin. And the meaning of a body in a GET is undefined (RFC 9110
        // §9.3.1), so only the origin can answer it.
        let for_origin = |(name, value): (&HeaderName, &HeaderValue)| {
            [header::IF_MATCH, header::IF_UNMODIFIED_SINCE, header::TRANSFER_ENCODING].contains(name)
                || *name == header::CONTENT_LENGTH && value != "0"
        };
        request.headers().iter().any(for_origin).then_some(Forward::Request)
    }

    /// Returns whether a target is never cached.
    pub(crate) fn is_bypassed(&self, target: &Target) -> bool {
        let path = target.path_and_query();
        self.config.bypass.iter().any(|prefix| path.starts_with(prefix.as_str()))
    }

    /// Builds the request to the origin. A field that is neither in the key nor named by `Vary` is not forwarded: it could
    /// change an answer that others get.
    pub(crate) fn fetch_request(&self, target: &Target, parts: &Parts, names: &[HeaderName]) -> FetchRequest {
        let mut forwarded_headers = HeaderMap::new();
        for name in names.iter().filter(|name| !self.config.forward_headers.contains(name)) {
            for value in parts.headers.get_all(name) {
                forwarded_headers.append(name.clone(), value.clone());
            }
        }
        forwarded_headers
            .insert(header::ACCEPT_ENCODING, HeaderValue::from_static(vary::coding(&parts.headers)));
        for name in &self.config.forward_headers {
            for value in parts.headers.get_all(name) {
                forwarded_headers.append(name.clone(), value.clone());
            }
        }
        let mut selecting = vary::select(names, &parts.headers);
        if !names.contains(&header::ACCEPT_ENCODING) {
            selecting.push((header::ACCEPT_ENCODING, Some(vary::coding(&parts.headers).to_owned())));
        }
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            forwarded_headers.insert(header::AUTHORIZATION, value.clone());
            // Requests with different credentials do not share a fetch: its answer may be for one of them alone
            // (RFC 9111 §3.5).
            selecting.extend(vary::select(&[header::AUTHORIZATION], &parts.headers));
        }
        selecting.sort_unstable_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        selecting.dedup();
        let entry = self.memory.get(target.as_str());
        let stale = entry.and_then(|entry| entry.find(&parts.headers).cloned());
        let fetch_key = FetchKey { key: target.key(), selecting };
        let hop = if parts.headers.contains_key(token::NAME) { Hop::Second } else { Hop::First };
        let (via, auth) = (self.via.of(parts.version), RequestAuth::of(&parts.headers));
        FetchRequest { target: target.clone(), fetch_key, forwarded_headers, auth, hop, via, stale }
    }

    pub(crate) fn fresh(&self, target: &Target, parts: &Parts) -> Option<Arc<Object>> {
        let entry = self.memory.get(target.as_str())?;
        let object = entry.find(&parts.headers)?;
        matches!(self.usable(object, self.clock.now()), Use::Fresh(_)).then(|| object.clone())
    }

    fn usable(&self, object: &Object, now: Moment) -> Use {
        if self.revalidate_before.is_before(object.head.received) {
            object.head.freshness.at(object.head.age(now))
        } else {
            Use::AfterValidation
        }
    }

    pub(crate) fn hit(&self, parts: &Parts, object: &Object) -> Response<Payload> {
        let headers = object.hit_headers(self.clock.now(), &self.config.name);
        let response = answer::from_object(parts, object, headers);
        self.metrics.hit(&response);
        response
    }

    /// RFC 5861 §3: answers with what is stale while a newer one is asked for.
    fn stale(&self, parts: &Parts, object: &Object) -> Response<Payload> {
        self.metrics.stale.inc();
        self.hit(parts, object)
    }

    pub(crate) fn stored(
        &self,
        parts: &Parts,
        object: &Object,
        mut status: CacheStatus,
    ) -> Response<Payload> {
        let now = self.clock.now();
        status.ttl = Some(object.head.ttl(now));
        answer::from_object(parts, object, object.head.headers_at(now, &status, &self.config.name))
    }

    pub(crate) fn headers_of_stream(&self, head: &Head, mut status: CacheStatus) -> HeaderMap {
        let now = self.clock.now();
        status.forward_status = Some(head.status);
        status.ttl = Some(head.ttl(now));
        let mut headers = head.headers_at(now, &status, &self.config.name);
        // RFC 9111 §5.1: without an Age when it was made for this request.
        if head.age(now).as_secs() == 0 {
            headers.remove(header::AGE);
        }
        headers
    }

    fn revalidate_behind(self: &Arc<Self>, target: &Target, parts: &Parts, object: &Arc<Object>) {
        let entry = self.memory.get(target.as_str());
        let names = entry.as_deref().map(CacheEntry::selecting_names).unwrap_or_default();
        let fetch_request = self.fetch_request(target, parts, &names);
        let joined = self.in_flight.join(&fetch_request.fetch_key, self.config.waiters, || {
            self.fresh(target, parts).filter(|fresh| !Arc::ptr_eq(fresh, object))
        });
        if let JoinResult::Leads(waiter) = joined {
            waiter.keep_fetch();
            self.dispatch(Arc::clone(&waiter), fetch_request);
        }
    }
}
