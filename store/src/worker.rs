//! The worker loop over the job queue: claim, keep the lease, record the outcome. Leaves the work itself, and the
//! meaning of its errors, to the roles, each of which implements [`Work`].

use std::{
    fmt::Display,
    ops::{Range, RangeInclusive},
    time::Duration,
};

use tokio::{
    sync::{broadcast::error::RecvError, watch},
    time::{Instant, interval_at, sleep},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use crate::{
    Attempt, CHARGED_AHEAD, Claim, Error, Job, JobClass, JobKind, JobRank, Pauses, Result, Signal, Store,
    VideoId, metrics::Outcome,
};

/// The lease of a job. A dead worker's job waits at most this long: ten times as much would show in the time until a
/// video plays, a tenth would be lost in every hiccup of the database.
pub const LEASE: Duration = Duration::from_secs(15);
// Two renewals may fail before another worker takes the job over.
const RENEWALS: u32 = 3;
// Signals may be lost, and a lease may expire without any.
const POLL: Duration = Duration::from_secs(5);
// A source that crashes ffmpeg does so each time; three attempts rule the machine out, and the queue goes on.
const MAX_ATTEMPTS: u32 = 3;
// A worker may also die of a power cut, or by a hand that stops it: more of these are let pass than failures, which are the
// source's.
const MAX_DEATHS: u32 = 5;
// Room is made by a person, in minutes; an attempt each second would only fill the log as well.
const STORAGE_FULL_PAUSE: Duration = Duration::from_secs(30);
// Servers that start again, or elect another primary, are back within seconds.
const UNAVAILABLE_PAUSE: Duration = Duration::from_secs(5);

/// A role's jobs, as the loop runs them: one at a time.
pub trait Work: Send {
    /// The result of a job that succeeded.
    type Output: Send;
    /// The error of a job that did not.
    type Error: From<Error> + Display + Send;

    /// Performs a claimed job until its end or until it is to stop.
    ///
    /// The future is dropped when the lease is lost; threads that it started see `stop` cancelled then.
    fn perform(
        &mut self,
        job: &Job,
        orders: &Orders,
    ) -> impl Future<Output = std::result::Result<Self::Output, JobError<Self::Error>>> + Send;

    /// Records the output and takes the job out of the queue.
    fn succeed(&mut self, job: &Job, output: Self::Output) -> impl Future<Output = Result<()>> + Send;

    /// Records an error that is final or came on the last attempt, and takes the job out of the queue.
    fn fail(&mut self, job: &Job, error: Self::Error) -> impl Future<Output = Result<()>> + Send;

    /// Returns the pauses of the work's processes, in which nothing is worked.
    fn pauses(&self) -> Pauses {
        Pauses::default()
    }

    /// Repairs the traces of a job that another worker has taken over meanwhile.
    fn lease_lost(&mut self, _job: &Job) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
}

/// The queue's orders to a job in hand; each stands once its token is cancelled.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// To end.
    pub stop: CancellationToken,
    /// To make room for others no longer: no viewer waited for it at its claim, and one does by now.
    pub hurry: CancellationToken,
}

/// An error of a job, by how the queue goes on with it.
#[derive(Debug)]
pub enum JobError<E> {
    /// It was to stop: released at once, and the attempt does not count.
    Stopped,
    /// The store's: an outage or a full disk is waited out without counting the attempt.
    Store(Error),
    /// Tried again with growing pauses, a few times.
    Retryable(E),
    /// Another attempt would give the same.
    Final(E),
}

/// One worker: claims jobs of its kinds, one after the other.
#[derive(Debug)]
pub struct Worker {
    /// The queue's store.
    pub store: Store,
    /// The kinds of jobs that are claimed.
    pub kinds: Vec<JobKind>,
    /// Their classes.
    pub classes: RangeInclusive<JobClass>,
    /// How long a job is left alone whose worker may have died.
    pub lease: Duration,
    /// Ends the loop; the job in hand is stopped and released.
    pub shutdown: CancellationToken,
}

