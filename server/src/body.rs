//! In charge of bodies: the one type that all roles pass around, and the bound on those that are read whole.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use http_body::Frame;
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};

/// Any error, as bodies and services carry it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of every request and response.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Why a request's body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No byte came for too long; the answer is 408.
    #[error("no byte of the request's body came for {0:?}")]
    Stalled(Duration),
    /// The body is longer than allowed; the answer is 413.
    #[error("the request's body is larger than {limit} bytes")]
    TooLarge {
        /// The most bytes that would have been taken.
        limit: u64,
    },
    /// The connection broke, or the framing is invalid.
    #[error("the request's body broke off: {0}")]
    Broken(BoxError),
}

impl From<BoxError> for Error {
    /// Finds out what a body's error was, however many layers wrapped it on the way.
    fn from(error: BoxError) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&*error);
        while let Some(e) = cause {
            match e.downcast_ref::<Self>() {
                Some(Self::Stalled(span)) => return Self::Stalled(*span),
                Some(Self::TooLarge { limit }) => return Self::TooLarge { limit: *limit },
                _ => cause = e.source(),
            }
        }
        Self::Broken(error)
    }
}

/// Returns a body without bytes.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Returns a body of these bytes.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// Returns a body of the bytes that `stream` yields.
pub fn stream<S, E>(stream: S) -> Body
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    StreamBody::new(stream.map_ok(Frame::data).map_err(Into::into)).boxed_unsync()
}

/// Reads a whole body of at most `limit` bytes; for documents, not for media.
pub async fn collect<B>(body: B, limit: u64) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    // A length that is told is believed before a byte is read.
    if body.size_hint().lower() > limit {
        return Err(Error::TooLarge { limit });
    }
    let mut body = std::pin::pin!(body);
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|e| Error::from(e.into()))?;
        // Trailers are not used by any of our documents.
        let Ok(data) = frame.into_data() else { continue };
        if (bytes.len() + data.len()) as u64 > limit {
            return Err(Error::TooLarge { limit });
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_up_to_the_limit_is_read_whole() {
        let chunks = stream::iter([Ok::<_, BoxError>(Bytes::from("ab")), Ok(Bytes::from("cd"))]);
        assert_eq!(collect(super::stream(chunks), 4).await.unwrap(), "abcd");
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_also_without_a_length() {
        let chunks = stream::iter([Ok::<_, BoxError>(Bytes::from("ab")), Ok(Bytes::from("cd"))]);
        assert!(matches!(collect(super::stream(chunks), 3).await, Err(Error::TooLarge { limit: 3 })));
        assert!(matches!(collect(full("abcd"), 3).await, Err(Error::TooLarge { limit: 3 })));
    }
}
