//! The list of videos: its filters, its order and its pages. Leaves the order itself to the store, and the text of a place in it
//! to `cursor`.

mod cursor;

use axum::extract::{Query, State, rejection::QueryRejection};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{Problem, Response, document::json};
use store::{Listing, Shown, Sort, State as VideoState, UserId, Viewer};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Document, Origin,
    asker::Asker,
    error::{Result, bad_request},
    schema::{me, sorts, states},
    title,
};

const PAGE: u32 = 50;
// A document has its renditions and captions in it: some kilobytes.
const MOST_PAGE: u32 = 100;

/// Where a page starts and how long it is.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// The videos of a page; 50 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// `me`: the asker's own alone.
    #[param(schema_with = me)]
    owner: Option<String>,
    /// `me`: those that others share with the asker alone.
    #[param(schema_with = me)]
    shared: Option<String>,
    /// The videos with one tag alone.
    #[param(max_length = 40)]
    tag: Option<String>,
    /// The videos of one state alone, such as `failed`.
    #[param(schema_with = states)]
    state: Option<String>,
    /// The order; `newest` where it is not given. Equal titles are in the order of their creation, and of equal views and lengths
    /// the newest is the first.
    #[param(schema_with = sorts)]
    sort: Option<String>,
}

/// A page of videos.
#[derive(Serialize, ToSchema)]
#[schema(as = VideoPage)]
pub(crate) struct Listed {
    videos: Vec<Document>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Lists videos, in pages.
#[utoipa::path(
    get, path = "/api/v1/videos", tag = "videos", operation_id = "listVideos",
    params(PageQuery),
    responses(
        (status = 200, body = Listed),
        (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`, `invalid_owner`, `invalid_shared`, `invalid_state`, `invalid_sort`"),
        (status = 401, description = "`sign_in_required`"),
        (status = 422, description = "`invalid_text`: the tag"),
    ),
)]
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
    let sort = match page.sort.as_deref().map(Sort::parse) {
        Some(None) => {
            let detail = "`sort` must be newest, oldest, title, views or longest.";
            return Err(bad_request("invalid_sort", detail));
        }
        Some(Some(sort)) => sort,
        None => Sort::default(),
    };
    let after = match page.cursor.as_deref().map(|text| cursor::decode(sort, text)) {
        Some(None) => {
            return Err(bad_request("invalid_cursor", "The cursor is not one that this list gave."));
        }
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
    let listing = Listing { shown: &shown, state, tag, sort, after: after.as_ref() };
    let page = origin.store.videos.list(listing, limit).await?;
    let next = page.next.as_ref().map(|next| cursor::encode(sort, next));
    let videos = Document::of_all(&origin, &asker, page.videos).await?;
    Ok(json(StatusCode::OK, &Listed { videos, next }))
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
