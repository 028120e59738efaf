//! The library: listing, showing, editing, deleting and retrying videos.

use std::time::SystemTime;

use axum::extract::{Path as UrlPath, Query, Request, State, rejection::QueryRejection};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use server::{
    Problem, Response, body,
    document::{json, no_content},
};
use store::{
    Cursor, Edit, Failure, Listing, NewVisibility, Shown, State as VideoState, Timestamp, UserId, VideoId,
    Viewer, Visibility,
};

use crate::{
    Access, Document, Origin,
    asker::Asker,
    error::{Error, Result, bad_request, unknown_video},
    title,
};

const PAGE: u32 = 50;
// A document has its renditions and captions in it: some kilobytes.
const MOST_PAGE: u32 = 100;
const CANCELLED: &str = "Somebody has cancelled the encoding. Try again to go on where it stopped.";
const MOST_DOCUMENT: u64 = 64 * 1024;

/// Where a page starts and how long it is.
#[derive(Debug, Deserialize)]
pub(crate) struct PageQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    /// `me`: the asker's own alone.
    owner: Option<String>,
    /// `me`: those that others share with the asker alone.
    shared: Option<String>,
    /// The videos with one tag alone.
    tag: Option<String>,
    /// The videos of one state alone, such as `failed`.
    state: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    videos: Vec<Document>,
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    title: Option<String>,
    description: Option<String>,
    visibility: Option<String>,
    tags: Option<Vec<String>>,
}

/// Lists videos, newest first.
pub(crate) async fn list(
    State(origin): State<Origin>,
    asker: Asker,
    page: std::result::Result<Query<PageQuery>, QueryRejection>,
) -> Result<Response> {
    let Query(page) = page.map_err(|e| bad_request("invalid_query", e.body_text()))?;
    let limit = page.limit.unwrap_or(PAGE);
    if !(1..=MOST_PAGE).contains(&limit) {
        return Err(bad_request("invalid_limit", format!("A page has 1 to {MOST_PAGE} videos.")));
    }
    let after = match page.cursor.as_deref().map(decode_cursor) {
        Some(None) => return Err(bad_request("invalid_cursor", "The cursor is not one that a list gave.")),
        Some(cursor) => cursor,
        None => None,
    };
    let shown = shown(&asker, &page)?;
    let state = match page.state.as_deref().map(VideoState::parse) {
        Some(None) => {
            let detail = "`state` must be uploading, uploaded, planned, playable, ready or failed.";
            return Err(bad_request("invalid_state", detail));
        }
        Some(state) => state,
        None => None,
    };
    let tag = page.tag.as_deref().map(title::tag).transpose()?;
    let tag = tag.as_ref().map(|tag| tag.key.as_str());
    let listing = Listing { shown: &shown, state, tag, after: after.as_ref() };
    let page = origin.store.videos.list(listing, limit).await?;
    let next = page.next.as_ref().map(encode_cursor);
    let videos = Document::of_all(&origin, &asker, page.videos).await?;
    Ok(json(StatusCode::OK, &Listed { videos, next }))
}

/// Shows one video.
pub(crate) async fn show(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
) -> Result<Response> {
    let document = Document::find(&origin, &asker, &known(&id)?).await?;
    Ok(json(StatusCode::OK, &document.ok_or_else(unknown_video)?))
}

