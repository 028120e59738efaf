//! Answers with documents that are true now and maybe not in a second, and answers without one. No cache keeps either.

use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{Problem, Response, body};

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Returns a response with `document` as JSON (RFC 8259).
pub fn json(status: StatusCode, document: &impl Serialize) -> Response {
    let text = match serde_json::to_vec(document) {
        Ok(text) => text,
        Err(error) => {
            tracing::error!(%error, "cannot write a document");
            return Problem::internal().into();
        }
    };
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    response
}

/// Returns a 204: it is done.
pub fn no_content() -> Response {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response
}
