//! Refusals: the responses of a server, or of a proxy on the way, that are no success, as errors for people.

use anyhow::Result;
use reqwest::{Response, StatusCode};
use serde::Deserialize;

/// A response that is no success.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    /// Returns whether the same request would be refused again: by its own fault, and not by the server's state.
    pub(super) fn is_final(&self) -> bool {
        // 408, 425 and 429 ask for another try; 409 and 423 are tus' answers to an offset that has moved and to an upload that
        // another request still holds.
        self.status.is_client_error() && !matches!(self.status.as_u16(), 408 | 409 | 423 | 425 | 429)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Refusal {}

/// The server's question for the code of a second factor.
#[derive(Debug)]
pub(super) struct CodeRequired;

impl std::fmt::Display for CodeRequired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the account asks for the code of its second factor")
    }
}

impl std::error::Error for CodeRequired {}

/// A problem document (RFC 9457).
#[derive(Debug, Default, Deserialize)]
struct Problem {
    code: Option<String>,
    detail: Option<String>,
    title: Option<String>,
}

/// Returns a response that is a success, and a [`Refusal`] otherwise.
pub(super) async fn refuse_errors(response: Response) -> Result<Response> {
    let (status, server) = (response.status(), response.url().origin().ascii_serialization());
    if status.is_success() {
        return Ok(response);
    }
    // A proxy's error has no problem document, so its status must do.
    let problem = response.json::<Problem>().await.unwrap_or_default();
    if problem.code.as_deref() == Some("second_factor_required") {
        return Err(CodeRequired.into());
    }
    let text = match problem.detail.or(problem.title) {
        // The kind of the file is reason enough.
        Some(detail) if status == StatusCode::UNSUPPORTED_MEDIA_TYPE => detail,
        Some(detail) => format!("the server answered {status}: {detail}"),
        None => format!("the server answered {status}"),
    };
    let login = match problem.code.as_deref() {
        Some("sign_in_required" | "invalid_token" | "insufficient_scope") => {
            format!("\n`clipcut login E-MAIL --server {server}` keeps a token for this and later uploads")
        }
        _ => String::new(),
    };
    Err(Refusal { status, text: text + &login }.into())
}

/// Whether a response is a problem document, and so of a server of ours.
pub(super) fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get("Content-Type").and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/problem+json"))
}
