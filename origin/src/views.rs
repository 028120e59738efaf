//! Views: a player says that somebody watches a video. Leaves counting, and forgetting who it was, to the store.

use axum::extract::{Path as UrlPath, Request, State};
use server::{Response, document::no_content, site};
use store::{Timestamp, Viewer};

use crate::{
    Origin,
    asker::Asker,
    error::{Result, unknown_video},
    library::known,
};

/// Counts a view, once a viewer and day.
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/views", tag = "videos", operation_id = "countView",
    params(("id" = String, Path, description = "The video")),
    responses((status = 204), (status = 404, description = "`unknown_video`")),
)]
pub(crate) async fn count(
    State(origin): State<Origin>,
    asker: Asker,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response> {
    let id = known(&id)?;
    if origin.store.videos.rights(&id).await?.is_none() {
        return Err(unknown_video().into());
    }
    let viewer = match (asker.viewer, origin.config.site.original(&request).client) {
        (Viewer::User(user) | Viewer::Administrator(user), _) => format!("account {user}"),
        (_, Some(address)) => format!("network {}", site::network(address)),
        // Viewers without an address are counted as one.
        (_, None) => "unknown".to_owned(),
    };
    origin.store.views.count(&id, &viewer, Timestamp::now()).await?;
    Ok(no_content())
}
