//! Share links of a video: made, listed and revoked by its owner.

use axum::extract::{Path, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{Response, schema::time};
use store::{NewShare, Share, Timestamp, VideoId};
use utoipa::ToSchema;

use crate::{
    Accounts, Result,
    document::{self, json, no_content},
    error::{bad_request, unknown},
    guard::unknown_video,
    page::{self, Page, PageParams},
    secret::Secret,
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
    State(accounts): State<Accounts>,
    Path(id): Path<String>,
    page: Page,
) -> Result<Response> {
    let id = accounts.known(&id).await?;
    let found = accounts.store.shares.page(&id, page.of()).await?;
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
        (status = 400, description = "`invalid_document`, `body_too_large`, `invalid_time`, `too_many_shares`"),
        (status = 404, description = "`unknown_video`"),
    ),
)]
pub(crate) async fn add(
    State(accounts): State<Accounts>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response> {
    let wanted: Wanted = document::read(request).await?;
    let id = accounts.known(&id).await?;
    let expires_at = wanted.expires.as_deref().map(future).transpose()?;
    // Two requests at once may go beyond it by one: the bound is for lists to stay short, and guards no right.
    if accounts.store.shares.of(&id).await?.len() >= MOST {
        return Err(bad_request(
            "too_many_shares",
            format!("A video has at most {MOST} links; revoke some first."),
        ));
    }
    let secret = Secret::random();
    let new = NewShare { video: &id, secret: secret.text(), expires_at };
    let share = accounts.store.shares.add(&new).await?.ok_or_else(unknown_video)?;
    Ok(json(StatusCode::CREATED, &Shown::of(&id, share)))
}

/// Revokes a link. Players that came by it stop within a second, wherever they are served.
#[utoipa::path(
    delete, path = "/api/v1/videos/{id}/shares/{share}", tag = "sharing", operation_id = "revokeShare",
    params(("id" = String, Path, description = "The video"), ("share" = String, Path, description = "The link's id")),
    responses((status = 204), (status = 404, description = "`unknown_video`, `unknown_share`")),
)]
pub(crate) async fn revoke(
    State(accounts): State<Accounts>,
    Path((id, share)): Path<(String, String)>,
) -> Result<Response> {
    let id = accounts.known(&id).await?;
    if !accounts.store.shares.revoke(&id, &share, accounts.tickets_from()).await? {
        return Err(unknown("unknown_share", "The video has no such link; it may have been revoked."));
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
