//! In charge of the fetches in the air: at most one for each key and each set of request headers that matter.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};

use crate::{
    flight::{Flight, Seat},
    key::Key,
    vary::Selecting,
};

/// What a fetch is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Purpose {
    pub(crate) key: Key,
    /// What is told to the origin of the request's headers.
    pub(crate) selecting: Selecting,
}

/// How a request came to its flight.
#[derive(Debug)]
pub(crate) enum Joined<T> {
    /// It need not fly: this came in meanwhile.
    Found(T),
    /// It is the first.
    Leads(Seat),
    /// It waits with others.
    Waits(Seat),
    /// Too many wait already.
    Full,
}

/// What becomes of a flight when something is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has nothing to do with it.
    Spared,
    /// It is kept only if what it brings never changes.
    Suspect,
    /// It is not kept, and whoever asks from now on flies anew.
    Doomed,
}

#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<HashMap<Purpose, Arc<Flight>>>);

impl Table {
    /// Joins the flight for `purpose`, or starts one. What lands is kept before its flight goes from the table,
    /// so `look_again` sees it when the flight is gone: no request flies a second time.
    pub(crate) fn join<T>(
        &self,
        purpose: &Purpose,
        most_waiting: usize,
        look_again: impl FnOnce() -> Option<T>,
    ) -> Joined<T> {
        match self.lock().entry(purpose.clone()) {
            Entry::Occupied(flying) => flying.get().seat(most_waiting).map_or(Joined::Full, Joined::Waits),
            Entry::Vacant(place) => match look_again() {
                Some(found) => Joined::Found(found),
                None => match Arc::<Flight>::default().seat(usize::MAX) {
                    Some(seat) => {
                        place.insert(Arc::clone(&seat));
                        Joined::Leads(seat)
                    }
                    None => Joined::Full,
                },
            },
        }
    }

    /// Lands a flight: unless it was doomed, `keep` is called before anybody can see that it is gone.
    pub(crate) fn land(&self, purpose: &Purpose, flight: &Arc<Flight>, keep: impl FnOnce()) {
        let mut flights = self.lock();
        if !flight.doomed.load(Ordering::Relaxed) {
            keep();
        }
        // A doomed one's place may be another's by now.
        if flights.get(purpose).is_some_and(|there| Arc::ptr_eq(there, flight)) {
            flights.remove(purpose);
        }
    }

    /// Lets `decide` say what becomes of each flight.
    pub(crate) fn sweep(&self, decide: impl Fn(&Key, &Flight) -> Fate) {
        self.lock().retain(|purpose, flight| match decide(&purpose.key, flight) {
            Fate::Spared => true,
            Fate::Suspect => {
                flight.suspect.store(true, Ordering::Relaxed);
                // It may have become known meanwhile, and its trip have looked before.
                flight.is_immutable() != Some(false)
            }
            Fate::Doomed => {
                flight.doomed.store(true, Ordering::Relaxed);
                false
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Purpose, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
