//! Replays: the numbers of the signatures that came within the window, so that none counts twice. Two generations, of which the
//! older is forgotten whole: nothing is searched for what has expired.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use super::WINDOW;

/// How long a generation grows. A signature may be dated a window ahead and counts until a window behind, so that one that
/// came just before the turn is kept long enough.
const GENERATION: u64 = 2 * WINDOW.as_secs();
// Of 16 bytes or so: eight thousand requests of peers a second.
const MOST: usize = 256 * 1024;

/// The numbers that were seen.
#[derive(Debug, Default)]
pub(super) struct Replays(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    newer: HashSet<u64>,
    older: HashSet<u64>,
    /// When the newer generation began, in seconds since 1970.
    begun: u64,
}

impl Replays {
    /// Returns whether a number has not been seen, and remembers it. While there is no room for it, none counts.
    pub(super) fn is_first(&self, number: u64, now: u64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.turn(now);
        if seen.newer.len() >= MOST {
            return false;
        }
        !seen.older.contains(&number) && seen.newer.insert(number)
    }
}

impl Seen {
    fn turn(&mut self, now: u64) {
        // A clock that goes back keeps the generations as they are.
        if now < self.begun.saturating_add(GENERATION) {
            return;
        }
        self.older = std::mem::take(&mut self.newer);
        if now >= self.begun.saturating_add(2 * GENERATION) {
            self.older.clear();
        }
        self.begun = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_counts_once_until_its_signature_has_expired() {
        let replays = Replays::default();
        let start = 1_800_000_000;
        for later in 0..=2 * WINDOW.as_secs() {
            assert_eq!(replays.is_first(7, start + later), later == 0, "{later}");
        }
        assert!(replays.is_first(8, start + GENERATION - 1));
        assert!(!replays.is_first(8, start + GENERATION));
        assert!(replays.is_first(7, start + 3 * GENERATION));
    }

    #[test]
    fn the_memory_is_bounded_and_takes_more_once_it_has_turned() {
        let replays = Replays::default();
        for number in 0..MOST as u64 {
            assert!(replays.is_first(number, 1000));
        }
        assert!(!replays.is_first(MOST as u64, 1000));
        assert!(replays.is_first(MOST as u64, 1000 + GENERATION));
        assert!(!replays.is_first(1, 1000 + GENERATION), "it is still known");
    }
}
