//! A run in hand, which ends early where something more urgent waits.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use store::{Job, Store};
use tokio_util::sync::CancellationToken;

use crate::Result;

/// A claimed run while it is encoded.
#[derive(Debug)]
pub(crate) struct RunInHand {
    job: Job,
    /// Ends its encoder.
    turn: CancellationToken,
    /// Renditions that have published a segment in this hole, by its number.
    published: Mutex<BTreeMap<u32, usize>>,
    renditions: usize,
    has_come_further: AtomicBool,
    /// A viewer's want cut the rest of it off.
    is_cut_off: AtomicBool,
}

impl RunInHand {
    /// Begins a hole of `renditions` renditions, whose encoder `turn` ends.
    pub(crate) fn new(job: &Job, renditions: usize, turn: CancellationToken) -> Self {
        Self {
            job: job.clone(),
            turn,
            published: Mutex::default(),
            renditions,
            has_come_further: AtomicBool::new(false),
            is_cut_off: AtomicBool::new(false),
        }
    }

    /// Notes a published segment. Once all renditions have it the run is compared with the queue, and ends where
    /// something more urgent waits: what it has is published, and the rest is given back.
    pub(crate) async fn published(&self, store: &Store, number: u32) -> Result<()> {
        if self.job.attempts > 1 && !self.has_come_further.swap(true, Ordering::Relaxed) {
            store.jobs.progressed(&self.job).await?;
        }
        if !self.is_whole(number) {
            return Ok(());
        }
        // Without its lease it ends in any case, as its worker notices.
        let Some(standing) = store.jobs.standing(&self.job).await? else { return Ok(()) };
        if number + 1 >= standing.last && standing.last < self.job.segments.end {
            self.is_cut_off.store(true, Ordering::Relaxed);
            self.turn.cancel();
        } else if standing.outranked {
            tracing::info!(number, "something more urgent waits");
            self.turn.cancel();
        }
        Ok(())
    }

    /// Returns whether another worker has what is left of it.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.is_cut_off.load(Ordering::Relaxed)
    }

    fn is_whole(&self, number: u32) -> bool {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let count = published.entry(number).or_default();
        *count += 1;
        let whole = *count >= self.renditions;
        if whole {
            published.remove(&number);
        }
        whole
    }
}
