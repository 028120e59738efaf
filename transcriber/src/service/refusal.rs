//! Errors in OpenAI's shape, and of the one place that turns the transcriber's errors into them.

use axum::{
    Json,
    extract::{
        Request,
        multipart::{MultipartError, MultipartRejection},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use server::{
    body,
    site::{Sender, Site},
};
use utoipa::ToSchema;

use crate::Error;

/// The result of every handler.
pub(super) type Result<T> = std::result::Result<T, Refusal>;

/// A refusal as OpenAI writes it.
#[derive(Serialize, ToSchema)]
#[schema(as = SpeechRefusal)]
pub(super) struct Document {
    error: Details,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SpeechRefusalDetails)]
struct Details {
    message: String,
    r#type: &'static str,
    #[schema(required)]
    param: Option<&'static str>,
    code: &'static str,
}

/// Why a request is not answered as it was meant.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    code: &'static str,
    parameter: Option<&'static str>,
    message: String,
    retry_after_seconds: Option<u32>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let kind = match status {
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        let message = message.into();
        Self { status, kind, code, parameter: None, message, retry_after_seconds: None }
    }

    /// The request is wrong as a whole.
    pub(super) fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// One of the request's parameters is wrong.
    pub(super) fn parameter(name: &'static str, message: impl Into<String>) -> Self {
        Self { parameter: Some(name), ..Self::plain("invalid_value", message) }
    }

    /// Another model is here.
    pub(super) fn unknown_model(asked: &str, here: &str) -> Self {
        let message = format!("there is no model `{asked}`; this server has `{here}`");
        let refusal = Self::new(StatusCode::NOT_FOUND, "model_not_found", message);
        Self { parameter: Some("model"), ..refusal }
    }

    /// Too many wait.
    pub(super) fn busy(waiting: usize, seconds: u32) -> Self {
        let message = format!("too many sounds wait: {waiting} may; try again in a while");
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message);
        Self { retry_after_seconds: Some(seconds), ..refusal }
    }

    /// The sound has more bytes than are taken.
    pub(super) fn too_large(most: u64) -> Self {
        let message = format!("the sound may have at most {most} bytes; send it compressed, or in parts");
        let refusal = Self::new(StatusCode::PAYLOAD_TOO_LARGE, "file_too_large", message);
        Self { parameter: Some("file"), ..refusal }
    }

    /// The form did not come whole.
    pub(super) fn form(error: MultipartError, most: u64) -> Self {
        if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return Self::too_large(most);
        }
        let text = error.body_text();
        match body::Error::from(Box::new(error) as server::BoxError) {
            body::Error::Stalled(_) => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "body_stalled", "the form stopped coming")
            }
            body::Error::TooLarge { .. } => Self::too_large(most),
            body::Error::Broken(_) => Self::plain("invalid_form", format!("the form is not whole: {text}")),
        }
    }

    pub(super) fn unknown_path() -> Self {
        let message = "there is nothing at this address; see /v1/models and /v1/audio/transcriptions";
        Self::new(StatusCode::NOT_FOUND, "unknown_url", message)
    }

    pub(super) fn wrong_method() -> Self {
        let message = "this address does not take this method; the Allow header says which it takes";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }
}

impl From<MultipartRejection> for Refusal {
    fn from(_: MultipartRejection) -> Self {
        Self::plain("invalid_form", "a form is expected: multipart/form-data with the sound as `file`")
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        match &error {
            Error::Language { .. } => Self::parameter("language", error.to_string()),
            Error::Request(_) => Self::plain("invalid_request", error.to_string()),
            Error::NoSound | Error::Unreadable(_) => Self::parameter("file", error.to_string()),
            Error::TooLong { .. } => {
                Self { parameter: Some("file"), ..Self::plain("sound_too_long", error.to_string()) }
            }
            Error::NoRuntime { .. } | Error::Runtime { .. } | Error::NoModel { .. } | Error::Model { .. } => {
                tracing::warn!(%error, "no model for a request");
                let message = "this server waits for its speech model; `clipcut model check` there says what is missing";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "model_missing", message)
            }
            Error::Interrupted => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "interrupted", "the server is shutting down")
            }
            Error::Io(cause) if cause.kind() == std::io::ErrorKind::StorageFull => {
                tracing::error!(%error, "no room for a sound");
                Self::new(
                    StatusCode::INSUFFICIENT_STORAGE,
                    "insufficient_storage",
                    "the server has no room for the sound",
                )
            }
            _ => {
                tracing::error!(%error, "a request failed");
                let message = "the server made a mistake; its log says which";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", message)
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { message, kind, parameter, code, .. } = self;
        let document = Document { error: Details { message, r#type: kind, param: parameter, code } };
        let mut response = (self.status, Json(document)).into_response();
        let headers = response.headers_mut();
        // RFC 9110 §15.1: caches may keep a 404 or 405 that is not marked, and the model may come any minute.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Refuses requests of other origins' pages: nobody signs in yet, so any page that a person visits could else set
/// their machine to work.
pub(super) async fn foreign_pages(request: Request, next: Next) -> Response {
    if Site::default().sender(&request) == Sender::Foreign {
        let message = "pages of other origins may not call this API";
        return Refusal::new(StatusCode::FORBIDDEN, "foreign_origin", message).into_response();
    }
    next.run(request).await
}
