//! The fetches in flight: at most one for each key and each set of request headers that matter (collapsed requests,
//! RFC 9111 §4).

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use crate::{
    key::Key,
    shared_fetch::{SharedFetch, Waiter},
    vary::Selecting,
};

/// The identity of a fetch: requests with an equal one share it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FetchKey {
    pub(crate) key: Key,
    /// The request headers that are forwarded to the origin.
    pub(crate) selecting: Selecting,
}

/// The result of joining a fetch.
#[derive(Debug)]
pub(crate) enum JoinResult<T> {
    /// No fetch is needed: another one completed meanwhile.
    Found(T),
    /// The request is the first and starts the fetch.
    Leads(Waiter),
    /// Another request is filling the cache; this one waits for it.
    Waits(Waiter),
    /// The fetch has all the waiters that it may have.
    Full,
}

/// The effect of a purge on a fetch in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PurgeEffect {
    /// The fetch is of another key.
    Unaffected,
    /// The object is stored only if it is immutable (RFC 8246).
    StoreOnlyImmutable,
    /// The object goes to the present waiters and is not stored; a later request starts a new fetch.
    DoNotStore,
}

#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashMap<FetchKey, Arc<SharedFetch>>>);

impl InFlight {
    /// Joins the fetch for `fetch_key`, or starts one. A complete fetch is stored before it leaves this table, so
    /// `stored` finds the object when the fetch is gone: no key is fetched twice in a row.
    pub(crate) fn join<T>(
        &self,
        fetch_key: &FetchKey,
        most_waiting: usize,
        stored: impl FnOnce() -> Option<T>,
    ) -> JoinResult<T> {
        match self.lock().entry(fetch_key.clone()) {
            Entry::Occupied(occupied) => {
                occupied.get().waiter(most_waiting).map_or(JoinResult::Full, JoinResult::Waits)
            }
            Entry::Vacant(vacant) => match stored() {
                Some(found) => JoinResult::Found(found),
                None => match Arc::<SharedFetch>::default().waiter(usize::MAX) {
                    Some(waiter) => {
                        vacant.insert(Arc::clone(&waiter));
                        JoinResult::Leads(waiter)
                    }
                    None => JoinResult::Full,
                },
            },
        }
    }

    /// Takes a fetch out of the table. Unless a purge forbids it, `keep` stores the object first and under the lock, so no
    /// request sees a moment with neither fetch nor object.
    pub(crate) fn complete(
        &self,
        fetch_key: &FetchKey,
        shared_fetch: &Arc<SharedFetch>,
        keep: impl FnOnce(),
    ) {
        let mut fetches = self.lock();
        if !shared_fetch.do_not_store.load(Ordering::Relaxed) {
            keep();
        }
        // After a purge the place may belong to a newer fetch already.
        if fetches.get(fetch_key).is_some_and(|there| Arc::ptr_eq(there, shared_fetch)) {
            fetches.remove(fetch_key);
        }
    }

    /// Takes a fetch without waiters out. Under the lock, so that no waiter joins between the check and the removal.
    pub(crate) fn abandon(&self, fetch_key: &FetchKey, shared_fetch: &Arc<SharedFetch>) -> bool {
        let mut fetches = self.lock();
        if shared_fetch.is_wanted() {
            return false;
        }
        if fetches.get(fetch_key).is_some_and(|there| Arc::ptr_eq(there, shared_fetch)) {
            fetches.remove(fetch_key);
        }
        true
    }

    /// Applies a purge: `decide` returns its effect on each fetch.
    pub(crate) fn sweep(&self, decide: impl Fn(&Key, &SharedFetch) -> PurgeEffect) {
        self.lock().retain(|fetch_key, shared_fetch| match decide(&fetch_key.key, shared_fetch) {
            PurgeEffect::Unaffected => true,
            PurgeEffect::StoreOnlyImmutable => {
                shared_fetch.store_only_immutable.store(true, Ordering::Relaxed);
                // The outcome may have arrived since `decide` looked, and the task have read the flag before it was set:
                // then the task does not remove the fetch, so it is removed here.
                shared_fetch.is_immutable() != Some(false)
            }
            PurgeEffect::DoNotStore => {
                shared_fetch.do_not_store.store(true, Ordering::Relaxed);
                false
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<FetchKey, Arc<SharedFetch>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
