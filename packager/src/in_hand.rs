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

use crate::{Result, pace::Pace};

// Faster than it plays: a viewer who begins where the encoder began does not come up with it.
const LIVABLE: f64 = 1.0;

/// A claimed run while it is encoded.
#[derive(Debug)]
pub(crate) struct RunInHand {
    job: Job,
    /// Ends its encoder.
    turn: CancellationToken,
    /// Renditions that have published a segment in this hole, by its number.
    published: Mutex<BTreeMap<u32, usize>>,
    renditions: Vec<String>,
    pace: Mutex<Pace>,
    has_come_further: AtomicBool,
    /// Playlists list its renditions.
    is_listed: AtomicBool,
    /// A viewer's want cut the rest of it off.
    is_cut_off: AtomicBool,
}

impl RunInHand {
    /// Begins a hole of `renditions`, whose encoder `turn` ends.
    pub(crate) fn new(job: &Job, renditions: &[String], turn: CancellationToken, pace: Pace) -> Self {
        Self {
            job: job.clone(),
            turn,
            published: Mutex::default(),
            renditions: renditions.to_vec(),
            pace: Mutex::new(pace),
            has_come_further: AtomicBool::new(false),
            is_listed: AtomicBool::new(false),
            is_cut_off: AtomicBool::new(false),
        }
    }

    /// Notes a published segment, and how fast they come. Once all renditions have it the run is compared with the queue, and ends where
    /// something more urgent waits: what it has is published, and the rest is given back.
    pub(crate) async fn published(&self, store: &Store, number: u32) -> Result<()> {
        // Attempts are counted to find a job that kills each worker; one that publishes is none, however often it is
        // killed.
        if self.job.attempts > 1 && !self.has_come_further.swap(true, Ordering::Relaxed) {
            store.jobs.progressed(&self.job).await?;
        }
        // Outputs of one encoder come one after the other: ended between two, a run would leave a hole in some
        // renditions.
        if !self.is_whole(number) {
            return Ok(());
        }
        let speed = self.pace.lock().unwrap_or_else(PoisonError::into_inner).published(number);
        if let Some(speed) = speed {
            store.jobs.set_speed(&self.job, speed).await?;
            // A segment that a viewer waits for says nothing of those around it.
            if speed > LIVABLE && !self.job.is_urgent() && !self.is_listed.swap(true, Ordering::Relaxed) {
                let names: Vec<&str> = self.renditions.iter().map(String::as_str).collect();
                store.renditions.list(&self.job.video, &names).await?;
            }
        }
        // Without its lease it ends in any case, as its worker notices.
        let Some(standing) = store.jobs.standing(&self.job).await? else { return Ok(()) };
        // A want has put what is behind into a row of its own, which another worker has.
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
        let whole = *count >= self.renditions.len();
        if whole {
            published.remove(&number);
        }
        whole
    }
}
