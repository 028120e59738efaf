//! The packager's workers: lanes by kind of job, and the meaning of a job's failure for its video. Leaves the loop and
//! the leases to `store`, the work itself to the jobs.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use store::{Conclusion, Failure, Job, JobClass, JobError, JobKind, JobRank, Orders, Pauses, Store, Worker};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Config, Error,
    control::{Control, Urgency},
    job,
    trouble::Trouble,
};

/// Works until `shutdown`; running jobs are then released.
pub async fn run(store: Store, config: Config, shutdown: CancellationToken) {
    let config = Arc::new(config);
    let tasks = TaskTracker::new();
    let urgency = Urgency::new();
    // Short jobs and sound never wait behind pictures, so that a new video's playlists stand at once; and jobs that viewers
    // are behind have workers of their own, which have the others stand still.
    let mut lanes = vec![
        (vec![JobKind::Prepare, JobKind::Playlists, JobKind::Finish], JobClass::ALL),
        (vec![JobKind::Text, JobKind::Poster], JobClass::ALL),
        // Its owner waits for it, and the texts of a long film take minutes.
        (vec![JobKind::Poster], JobClass::Asked..=JobClass::Asked),
    ];
    for rank in JobRank::ALL {
        lanes.push((vec![JobKind::Audio], rank.classes()));
        // A viewer waits for the segments ahead of them as soon as they are there.
        let slots = if rank == JobRank::Ahead { 1 } else { config.encode_slots };
        lanes.extend(std::iter::repeat_n((vec![JobKind::Video], rank.classes()), slots));
    }
    for (kinds, classes) in lanes {
        let (store, shutdown, lease) = (store.clone(), shutdown.clone(), config.lease);
        let mut jobs = Jobs {
            store: store.clone(),
            config: config.clone(),
            urgency: urgency.clone(),
            pauses: Pauses::default(),
        };
        tasks.spawn(async move {
            loop {
                let (store, shutdown) = (store.clone(), shutdown.clone());
                let worker =
                    Worker { store, kinds: kinds.clone(), classes: classes.clone(), lease, shutdown };
                if Box::pin(AssertUnwindSafe(worker.run(&mut jobs)).catch_unwind()).await.is_ok() {
                    break;
                }
                // A fault of ours at one job is no end of its lane: the lease runs out, and counts as a worker's death.
                tracing::error!(?kinds, "a job made its worker panic; another one takes its place");
            }
        });
    }
    tasks.close();
    tasks.wait().await;
}

struct Jobs {
    store: Store,
    config: Arc<Config>,
    urgency: Urgency,
    pauses: Pauses,
}

impl store::Work for Jobs {
    type Output = ();
    type Error = Error;

    async fn perform(&mut self, job: &Job, orders: &Orders) -> Result<(), JobError<Error>> {
        let rank = match job.kind {
            JobKind::Prepare => JobRank::Waited,
            JobKind::Video => job.rank(),
            _ => JobRank::Calm,
        };
        let _urgent = self.urgency.begin(rank);
        // Sound costs little, and its pictures are waited for as much.
        let control = match job.kind {
            JobKind::Video | JobKind::Poster | JobKind::Text => {
                self.urgency.yielding(rank, orders, &self.pauses)
            }
            _ => Control::of(&orders.stop),
        };
        let outcome = tokio::select! {
            outcome = job::run(&self.store, &self.config, job, &control) => outcome,
            () = self.urgent_once(&orders.hurry) => Ok(()),
        };
        outcome.map_err(|error| match error {
            Error::Interrupted => JobError::Stopped,
            Error::Store(error) => JobError::Store(error),
            error @ Error::Refused(_) => JobError::Final(error),
            // A video without its poster is still a video, and a text track reads the same at every attempt.
            error if matches!(job.kind, JobKind::Poster | JobKind::Text) => JobError::Final(error),
            error => JobError::Retryable(error),
        })
    }

    async fn succeed(&mut self, job: &Job, (): ()) -> store::Result<()> {
        if self.store.jobs.finish(job).await? { Ok(()) } else { self.lease_lost(job).await }
    }

    async fn fail(&mut self, job: &Job, error: Error) -> store::Result<()> {
        match job.kind {
            JobKind::Poster => {
                tracing::warn!(%error, "left out");
                let posters = &self.store.posters;
                if let Some(choice) = posters.choice(&job.video).await? {
                    posters.refuse(&job.video, &choice, "poster_failed").await?;
                }
                self.store.jobs.finish(job).await.map(drop)
            }
            JobKind::Text => {
                tracing::warn!(%error, "a text track could not be read");
                let message = "The file's own subtitles could not be read; the server's log says why.";
                self.store.captions.conclude(job, Conclusion::Failed(message)).await
            }
            JobKind::Playlists => {
                // They stand as they were; the next change of the captions tries again.
                tracing::error!(%error, "the playlists could not be written again");
                self.store.jobs.finish(job).await.map(drop)
            }
            _ => {
                tracing::warn!(%error, "the video failed");
                self.store.videos.fail(job, &failure(&error)).await
            }
        }
    }

    fn pauses(&self) -> Pauses {
        self.pauses.clone()
    }

    /// Queues the playlists once more: a worker that was stopped for longer than its lease may have written older ones
    /// over those of the worker that took the job over.
    async fn lease_lost(&mut self, job: &Job) -> store::Result<()> {
        if job.kind.writes_playlists() { self.store.jobs.requeue_playlists(&job.video).await } else { Ok(()) }
    }
}

impl Jobs {
    /// Has other work stand still once a job in hand hurries. Never returns.
    async fn urgent_once(&self, hurry: &CancellationToken) {
        hurry.cancelled().await;
        tracing::info!("a viewer waits for it");
        let _urgent = self.urgency.begin(JobRank::Waited);
        std::future::pending::<()>().await;
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Refused(refusal) => Failure { code: refusal.code().into(), message: refusal.to_string() },
        Error::Ffmpeg { doing, at, trouble } => {
            Failure { code: "encoding_failed".into(), message: trouble.sentence(doing, *at) }
        }
        Error::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            Failure { code: "encoding_failed".into(), message: Trouble::DiskFull.sentence("", None) }
        }
        Error::Store(store::Error::WorkersDied { .. }) => Failure {
            code: "encoding_failed".into(),
            message:
                "Each encoder that took this video died of it; the server's log says more. It may need more \
                      memory than the server has. Try again, or convert it first."
                    .into(),
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
