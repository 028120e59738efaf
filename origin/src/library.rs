//! The library: showing, editing, deleting and retrying videos. Leaves lists of them to `listing`.

use std::time::SystemTime;

use axum::extract::{Path as UrlPath, Request, State};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use server::{
    Problem, Response, body,
    document::{json, no_content},
    revision,
};
use store::{Edit, Failure, NewVisibility, VideoId, Visibility};
use utoipa::ToSchema;

use crate::{
    Access, Document, Origin,
    asker::Asker,
    error::{Error, Result, bad_request, unknown_video},
    schema::visibilities,
    title,
};

const CANCELLED: &str = "Somebody has cancelled the encoding. Try again to go on where it stopped.";
// Room for the longest description, even where each character is a pair of escapes (RFC 8259 §7).
const MOST_DOCUMENT: u64 = 64 * 1024;

/// The members that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VideoChanges)]
pub(crate) struct Changes {
    #[schema(max_length = 200)]
    title: Option<String>,
    #[schema(max_length = 5000)]
    description: Option<String>,
    #[schema(schema_with = visibilities)]
    visibility: Option<String>,
    #[schema(max_items = 20)]
    tags: Option<Vec<String>>,
}

/// Shows one video.
///
/// Its `ETag` is that of what people may change, its `revision`: for `If-Match` of an edit.
#[utoipa::path(
    get, path = "/api/v1/videos/{id}", tag = "videos", operation_id = "getVideo",
    params(("id" = String, Path, description = "The video")),
    responses(
        (status = 200, body = Document, headers(("ETag" = String, description = "The revision"))),
        (status = 404, description = "`unknown_video`"),
    ),
)]
pub(crate) async fn show(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
) -> Result<Response> {
    let document = Document::find(&origin, &asker, &known(&id)?).await?;
    Ok(tagged(&document.ok_or_else(unknown_video)?))
}

/// Changes the title, the description, the tags and the visibility, each if it is given.
#[utoipa::path(
    patch, path = "/api/v1/videos/{id}", tag = "videos", operation_id = "editVideo",
    params(
        ("id" = String, Path, description = "The video"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the document that was edited"),
    ),
    request_body = Changes,
    responses(
        (status = 200, body = Document, headers(("ETag" = String, description = "The revision"))),
        (status = 400, description = "`invalid_document`, `invalid_visibility`, `accounts_off`"),
        (status = 404, description = "`unknown_video`"),
        (status = 412, description = "`edited_meanwhile`"),
        (status = 422, description = "`invalid_text`"),
    ),
)]
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
    let seen = origin.seen(&id, request.headers()).await?;
    let bytes = body::collect(request.into_body(), MOST_DOCUMENT).await?;
    let changes: Changes =
        serde_json::from_slice(&bytes).map_err(|e| bad_request("invalid_document", e.to_string()))?;
    let edit = Edit {
        title: changes.title.as_deref().map(title::title).transpose()?,
        description: changes.description.as_deref().map(title::description).transpose()?,
        tags: changes.tags.as_deref().map(title::tags).transpose()?,
        visibility: changes.visibility.as_deref().map(|word| origin.new_visibility(word)).transpose()?,
        seen,
    };
    let video = origin.store.videos.edit(&id, &edit).await?.ok_or_else(unknown_video)?;
    Ok(tagged(&Document::of(&origin, &asker, video).await?))
}

/// Deletes a video and all that belongs to it.
#[utoipa::path(
    delete, path = "/api/v1/videos/{id}", tag = "videos", operation_id = "deleteVideo",
    params(("id" = String, Path, description = "The video")),
    responses((status = 204), (status = 404, description = "`unknown_video`")),
)]
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
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/retry", tag = "videos", operation_id = "retryVideo",
    params(("id" = String, Path, description = "The video")),
    responses(
        (status = 202, body = Document),
        (status = 404, description = "`unknown_video`"),
        (status = 409, description = "`not_failed`"),
    ),
)]
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
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/cancel", tag = "videos", operation_id = "cancelVideo",
    params(("id" = String, Path, description = "The video")),
    responses(
        (status = 200, body = Document),
        (status = 404, description = "`unknown_video`"),
        (status = 409, description = "`not_in_work`"),
    ),
)]
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

impl Origin {
    /// Returns the revision that an edit is of, where its `If-Match` names one (RFC 9110 §13.1.1).
    async fn seen(&self, id: &VideoId, headers: &HeaderMap) -> Result<Option<u64>> {
        if !headers.contains_key(header::IF_MATCH) {
            return Ok(None);
        }
        let current = self.store.videos.get(id).await?.ok_or_else(unknown_video)?.revision;
        Ok(revision::seen(headers, current)?)
    }

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

fn tagged(document: &Document) -> Response {
    revision::tagged(StatusCode::OK, document, document.revision())
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
