//! Cross-origin access: the requests that pages of other origins may send, and the headers of a player and of tus that
//! they may send and read.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use server::{
    Problem,
    cors::{Policy, expose, preflight},
    site::Sender,
};

use crate::Origin;

// One policy for all URLs: what a header means is decided where it is read.
const POLICY: Policy = Policy {
    methods: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
    allow: "Authorization, Content-Type, Range, If-Range, If-Match, If-None-Match, If-Modified-Since, \
            If-Unmodified-Since, Idempotency-Key, Last-Event-ID, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, \
            Upload-Checksum, Upload-Defer-Length, Upload-Concat, X-HTTP-Method-Override, X-Requested-With, \
            X-Request-ID, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status",
    expose: "Accept-Ranges, Allow, Content-Encoding, Content-Length, Content-Range, Date, ETag, Location, \
             Retry-After, Tus-Checksum-Algorithm, Tus-Extension, Tus-Max-Size, Tus-Resumable, Tus-Version, \
             Upload-Expires, Upload-Length, Upload-Limit, Upload-Metadata, Upload-Offset",
};

/// Answers preflights, and lets pages see all other answers, the errors too.
///
/// Playback is open to pages of any origin. The API is open to our own page and to the origins that the
/// configuration names: without accounts nobody signs in, and any page that a person visits could else delete their
/// videos.
pub(crate) async fn allow(State(origin): State<Origin>, request: Request, next: Next) -> Response {
    let playback = !request.uri().path().starts_with("/api/");
    if !playback && origin.config.site.sender(&request) == Sender::Foreign && !origin.allows(&request) {
        let detail = "Pages of other origins may not call this API, unless the server's api_origins names them. \
                      Behind a proxy, set public_url to the address that browsers show.";
        let problem = Problem::new(StatusCode::FORBIDDEN, "foreign_origin", detail);
        return server::Response::from(problem).into_response();
    }
    if let Some(answer) = preflight(request.method(), request.headers(), POLICY) {
        return answer.into_response();
    }
    let mut response = next.run(request).await;
    expose(response.headers_mut(), POLICY);
    response
}

impl Origin {
    fn allows(&self, request: &Request) -> bool {
        let asking = request.headers().get(header::ORIGIN).map(|value| value.to_str().unwrap_or_default());
        self.config.api_origins.iter().any(|allowed| allowed == "*" || Some(allowed.as_str()) == asking)
    }
}
