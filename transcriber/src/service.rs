//! The HTTP service: a sound comes in as OpenAI's clients send it, its words go out in the form that they
//! ask for. As many sounds are transcribed at once as there are sessions; a bounded number waits. Leaves sockets to `server`.

mod folder;
mod form;
pub mod openapi;
mod params;
mod refusal;
mod response;
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
use serde::Serialize;
use server::{
    health,
    metrics::{Counter, Gauge},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use self::{
    folder::Folder,
    form::Form,
    params::RequestParams,
    refusal::{Refusal, Result},
};
use crate::{
    Engine, Error, Input,
    audio::Source,
    engine::Transcription,
    options::{Options, Task},
};

// The bytes of a form besides the sound: texts, boundaries, headers of parts.
const FORM_BYTES: usize = 1 << 20;
// A guess that is better than none: sounds differ.
const RETRY_AFTER_SECONDS: u32 = 10;

/// The configuration of the service.
#[derive(Clone, Debug)]
pub struct Config {
    /// The model, and how long a sound may be.
    pub engine: crate::Config,
    /// The largest sound, in bytes.
    pub max_upload_bytes: u64,
    /// Requests that may wait while other sounds are transcribed. Beyond: 429.
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
pub struct Service(Arc<ServiceInner>);

#[derive(Debug)]
struct ServiceInner {
    engine: Arc<Engine>,
    config: Config,
    /// Known once the model is loaded.
    languages: OnceLock<Vec<String>>,
    /// Admitted requests: those in a session and those that wait for one.
    admissions: Arc<Semaphore>,
    /// Requests whose sound is being transcribed.
    sessions: Arc<Semaphore>,
    folder: Folder,
    shutdown: CancellationToken,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    inside: Gauge,
    turned_away: Counter,
    transcribed: Counter,
    sound_seconds: Counter,
}

impl Service {
    /// Makes the service, and clears away leftovers of a killed one in its folder. Loads no model yet.
    pub fn new(config: Config, shutdown: CancellationToken) -> io::Result<Self> {
        Ok(Self(Arc::new(ServiceInner {
            engine: Arc::new(Engine::new(config.engine.clone())),
            languages: OnceLock::new(),
            admissions: Arc::new(Semaphore::new(config.waiting + config.engine.sessions)),
            sessions: Arc::new(Semaphore::new(config.engine.sessions)),
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
            // axum's own limit is 2 MB, which a minute of sound may have.
            .layer(DefaultBodyLimit::max(most.saturating_add(FORM_BYTES)))
            .layer(middleware::from_fn(refusal::foreign_pages))
            .with_state(self.clone());
        Router::new().nest("/v1", api)
    }

    /// Returns the addresses that a load balancer asks, for a process that is nothing but this service.
    pub fn health(&self) -> Router {
        let service = self.clone();
        // A process without its model gets no requests: the first probe loads it.
        let ready = async move || {
            health::ready(&service.0.shutdown, async { service.languages().await.map(drop) }).await
        };
        Router::new().route("/healthz", get(async || health::live())).route("/readyz", get(ready))
    }

    /// Counts into `metrics`.
    pub fn count(&self, metrics: &server::Metrics) {
        let counts = &self.0.counts;
        metrics.register(|registry| {
            let inside = "Requests that are transcribed or wait";
            registry.register("transcriber_requests", inside, counts.inside.clone());
            let turned_away = "Requests turned away because too many wait";
            registry.register("transcriber_turned_away", turned_away, counts.turned_away.clone());
            registry.register("transcriber_sounds", "Sounds transcribed", counts.transcribed.clone());
            registry.register(
                "transcriber_sound_seconds",
                "Length of these sounds",
                counts.sound_seconds.clone(),
            );
            let wordless = "Detected speech that has no words, in the captions too";
            registry.register(
                "transcriber_wordless_seconds",
                wordless,
                crate::engine::WORDLESS_SECONDS.clone(),
            );
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
        let _admission = self.admit()?;
        let languages = self.languages().await?;
        let form = Form::receive(form?, self.0.folder.path(), self.0.config.max_upload_bytes).await?;
        let params = RequestParams::read(&form.texts, task, &self.name(), languages)?;
        let sound = form
            .sound
            .ok_or_else(|| Refusal::parameter("file", "the sound is missing: send it as `file`"))?;
        let session = tokio::time::timeout(self.0.config.wait, self.0.sessions.clone().acquire_owned()).await;
        let session = session.map_err(|_| self.busy())?.expect("the semaphore is never closed");
        let transcription = self.transcribe(sound, params.options.clone(), session).await?;
        self.0.counts.transcribed.inc();
        self.0.counts.sound_seconds.inc_by(transcription.seconds.round() as u64);
        Ok(response::render(&params, &transcription))
    }

    fn admit(&self) -> Result<Admission> {
        let permit = self.0.admissions.clone().try_acquire_owned().map_err(|_| self.busy())?;
        self.0.counts.inside.inc();
        Ok(Admission { _permit: permit, service: self.clone() })
    }

    fn busy(&self) -> Refusal {
        self.0.counts.turned_away.inc();
        // The status is 429 and not 503: OpenAI's clients wait and try again by themselves.
        Refusal::busy(self.0.config.waiting, RETRY_AFTER_SECONDS)
    }

    /// Transcribes a sound. When this future is dropped, since the client is gone, the work ends with its window.
    async fn transcribe(
        &self,
        sound: tempfile::TempPath,
        options: Options,
        session: OwnedSemaphorePermit,
    ) -> crate::Result<Transcription> {
        let engine = self.0.engine.clone();
        let stop = CancellationToken::new();
        let _gone = stop.clone().drop_guard();
        blocking(move || {
            let source = Source::File(engine.file(&*sound));
            let transcription = engine.transcribe(Input::whole(&source, &options, &stop), |_| Ok(()));
            // Only now: the next sound begins when this one's work has ended, not when its client has left.
            drop((session, sound));
            transcription
        })
        .await
    }
}

/// An admitted request, while it lasts.
struct Admission {
    _permit: OwnedSemaphorePermit,
    service: Service,
}

impl Drop for Admission {
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

/// A model that is here.
#[derive(Serialize, ToSchema)]
#[schema(as = SpeechModel)]
struct Model {
    id: String,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SpeechModelList)]
struct Models {
    object: &'static str,
    data: Vec<Model>,
}

/// Writes down what is said in a sound.
#[utoipa::path(
    post, path = "/v1/audio/transcriptions", tag = "speech", operation_id = "transcribeSound",
    request_body(content = openapi::Form, content_type = "multipart/form-data"),
    responses(
        (status = 200, content(
            (openapi::Words = "application/json"),
            (String = "text/plain"),
            (String = "application/x-subrip"),
            (String = "text/vtt"),
        )),
        (status = 400, body = refusal::Document, description = "`invalid_value`, `invalid_form`, `invalid_request`, `sound_too_long`, `too_many_fields`, `field_too_long`, `field_not_text`"),
        (status = 403, body = refusal::Document, description = "`foreign_origin`"),
        (status = 404, body = refusal::Document, description = "`model_not_found`"),
        (status = 408, body = refusal::Document, description = "`body_stalled`"),
        (status = 413, body = refusal::Document, description = "`file_too_large`"),
        (status = 429, body = refusal::Document, description = "`rate_limit_exceeded`"),
        (status = 503, body = refusal::Document, description = "`model_missing`, `interrupted`"),
        (status = 507, body = refusal::Document, description = "`insufficient_storage`"),
    ),
)]
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

/// Lists the model.
#[utoipa::path(
    get, path = "/v1/models", tag = "speech", operation_id = "listModels",
    responses((status = 200, body = Models)),
)]
async fn models(State(service): State<Service>) -> Response {
    // A model that cannot be used is none.
    let data = match service.languages().await {
        Ok(_) => vec![described(&service.name())],
        Err(error) => {
            tracing::debug!(%error, "no model");
            vec![]
        }
    };
    Json(Models { object: "list", data }).into_response()
}

/// Shows the model.
#[utoipa::path(
    get, path = "/v1/models/{name}", tag = "speech", operation_id = "getModel",
    params(("name" = String, Path, description = "Its name, or `whisper-1`")),
    responses(
        (status = 200, body = Model),
        (status = 404, body = refusal::Document),
        (status = 503, body = refusal::Document),
    ),
)]
async fn model(State(service): State<Service>, Path(asked): Path<String>) -> Result<Response> {
    service.languages().await?;
    params::check_model(&asked, &service.name())?;
    Ok(Json(described(&asked)).into_response())
}

fn described(name: &str) -> Model {
    // When it was made is not written in its files.
    Model { id: name.to_owned(), object: "model", created: 0, owned_by: "clipcut" }
}
