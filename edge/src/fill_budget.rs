//! The memory of objects on their way into the cache: bounded, so that a thousand fetches at once take no more of it than
//! a few. Complete objects are counted by `memory`.

use std::time::Duration;

use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use crate::held::HeldBytes;

// Playlists and init segments reserve none: without them a player cannot start, so they must not wait for segments.
const SMALL: u64 = 64 * 1024;
// A body without a length (RFC 9112 §6.3: chunked) reserves so much at a time.
const STEP: u64 = 256 * 1024;
const UNIT: u64 = 1024;

/// The memory for fetches in flight.
#[derive(Debug)]
pub(crate) struct FillBudget {
    free: Semaphore,
    all: u32,
    bytes: u64,
    turn: Mutex<()>,
    held: HeldBytes,
}

/// The share of one fetch, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation<'a> {
    fill_budget: &'a FillBudget,
    permit: SemaphorePermit<'a>,
}

impl FillBudget {
    /// Makes room for `bytes`.
    pub(crate) fn new(bytes: u64) -> Self {
        let all = units(bytes);
        Self {
            free: Semaphore::new(all as usize),
            all,
            bytes,
            turn: Mutex::default(),
            held: HeldBytes::default(),
        }
    }

    /// Returns whether there is room for `bytes` right now.
    pub(crate) fn has(&self, bytes: u64) -> bool {
        self.free.available_permits() as u64 >= u64::from(needed(bytes))
            && self.reserved() + bytes + self.held.sending() <= self.bytes
    }

    /// Returns whether a share of so many units fits beside what is being sent: a stored fetch evicts about as many bytes as
    /// it brings, and those stay as long as somebody is being sent them.
    fn fits(&self, share: u32) -> bool {
        let reserved = if share == 0 { 0 } else { self.reserved() };
        reserved + self.held.sending() <= self.bytes.max(reserved)
    }

    fn reserved(&self) -> u64 {
        (u64::from(self.all) - self.free.available_permits() as u64) * UNIT
    }

    /// Returns the counts of all bodies.
    pub(crate) fn held(&self) -> &HeldBytes {
        &self.held
    }

    /// Reserves room for a body of this length, waiting for it. `None` when none is free in time.
    pub(crate) async fn take(&self, len: Option<u64>, limit: Duration) -> Option<Reservation<'_>> {
        let taking = async {
            let share = needed(len.unwrap_or(0)).min(self.all);
            // One after the other: several that each hold a share and wait for the readers would keep each other out.
            let _turn = if share == 0 { None } else { Some(self.turn.lock().await) };
            let permit = self.free.acquire_many(share).await.ok()?;
            // While too many evicted bytes are still being sent to slow readers, a fetch waits: else the number of readers
            // would be the only bound on memory.
            loop {
                // Before the check: `notify_waiters` wakes only futures that exist, and a body freed in between would be
                // missed.
                let freed = self.held.freed();
                if self.fits(share) {
                    return Some(permit);
                }
                freed.await;
            }
        };
        let permit = tokio::time::timeout(limit, taking).await.ok()??;
        Some(Reservation { fill_budget: self, permit })
    }
}

impl Reservation<'_> {
    /// Returns whether there is room for `len` bytes. More is taken only where it is free, never waited for: two fetches
    /// that each hold a part and wait for more would wait for each other, a deadlock.
    pub(crate) fn covers(&mut self, len: u64) -> bool {
        while (self.permit.num_permits() as u64) < u64::from(needed(len)) {
            match self.fill_budget.free.try_acquire_many(units(STEP)) {
                Ok(more) => self.permit.merge(more),
                Err(_) => return false,
            }
        }
        true
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        // Before the wake-up, for fields are dropped behind this.
        drop(self.permit.split(self.permit.num_permits()));
        self.fill_budget.held.wake();
    }
}

fn needed(len: u64) -> u32 {
    if len <= SMALL { 0 } else { units(len) }
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_fetch_without_budget_waits_for_it_and_not_for_ever() {
        let fill_budget = FillBudget::new(3 * STEP);
        let second = Duration::from_secs(1);
        let first = fill_budget.take(Some(2 * STEP), second).await.unwrap();
        assert!(fill_budget.take(Some(2 * STEP), second).await.is_none());
        let waits = fill_budget.take(Some(2 * STEP), second);
        let ends = async { drop(first) };
        assert!(tokio::join!(waits, ends).0.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_being_sent_and_what_is_fetched_share_one_bound() {
        let fill_budget = FillBudget::new(3 * STEP);
        let second = Duration::from_secs(1);
        // Nothing of it is in the cache: it was evicted while somebody reads it.
        let read = fill_budget.held().hold(vec![0; 2 * STEP as usize]);
        assert!(fill_budget.take(Some(2 * STEP), second).await.is_none());
        assert!(fill_budget.take(Some(SMALL), second).await.is_some(), "a playlist waits for no segment");
        let first = fill_budget.take(Some(STEP), second).await.unwrap();
        assert!(fill_budget.take(Some(STEP), second).await.is_none());
        let waits = fill_budget.take(Some(STEP), second);
        assert!(tokio::join!(waits, async { drop(first) }).0.is_some(), "an ended fetch makes room");
        let waits = fill_budget.take(Some(3 * STEP), second);
        assert!(tokio::join!(waits, async { drop(read) }).0.is_some(), "an ended reader makes room");
    }

    #[tokio::test]
    async fn a_body_without_a_length_reserves_more_while_there_is_budget() {
        let fill_budget = FillBudget::new(3 * STEP);
        let mut unknown = fill_budget.take(None, Duration::ZERO).await.unwrap();
        assert!(unknown.covers(SMALL) && unknown.covers(STEP + 1));
        let other = fill_budget.take(Some(STEP), Duration::ZERO).await.unwrap();
        assert!(unknown.covers(2 * STEP) && !unknown.covers(2 * STEP + 1));
        drop(other);
        assert!(unknown.covers(3 * STEP));
        assert!(fill_budget.take(Some(SMALL), Duration::ZERO).await.is_some());
    }
}
