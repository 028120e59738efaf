//! Share links of a video: made, listed and revoked by its owner.

use std::time::SystemTime;

use axum::extract::{Path as UrlPath, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{
    Problem, Response,
    document::{json, no_content},
};
use store::{NewShare, Share, Timestamp, VideoId};

use crate::{
    Origin,
    captions::read_json,
    error::{Result, bad_request, unknown_video},
    library::known,
};

// Far above what a person hands out; each is a row that a list shows.
const MOST: usize = 100;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    expires: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    link: String,
    created: String,
    expires: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    shares: Vec<Shown>,
}

/// Lists the links of a video.
pub(crate) async fn list(State(origin): State<Origin>, UrlPath(id): UrlPath<String>) -> Result<Response> {
    let id = known(&id)?;
    if origin.store.videos.rights(&id).await?.is_none() {
        return Err(unknown_video().into());
    }
    let shares = origin.store.shares.of(&id).await?;
    let shares = shares.into_iter().map(|share| Shown::of(&id, share)).collect();
    Ok(json(StatusCode::OK, &Listed { shares }))
}

/// Makes a link.
pub(crate) async fn add(
    State(origin): State<Origin>,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response> {
    let id = known(&id)?;
    let wanted: Wanted = read_json(request).await?;
    let expires_at = wanted.expires.as_deref().map(future).transpose()?;
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
