//! The cache: stored responses in `memory`, the fetches of missing ones in `in_flight`, and the time of the last missed purge.
//! A fetch is stored before it leaves those in flight, and lookups go the other way, so that no key is fetched twice in a row.

use std::sync::Arc;

use http::{HeaderName, request::Parts};

use crate::{
    clock::{Clock, Latest, Moment},
    freshness::Use,
    in_flight::{FetchKey, InFlight, JoinResult, PurgeEffect},
    key::Target,
    memory::{CacheEntry, Memory},
    object::Object,
};

/// The stored responses and the fetches in flight.
pub(crate) struct Cache {
    pub(crate) memory: Memory,
    pub(crate) in_flight: InFlight,
    clock: Clock,
    /// The time of the last missed purge: objects received before it are revalidated before use.
    revalidate_before: Latest,
    most_waiters: usize,
}

impl Cache {
    pub(crate) fn new(memory: Memory, clock: Clock, most_waiters: usize) -> Self {
        Self {
            memory,
            in_flight: InFlight::default(),
            clock,
            revalidate_before: Latest::default(),
            most_waiters,
        }
    }

    /// Returns how an object may be used at `now`.
    pub(crate) fn usable(&self, object: &Object, now: Moment) -> Use {
        if self.revalidate_before.is_before(object.head.received) {
            object.head.freshness.at(object.head.age(now))
        } else {
            Use::AfterValidation
        }
    }

    /// Returns the object that answers a request without its origin.
    pub(crate) fn fresh(&self, target: &Target, request: &Parts) -> Option<Arc<Object>> {
        let entry = self.memory.get(target.as_str())?;
        let object = entry.find(&request.headers)?;
        matches!(self.usable(object, self.clock.now()), Use::Fresh(_)).then(|| object.clone())
    }

    /// Returns the request fields that the stored responses of a target depend on.
    pub(crate) fn selecting_names(&self, target: &Target) -> Vec<HeaderName> {
        self.memory.get(target.as_str()).as_deref().map(CacheEntry::selecting_names).unwrap_or_default()
    }

    /// Joins the fetch of a key, or starts one, unless `stored` finds what a fetch has just stored.
    pub(crate) fn join(
        &self,
        fetch_key: &FetchKey,
        stored: impl FnOnce() -> Option<Arc<Object>>,
    ) -> JoinResult<Arc<Object>> {
        self.in_flight.join(fetch_key, self.most_waiters, stored)
    }

    /// Revalidates all that is stored by now before its next use.
    pub(crate) fn revalidate_all(&self) {
        self.revalidate_before.set(self.clock.now());
    }

    /// Invalidates a key (RFC 9111 §4.4): its fetch in flight first, for one that completes afterwards is not stored.
    pub(crate) fn invalidate(&self, invalidated: &str) {
        self.in_flight.sweep(|key, _| {
            if key.as_str() == invalidated { PurgeEffect::DoNotStore } else { PurgeEffect::Unaffected }
        });
        self.memory.remove(invalidated);
    }
}
