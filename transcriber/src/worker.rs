//! In charge of the transcriber's working day: claims caption jobs, keeps their leases, goes on behind the last finished
//! window, and decides what a failure means. Leaves the work itself to the engine.

use std::{path::PathBuf, sync::Arc, time::Duration};

use store::{Attempt, Conclusion, Job, JobKind, Signal, Store};
use tokio::{runtime::Handle, sync::broadcast::error::RecvError};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use crate::{Config, Engine, Error, demo, model};

mod job;

use job::{Failed, Listen};

const LEASE: Duration = Duration::from_secs(30);
const RENEWAL: Duration = Duration::from_secs(10);
// News may be lost, and a lease may run out without any.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
// Soon after somebody has pulled the model.
const MODEL_PAUSE: Duration = Duration::from_secs(10);
const AWAY_PAUSE: Duration = Duration::from_secs(5);
const FULL_DISK_PAUSE: Duration = Duration::from_secs(30);
const MAX_ATTEMPTS: u32 = 3;

/// Works until `shutdown`, on as many jobs at once as there are sessions; those in hand are then given back, to be gone
/// on with. A track may wish for another model than `config`'s: one that lies in the folder `models`.
pub async fn run(store: Store, config: Config, models: PathBuf, shutdown: CancellationToken) {
    let workers =
        (0..config.sessions).map(|_| work(store.clone(), config.clone(), models.clone(), shutdown.clone()));
    futures::future::join_all(workers).await;
}

