//! Server-Sent Events: whole documents whenever they change, so that a page needs no other
//! request to stay true. Changes that come fast are gathered.

use std::{collections::HashMap, convert::Infallible, time::Duration};

use axum::{
    extract::{Path as UrlPath, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt, stream};
use http::{HeaderName, HeaderValue};
use serde_json::json;
use server::schema::words;
use store::{Listing, Shown, Signal, VideoId};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::Instant,
};
use utoipa::{ToSchema, openapi::Object};

use crate::{
    Document, Origin,
    asker::Asker,
    error::{Result, unknown_video},
    library::known,
};

// At most four documents a second for each video; an eye does not need more.
const GATHER: Duration = Duration::from_millis(250);
// Well below the minute after which proxies give up on silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
// A stream that lags so far that signals are lost sends the newest documents again.
const CATCH_UP: u32 = 100;
// Documents that are gathered by one set of statements.
const MOST_AT_ONCE: usize = 100;

/// One of the Server-Sent Events of a stream (HTML Standard §9.2).
#[derive(ToSchema)]
#[expect(dead_code, reason = "described alone: axum writes events")]
pub(crate) struct ServerEvent {
    #[schema(schema_with = event_names)]
    event: String,
    /// JSON: the document of a `video`, or the `id` of one that is `deleted`.
    data: String,
}

fn event_names() -> Object {
    words(["video", "deleted"])
}

/// Streams the changes of all videos from now on.
///
/// Each event `video` has the document of a video, each event `deleted` its `id`.
#[utoipa::path(
    get, path = "/api/v1/events", tag = "videos", operation_id = "followVideos",
    responses((status = 200, body = ServerEvent, content_type = "text/event-stream")),
)]
pub(crate) async fn of_all(State(origin): State<Origin>, asker: Asker) -> Response {
    let watch = Watch::new(&origin, asker, None);
    origin.send(watch)
}

/// Streams one video: its document now, then at every change, and the end when it is deleted.
#[utoipa::path(
    get, path = "/api/v1/videos/{id}/events", tag = "videos", operation_id = "followVideo",
    params(("id" = String, Path, description = "The video")),
    responses(
        (status = 200, body = ServerEvent, content_type = "text/event-stream"),
        (status = 404, description = "`unknown_video`"),
    ),
)]
pub(crate) async fn of_one(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
) -> Result<Response> {
    let id = known(&id)?;
    // Listening begins before the look, so that nothing falls in between.
    let mut watch = Watch::new(&origin, asker, Some(id.clone()));
    if origin.store.videos.get(&id).await?.is_none() {
        return Err(unknown_video().into());
    }
    watch.pending.push(id);
    Ok(origin.send(watch))
}

impl Origin {
    fn send(&self, watch: Watch) -> Response {
        // An event stream has no end of its own: the drain would wait for every open page.
        let events = watch.events().take_until(self.shutdown.clone().cancelled_owned());
        let mut response = Sse::new(events.map(Ok::<_, Infallible>))
            .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
            .into_response();
        // nginx would keep events back to fill a buffer.
        let buffering = HeaderName::from_static("x-accel-buffering");
        response.headers_mut().insert(buffering, HeaderValue::from_static("no"));
        response
    }
}

/// The signals of one stream that have not been sent yet.
struct Watch {
    origin: Origin,
    asker: Asker,
    signals: Receiver<Signal>,
    only: Option<VideoId>,
    /// Each video once.
    pending: Vec<VideoId>,
    /// Those of them that others may see from now on.
    hidden: Vec<VideoId>,
    sent: Option<Instant>,
    over: bool,
}

impl Watch {
    fn new(origin: &Origin, asker: Asker, only: Option<VideoId>) -> Self {
        let (origin, signals) = (origin.clone(), origin.store.signals.subscribe());
        Self {
            origin,
            asker,
            signals,
            only,
            pending: Vec::new(),
            hidden: Vec::new(),
            sent: None,
            over: false,
        }
    }

    fn events(self) -> impl Stream<Item = Event> {
        let batches = stream::unfold(self, async |mut watch| {
            if watch.over {
                return None;
            }
            watch.gather().await;
            let batch = watch.batch().await;
            Some((stream::iter(batch), watch))
        });
        batches.flatten()
    }

