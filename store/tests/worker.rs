//! The worker loop: one job at a time, and what becomes of one that does not succeed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use store::{
    Error, Job, JobClass, JobError, JobKind, NewVideo, Orders, Result, Store, Timestamp, VideoId, Work,
    Worker,
};
use tokio_util::sync::CancellationToken;

/// Work whose jobs end by a script, and that ends the loop with the last.
struct Script {
    store: Store,
    ends: Vec<std::result::Result<(), JobError<Error>>>,
    seen: Vec<(JobKind, u32)>,
    failed: Vec<String>,
    shutdown: CancellationToken,
}

impl Work for Script {
    type Output = ();
    type Error = Error;

    async fn perform(&mut self, job: &Job, orders: &Orders) -> std::result::Result<(), JobError<Error>> {
        self.seen.push((job.kind, job.attempts));
        assert!(!orders.stop.is_cancelled());
        let end = self.ends.remove(0);
        if self.ends.is_empty() {
            self.shutdown.cancel();
        }
        end
    }

    async fn succeed(&mut self, job: &Job, (): ()) -> Result<()> {
        self.store.jobs.finish(job).await.map(drop)
    }

    async fn fail(&mut self, job: &Job, error: Error) -> Result<()> {
        self.failed.push(error.to_string());
        self.store.jobs.finish(job).await.map(drop)
    }
}

async fn run(ends: Vec<std::result::Result<(), JobError<Error>>>) -> (Script, bool, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::embedded(folder.path()).await.unwrap();
    let video =
        NewVideo { title: "v".into(), description: String::new(), source_name: String::new(), owner: None };
    let upload = store.uploads.begin(&video, Some(1), Timestamp::now()).await.unwrap();
    let mut append = store.uploads.append(&upload.id, false).await.unwrap().unwrap();
    append.write(b"x").await.unwrap();
    store.uploads.finish(append).await.unwrap();
    let shutdown = CancellationToken::new();
    let mut script = Script {
        store: store.clone(),
        ends,
        seen: Vec::new(),
        failed: Vec::new(),
        shutdown: shutdown.clone(),
    };
    let kinds = vec![JobKind::Prepare];
    let worker =
        Worker { store: store.clone(), kinds, classes: JobClass::ALL, lease: store::LEASE, shutdown };
    Box::pin(worker.run(&mut script)).await;
    let left = store.jobs.queue_position(&upload.id).await.unwrap().is_some();
    (script, left, folder)
}

#[tokio::test]
async fn a_job_that_succeeds_leaves_the_queue() {
    let (script, left, _folder) = run(vec![Ok(())]).await;
    assert_eq!(script.seen, [(JobKind::Prepare, 1)]);
    assert!(!left);
}

#[tokio::test]
async fn a_job_that_is_stopped_is_released_and_its_attempt_does_not_count() {
    let (script, left, _folder) = run(vec![Err(JobError::Stopped), Err(JobError::Stopped), Ok(())]).await;
    assert_eq!(script.seen, [(JobKind::Prepare, 1); 3]);
    assert!(!left);
}

#[tokio::test]
async fn a_final_error_is_recorded_at_once_and_an_outage_never() {
    let gone = || Error::Gone(VideoId::random());
    let (script, left, _folder) = run(vec![Err(JobError::Final(gone()))]).await;
    assert_eq!((script.seen.len(), script.failed.len(), left), (1, 1, false));
    let outage = Error::Unavailable { what: "MongoDB", cause: "no answer".into() };
    let (script, left, _folder) = run(vec![Err(JobError::Store(outage))]).await;
    assert_eq!((script.failed.len(), left), (0, true));
    let full = Error::StorageFull { what: "a segment".into() };
    let (script, left, _folder) = run(vec![Err(JobError::Store(full))]).await;
    assert_eq!((script.failed.len(), left), (0, true));
    let (script, left, _folder) = run(vec![Err(JobError::Store(gone()))]).await;
    assert_eq!((script.failed.len(), left), (0, false));
}

#[tokio::test]
async fn a_job_is_tried_again_and_given_up_after_three_attempts() {
    let damaged = || Error::Damaged { key: "v/1".into(), problem: "it is cut off".into() };
    let (script, left, _folder) = run((0..3).map(|_| Err(JobError::Retryable(damaged()))).collect()).await;
    assert_eq!(script.seen, [(JobKind::Prepare, 1), (JobKind::Prepare, 2), (JobKind::Prepare, 3)]);
    assert_eq!(script.failed, ["v/1 is damaged: it is cut off"]);
    assert!(!left);
}