/// Changes the title, the description, the tags and the visibility, each if it is given.
pub(crate) async fn edit(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response> {
    let id = known(&id)?;
    // A page of another site may send text/plain and forms without a preflight (Fetch, CORS-safelisted), but no JSON.
    if !is_json(&request) {
        return Err(not_json());
    }
    let bytes = body::collect(request.into_body(), MOST_DOCUMENT).await?;
    let changes: Changes =
        serde_json::from_slice(&bytes).map_err(|e| bad_request("invalid_document", e.to_string()))?;
    let edit = Edit {
        title: changes.title.as_deref().map(title::title).transpose()?,
        description: changes.description.as_deref().map(title::description).transpose()?,
        tags: changes.tags.as_deref().map(title::tags).transpose()?,
        visibility: changes.visibility.as_deref().map(|word| origin.new_visibility(word)).transpose()?,
    };
    let video = origin.store.videos.edit(&id, &edit).await?.ok_or_else(unknown_video)?;
    Ok(json(StatusCode::OK, &Document::of(&origin, &asker, video).await?))
}

/// Deletes a video and all that belongs to it.
pub(crate) async fn delete(State(origin): State<Origin>, UrlPath(id): UrlPath<String>) -> Result<Response> {
    let id = known(&id)?;
    // To the end, also when the client does not wait: half a deletion would leave blobs until the next start.
    let store = origin.store.clone();
    if !origin.run_to_completion(async move { Ok(store.delete(&id).await?) }).await? {
        return Err(unknown_video().into());
    }
    Ok(no_content())
}

/// Starts a failed video again.
pub(crate) async fn retry(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
) -> Result<Response> {
    let id = known(&id)?;
    let started = origin.store.videos.retry(&id).await?;
    let document = Document::find(&origin, &asker, &id).await?.ok_or_else(unknown_video)?;
    if !started {
        let detail = "Only a failed video can be tried again.";
        return Err(Problem::new(StatusCode::CONFLICT, "not_failed", detail).into());
    }
    Ok(json(StatusCode::ACCEPTED, &document))
}

/// Ends the work on a video.
pub(crate) async fn cancel(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
) -> Result<Response> {
    let id = known(&id)?;
    let failure = Failure { code: "cancelled".to_owned(), message: CANCELLED.to_owned() };
    let cancelled = origin.store.videos.cancel(&id, &failure).await?;
    let document = Document::find(&origin, &asker, &id).await?.ok_or_else(unknown_video)?;
    if !cancelled {
        let detail = "Only a video that is being worked on can be cancelled; delete others instead.";
        return Err(Problem::new(StatusCode::CONFLICT, "not_in_work", detail).into());
    }
    Ok(json(StatusCode::OK, &document))
}

/// Returns the videos that a list shows to the asker.
fn shown(asker: &Asker, page: &PageQuery) -> Result<Shown> {
    let narrowed: fn(UserId) -> Shown = match (page.owner.as_deref(), page.shared.as_deref()) {
        (None, None) => return Ok(Shown::to(&asker.viewer)),
        (Some("me"), None) => Shown::Of,
        (None, Some("me")) => Shown::SharedWith,
        (Some("me"), Some("me")) => {
            let detail =
                "`owner` and `shared` exclude each other: a person's own videos are not shared with them.";
            return Err(bad_request("invalid_query", detail));
        }
        (Some(_), None | Some("me")) => return Err(bad_request("invalid_owner", "`owner` must be `me`.")),
        (_, Some(_)) => return Err(bad_request("invalid_shared", "`shared` must be `me`.")),
    };
    match &asker.viewer {
        // Without accounts all videos are everybody's.
        Viewer::Everyone => Ok(Shown::All),
        viewer => match viewer.user() {
            Some(id) => Ok(narrowed(id.clone())),
            None => Err(Problem::new(StatusCode::UNAUTHORIZED, "sign_in_required", "Sign in first.").into()),
        },
    }
}

impl Origin {
    fn new_visibility(&self, word: &str) -> Result<NewVisibility> {
        if self.config.access == Access::Open {
            let detail = "Without accounts all videos are public; set accounts = \"on\" first.";
            return Err(bad_request("accounts_off", detail));
        }
        let visibility = Visibility::read(word).ok_or_else(|| {
            bad_request("invalid_visibility", "`visibility` must be public, unlisted or private.")
        })?;
        Ok(NewVisibility { visibility, tickets_from: self.tickets_from(SystemTime::now()) })
    }
}

/// Reads an id from a URL; what is not one names no video.
pub(crate) fn known(id: &str) -> Result<VideoId> {
    id.parse().map_err(|_| unknown_video().into())
}

pub(crate) fn not_json() -> Error {
    let detail = "Changes come as application/json.";
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail).into()
}

pub(crate) fn is_json(request: &Request) -> bool {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // RFC 7396's type means what is done here: members that are absent stay.
    kind == "application/json" || kind == "application/merge-patch+json"
}

fn encode_cursor(cursor: &Cursor) -> String {
    format!("{}-{}", cursor.created_at.0, cursor.id)
}

fn decode_cursor(text: &str) -> Option<Cursor> {
    let (time, id) = text.split_once('-')?;
    Some(Cursor { created_at: Timestamp(time.parse().ok()?), id: id.parse().ok()? })
}
