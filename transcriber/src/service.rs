//! In charge of the HTTP service: a sound comes in as OpenAI's clients send it, its words go out in the form that they
//! ask for. As many sounds are listened to at once as there are sessions; a bounded number waits. Leaves listening on a socket to `server`.

mod answer;
mod folder;
mod form;
mod refusal;
mod wish;
mod words;

use std::{
    io,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Multipart, Path, State, multipart::MultipartRejection},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use server::{
    health,
    metrics::{Counter, Gauge},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use self::{
    folder::Folder,
    form::Form,
    refusal::{Refusal, Result},
    wish::Wish,
};
use crate::{
    Engine, Error,
    audio::Source,
    engine::Transcription,
    listen::{Options, Task},
};

// What a form may have besides the sound: texts, boundaries, headers of parts.
const FORM_BYTES: usize = 1 << 20;
// A guess that is better than none: sounds differ.
const RETRY_AFTER_SECONDS: u32 = 10;
// OpenAI's name, which many clients have no other way than to send.
const ANY_MODEL: &str = "whisper-1";

/// What the service is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The model, and how long a sound may be.
    pub engine: crate::Config,
    /// The largest sound, in bytes.
    pub max_upload_bytes: u64,
    /// Requests that may wait while others' sounds are listened to. Beyond: 429.
    pub waiting: usize,
    /// How long one may wait. Beyond: 429.
    pub wait: Duration,
    /// Folder for sounds on their way; each process makes its own in it.
    pub folder: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            engine: crate::Config::default(),
            max_upload_bytes: 512 << 20,
            waiting: 8,
            wait: Duration::from_mins(10),
            folder: "data/transcriber".into(),
        }
    }
}

/// The service: a handle that is cheap to clone.
#[derive(Clone, Debug)]
pub struct Service(Arc<House>);

#[derive(Debug)]
struct House {
    engine: Arc<Engine>,
    config: Config,
    /// Known once the model is loaded.
    languages: OnceLock<Vec<String>>,
    /// Everybody who is let in: those at work and those who wait.
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
    folder: Folder,
    shutdown: CancellationToken,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    inside: Gauge,
    turned_away: Counter,
    transcribed: Counter,
    heard: Counter,
}

impl Service {
    /// Makes the service, and clears away what a killed one left in its folder. Loads no model yet.
    pub fn new(config: Config, shutdown: CancellationToken) -> io::Result<Self> {
        Ok(Self(Arc::new(House {
            engine: Arc::new(Engine::new(config.engine.clone())),
            languages: OnceLock::new(),
            places: Arc::new(Semaphore::new(config.waiting + config.engine.sessions)),
            turn: Arc::new(Semaphore::new(config.engine.sessions)),
            folder: Folder::below(&config.folder)?,
            config,
            shutdown,
            counts: Counts::default(),
        })))
    }

    /// Returns the service of OpenAI's addresses; any other one below `/v1` is a 404.
    pub fn router(&self) -> Router {
        let most = usize::try_from(self.0.config.max_upload_bytes).unwrap_or(usize::MAX);
        let api = Router::new()
            .route("/models", get(models))
            .route("/models/{name}", get(model))
            .route("/audio/transcriptions", post(transcriptions))
            .route("/audio/translations", post(translations))
            .fallback(async || Refusal::unknown_path())
            .method_not_allowed_fallback(async || Refusal::wrong_method())
            .layer(DefaultBodyLimit::max(most.saturating_add(FORM_BYTES)))
            .layer(middleware::from_fn(refusal::foreign_pages))
            .with_state(self.clone());
        Router::new().nest("/v1", api)
    }

    /// Returns the addresses that a load balancer asks, for a process that is nothing but this service.
    pub fn health(&self) -> Router {
        let service = self.clone();
        let ready = async move || {
            health::ready(&service.0.shutdown, async { service.languages().await.map(drop) }).await
        };
        Router::new().route("/healthz", get(async || health::live())).route("/readyz", get(ready))
    }

    /// Counts into `metrics`.
    pub fn count(&self, metrics: &server::Metrics) {
        let counts = &self.0.counts;
        metrics.register(|registry| {
            let inside = "Requests that are listened to or wait";
            registry.register("transcriber_requests", inside, counts.inside.clone());
            let turned_away = "Requests turned away because too many wait";
            registry.register("transcriber_turned_away", turned_away, counts.turned_away.clone());
            registry.register("transcriber_sounds", "Sounds transcribed", counts.transcribed.clone());
            registry.register("transcriber_heard_seconds", "Length of these sounds", counts.heard.clone());
        });
    }

