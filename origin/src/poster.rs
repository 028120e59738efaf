//! The poster: shown, chosen by the video's owner, and made automatic again. A packager makes it, maybe elsewhere, so the
//! request waits for a while and then answers that it is under way.

mod dimensions;

use std::time::Duration;

use axum::extract::{Path as UrlPath, Request, State};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use server::{Problem, Response, body, revision};
use store::{NewPoster, PosterChoice, RenditionKind, Signal, State as VideoState, Video, VideoId};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use utoipa::ToSchema;

use crate::{
    Origin,
    error::{Error, Result, bad_request, unknown_video},
    library::{is_json, known},
    schema::{poster_kinds, poster_states},
};
use dimensions::Dimensions;

// A camera's JPEG of fifty megapixels.
const MOST_BYTES: u64 = 20 * 1024 * 1024;
// The limit of the packager's decoder.
const MOST_PIXELS: u64 = 35_389_440;
const LEAST_SIDE: u32 = 16;
const MOST_DOCUMENT: u64 = 4096;
const IMAGES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// The moment whose frame is to be the poster.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PosterFrame)]
pub(crate) struct Frame {
    #[schema(minimum = 0)]
    at_seconds: f64,
}

/// The poster that a video has, and what became of the last choice.
#[derive(Serialize, ToSchema)]
#[schema(as = Poster)]
pub(crate) struct Document {
    /// Where the one that is shown is from.
    #[schema(schema_with = poster_kinds)]
    kind: &'static str,
    /// The moment of a frame.
    #[schema(required)]
    at_seconds: Option<f64>,
    /// `waiting` while another one is being made, `failed` where that could not be.
    #[schema(schema_with = poster_states)]
    state: &'static str,
    /// Why it failed.
    #[schema(required)]
    error: Option<Failure>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PosterFailure)]
struct Failure {
    code: String,
    message: &'static str,
}

/// The words of [`Document::state`].
pub(crate) const STATES: [&str; 3] = ["ready", "waiting", "failed"];

/// Shows where the poster is from, and whether another one is being made.
#[utoipa::path(
    get, path = "/api/v1/videos/{id}/poster", tag = "videos", operation_id = "getPosterChoice",
    params(("id" = String, Path, description = "The video")),
    responses(
        (status = 200, body = Document, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "`unknown_video`"),
    ),
)]
pub(crate) async fn show(State(origin): State<Origin>, UrlPath(id): UrlPath<String>) -> Result<Response> {
    let id = known(&id)?;
    let choice = origin.store.posters.choice(&id).await?;
    origin.answer(StatusCode::OK, &id, choice).await
}

