//! The errors of a request, and the one place that turns them into answers.

use axum::response::IntoResponse;
use http::StatusCode;
use server::{Problem, body};

/// The result of every handler.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The client gets exactly this.
    #[error("{} {}", .0.status(), .0.code())]
    Refused(Box<Problem>),
    /// The request's body could not be read.
    #[error(transparent)]
    Body(#[from] body::Error),
    /// Another request took the upload over.
    #[error("another request goes on with the upload")]
    Takeover,
    /// The file is of a kind that is neither a video nor a sound.
    #[error("the file is {0}")]
    NoMedia(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Compressing or reading failed.
    #[error("cannot make the answer: {0}")]
    Io(#[from] std::io::Error),
    /// The work died under the request.
    #[error("the work was interrupted: {0}")]
    Interrupted(tokio::task::JoinError),
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl From<Box<Problem>> for Error {
    fn from(problem: Box<Problem>) -> Self {
        Self::Refused(problem)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(problem) => *problem,
            Error::Body(body::Error::Stalled(_)) => {
                let detail = "The request's body stopped coming.";
                Self::new(StatusCode::REQUEST_TIMEOUT, "body_stalled", detail)
            }
            Error::Body(body::Error::TooLarge { limit }) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("The request's body may have at most {limit} bytes."),
            ),
            Error::Body(body::Error::Broken(cause)) => {
                // Clients go away all the time: no event for an operator.
                tracing::debug!(cause, "a request's body broke off");
                Self::new(StatusCode::BAD_REQUEST, "body_broken", "The request's body broke off.")
            }
            Error::NoMedia(kind) => {
                let detail = format!("This is {kind}, not a video and not a sound. Choose another file.");
                Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_media", detail)
            }
            Error::Store(store::Error::StorageFull { what }) => {
                tracing::error!(what, "no room left");
                insufficient_storage()
            }
            // The video was deleted between the look and the write, which is the same to a client as before the look.
            Error::Store(store::Error::Gone(_)) => unknown_video(),
            Error::Store(store::Error::Edited { revision, .. }) => server::revision::edited(revision),
            Error::Takeover | Error::Store(store::Error::TakenOver(_)) => {
                let detail = "Another request is uploading to this address.";
                Self::new(StatusCode::LOCKED, "upload_locked", detail).retry_after(1)
            }
            // A failover takes seconds: Retry-After has players and tus clients come back, where a 500 may end them.
            Error::Store(store::Error::Unavailable { .. }) => {
                tracing::warn!(%error, "a request found a server unavailable");
                let detail =
                    "A part of the server is unavailable for the moment. Everything stored stays; try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_away", detail).retry_after(2)
            }
            Error::Store(_) | Error::Io(_) | Error::Interrupted(_) => {
                tracing::error!(%error, "a request failed");
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> axum::response::Response {
        server::Response::from(Problem::from(self)).into_response()
    }
}

pub(crate) fn unknown_video() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_video", "There is no such video.")
}

pub(crate) fn insufficient_storage() -> Problem {
    let detail = "The server has no room for this. What it has stored of it stays.";
    // RFC 4918 §11.5: temporary, so a tus client may go on once there is room.
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "insufficient_storage", detail)
}

pub(crate) fn bad_request(code: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Problem::new(StatusCode::BAD_REQUEST, code, detail).into()
}

pub(crate) fn upload_too_large(limit: u64) -> Error {
    let detail = format!("An upload may have at most {limit} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "upload_too_large", detail).into()
}
