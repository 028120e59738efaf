//! In charge of bytes on their way from a request into an upload: frame by frame, so that memory stays flat,
//! never more than was promised. Leaves protocols to `tus` and `ingest`.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use server::{BoxError, body};
use store::{Append, Signal, Timestamp, VideoId};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::Instant,
};

use crate::{
    Origin,
    error::{Error, Result},
};

// How often watchers hear of progress, and how often the upload is kept from expiring.
const TELL_EVERY: Duration = Duration::from_secs(1);
const EXTEND_EVERY: Duration = Duration::from_mins(1);
// Shorter than a client that comes back after its connection broke waits before it gives up, and longer than a
// connection that lives is likely to say nothing.
const SILENCE: Duration = Duration::from_secs(1);

/// What came over the line.
pub(crate) enum Received {
    /// All of it.
    Whole,
    /// More than the limit; what fits is written.
    TooMuch,
}

/// A request's body as a stream of its bytes.
pub(crate) fn bytes(
    body: axum::body::Body,
) -> impl Stream<Item = std::result::Result<Bytes, BoxError>> + Unpin {
    body.into_data_stream().map_err(Into::into)
}

/// Says how long a request's body is, where that is known beforehand.
pub(crate) fn content_length(body: &axum::body::Body) -> Option<u64> {
    http_body::Body::size_hint(body).exact()
}

impl Origin {
    /// Appends `bytes` to the upload `id`, up to the offset `limit`, showing each piece to `seen`.
    ///
    /// When the client goes away, or has nothing to say while another wants to go on, what it sent is on the disk
    /// before the error is returned.
    pub(crate) async fn receive<S, E>(
        &self,
        id: &VideoId,
        append: &mut Append,
        from: Incoming<'_, S>,
    ) -> Result<Received>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
        E: Into<BoxError>,
    {
        let Incoming { mut bytes, limit, rest, seen } = from;
        let mut told = Instant::now();
        let mut extended = Instant::now();
        let mut wanted = self.store.signals.takeover_requests();
        loop {
            let next = tokio::select! {
                next = bytes.try_next() => next.map_err(|e| Error::Body(body::Error::from(e.into()))),
                () = takeover_while_idle(&mut wanted, id) => Err(Error::Takeover),
            };
            let piece = match next {
                Ok(Some(piece)) => piece,
                Ok(None) => return Ok(Received::Whole),
                Err(error) => {
                    append.sync().await?;
                    return Err(error);
                }
            };
            let room = limit - append.offset();
            if piece.len() as u64 > room {
                append.write(&piece[..room as usize]).await?;
                return Ok(Received::TooMuch);
            }
            seen(&piece);
            append.write(&piece).await?;
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                self.store.signals.publish(Signal::Changed(id.clone()));
            }
            if extended.elapsed() >= EXTEND_EVERY {
                extended = Instant::now();
                self.store.uploads.extend(id, Timestamp::now() + rest).await?;
            }
        }
    }
}

/// Returns when somebody wants the upload `id`, but not before there was a silence.
async fn takeover_while_idle(wanted: &mut broadcast::Receiver<VideoId>, id: &VideoId) {
    tokio::time::sleep(SILENCE).await;
    // Who asked before that may have given up.
    *wanted = wanted.resubscribe();
    loop {
        match wanted.recv().await {
            Ok(upload) if upload == *id => return,
            // Who wants it says so again.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Where [`Origin::receive`] takes bytes from.
pub(crate) struct Incoming<'a, S> {
    /// The bytes.
    pub(crate) bytes: S,
    /// The offset that must not be passed.
    pub(crate) limit: u64,
    /// How long the upload may rest once nothing comes any more.
    pub(crate) rest: Duration,
    /// Sees every piece; for checksums.
    pub(crate) seen: &'a mut (dyn FnMut(&[u8]) + Send),
}
