//! Metrics of the library: how much work is left, how long it has waited, and what became of the videos. They are read
//! from the tables when somebody asks; every process of a cluster shows the same.

use std::time::Duration;

use server::{
    Metrics,
    metrics::{Counter, Family, Gauge},
};
use store::{QueueState, Store};
use tokio::{sync::Mutex, time::Instant};

// Reading takes two statements, however often metrics are asked for.
const FRESH: Duration = Duration::from_secs(2);

type Label = (&'static str, String);

/// The gauges, with the store that they are read from.
#[derive(Debug)]
pub(super) struct LibraryMetrics {
    store: Store,
    jobs: Family<[Label; 2], Gauge>,
    oldest: Family<[Label; 1], Gauge>,
    videos: Family<[Label; 2], Gauge>,
    failures: Counter,
    read: Mutex<Option<Instant>>,
}

impl LibraryMetrics {
    /// Registers the gauges.
    pub(super) fn new(store: Store, metrics: &Metrics) -> Self {
        let made = Self {
            store,
            jobs: Family::default(),
            oldest: Family::default(),
            videos: Family::default(),
            failures: Counter::default(),
            read: Mutex::default(),
        };
        metrics.register(|registry| {
            registry.register("jobs", "Jobs that are left, by kind and state", made.jobs.clone());
            let oldest = "How long the oldest job of a kind has waited that nobody works on; 0: none waits";
            registry.register("jobs_oldest_waiting_seconds", oldest, made.oldest.clone());
            let videos = "Videos, by state, and by code where they failed";
            registry.register("videos", videos, made.videos.clone());
            let failures = "Attempts to read these that failed; the gauges then stay as they were";
            registry.register("library_read_failures", failures, made.failures.clone());
        });
        made
    }

    /// Brings the gauges up to date.
    pub(super) async fn update(&self) {
        // Held while reading: of two that ask at once, the second has the answer of the first.
        let mut read = self.read.lock().await;
        if read.is_some_and(|at| at.elapsed() < FRESH) {
            return;
        }
        if let Err(error) = self.read().await {
            tracing::warn!(%error, "cannot read the metrics of the library");
            self.failures.inc();
        }
        *read = Some(Instant::now());
    }

    async fn read(&self) -> store::Result<()> {
        let queue = self.store.jobs.figures().await?;
        let videos = self.store.videos.figures().await?;
        // A kind of which none is left must fall to zero and not stay as it was, so all begin anew.
        self.jobs.clear();
        self.oldest.clear();
        for kind in store::JobKind::ALL {
            for state in [QueueState::Waiting, QueueState::Running] {
                let of = queue.iter().filter(|one| one.kind == kind.as_str() && one.state == state);
                let jobs = of.map(|one| one.jobs).sum();
                self.jobs.get_or_create(&job(kind.as_str(), state)).set(jobs);
            }
            let waiting =
                queue.iter().filter(|one| one.kind == kind.as_str() && one.state == QueueState::Waiting);
            let seconds = waiting.map(|one| one.oldest.as_secs()).max().unwrap_or_default();
            self.oldest.get_or_create(&[("kind", kind.as_str().to_owned())]).set(seconds.cast_signed());
        }
        self.videos.clear();
        for one in videos {
            self.videos.get_or_create(&[("state", one.state), ("code", one.code)]).set(one.videos);
        }
        Ok(())
    }
}

fn job(kind: &str, state: QueueState) -> [Label; 2] {
    [("kind", kind.to_owned()), ("state", state.as_str().to_owned())]
}
