//! Share links of a video: made, listed and revoked by its owner.

use std::time::SystemTime;

use axum::extract::{Path as UrlPath, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{
    Problem, Response,
    document::{json, no_content},
    schema::time,
};
use store::{NewShare, Share, Timestamp, VideoId};
use utoipa::ToSchema;

use crate::{
    Origin,
    captions::read_json,
    error::{Result, bad_request, unknown_video},
    library::known,
    page::{self, Page, PageParams},
};

// Far above what a person hands out; each is a row that a list shows.
const MOST: usize = 100;

#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewShare)]
pub(crate) struct Wanted {
    /// When it is to end; never, where it is not given.
    #[schema(schema_with = time)]
    expires: Option<String>,
}

/// A link that shares a video.
#[derive(Serialize, ToSchema)]
#[schema(as = Share)]
pub(crate) struct Shown {
    id: String,
    /// A path of this server.
    link: String,
    #[schema(schema_with = time)]
    created: String,
    #[schema(required, format = DateTime)]
    expires: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ShareList)]
pub(crate) struct Listed {
    shares: Vec<Shown>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Lists the links of a video, newest first.
#[utoipa::path(
    get, path = "/api/v1/videos/{id}/shares", tag = "sharing", operation_id = "listShares",
    params(("id" = String, Path, description = "The video"), PageParams),
    responses((status = 200, body = Listed), (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`"), (status = 404, description = "`unknown_video`")),
)]
pub(crate) async fn list(
    State(origin): State<Origin>,
    UrlPath(id): UrlPath<String>,
    page: Page,
) -> Result<Response> {
    let id = known(&id)?;
    if origin.store.videos.rights(&id).await?.is_none() {
        return Err(unknown_video().into());
    }
    let found = origin.store.shares.page(&id, page.of()).await?;
    let next = page::next(&found);
    let shares = found.entries.into_iter().map(|share| Shown::of(&id, share)).collect();
    Ok(json(StatusCode::OK, &Listed { shares, next }))
}

/// Makes a link.
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/shares", tag = "sharing", operation_id = "addShare",
    params(("id" = String, Path, description = "The video")),
    request_body = Wanted,
    responses(
        (status = 201, body = Shown),
        (status = 400, description = "`invalid_document`, `invalid_time`, `too_many_shares`"),
        (status = 404, description = "`unknown_video`"),
    ),
)]
pub(crate) async fn add(
    State(origin): State<Origin>,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response> {
    let id = known(&id)?;
    let wanted: Wanted = read_json(request).await?;
    let expires_at = wanted.expires.as_deref().map(future).transpose()?;
    // Two requests at once may go beyond it by one: the bound is for lists to stay short, and guards no right.
    if origin.store.shares.of(&id).await?.len() >= MOST {
        return Err(bad_request(
            "too_many_shares",
            format!("A video has at most {MOST} links; revoke some first."),
        ));
    }
    let secret: String = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
    let new = NewShare { video: &id, secret: &secret, expires_at };
    let share = origin.store.shares.add(&new).await?.ok_or_else(unknown_video)?;
    Ok(json(StatusCode::CREATED, &Shown::of(&id, share)))
}

/// Revokes a link. Players that came by it stop within a second, wherever they are served.
#[utoipa::path(
    delete, path = "/api/v1/videos/{id}/shares/{share}", tag = "sharing", operation_id = "revokeShare",
    params(("id" = String, Path, description = "The video"), ("share" = String, Path, description = "The link's id")),
    responses((status = 204), (status = 404, description = "`unknown_video`, `unknown_share`")),
)]
pub(crate) async fn revoke(
    State(origin): State<Origin>,
    UrlPath((id, share)): UrlPath<(String, String)>,
) -> Result<Response> {
    let id = known(&id)?;
    if !origin.store.shares.revoke(&id, &share, origin.tickets_from(SystemTime::now())).await? {
        let detail = "The video has no such link; it may have been revoked.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown_share", detail).into());
    }
    Ok(no_content())
}

impl Shown {
    fn of(video: &VideoId, share: Share) -> Self {
        Self {
            id: share.id,
            link: format!("/watch/{video}?share={}", share.secret),
            created: share.created_at.rfc3339(),
            expires: share.expires_at.map(Timestamp::rfc3339),
        }
    }
}

/// Reads when a link is to end: a time that is still to come.
fn future(text: &str) -> Result<Timestamp> {
    Timestamp::future(text).ok_or_else(|| {
        let detail = "`expires` must be a time that is still to come, such as 2030-01-31T12:00:00Z.";
        bad_request("invalid_time", detail)
    })
}
