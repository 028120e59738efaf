//! Bodies: the one type that all roles pass around, and the bound on those that are read whole.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::{Stream, TryStreamExt};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};

/// Any error, as bodies and services carry it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of every request and response.
pub type Body = UnsyncBoxBody<Bytes, BoxError>;

/// Why a request's body could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It paused for too long, or came slower than the least rate; the answer is 408.
    #[error("the request's body paused for {0:?}, or came too slowly")]
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
        match innermost(&*error) {
            Some(Self::Stalled(span)) => Self::Stalled(*span),
            Some(Self::TooLarge { limit }) => Self::TooLarge { limit: *limit },
            _ => Self::Broken(error),
        }
    }
}

/// Returns whether an error is of a body that came too slowly, however many layers wrapped it on the way.
pub fn is_stalled(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(innermost(error), Some(Error::Stalled(_)))
}

fn innermost<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Error> {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.find_map(|error| match error.downcast_ref() {
        Some(Error::Broken(_)) | None => None,
        ours => ours,
    })
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

/// Returns the body of a message that came over HTTP/2.
pub fn received(incoming: hyper::body::Incoming) -> Body {
    Received(incoming).boxed_unsync()
}

/// A body in whose end a reset cannot hide.
struct Received(hyper::body::Incoming);

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
            // RFC 9113 §8.1: hyper ends a body that was reset with NO_ERROR as if it were whole. Half a segment is none.
            None if !self.0.is_end_stream() => Some(Err("the stream was reset before the body's end".into())),
            frame => frame.map(|frame| frame.map_err(Into::into)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Reads a whole body of at most `limit` bytes; for documents, not for media.
pub async fn collect<B>(body: B, limit: u64) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    // A Content-Length beyond the limit is refused before a byte is read, so that the client need not send them all.
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
