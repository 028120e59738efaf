//! Metrics of the store: how long its servers take, and what became of the jobs that this process performed.

use std::{sync::LazyLock, time::Duration};

use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};
use tokio::time::Instant;

use crate::{Job, Store};

/// The time that each statement and commit takes, the wait for a connection among it. All pools of a process share it.
pub(crate) static STATEMENT_SECONDS: LazyLock<Histogram> = LazyLock::new(latency);

type Label = (&'static str, &'static str);

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// It ended with an error, for this time or for good.
    Failed,
    /// It was stopped, or its server was away; another worker goes on.
    Released,
    Lost,
}

/// The counts. Handles: clones count into the same.
#[derive(Clone, Debug)]
pub(crate) struct StoreMetrics {
    blobs: Family<[Label; 1], Histogram, fn() -> Histogram>,
    jobs: Family<[Label; 2], Counter>,
    job_seconds: Family<[Label; 1], Counter<f64, std::sync::atomic::AtomicU64>>,
    segments: Family<[Label; 1], Counter>,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        Self {
            blobs: Family::new_with_constructor(latency),
            jobs: Family::default(),
            job_seconds: Family::default(),
            segments: Family::default(),
        }
    }
}

impl StoreMetrics {
    /// Returns what `work` with a blob returns, and counts the time it took.
    pub(crate) async fn time<T>(&self, operation: &'static str, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = work.await;
        self.blobs.get_or_create(&[("operation", operation)]).observe(begun.elapsed().as_secs_f64());
        done
    }

    /// Counts a job that ended `took` after it was claimed.
    pub(crate) fn ended(&self, job: &Job, outcome: Outcome, took: Duration) {
        let kind = job.kind.as_str();
        self.jobs.get_or_create(&[("kind", kind), ("outcome", outcome.as_str())]).inc();
        self.job_seconds.get_or_create(&[("kind", kind)]).inc_by(took.as_secs_f64());
        if outcome == Outcome::Done {
            self.segments.get_or_create(&[("kind", kind)]).inc_by(job.segments.len() as u64);
        }
    }
}

impl Store {
    /// Adds its metrics to those of the process.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Reads of blobs whose bytes are not those that were written; such a blob must be restored from a backup";
        registry.register("store_damages", help, self.blobs.damages());
        let blobs = "Time until a blob is open, put or deleted, by operation";
        registry.register("store_blob_seconds", blobs, self.metrics().blobs.clone());
        let statements = "Time of a statement of SQL, the wait for a connection among it";
        registry.register("store_statement_seconds", statements, STATEMENT_SECONDS.clone());
        let jobs = "Jobs that this process performed, by kind and outcome";
        registry.register("jobs_ended", jobs, self.metrics().jobs.clone());
        let seconds = "Time that this process spent on jobs, by kind";
        registry.register("jobs_busy_seconds", seconds, self.metrics().job_seconds.clone());
        let segments = "Segments of jobs that were done, by kind; one is six seconds of every rendition, the first three two";
        registry.register("jobs_segments", segments, self.metrics().segments.clone());
    }
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Released => "released",
            Self::Lost => "lost",
        }
    }
}

// 0.25 ms to 8 s: from a file in the page cache to a server that is about to give up.
fn latency() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 16))
}
