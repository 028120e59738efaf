//! Tries of a request that failed by a server that restarts, or whose stores do, or by a line that broke.

use std::time::Duration;

use anyhow::{Error, Result};

use crate::commands::refusal::{CodeRequired, Refusal};

// With pauses that double, eight tries outlast about a minute: a restart of the server, not a dead one.
const TRIES: u32 = 8;

/// The tries of one thing that failed one after the other.
#[derive(Debug, Default)]
pub(super) struct Retries {
    failures: u32,
}

impl Retries {
    /// Waits before the next try and notes why; fails with `error` where another try does not change it, or after the last.
    pub(super) async fn pause(&mut self, error: Error, note: impl FnOnce(&str)) -> Result<()> {
        let is_final = error.downcast_ref().is_some_and(Refusal::is_final)
            || error.downcast_ref::<CodeRequired>().is_some();
        self.failures += 1;
        if is_final || self.failures == TRIES {
            return Err(error);
        }
        let pause = Duration::from_millis(250 << self.failures);
        note(&format!("{error:#}; trying again in {} s", pause.as_secs_f64()));
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

/// Tries until it succeeds.
pub(super) async fn persist<T>(note: impl Fn(&str), attempt: impl AsyncFn() -> Result<T>) -> Result<T> {
    let mut retries = Retries::default();
    loop {
        match attempt().await {
            Ok(outcome) => return Ok(outcome),
            Err(error) => retries.pause(error, &note).await?,
        }
    }
}