    /// Returns the model's name.
    fn name(&self) -> String {
        self.0.config.engine.model.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Returns the codes of the model's languages; loads the model the first time.
    async fn languages(&self) -> crate::Result<&[String]> {
        if let Some(known) = self.0.languages.get() {
            return Ok(known);
        }
        let engine = self.0.engine.clone();
        let mut known = blocking(move || engine.languages()).await?;
        if known.is_empty() {
            known.push("en".into());
        }
        Ok(self.0.languages.get_or_init(|| known))
    }

    async fn answer(
        &self,
        task: Task,
        form: std::result::Result<Multipart, MultipartRejection>,
    ) -> Result<Response> {
        // Before the sound, so that nobody sends one for nothing.
        let _place = self.place()?;
        let languages = self.languages().await?;
        let form = Form::receive(form?, self.0.folder.path(), self.0.config.max_upload_bytes).await?;
        let wish = Wish::read(&form.texts, task, &self.name(), languages)?;
        let sound = form
            .sound
            .ok_or_else(|| Refusal::parameter("file", "the sound is missing: send it as `file`"))?;
        let turn = tokio::time::timeout(self.0.config.wait, self.0.turn.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| self.busy())?.expect("the semaphore is never closed");
        let heard = self.listen(sound, wish.options.clone(), turn).await?;
        self.0.counts.transcribed.inc();
        self.0.counts.heard.inc_by(heard.seconds.round() as u64);
        Ok(answer::render(&wish, &heard))
    }

    fn place(&self) -> Result<Place> {
        let place = self.0.places.clone().try_acquire_owned().map_err(|_| self.busy())?;
        self.0.counts.inside.inc();
        Ok(Place { _place: place, service: self.clone() })
    }

    fn busy(&self) -> Refusal {
        self.0.counts.turned_away.inc();
        Refusal::busy(self.0.config.waiting, RETRY_AFTER_SECONDS)
    }

    /// Listens to a sound. When this future is dropped, since the client is gone, the work ends with its window.
    async fn listen(
        &self,
        sound: tempfile::TempPath,
        options: Options,
        turn: OwnedSemaphorePermit,
    ) -> crate::Result<Transcription> {
        let engine = self.0.engine.clone();
        let stop = CancellationToken::new();
        let _gone = stop.clone().drop_guard();
        blocking(move || {
            let source = Source::File(engine.file(&*sound));
            let heard = engine.transcribe(&source, (&options, &[], &stop), |_| Ok(()));
            // Only now: the next sound begins when this one's work has ended, not when its client has left.
            drop((turn, sound));
            heard
        })
        .await
    }
}

/// A place inside, while it is held.
struct Place {
    _place: OwnedSemaphorePermit,
    service: Service,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.service.0.counts.inside.dec();
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> crate::Result<T> + Send + 'static,
) -> crate::Result<T> {
    // A panic is a mistake of ours like any other.
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(Error::Inference(e.to_string())))
}

async fn transcriptions(
    State(service): State<Service>,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    service.answer(Task::Transcribe, form).await.unwrap_or_else(IntoResponse::into_response)
}

async fn translations(
    State(service): State<Service>,
    form: std::result::Result<Multipart, MultipartRejection>,
) -> Response {
    service.answer(Task::Translate, form).await.unwrap_or_else(IntoResponse::into_response)
}

async fn models(State(service): State<Service>) -> Response {
    // A model that cannot be used is none.
    let data: Vec<Value> = match service.languages().await {
        Ok(_) => vec![described(&service.name())],
        Err(error) => {
            tracing::debug!(%error, "no model");
            vec![]
        }
    };
    Json(json!({"object": "list", "data": data})).into_response()
}

async fn model(State(service): State<Service>, Path(asked): Path<String>) -> Result<Response> {
    service.languages().await?;
    wish::check_model(&asked, &service.name())?;
    Ok(Json(described(&asked)).into_response())
}

fn described(name: &str) -> Value {
    // When it was made is not written in its files.
    json!({"id": name, "object": "model", "created": 0, "owned_by": "clipcut"})
}
