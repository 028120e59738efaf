//! The errors of a request, and the one place that turns them into answers.

use axum::response::IntoResponse;
use http::StatusCode;
use server::{Problem, body};

/// The result of every handler.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client gets exactly this.
    #[error("{}", .0.detail())]
    Refused(Box<Problem>),
    /// The request's body could not be read.
    #[error(transparent)]
    Body(#[from] body::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A hash could not be made.
    #[error("cannot hash a password: {0}")]
    Hash(String),
    /// A second factor's code could not be worked out.
    #[error("cannot work out a code: {0}")]
    Code(String),
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
            Error::Body(body::Error::TooLarge { limit }) => {
                let detail = format!("The request's body may have at most {limit} bytes.");
                Self::new(StatusCode::BAD_REQUEST, "body_too_large", detail)
            }
            Error::Body(body::Error::Stalled(_)) => {
                let detail = "The request's body stopped coming.";
                Self::new(StatusCode::REQUEST_TIMEOUT, "body_stalled", detail)
            }
            Error::Body(body::Error::Broken(_)) => {
                Self::new(StatusCode::BAD_REQUEST, "body_broken", "The request's body broke off.")
            }
            Error::Store(store::Error::Edited { revision, .. }) => server::revision::edited(revision),
            Error::Store(store::Error::Unavailable { .. }) => {
                tracing::warn!(%error, "a request found a server unavailable");
                let detail = "A part of the server is unavailable for the moment; try again.";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store_away", detail).retry_after(2)
            }
            Error::Store(_) | Error::Hash(_) | Error::Code(_) => {
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

/// A request that is understood and not well-formed.
pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Error {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail.into()).into()
}

/// A request that is not well-formed.
pub(crate) fn bad_request(code: &'static str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Problem::new(StatusCode::BAD_REQUEST, code, detail).into()
}

/// A request that is refused whoever sends it.
pub(crate) fn forbidden(code: &'static str, detail: &'static str) -> Error {
    Problem::new(StatusCode::FORBIDDEN, code, detail).into()
}

/// A name in an address that nothing has.
pub(crate) fn unknown(code: &'static str, detail: &'static str) -> Error {
    Problem::new(StatusCode::NOT_FOUND, code, detail).into()
}