/// Puts a picture, or the frame of a moment, in place of the poster.
///
/// A picture is encoded again, and never served as it was sent.
#[utoipa::path(
    put, path = "/api/v1/videos/{id}/poster", tag = "videos", operation_id = "choosePoster",
    params(
        ("id" = String, Path, description = "The video"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the poster that is replaced"),
    ),
    request_body(
        content(
            (Frame = "application/json"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"),
            (Vec<u8> = "image/webp"),
        ),
        description = "The moment in seconds, or a picture of at most 20 MiB and 35 megapixels.",
    ),
    responses(
        (status = 200, body = Document, headers(("ETag" = String, description = "The revision"))),
        (status = 202, body = Document, description = "It is being made", headers(("ETag" = String, description = "The revision"))),
        (status = 400, description = "`invalid_document`, `body_broken`"),
        (status = 404, description = "`unknown_video`"),
        (status = 408, description = "`body_stalled`"),
        (status = 409, description = "`video_not_prepared`"),
        (status = 412, description = "`edited_meanwhile`"),
        (status = 413, description = "`body_too_large`"),
        (status = 415, description = "`unsupported_media_type`"),
        (status = 422, description = "`unreadable_image`, `image_too_large`, `image_too_small`, `beyond_the_end`, `no_picture`, `no_frame`, `poster_failed`"),
        (status = 507, description = "`insufficient_storage`"),
    ),
)]
pub(crate) async fn choose(
    State(origin): State<Origin>,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response> {
    let id = known(&id)?;
    let video = origin.prepared(&id).await?;
    let seen = revision::seen(request.headers(), video.poster.revision)?;
    if is_json(&request) {
        let bytes = body::collect(request.into_body(), MOST_DOCUMENT).await?;
        let Frame { at_seconds } =
            serde_json::from_slice(&bytes).map_err(|e| bad_request("invalid_document", e.to_string()))?;
        origin.check_moment(&video, at_seconds).await?;
        return origin.choose_poster(&id, NewPoster::Frame(at_seconds), seen).await;
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !IMAGES.iter().any(|image| image.eq_ignore_ascii_case(kind)) {
        return Err(no_image());
    }
    let bytes = body::collect(request.into_body(), MOST_BYTES).await?;
    check_picture(&bytes)?;
    origin.choose_poster(&id, NewPoster::Picture(&bytes), seen).await
}

/// Makes the poster automatic again.
#[utoipa::path(
    delete, path = "/api/v1/videos/{id}/poster", tag = "videos", operation_id = "resetPoster",
    params(
        ("id" = String, Path, description = "The video"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the poster that is replaced"),
    ),
    responses(
        (status = 200, body = Document, headers(("ETag" = String, description = "The revision"))),
        (status = 202, body = Document, description = "It is being made", headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "`unknown_video`"),
        (status = 409, description = "`video_not_prepared`"),
        (status = 412, description = "`edited_meanwhile`"),
        (status = 422, description = "`no_frame`, `poster_failed`"),
    ),
)]
pub(crate) async fn reset(
    State(origin): State<Origin>,
    UrlPath(id): UrlPath<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let id = known(&id)?;
    let video = origin.prepared(&id).await?;
    let seen = revision::seen(&headers, video.poster.revision)?;
    origin.choose_poster(&id, NewPoster::Automatic, seen).await
}

impl Origin {
    /// Returns a video that has a plan, which a poster is made by.
    async fn prepared(&self, id: &VideoId) -> Result<Video> {
        let video = self.store.videos.get(id).await?.ok_or_else(unknown_video)?;
        match video.state {
            VideoState::Planned | VideoState::Playable | VideoState::Ready => Ok(video),
            VideoState::Uploading | VideoState::Uploaded | VideoState::Failed => Err(not_prepared()),
        }
    }

    async fn check_moment(&self, video: &Video, seconds: f64) -> Result<()> {
        if !seconds.is_finite() || seconds < 0.0 {
            return Err(bad_request(
                "invalid_document",
                "`at_seconds` must be a number of seconds from 0 on.",
            ));
        }
        let renditions = self.store.renditions.of(&video.id).await?;
        if !renditions.iter().any(|it| it.rendition.kind == RenditionKind::Video) {
            let detail =
                "This video has sound alone, so there is no frame to take. Upload a picture instead.";
            return Err(unprocessable("no_picture", detail));
        }
        if video.duration_seconds.is_some_and(|length| seconds > length) {
            return Err(unprocessable("beyond_the_end", "The video ends before that moment."));
        }
        Ok(())
    }

    /// Has a poster made, and waits for a while until it is.
    async fn choose_poster(&self, id: &VideoId, new: NewPoster<'_>, seen: Option<u64>) -> Result<Response> {
        // Subscribed before the choice is there, so that its end cannot be missed.
        let signals = self.store.signals.subscribe();
        let choice = self.store.posters.replace(id, new, seen).await?.ok_or_else(not_prepared)?;
        let waited = tokio::time::timeout(self.config.poster_wait, self.made(id, &choice, signals)).await;
        let left = match waited {
            Ok(left) => left?,
            Err(_) => Some(choice.clone()),
        };
        // A choice that has taken its place meanwhile has a request of its own to answer.
        if let Some(problem) =
            left.as_ref().filter(|left| left.id == choice.id).and_then(|it| it.problem.as_deref())
        {
            return Err(unprocessable(problem.to_owned(), message(problem)));
        }
        let status = if left.is_some() { StatusCode::ACCEPTED } else { StatusCode::OK };
        self.answer(status, id, left).await
    }

    /// Waits until a choice is made or refused. Returns the one that is left.
    async fn made(
        &self,
        id: &VideoId,
        choice: &PosterChoice,
        mut signals: Receiver<Signal>,
    ) -> Result<Option<PosterChoice>> {
        loop {
            let left = self.store.posters.choice(id).await?;
            if left.as_ref() != Some(choice) {
                return Ok(left);
            }
            until_changed(id, &mut signals).await;
        }
    }

    async fn answer(
        &self,
        status: StatusCode,
        id: &VideoId,
        choice: Option<PosterChoice>,
    ) -> Result<Response> {
        let poster = self.store.videos.get(id).await?.ok_or_else(unknown_video)?.poster;
        let [ready, waiting, failed] = STATES;
        let state = match &choice {
            None => ready,
            Some(PosterChoice { problem: None, .. }) => waiting,
            Some(_) => failed,
        };
        let problem = choice.and_then(|choice| choice.problem);
        let error = problem.map(|code| Failure { message: message(&code), code });
        let document =
            Document { kind: poster.kind.as_str(), at_seconds: poster.kind.seconds(), state, error };
        Ok(revision::tagged(status, &document, poster.revision))
    }
}

async fn until_changed(id: &VideoId, signals: &mut Receiver<Signal>) {
    loop {
        match signals.recv().await {
            Ok(Signal::Changed(video) | Signal::Deleted(video)) if video == *id => return,
            Ok(Signal::Missed) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            // The store is going away; the bound ends the wait.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn check_picture(bytes: &[u8]) -> Result<()> {
    let Some(Dimensions { width, height }) = Dimensions::read(bytes) else {
        return Err(unprocessable("unreadable_image", message("unreadable_image")));
    };
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        let detail = format!("The picture has {width} × {height} pixels; 35 million are the most.");
        return Err(unprocessable("image_too_large", detail));
    }
    if width.min(height) < LEAST_SIDE {
        let detail = format!("The picture has {width} × {height} pixels; each side needs {LEAST_SIDE}.");
        return Err(unprocessable("image_too_small", detail));
    }
    Ok(())
}

/// Returns the sentence for a packager's code.
fn message(code: &str) -> &'static str {
    match code {
        "unreadable_image" => "The picture could not be read. Choose a JPEG, PNG or WebP file that is whole.",
        "no_frame" => "No picture of the video could be read there. Choose another moment.",
        _ => "The poster could not be made; the server's log says why. Try again.",
    }
}

fn unprocessable(
    code: impl Into<std::borrow::Cow<'static, str>>,
    detail: impl Into<std::borrow::Cow<'static, str>>,
) -> Error {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).into()
}

fn not_prepared() -> Error {
    let detail = "The poster can be chosen once the video is prepared for playing.";
    Problem::new(StatusCode::CONFLICT, "video_not_prepared", detail).into()
}

fn no_image() -> Error {
    let detail =
        "A poster comes as image/jpeg, image/png or image/webp, or as application/json with `at_seconds`.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail).into()
}

/// The default of [`crate::Config::poster_wait`].
pub(crate) const WAIT: Duration = Duration::from_secs(10);
