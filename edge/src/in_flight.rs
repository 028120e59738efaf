//! In charge of the fetches in the air: at most one for each key and each set of request headers that matter.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use crate::{
    key::Key,
    shared_fetch::{SharedFetch, Waiter},
    vary::Selecting,
};

/// What a fetch is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FetchKey {
    pub(crate) key: Key,
    /// What is told to the origin of the request's headers.
    pub(crate) selecting: Selecting,
}

/// How a request came to its flight.
#[derive(Debug)]
pub(crate) enum JoinResult<T> {
    /// It need not fly: this came in meanwhile.
    Found(T),
    /// It is the first.
    Leads(Waiter),
    /// It waits with others.
    Waits(Waiter),
    /// Too many wait already.
    Full,
}

/// What becomes of a flight when something is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PurgeEffect {
    /// It has nothing to do with it.
    Unaffected,
    /// It is kept only if what it brings never changes.
    StoreOnlyImmutable,
    /// It is not kept, and whoever asks from now on flies anew.
    DoNotStore,
}

#[derive(Debug, Default)]
pub(crate) struct InFlight(Mutex<HashMap<FetchKey, Arc<SharedFetch>>>);

impl InFlight {
    /// Joins the flight for `purpose`, or starts one. What lands is kept before its flight goes from the table,
    /// so `look_again` sees it when the flight is gone: no request flies a second time.
    pub(crate) fn join<T>(
        &self,
        fetch_key: &FetchKey,
        most_waiting: usize,
        look_again: impl FnOnce() -> Option<T>,
    ) -> JoinResult<T> {
        match self.lock().entry(fetch_key.clone()) {
            Entry::Occupied(flying) => {
                flying.get().waiter(most_waiting).map_or(JoinResult::Full, JoinResult::Waits)
            }
            Entry::Vacant(place) => match look_again() {
                Some(found) => JoinResult::Found(found),
                None => match Arc::<SharedFetch>::default().waiter(usize::MAX) {
                    Some(waiter) => {
                        place.insert(Arc::clone(&waiter));
                        JoinResult::Leads(waiter)
                    }
                    None => JoinResult::Full,
                },
            },
        }
    }

    /// Lands a flight: unless it was doomed, `keep` is called before anybody can see that it is gone.
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
        // A doomed one's place may be another's by now.
        if fetches.get(fetch_key).is_some_and(|there| Arc::ptr_eq(there, shared_fetch)) {
            fetches.remove(fetch_key);
        }
    }

    /// Takes a fetch out that nobody wants. Under the lock, so that nobody joins it in between.
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

    /// Lets `decide` say what becomes of each flight.
    pub(crate) fn sweep(&self, decide: impl Fn(&Key, &SharedFetch) -> PurgeEffect) {
        self.lock().retain(|fetch_key, shared_fetch| match decide(&fetch_key.key, shared_fetch) {
            PurgeEffect::Unaffected => true,
            PurgeEffect::StoreOnlyImmutable => {
                shared_fetch.store_only_immutable.store(true, Ordering::Relaxed);
                // It may have become known meanwhile, and its trip have looked before.
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
