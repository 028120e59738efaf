//! Clocks: one for ages, which never goes back, and one for dates.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

/// A moment on the clock for ages, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

/// The time for one edge. Clones share it.
#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    skipped_ms: Arc<AtomicU64>,
}

// Moments before the start must have a place: what an origin sends may be years old already.
const START_MS: u64 = 1 << 50;

impl Clock {
    /// Returns the machine's clock.
    pub fn system() -> Self {
        Self { started: Instant::now(), skipped_ms: Arc::default() }
    }

    /// Moves the clock ahead, so that tests need not wait.
    pub fn skip(&self, span: Duration) {
        self.skipped_ms.fetch_add(span.as_millis() as u64, Ordering::Relaxed);
    }

    pub(crate) fn now(&self) -> Moment {
        let skipped = self.skipped_ms.load(Ordering::Relaxed);
        Moment(START_MS + skipped + self.started.elapsed().as_millis() as u64)
    }

    pub(crate) fn date(&self) -> SystemTime {
        SystemTime::now() + Duration::from_millis(self.skipped_ms.load(Ordering::Relaxed))
    }
}

/// A moment that moves ahead.
#[derive(Debug, Default)]
pub(crate) struct Latest(AtomicU64);

impl Latest {
    pub(crate) fn set(&self, moment: Moment) {
        self.0.fetch_max(moment.0, Ordering::Relaxed);
    }

    /// Returns whether `moment` comes after it.
    pub(crate) fn is_before(&self, moment: Moment) -> bool {
        self.0.load(Ordering::Relaxed) < moment.0
    }
}

impl Moment {
    /// Returns the span since `earlier`, or none of it when that lies ahead.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span.as_millis() as u64))
    }

    pub(crate) fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.as_millis() as u64))
    }
}
