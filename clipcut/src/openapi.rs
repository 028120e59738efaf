//! The document of the whole API (OpenAPI 3.1): what every role answers, with the rights from the table of access.

use std::{sync::LazyLock, time::SystemTime};

use anyhow::Result;
use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::StatusCode;
use server::{
    Problem, ProblemDocument,
    content::{self, Meta},
    openapi,
};
use sha2::{Digest, Sha256};
use utoipa::OpenApi;

use crate::front_end;

const DESCRIPTION: &str = "\
Upload a video; seconds later, watch it at the quality that your connection carries.

Refusals are problem documents (RFC 9457) with a stable `code` and a sentence for people. Where a server has no accounts, of their \
operations there is `getSession` alone, and everybody may do everything. An upload is best sent by a client of tus 1.0.0.";

#[derive(OpenApi)]
#[openapi(
    paths(serve, front_end::docs),
    info(title = "Clip Cut", description = DESCRIPTION, license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(ProblemDocument)),
    tags(
        (name = "videos", description = "The library"),
        (name = "uploads", description = "Uploads that resume: tus 1.0.0"),
        (name = "captions", description = "Tracks and their cues"),
        (name = "sharing", description = "Links and people for whom a private video is"),
        (name = "playback", description = "Playlists, segments, captions and pictures; `GET` and `HEAD`"),
        (name = "session", description = "Signing up, in and out"),
        (name = "account", description = "A person's own account"),
        (name = "webhooks", description = "Other programs that are notified of what happens to videos"),
        (name = "administration", description = "For administrators"),
        (name = "speech", description = "Speech to text, in OpenAI's protocol"),
        (name = "documents", description = "This document, and a page over it"),
        (name = "health", description = "For load balancers"),
    ),
)]
struct Api;

/// The document as it is sent. The program makes it once.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let mut text = document().to_pretty_json().expect("a document of texts and numbers is always JSON");
    text.push('\n');
    text.into()
});

fn document() -> utoipa::openapi::OpenApi {
    let mut api = Api::openapi();
    api.merge(origin::openapi::document());
    api.merge(accounts::openapi::document());
    api.merge(transcriber::service::openapi::document());
    accounts::openapi::add_rights(&mut api);
    for (_, _, operation) in openapi::operations(&mut api) {
        // Before a request reaches its endpoint, and where that cannot answer.
        openapi::refuse(operation, StatusCode::BAD_REQUEST, "`invalid_request`, `invalid_target`");
        openapi::refuse(operation, StatusCode::TOO_MANY_REQUESTS, "`too_many_requests`");
        openapi::refuse(operation, StatusCode::INTERNAL_SERVER_ERROR, "`internal_error`");
        let away = "`store_away`, `too_many_connections`";
        openapi::refuse(operation, StatusCode::SERVICE_UNAVAILABLE, away);
    }
    openapi::complete(&mut api);
    api
}

/// Shows the document of the API: this one.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "documents", operation_id = "getDocument",
    responses((status = 200, body = Object, content_type = "application/json"), (status = 304)),
)]
pub(crate) async fn serve(request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let meta = Meta {
        tag: Sha256::digest(&*DOCUMENT).iter().take(12).map(|byte| format!("{byte:02x}")).collect(),
        // The tag is the validator: nobody knows when the build was made.
        modified: SystemTime::now(),
        content_type: "application/json",
        cache_control: "no-cache",
    };
    match content::answer_text(&parts, &meta, DOCUMENT.clone()).await {
        Ok(response) => response.into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot send the API's document");
            server::Response::from(Problem::internal()).into_response()
        }
    }
}

/// Prints the document.
pub(crate) fn print() -> Result<()> {
    crate::commands::configuration::write(&DOCUMENT)
}