async fn work(store: Store, config: Config, models: PathBuf, shutdown: CancellationToken) {
    let owner = format!("{}-{}", std::process::id(), store::VideoId::random());
    let mut worker =
        Worker { store, engine: Arc::new(Engine::new(config.clone())), config, models, shutdown };
    worker.introduce(None).await;
    let mut news = worker.store.signals.work();
    while !worker.shutdown.is_cancelled() {
        news.mark_unchanged();
        match worker.store.jobs.claim(&[JobKind::Captions], &owner, LEASE).await {
            Ok(Some(job)) => worker.handle(&job).await,
            Ok(None) => {
                tokio::select! {
                    _ = news.changed() => {}
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                    () = worker.shutdown.cancelled() => {}
                }
            }
            Err(e) => {
                tracing::error!(error = %e, "cannot look for work");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

struct Worker {
    store: Store,
    config: Config,
    models: PathBuf,
    engine: Arc<Engine>,
    shutdown: CancellationToken,
}

impl Worker {
    async fn handle(&mut self, job: &Job) {
        let span = info_span!("captions", video = %job.video, track = job.track);
        async {
            let stop = self.shutdown.child_token();
            // Dropped or lost, the work hears of it at its next window.
            let _stops = stop.clone().drop_guard();
            let store = self.store.clone();
            let outcome = tokio::select! {
                outcome = self.listen(job, &stop) => outcome,
                () = keep_lease(&store, job) => {
                    tracing::info!("the job is no longer ours");
                    return;
                }
            };
            if let Err(e) = self.conclude(job, outcome).await {
                // The lease runs out by itself, and the job goes on from its last window.
                tracing::error!(error = %e, "cannot conclude a job");
            }
        }
        .instrument(span)
        .await;
    }

    async fn listen(&mut self, job: &Job, stop: &CancellationToken) -> Result<Conclusion<'static>, Failed> {
        let track = match job.track.parse() {
            Ok(id) => self.store.captions.get(&id).await?,
            Err(_) => None,
        };
        let Some(track) = track else { return Err(Failed::Gone) };
        let engine = self.engine_for(track.options.model.as_deref()).await?;
        let loading = engine.clone();
        tokio::task::spawn_blocking(move || loading.load()).await.map_err(Failed::panicked)??;
        self.introduce(track.options.model.as_deref()).await;
        let Some(track) = self.store.captions.begin(job).await? else { return Err(Failed::Gone) };
        let Some(video) = self.store.videos.get(&job.video).await? else { return Err(Failed::Gone) };
        let source = self.store.blobs.source(&job.video).await?;
        let listen = Listen {
            store: self.store.clone(),
            handle: Handle::current(),
            job: job.clone(),
            stop: stop.clone(),
            plan: video.plan.unwrap_or_default(),
            source,
            track,
        };
        tokio::task::spawn_blocking(move || listen.run(&engine)).await.map_err(Failed::panicked)?
    }

    /// Returns the engine in memory, or another one for a track that wishes for another model.
    async fn engine_for(&mut self, model: Option<&str>) -> Result<Arc<Engine>, Failed> {
        let wanted = match model {
            Some(demo::NAME) => {
                if !self.engine.config().model.ends_with(demo::NAME) {
                    let config = self.config.clone();
                    let loading = tokio::task::spawn_blocking(move || demo::engine(&config));
                    self.engine = Arc::new(loading.await.map_err(Failed::panicked)??);
                }
                return Ok(self.engine.clone());
            }
            // A name, never a path: it comes from a person.
            Some(name) if name.contains(['/', '\\']) || name.starts_with('.') => {
                return Err(Failed::For(format!("`{name}` is no model's name.")));
            }
            Some(name) => self.models.join(name),
            None => self.config.model.clone(),
        };
        if self.engine.config().model != wanted {
            self.engine = Arc::new(Engine::new(Config { model: wanted, ..self.config.clone() }));
        }
        Ok(self.engine.clone())
    }

    /// Tells origins the languages of the model in hand, under the name that wishes have for it.
    async fn introduce(&self, name: Option<&str>) {
        let Config { model, precision, .. } = self.engine.config().clone();
        let read = tokio::task::spawn_blocking(move || model::languages(&model, &precision)).await;
        // Of a model that is not there nothing is known: whoever asks is told to wait for it, not that they are wrong.
        let codes = read.ok().and_then(Result::ok).unwrap_or_default();
        if let Err(e) = self.store.captions.learn_languages(name, &codes).await {
            tracing::warn!(error = %e, "cannot note a model's languages");
        }
    }

    async fn conclude(&self, job: &Job, outcome: Result<Conclusion<'static>, Failed>) -> store::Result<()> {
        let captions = &self.store.captions;
        match outcome {
            Ok(conclusion) => {
                tracing::info!(?conclusion, "done");
                captions.conclude(job, conclusion).await
            }
            Err(Failed::Gone) => self.store.jobs.finish(job).await.map(|_| ()),
            Err(Failed::For(message)) => captions.conclude(job, Conclusion::Failed(&message)).await,
            Err(Failed::Store(e @ store::Error::Unavailable { .. })) => {
                tracing::warn!(error = %e, "waiting for a server");
                self.store.jobs.release(job, AWAY_PAUSE, Attempt::Interrupted).await
            }
            Err(Failed::Store(e @ store::Error::StorageFull { .. })) => {
                tracing::error!(error = %e, "waiting for room");
                self.store.jobs.release(job, FULL_DISK_PAUSE, Attempt::Interrupted).await
            }
            Err(Failed::Engine(Error::Interrupted)) => {
                self.store.jobs.release(job, Duration::ZERO, Attempt::Interrupted).await
            }
            Err(Failed::Engine(
                e @ (Error::NoRuntime { .. }
                | Error::Runtime { .. }
                | Error::NoModel { .. }
                | Error::Model { .. }),
            )) => {
                // Every few seconds until it is there: said once, not each time.
                if captions.await_model(job, &e.to_string(), MODEL_PAUSE).await? {
                    tracing::warn!(error = %e, "captions wait for the model");
                }
                Ok(())
            }
            Err(error) if job.attempts < MAX_ATTEMPTS => {
                tracing::warn!(%error, attempts = job.attempts, "trying again");
                self.store.jobs.release(job, Duration::from_secs(1 << job.attempts), Attempt::Failed).await
            }
            Err(error) => {
                tracing::warn!(%error, "the captions failed");
                let message =
                    "The captions could not be written; the server's log says why. Ask for them again.";
                captions.conclude(job, Conclusion::Failed(message)).await
            }
        }
    }
}

/// Renews the lease until it is lost or the video is deleted.
async fn keep_lease(store: &Store, job: &Job) {
    let mut news = store.signals.subscribe();
    let mut renewal = tokio::time::interval_at(tokio::time::Instant::now() + RENEWAL, RENEWAL);
    loop {
        tokio::select! {
            _ = renewal.tick() => match store.jobs.renew(job, LEASE).await {
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