    /// Waits until there is a signal and the last batch is long enough ago.
    async fn gather(&mut self) {
        while self.pending.is_empty() && !self.over {
            let signal = self.signals.recv().await;
            self.take(signal).await;
        }
        let Some(sent) = self.sent else { return };
        let until = sent + GATHER;
        while !self.over {
            match tokio::time::timeout_at(until, self.signals.recv()).await {
                Ok(signal) => self.take(signal).await,
                Err(_) => return,
            }
        }
    }

    async fn take(&mut self, signal: std::result::Result<Signal, RecvError>) {
        match signal {
            Ok(Signal::Changed(id) | Signal::Progress(id) | Signal::Published(id, _)) => self.note(id),
            Ok(Signal::Hidden(id) | Signal::Deleted(id)) => {
                if self.only.is_none() {
                    self.hidden.push(id.clone());
                }
                self.note(id);
            }
            // The guard ends what runs by a session or a token that is no more.
            Ok(Signal::Ended(_)) => {}
            Ok(Signal::Missed) | Err(RecvError::Lagged(_)) => self.catch_up().await,
            Err(RecvError::Closed) => self.over = true,
        }
    }

    fn note(&mut self, id: VideoId) {
        if self.only.as_ref().is_some_and(|only| *only != id) {
            return;
        }
        // The latest of one video is all that counts: its document includes all changes before.
        self.pending.retain(|other| *other != id);
        self.pending.push(id);
    }

    async fn catch_up(&mut self) {
        if let Some(id) = self.only.clone() {
            return self.note(id);
        }
        let shown = Shown::to(&self.asker.viewer);
        match self.origin.store.videos.list(Listing::of(&shown), CATCH_UP).await {
            Ok(page) => page.videos.into_iter().for_each(|video| self.note(video.id)),
            Err(error) => self.give_up(&error),
        }
    }

    async fn batch(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        match self.asker.is_still(&self.origin).await {
            Ok(true) => {}
            // A stream lasts for days, and its rights are those of its first second. A browser that connects again is judged anew.
            Ok(false) => self.over = true,
            Err(error) => self.give_up(&error),
        }
        if self.over {
            return events;
        }
        let hidden = std::mem::take(&mut self.hidden);
        let pending = std::mem::take(&mut self.pending);
        for ids in pending.chunks(MOST_AT_ONCE) {
            let mut documents = match self.documents(ids).await {
                Ok(documents) => documents,
                Err(error) => {
                    self.give_up(&error);
                    break;
                }
            };
            for id in ids {
                match documents.remove(id) {
                    Some(document) => events.extend(Event::default().event("video").json_data(document)),
                    // Of a video that was never shown here, its changes tell nothing.
                    None if !hidden.contains(id) && self.only.is_none() => {}
                    None => {
                        events.extend(Event::default().event("deleted").json_data(json!({ "id": id })));
                        // Nothing more can come of it; ids are never used again.
                        self.over |= self.only.is_some();
                    }
                }
            }
        }
        self.sent = Some(Instant::now());
        events
    }

    /// Gathers the documents of those videos that are there and that this stream shows.
    async fn documents(&self, ids: &[VideoId]) -> Result<HashMap<VideoId, Document>> {
        let mut videos = self.origin.store.videos.get_all(ids).await?;
        if self.only.is_some() {
            // One at most.
            let Some(video) = videos.first() else { return Ok(HashMap::new()) };
            if !self.asker.still_sees(&self.origin, &video.id, &video.rights).await? {
                return Ok(HashMap::new());
            }
        } else {
            let granted = self.asker.granted(&self.origin, ids).await?;
            videos.retain(|video| self.asker.viewer.lists(&video.rights) || granted.contains(&video.id));
        }
        let documents = Document::of_all(&self.origin, &self.asker, videos).await?;
        Ok(documents.into_iter().map(|document| (document.id().clone(), document)).collect())
    }

    /// Ends the stream: a browser connects again by itself, and starts with the truth.
    fn give_up(&mut self, error: &dyn std::fmt::Display) {
        tracing::error!(%error, "cannot send a change");
        self.over = true;
    }
}
