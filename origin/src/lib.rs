//! The origin: uploads in; the library, playlists and segments out. Leaves encoding to the packager, connections to
//! `server`, and storage to `store`.

mod asker;
mod captions;
mod cors;
mod disposition;
mod document;
mod error;
mod events;
mod file_head;
mod growing;
mod health;
mod ingest;
mod jobs;
mod library;
mod listing;
pub mod openapi;
mod path;
mod planned;
mod playback;
mod poster;
mod quota;
mod receive;
mod schema;
mod search;
mod tickets;
mod title;
mod tus;
mod views;
mod wants;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    response::Response,
    routing::{any, get, post},
};
use http::StatusCode;
use server::{Problem, compression, site::Site};
use store::{Quota, Rights, Store, Timestamp, VideoId};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

pub use document::Document;
pub use path::{File, Format, Path};
pub use tickets::{Needed, Tickets};

use crate::{
    asker::Asker,
    error::{Error, Result},
    tickets::Validity,
};

/// An origin's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The largest upload, in bytes.
    pub max_upload_bytes: u64,
    /// The largest body of one request that clients of resumable uploads should send, in bytes.
    pub upload_piece_bytes: Option<u64>,
    /// The limit of one person's videos, where an administrator has set no other.
    pub quota: Quota,
    /// How long an upload may rest before it counts as abandoned.
    pub upload_expiry: Duration,
    /// How long a request for a segment waits for its encoding.
    pub segment_wait: Duration,
    /// How long the choice of a poster waits until it is made.
    pub poster_wait: Duration,
    /// Origins whose pages may call the API besides our own page, such as `https://example.org`; `*` is all.
    pub api_origins: Vec<String>,
    /// The name by which people reach this server, and the proxies on their way.
    pub site: Site,
    /// The maker of tickets for playback URLs, where playing needs one.
    pub tickets: Option<Tickets>,
    /// Whether a guard in front finds out who asks.
    pub access: Access,
}

/// The people who may use an origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everybody who reaches it may do everything.
    #[default]
    Open,
    /// A guard in front judges each request and says who asks; a request without its word is a stranger's.
    ByAccount,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_upload_bytes: 20 * 1024 * 1024 * 1024,
            upload_piece_bytes: None,
            quota: Quota::default(),
            upload_expiry: Duration::from_hours(24),
            // Below the 10 s that hls.js, as it comes, waits for a segment's first byte.
            segment_wait: Duration::from_secs(8),
            poster_wait: poster::WAIT,
            api_origins: Vec::new(),
            site: Site::default(),
            tickets: None,
            access: Access::Open,
        }
    }
}

/// An origin: a handle that is cheap to clone.
#[derive(Clone, Debug)]
pub struct Origin {
    store: Store,
    config: Arc<Config>,
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Origin {
    /// Makes an origin over `store`. After `shutdown` it is no longer ready and its event streams end; all
    /// else is answered as before.
    pub fn new(store: Store, config: Config, shutdown: CancellationToken) -> Self {
        Self { store, config: Arc::new(config), shutdown, tasks: TaskTracker::new() }
    }

    /// Returns the service of every URL of an origin; any other one is a 404. Another fallback may be set.
    pub fn router(&self) -> Router {
        let api = Router::new()
            .route("/videos", get(listing::list).post(ingest::create))
            .route("/videos/{id}", get(library::show).patch(library::edit).delete(library::delete))
            .route("/videos/{id}/retry", post(library::retry))
            .route("/videos/{id}/cancel", post(library::cancel))
            .route("/videos/{id}/events", get(events::of_one))
            .route("/videos/{id}/views", post(views::count))
            .route("/videos/{id}/poster", get(poster::show).put(poster::choose).delete(poster::reset))
            .nest("/videos/{id}/captions", captions::routes())
            .route("/search", get(search::find))
            .route("/jobs", get(jobs::list))
            .route("/events", get(events::of_all))
            // tus has a method override, so it routes methods itself.
            .route("/uploads", any(tus::collection))
            .route("/uploads/{id}", any(tus::upload))
            .layer(compression::layer())
            .layer(middleware::map_response(async |answer: Response| compression::retag(answer)));
        Router::new()
            .nest("/api/v1", api)
            .route("/v/{*file}", get(playback::answer))
            .route("/healthz", get(health::live))
            .route("/readyz", get(health::ready))
            .fallback(async || Error::from(unknown_path()))
            .method_not_allowed_fallback(async || Error::from(wrong_method()))
            // Bodies have limits that fit what they carry; axum's one for all would cut uploads off.
            .layer(DefaultBodyLimit::disable())
            // Outermost, so that pages can read the refusals of all layers within.
            .layer(middleware::from_fn_with_state(self.clone(), cors::allow))
            .with_state(self.clone())
    }

    /// Returns the path below which the asker requests a video's files.
    pub(crate) fn folder(&self, id: &VideoId, rights: &Rights, asker: &Asker) -> String {
        // A ticket by a share alone ends with the share.
        let share = asker.share.as_ref().filter(|_| !asker.viewer.may_see(rights));
        let until = share.and_then(|share| share.expires_at).map(|at| at.0.unsigned_abs() / 1_000_000);
        let validity = Validity { now: SystemTime::now(), from: rights.tickets_from, until };
        match &self.config.tickets {
            Some(tickets) if tickets.needed == Needed::Always || rights.visibility.needs_ticket() => {
                tickets.folder(id, validity)
            }
            _ => format!("/v/{id}"),
        }
    }

    /// Returns the second from which on tickets must last, so that all that were made until now are void.
    pub(crate) fn tickets_from(&self, now: SystemTime) -> u64 {
        self.config.tickets.as_ref().map_or(0, |tickets| tickets.end(now) + 1)
    }

    /// Deletes abandoned uploads, now and then, until the shutdown.
    pub async fn expire_uploads(&self) {
        // The sweep is late by a tenth of the expiry at most; a look each second would be a statement for nothing all day.
        let pause = (self.config.upload_expiry / 10).clamp(Duration::from_secs(1), Duration::from_mins(10));
        let mut ticks = tokio::time::interval(pause);
        while self.shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            match self.store.sweep_expired(Timestamp::now()).await {
                Ok(0) => {}
                Ok(uploads) => tracing::info!(uploads, "deleted abandoned uploads"),
                Err(error) => tracing::error!(%error, "cannot delete abandoned uploads"),
            }
        }
    }

    /// Waits for the work that requests began and did not stay for. To be called after the listener's drain.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Runs `work` to its end also when the client goes away: a write to the disk that was begun must not
    /// go on behind the back of the next request for the same upload.
    async fn run_to_completion<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>> + Send + 'static,
    {
        match self.tasks.spawn(work.in_current_span()).await {
            Ok(done) => done,
            Err(e) => Err(Error::Interrupted(e)),
        }
    }

    fn expiry(&self) -> Timestamp {
        Timestamp::now() + self.config.upload_expiry
    }
}

fn unknown_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_path", "There is nothing at this address.")
}

fn wrong_method() -> Problem {
    let detail = "This address does not take this method; the Allow header lists those that it takes.";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}
