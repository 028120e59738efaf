//! In charge of the packager's working day: claims jobs, keeps their leases, and decides what a failure
//! means. Leaves the work itself to the jobs.

use std::{sync::Arc, time::Duration};

use store::{Attempt, Conclusion, Failure, Job, JobKind, Signal, Store};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{Instrument, info_span};

use crate::{Config, Error, Result, job};

const LEASE: Duration = Duration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(10);
// News may be lost, and a lease may run out without any.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
const MAX_ATTEMPTS: u32 = 3;
const FULL_DISK_PAUSE: Duration = Duration::from_secs(30);
const AWAY_PAUSE: Duration = Duration::from_secs(5);

/// Works until `shutdown`; running jobs are then given back.
pub async fn run(store: Store, config: Config, shutdown: CancellationToken) {
    let config = Arc::new(config);
    let tasks = TaskTracker::new();
    // Short jobs and sound never wait behind pictures, so that a new video's playlists stand at once.
    let mut lanes = vec![
        vec![JobKind::Prepare, JobKind::Playlists, JobKind::Finish],
        vec![JobKind::Text, JobKind::Poster],
        vec![JobKind::Audio],
    ];
    lanes.extend(std::iter::repeat_n(vec![JobKind::Video], config.videos_at_once));
    for kinds in lanes {
        let worker = Worker { store: store.clone(), config: config.clone(), shutdown: shutdown.clone() };
        tasks.spawn(async move { worker.work(&kinds).await });
    }
    tasks.close();
    tasks.wait().await;
}

struct Worker {
    store: Store,
    config: Arc<Config>,
    shutdown: CancellationToken,
}

impl Worker {
    async fn work(&self, kinds: &[JobKind]) {
        let owner = format!("{}-{}", std::process::id(), store::VideoId::random());
        let mut news = self.store.signals.work();
        while !self.shutdown.is_cancelled() {
            news.mark_unchanged();
            match self.store.jobs.claim(kinds, &owner, LEASE).await {
                Ok(Some(job)) => self.handle(&job).await,
                Ok(None) => {
                    tokio::select! {
                        _ = news.changed() => {}
                        () = tokio::time::sleep(LOOK_AGAIN) => {}
                        () = self.shutdown.cancelled() => {}
                    }
                }
                Err(e) => {
                    tracing::error!(error = %e, "cannot look for work");
                    tokio::time::sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    async fn handle(&self, job: &Job) {
        let (first, last) = job.segments;
        let span =
            info_span!("job", video = %job.video, kind = job.kind.as_str(), track = job.track, first, last);
        async {
            let stop = self.shutdown.child_token();
            let outcome = tokio::select! {
                outcome = job::run(&self.store, &self.config, job, &stop) => outcome,
                () = self.keep_lease(job) => {
                    tracing::info!("the job is no longer ours");
                    if let Err(e) = self.requeue_after_lost_lease(job).await {
                        tracing::error!(error = %e, "cannot have playlists written again");
                    }
                    return;
                }
            };
            if let Err(e) = self.conclude(job, outcome).await {
                // The lease runs out by itself, and the job is done again.
                tracing::error!(error = %e, "cannot conclude a job");
            }
        }
        .instrument(span)
        .await;
    }

    /// Renews the lease until it is lost or the video is deleted.
    async fn keep_lease(&self, job: &Job) {
        let mut news = self.store.signals.subscribe();
        let mut renewal = tokio::time::interval_at(tokio::time::Instant::now() + RENEWAL, RENEWAL);
        loop {
            tokio::select! {
                _ = renewal.tick() => match self.store.jobs.renew(job, LEASE).await {
                    Ok(true) => {}
                    Ok(false) => return,
                    Err(e) => tracing::warn!(error = %e, "cannot renew a lease"),
                },
                signal = news.recv() => match signal {
                    Ok(Signal::Deleted(video)) if video == job.video => return,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    /// Who was stopped for longer than its lease may have written playlists over those of the one who took over.
    async fn requeue_after_lost_lease(&self, job: &Job) -> store::Result<()> {
        if job.kind.writes_playlists() { self.store.jobs.requeue_playlists(&job.video).await } else { Ok(()) }
    }

    async fn conclude(&self, job: &Job, outcome: Result<()>) -> Result<()> {
        let jobs = &self.store.jobs;
        let error = match outcome {
            Ok(()) => {
                tracing::info!("done");
                if !jobs.finish(job).await? {
                    self.requeue_after_lost_lease(job).await?;
                }
                return Ok(());
            }
            Err(error) => error,
        };
        match error {
            Error::Interrupted => jobs.release(job, Duration::ZERO, Attempt::Interrupted).await?,
            Error::Store(store::Error::Gone(_)) => _ = jobs.finish(job).await?,
            Error::Store(e @ store::Error::Unavailable { .. }) => {
                tracing::warn!(error = %e, "waiting for a server");
                jobs.release(job, AWAY_PAUSE.mul_f64(jitter()), Attempt::Interrupted).await?;
            }
            Error::Store(e @ store::Error::StorageFull { .. }) => {
                tracing::error!(error = %e, "waiting for room");
                jobs.release(job, FULL_DISK_PAUSE, Attempt::Interrupted).await?;
            }
            error if job.kind == JobKind::Poster => {
                // A video without its poster is still a video.
                tracing::warn!(%error, "left out");
                _ = jobs.finish(job).await?;
            }
            error if job.kind == JobKind::Text => {
                tracing::warn!(%error, "a text track could not be read");
                let message = "The file's own subtitles could not be read; the server's log says why.";
                self.store.captions.conclude(job, Conclusion::Failed(message)).await?;
            }
            error if job.attempts < MAX_ATTEMPTS && !matches!(error, Error::Refused(_)) => {
                tracing::warn!(%error, attempts = job.attempts, "trying again");
                let pause = Duration::from_secs(1 << job.attempts).mul_f64(jitter());
                jobs.release(job, pause, Attempt::Failed).await?;
            }
            error if job.kind == JobKind::Playlists => {
                // They stand as they were; the next change of the captions tries again.
                tracing::error!(%error, "the playlists could not be written again");
                _ = jobs.finish(job).await?;
            }
            error => {
                tracing::warn!(%error, "the video failed");
                self.store.videos.fail(job, &failure(&error)).await?;
            }
        }
        Ok(())
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Refused(refusal) => Failure { code: refusal.code().into(), message: refusal.to_string() },
        Error::Ffmpeg { doing, cause } => Failure {
            code: "encoding_failed".into(),
            message: format!("The file could not be encoded: ffmpeg stopped while {doing}. It said: {cause}"),
        },
        Error::Start { .. } => Failure {
            code: "ffmpeg_missing".into(),
            message: "ffmpeg cannot be started on the server. Run `clipcut doctor` there, then try again."
                .into(),
        },
        _ => Failure {
            code: "encoding_failed".into(),
            message:
                "The file could not be encoded; the server's log says why. Try again, or convert it first."
                    .into(),
        },
    }
}

// Between a half and one and a half, from the clock's lowest digits.
fn jitter() -> f64 {
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().subsec_nanos();
    0.5 + f64::from(nanos % 1000) / 1000.0
}
