//! Liveness and readiness of an origin.

use axum::extract::State;
use server::{Response, health};

use crate::Origin;

/// Answers while the process lives.
#[utoipa::path(
    get, path = "/healthz", tag = "health", operation_id = "live",
    responses((status = 200, body = String, content_type = "text/plain")),
)]
pub(crate) async fn live() -> Response {
    health::live()
}

/// Answers while requests should be sent here.
#[utoipa::path(
    get, path = "/readyz", tag = "health", operation_id = "ready",
    responses(
        (status = 200, body = String, content_type = "text/plain"),
        (status = 503, description = "`draining`, `not_ready`"),
    ),
)]
pub(crate) async fn ready(State(origin): State<Origin>) -> Response {
    health::ready(&origin.shutdown, origin.store.ping()).await
}