impl Worker {
    /// Runs until the shutdown.
    pub async fn run(self, work: &mut impl Work) {
        // Process ids repeat: in containers each worker is process 1. The random part makes the owner unique.
        let owner = format!("{}-{}", std::process::id(), VideoId::random());
        let mut signals = self.store.signals.work();
        while !self.shutdown.is_cancelled() {
            // The mark comes before the claim and not after it: a job that is queued
            // in between wakes the wait below at once.
            signals.mark_unchanged();
            let claim = Claim { owner: &owner, lease: self.lease };
            match self.store.jobs.claim_of(&self.classes, &self.kinds, &claim).await {
                Ok(Some(job)) => {
                    let Range { start: first, end: last } = job.segments.clone();
                    let kind = job.kind.as_str();
                    let span = info_span!("job", video = %job.video, kind, track = job.track, first, last);
                    if let Some(trace) = &job.trace {
                        trace.lead(&span);
                    }
                    self.handle(&job, work).instrument(span).await;
                }
                Ok(None) => self.wait(&mut signals).await,
                Err(error) => {
                    tracing::error!(%error, "cannot claim a job");
                    _ = self.shutdown.run_until_cancelled(sleep(POLL)).await;
                }
            }
        }
    }

    async fn wait(&self, signals: &mut watch::Receiver<()>) {
        tokio::select! {
            _ = signals.changed() => {}
            () = sleep(POLL) => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    async fn handle<W: Work>(&self, job: &Job, work: &mut W) {
        let begun = Instant::now();
        let ended = |outcome| self.store.metrics().ended(job, outcome, begun.elapsed());
        if job.attempts > MAX_DEATHS {
            // Nothing was recorded of the attempts before: the job took its workers with it.
            let error = Error::WorkersDied { attempts: MAX_DEATHS };
            ended(Outcome::Failed);
            if let Err(error) = work.fail(job, error.into()).await {
                tracing::error!(%error, "cannot record a job's outcome");
            }
            return;
        }
        let orders = Orders { stop: self.shutdown.child_token(), ..Orders::default() };
        // Inference and encoding run on threads of their own, which dropping the future does not end.
        let _stops = orders.stop.clone().drop_guard();
        let mut meter = Meter::new(work.pauses());
        let outcome = tokio::select! {
            outcome = work.perform(job, &orders) => Some(outcome),
            () = self.keep_lease(job, &mut meter) => None,
            () = self.hurry(job, &orders.hurry) => None,
        };
        self.charge(job, &mut meter).await;
        let Some(outcome) = outcome else {
            // The row is another worker's now, so neither a success nor a failure may be recorded.
            tracing::info!("lease lost");
            ended(Outcome::Lost);
            if let Err(error) = work.lease_lost(job).await {
                tracing::error!(%error, "cannot repair after a lost lease");
            }
            return;
        };
        ended(match &outcome {
            Ok(_) => Outcome::Done,
            Err(
                JobError::Stopped
                | JobError::Store(Error::Gone(_) | Error::Unavailable { .. } | Error::StorageFull { .. }),
            ) => Outcome::Released,
            Err(_) => Outcome::Failed,
        });
        let recorded = match outcome {
            Ok(output) => {
                tracing::info!("done");
                work.succeed(job, output).await
            }
            Err(error) => self.after(job, error, work).await,
        };
        if let Err(error) = recorded {
            // The lease expires by itself, and the job is claimed again.
            tracing::error!(%error, "cannot record a job's outcome");
        }
    }

    /// Renews the lease; returns when it is lost or the video is deleted.
    async fn keep_lease(&self, job: &Job, meter: &mut Meter) {
        let mut signals = self.store.signals.subscribe();
        // tokio's `interval` ticks at once, which would renew a lease that the claim has just taken.
        let pause = self.lease / RENEWALS;
        let mut renewal = interval_at(Instant::now() + pause, pause);
        loop {
            tokio::select! {
                _ = renewal.tick() => match self.store.jobs.renew(job, self.lease).await {
                    Ok(true) => self.charge(job, meter).await,
                    Ok(false) => return,
                    Err(error) => tracing::warn!(%error, "cannot renew a lease"),
                },
                signal = signals.recv() => match signal {
                    Ok(Signal::Deleted(video)) if video == job.video => return,
                    // A deletion among the signals lost is found by the next renewal: the job's row went with its video's.
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    /// Passes on that a viewer waits for a job that none waited for at its claim. Never returns.
    async fn hurry(&self, job: &Job, hurry: &CancellationToken) {
        // Pictures alone make room for others.
        if job.kind == JobKind::Video && job.rank() < JobRank::Waited {
            let mut signals = self.store.signals.work();
            while signals.changed().await.is_ok() {
                match self.store.jobs.is_waited_for_by_now(job).await {
                    Ok(true) => {
                        hurry.cancel();
                        break;
                    }
                    Ok(false) => {}
                    // A player asks again, and so the want comes again.
                    Err(error) => tracing::warn!(%error, "cannot look after a job in hand"),
                }
            }
        }
        std::future::pending::<()>().await;
    }

    /// Charges a job with what it has been worked by now.
    async fn charge(&self, job: &Job, meter: &mut Meter) {
        let worked = meter.worked();
        match self.store.jobs.charge(job, meter.charged, worked).await {
            Ok(()) => meter.charged = worked,
            // The next charge has it too; without one a turn comes too early.
            Err(error) => tracing::warn!(%error, "cannot charge a job"),
        }
    }

    /// Goes on after an error: releases the job for another attempt, or has it recorded as failed.
    async fn after<W: Work>(&self, job: &Job, error: JobError<W::Error>, work: &mut W) -> Result<()> {
        let jobs = &self.store.jobs;
        let error: W::Error = match error {
            JobError::Stopped => return jobs.release(job, Duration::ZERO, Attempt::Interrupted).await,
            // Deleting a video while it is encoded is everyday use, and leaves no row that could show a failure.
            JobError::Store(Error::Gone(_)) => return jobs.finish(job).await.map(drop),
            JobError::Store(error @ Error::Unavailable { .. }) => {
                tracing::warn!(%error, "waiting for a server");
                return jobs.release(job, jittered(UNAVAILABLE_PAUSE), Attempt::Interrupted).await;
            }
            JobError::Store(error @ Error::StorageFull { .. }) => {
                tracing::error!(%error, "waiting for free space");
                return jobs.release(job, STORAGE_FULL_PAUSE, Attempt::Interrupted).await;
            }
            JobError::Final(error) => return work.fail(job, error).await,
            JobError::Store(error) => error.into(),
            JobError::Retryable(error) => error,
        };
        // It may have come further since its claim.
        let attempts = jobs.attempts(job).await?;
        if attempts >= MAX_ATTEMPTS {
            return work.fail(job, error).await;
        }
        tracing::warn!(%error, attempts, "trying again");
        jobs.release(job, jittered(Duration::from_secs(1 << attempts)), Attempt::Failed).await
    }
}

/// The time that a job in hand has been worked, and what it is charged with.
struct Meter {
    begun: Instant,
    pauses: Pauses,
    /// All pauses when the job began.
    before: Duration,
    charged: Duration,
}

impl Meter {
    fn new(pauses: Pauses) -> Self {
        Self { begun: Instant::now(), before: pauses.total(), pauses, charged: CHARGED_AHEAD }
    }

    fn worked(&self) -> Duration {
        // Two processes of a job that stand still together count twice.
        self.begun.elapsed().saturating_sub(self.pauses.total().saturating_sub(self.before))
    }
}

// Workers that met the same outage come back spread over time.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(rand::random_range(0.5..1.5))
}
