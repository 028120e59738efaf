//! The transcriber's workers: the engine of the model that a track asks for, and the meaning of a job's failure for its
//! track. Leaves the loop and the leases to `store`, the work itself to `job` and the engine.

use std::{path::PathBuf, sync::Arc, time::Duration};

use store::{Conclusion, Job, JobClass, JobError, JobKind, Store};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::Span;

use crate::{Config, Engine, Error, demo, model};

mod job;

use job::{CaptionJob, Failed};

// Soon after somebody has pulled the model.
const MODEL_PAUSE: Duration = Duration::from_secs(10);

/// Works until `shutdown`, on as many jobs at once as there are sessions; those in hand are then released, to be gone
/// on with. A track may ask for another model than `config`'s: one that lies in the folder `models`.
pub async fn run(store: Store, config: Config, models: PathBuf, shutdown: CancellationToken) {
    let workers =
        (0..config.sessions).map(|_| work(store.clone(), config.clone(), models.clone(), shutdown.clone()));
    futures::future::join_all(workers).await;
}

async fn work(store: Store, config: Config, models: PathBuf, shutdown: CancellationToken) {
    let worker = store::Worker {
        store: store.clone(),
        kinds: vec![JobKind::Captions],
        classes: JobClass::ALL,
        lease: store::LEASE,
        shutdown,
    };
    let mut jobs = Jobs { store, engine: Arc::new(Engine::new(config.clone())), config, models };
    jobs.advertise_languages(None).await;
    Box::pin(worker.run(&mut jobs)).await;
}

struct Jobs {
    store: Store,
    config: Config,
    models: PathBuf,
    engine: Arc<Engine>,
}

impl store::Work for Jobs {
    type Output = Conclusion<'static>;
    type Error = Failed;

    async fn perform(
        &mut self,
        job: &Job,
        orders: &store::Orders,
    ) -> Result<Conclusion<'static>, JobError<Failed>> {
        self.transcribe(job, &orders.stop).await.map_err(|failed| match failed {
            Failed::Gone => JobError::Store(store::Error::Gone(job.video.clone())),
            Failed::Store(error) => JobError::Store(error),
            Failed::Engine(Error::Interrupted) => JobError::Stopped,
            // `Final` ends the attempt alone: `fail` has a track without its model wait, and no attempt is counted.
            failed if failed.awaits_model() || matches!(failed, Failed::For(_)) => JobError::Final(failed),
            failed => JobError::Retryable(failed),
        })
    }

    async fn succeed(&mut self, job: &Job, conclusion: Conclusion<'static>) -> store::Result<()> {
        tracing::info!(?conclusion, "captions written");
        self.store.captions.conclude(job, conclusion).await
    }

    async fn fail(&mut self, job: &Job, failed: Failed) -> store::Result<()> {
        let captions = &self.store.captions;
        match failed {
            Failed::For(message) => captions.conclude(job, Conclusion::Failed(&message)).await,
            failed if failed.awaits_model() => {
                // Every few seconds until it is there: logged once, not each time.
                if captions.await_model(job, &failed.to_string(), MODEL_PAUSE).await? {
                    tracing::warn!(error = %failed, "captions wait for the model");
                }
                Ok(())
            }
            error => {
                tracing::warn!(%error, "the captions failed");
                let message =
                    "The captions could not be written; the server's log says why. Ask for them again.";
                captions.conclude(job, Conclusion::Failed(message)).await
            }
        }
    }
}

impl Jobs {
    async fn transcribe(
        &mut self,
        job: &Job,
        stop: &CancellationToken,
    ) -> Result<Conclusion<'static>, Failed> {
        let track = match job.track.parse() {
            Ok(id) => self.store.captions.get(&id).await?,
            Err(_) => None,
        };
        let Some(track) = track else { return Err(Failed::Gone) };
        let engine = self.engine_for(track.options.model.as_deref()).await?;
        let loading = engine.clone();
        // The model is loaded before `begin`, so that a track without it is `waiting` and was never `running`.
        tokio::task::spawn_blocking(move || loading.load()).await.map_err(Failed::panicked)??;
        self.advertise_languages(track.options.model.as_deref()).await;
        let Some(track) = self.store.captions.begin(job).await? else { return Err(Failed::Gone) };
        let Some(video) = self.store.videos.get(&job.video).await? else { return Err(Failed::Gone) };
        let source = self.store.blobs.source(&job.video).await?;
        let caption_job = CaptionJob {
            store: self.store.clone(),
            handle: Handle::current(),
            job: job.clone(),
            stop: stop.clone(),
            plan: video.plan.unwrap_or_default(),
            source,
            track,
        };
        // Inference takes seconds a window; on tokio's own threads no lease would be renewed meanwhile.
        let span = Span::current();
        let transcribe = move || span.in_scope(|| caption_job.run(&engine));
        tokio::task::spawn_blocking(transcribe).await.map_err(Failed::panicked)?
    }

    /// Returns the engine in memory, or another one for a track that asks for another model.
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
        // The last model stays loaded, for most tracks want the same and a load takes seconds.
        if self.engine.config().model != wanted {
            self.engine = Arc::new(Engine::new(Config { model: wanted, ..self.config.clone() }));
        }
        Ok(self.engine.clone())
    }

    /// Records the languages of the loaded model for the origins, under the name that tracks ask for it by.
    async fn advertise_languages(&self, name: Option<&str>) {
        let Config { model, precision, .. } = self.engine.config().clone();
        let read = tokio::task::spawn_blocking(move || model::languages(&model, &precision)).await;
        // Without the model's files no language can be refused: the track then waits for the model instead.
        let codes = read.ok().and_then(Result::ok).unwrap_or_default();
        if let Err(e) = self.store.captions.learn_languages(name, &codes).await {
            tracing::warn!(error = %e, "cannot record a model's languages");
        }
    }
}
