//! The life of a request: admit → exempt → memory → join → fetch → answer. The first three are here and wait for nothing; the
//! rest is `miss`'s.

use std::sync::{Arc, atomic::Ordering};

use futures::future::{BoxFuture, Either, Ready, ready};
use http::{Response, request::Parts};
use server::Request;

use crate::{
    Edge, EdgeInner, Payload,
    admission::Refused,
    answer::Reply,
    fetch::FetchTask,
    fetch_request::FetchRequest,
    freshness::Use,
    in_flight::JoinResult,
    key::Target,
    miss::Miss,
    object::Object,
    pass::Pass,
    prefetch::{self, Prefetch},
    problem, shown,
};

/// An answer that may be there at once.
pub type Answer<E> =
    Either<Ready<Result<Response<Payload>, E>>, BoxFuture<'static, Result<Response<Payload>, E>>>;

impl Edge {
    /// Answers a request. What is in memory is answered without waiting for anything.
    pub fn answer<E: Send + 'static>(&self, mut request: Request) -> Answer<E> {
        let inner = &self.0;
        // Admit: in front of the cache, for a ticket is no part of a key, and a target without one form has no key.
        let target = match inner.admission.admit(&mut request, || inner.clock.date()) {
            Ok(target) => target,
            Err(refused) => return now(inner.refuse(refused)),
        };
        // Exempt: RFC 9111 §4 lets a cache answer GET and HEAD alone, and some of these are for the origin too.
        if let Some(forward) = inner.admission.exempt(&request, &target) {
            return later(Pass { inner: inner.clone(), target, forward }.answer(request));
        }
        // Memory: in front of the fetches in flight, since most requests end here.
        let (parts, body) = request.into_parts();
        if let Some(response) = inner.look_up(&target, &parts) {
            return now(response);
        }
        // Join, fetch, answer.
        later(Miss::answer(inner.clone(), target, Request::from_parts(parts, body)))
    }
}

impl EdgeInner {
    fn refuse(&self, refused: Refused) -> Response<Payload> {
        match &refused {
            Refused::Ticket(_) => self.metrics.refused.inc(),
            Refused::Target(_) => self.metrics.invalid.inc(),
        };
        problem::answer(refused.into())
    }

    /// Answers from memory, if it can.
    fn look_up(self: &Arc<Self>, target: &Target, parts: &Parts) -> Option<Response<Payload>> {
        let entry = self.cache.memory.get(target.as_str())?;
        let object = entry.find(&parts.headers)?;
        let reply = Reply { inner: self, request: parts };
        let now = self.clock.now();
        let usable = self.cache.usable(object, now);
        if !matches!(usable, Use::AfterValidation)
            && let Err(refusal) = shown::check(parts, object.head.tickets_from)
        {
            // Before anything is fetched in advance for somebody who may not have it.
            return Some(self.refuse(refusal.into()));
        }
        match usable {
            Use::Fresh(_) => {
                if prefetch::has_cmcd(target, &parts.headers) || !object.prefetched.load(Ordering::Relaxed) {
                    Prefetch { inner: self, target, parts }.next(Some(object));
                }
                Some(reply.hit(object, now))
            }
            Use::WhileRevalidating => {
                self.revalidate_behind(target, parts, object);
                Some(reply.stale(object, now))
            }
            Use::AfterValidation => None,
        }
    }

    /// Starts a revalidation that no client waits for.
    fn revalidate_behind(self: &Arc<Self>, target: &Target, parts: &Parts, object: &Arc<Object>) {
        let names = self.cache.selecting_names(target);
        let fetch_request = FetchRequest::new(self, target, parts, &names);
        let joined = self.cache.join(&fetch_request.fetch_key, || {
            self.cache.fresh(target, parts).filter(|fresh| !Arc::ptr_eq(fresh, object))
        });
        if let JoinResult::Leads(waiter) = joined {
            waiter.keep_fetch();
            FetchTask::start(self, Arc::clone(&waiter), fetch_request, None);
        }
    }
}

fn now<E>(response: Response<Payload>) -> Answer<E> {
    Either::Left(ready(Ok(response)))
}

fn later<E: Send + 'static>(response: impl Future<Output = Response<Payload>> + Send + 'static) -> Answer<E> {
    Either::Right(Box::pin(async { Ok(response.await) }))
}
