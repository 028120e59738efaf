//! The pace of a body: how long the other side may take over it. A pause is allowed up to a limit, and each byte buys time
//! at the least rate, so that neither silence nor a byte now and then holds what a body holds.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, Sleep};

/// Bounds on a body's pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// The longest pause.
    pub(crate) pause: Duration,
    /// Bytes a second that have to come on average; 0: any byte ends a pause.
    pub(crate) least_bps: u32,
}

impl Pace {
    /// Returns the time left after `bytes` more, of which `left` was there.
    pub(crate) fn refill(self, left: Duration, bytes: u64) -> Duration {
        match (bytes, self.least_bps) {
            (0, _) => left,
            (_, 0) => self.pause,
            (bytes, rate) => {
                let worth = Duration::try_from_secs_f64(bytes as f64 / f64::from(rate)).unwrap_or(self.pause);
                left.saturating_add(worth).min(self.pause)
            }
        }
    }
}

/// The clock of one body. It runs while the other side is waited for, and stands while we are.
#[derive(Debug)]
pub(crate) struct PaceClock {
    pace: Pace,
    left: Duration,
    bytes: u64,
    /// When the other side is late, while the clock runs.
    late_at: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl PaceClock {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, left: pace.pause, bytes: 0, late_at: None, sleep: None }
    }

    /// Stops the clock: what is waited for now is our own.
    pub(crate) fn pause(&mut self) {
        if let Some(late_at) = self.late_at.take() {
            self.left = late_at.saturating_duration_since(Instant::now());
        }
    }

    /// Runs the clock; ready when the other side, from which `bytes` have moved in all, is late.
    pub(crate) fn poll_late(&mut self, bytes: u64, cx: &mut Context<'_>) -> Poll<()> {
        let moved = bytes - self.bytes;
        self.bytes = bytes;
        if moved > 0 || self.late_at.is_none() {
            let now = Instant::now();
            let left = self.late_at.map_or(self.left, |late_at| late_at.saturating_duration_since(now));
            self.late_at = Some(now + self.pace.refill(left, moved));
        }
        let Some(late_at) = self.late_at else { return Poll::Pending };
        loop {
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(late_at)));
            ready!(sleep.as_mut().poll(cx));
            // The timer is moved only when it fires: moving it with every byte would cost more than the bytes.
            if sleep.deadline() >= late_at {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(late_at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{advance, timeout};

    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    /// Seconds until a body is late of which `bytes` come every `every` seconds, within ten minutes.
    async fn late_after(least_bps: u32, bytes: u64, every: u64) -> Option<u64> {
        let begun = Instant::now();
        let mut clock = PaceClock::new(Pace { pause: PAUSE, least_bps });
        let mut moved = 0;
        while begun.elapsed() < Duration::from_mins(10) {
            let wait = poll_fn(|cx| clock.poll_late(moved, cx));
            if timeout(Duration::from_secs(every), wait).await.is_ok() {
                return Some(begun.elapsed().as_secs());
            }
            moved += bytes;
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_a_trickle_are_late_and_the_least_rate_is_not() {
        assert_eq!(late_after(0, 0, 5).await, Some(30), "silence");
        assert_eq!(late_after(0, 1, 5).await, None, "a byte each five seconds, without a least rate");
        assert_eq!(late_after(100, 0, 5).await, Some(30), "silence, with a least rate");
        assert_eq!(late_after(100, 1, 5).await, Some(30), "a byte each five seconds");
        assert_eq!(late_after(100, 500, 5).await, None, "the least rate");
        assert!(late_after(100, 400, 5).await.is_some(), "less than the least rate");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_paused_stands() {
        let mut clock = PaceClock::new(Pace { pause: PAUSE, least_bps: 0 });
        assert!(timeout(PAUSE / 2, poll_fn(|cx| clock.poll_late(0, cx))).await.is_err());
        clock.pause();
        advance(10 * PAUSE).await;
        let begun = Instant::now();
        poll_fn(|cx| clock.poll_late(0, cx)).await;
        assert_eq!(begun.elapsed().as_secs(), 15);
    }
}
