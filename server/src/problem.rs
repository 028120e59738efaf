//! Errors as clients see them: RFC 9457 `application/problem+json`.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Response, body};

/// A problem's document (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// `about:blank`: the title is the status's own phrase, and `code` names the kind.
    #[schema(example = "about:blank")]
    r#type: &'static str,
    #[schema(example = "Not Found")]
    title: &'static str,
    #[schema(minimum = 400, maximum = 599, example = 404)]
    status: u16,
    /// Stable, for programs.
    #[schema(pattern = "^[a-z0-9_]+$", example = "unknown_video")]
    code: Cow<'static, str>,
    /// A sentence for people.
    #[schema(example = "There is no such video.")]
    detail: Cow<'static, str>,
}

/// The error in a response: a status, a stable code for programs, a sentence for people.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    headers: HeaderMap,
}

impl Problem {
    /// Makes a problem. `code` is stable and `snake_case`; `detail` is a sentence that a person understands.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        let mut headers = HeaderMap::new();
        // An error is about now: the segment may be there in a second. Caches that want to remember it
        // nevertheless, as an edge does for a moment, have rules of their own.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { status, code: code.into(), detail: detail.into(), headers }
    }

    /// The problem of everything that is our fault. It never shows its cause: that belongs in the log.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "The server made a mistake; its log says which.",
        )
    }

    /// Adds a header, in place of one of the same name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds `Retry-After`: players and proxies wait that long before they try again.
    #[must_use]
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, seconds.into())
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the sentence for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        // RFC 9457 §4.2.1: with `about:blank` the title is the status's own phrase. `code` names the kind.
        // 460, tus's "Checksum Mismatch", has no phrase in the registry.
        let document = ProblemDocument {
            r#type: "about:blank",
            title: problem.status.canonical_reason().unwrap_or("Request Failed"),
            status: problem.status.as_u16(),
            code: problem.code,
            detail: problem.detail,
        };
        let text = serde_json::to_vec(&document).expect("texts and a number are always JSON");
        let mut response = Self::new(body::full(text));
        *response.status_mut() = problem.status;
        *response.headers_mut() = problem.headers;
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_problem_is_a_document_with_its_headers() {
        let problem =
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_yet", "Wait a moment.").retry_after(1);
        let response = Response::from(problem);
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        let bytes = body::collect(response.into_body(), 1000).await.unwrap();
        let document: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            document,
            json!({
                "type": "about:blank", "title": "Service Unavailable", "status": 503,
                "code": "not_yet", "detail": "Wait a moment.",
            })
        );
    }
}
