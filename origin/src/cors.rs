//! In charge of which headers pages of other origins may send and see: a player's, and those of tus.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use server::cors::{Policy, expose, preflight};

// One policy for all URLs: what a header means is decided where it is read.
const POLICY: Policy = Policy {
    methods: "GET, HEAD, POST, PATCH, DELETE, OPTIONS",
    allow: "Authorization, Content-Type, Range, If-Range, If-Match, If-None-Match, If-Modified-Since, \
            If-Unmodified-Since, Last-Event-ID, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, \
            Upload-Checksum, Upload-Defer-Length, Upload-Concat, X-HTTP-Method-Override, X-Requested-With, \
            X-Request-ID",
    expose: "Accept-Ranges, Allow, Content-Encoding, Content-Length, Content-Range, Date, ETag, Location, \
             Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, \
             Upload-Expires, Upload-Length, Upload-Metadata, Upload-Offset",
};

/// Answers preflights, and lets pages see all other answers, the errors too.
pub(crate) async fn allow(request: Request, next: Next) -> Response {
    if let Some(answer) = preflight(request.method(), request.headers(), POLICY) {
        return answer.into_response();
    }
    let mut response = next.run(request).await;
    expose(response.headers_mut(), POLICY);
    response
}
