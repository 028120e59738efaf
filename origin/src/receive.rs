//! The bytes of a request on their way into an upload: frame by frame, so that memory stays flat, and never past the
//! limit. Leaves protocols to `tus` and `ingest`.

use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use server::{BoxError, body};
use store::{Append, Signal, Timestamp, UserId, VideoId};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::Instant,
};

use crate::{
    Origin,
    error::{Error, Result},
    file_head::FileHead,
};

// A document a second is smooth enough for a progress bar; the expiry is counted in hours.
const PUBLISH_EVERY: Duration = Duration::from_secs(1);
const EXTEND_EVERY: Duration = Duration::from_mins(1);
// Shorter than clients wait before they give up on a broken connection's upload, and longer than a living connection
// is likely to pause.
const IDLE: Duration = Duration::from_secs(1);

/// The outcome of receiving a body.
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

/// Returns the length of a request's body, where that is known beforehand.
pub(crate) fn content_length(body: &axum::body::Body) -> Option<u64> {
    http_body::Body::size_hint(body).exact()
}

impl Origin {
    /// Appends `bytes` to the upload `id`, up to the offset `limit`, showing each piece to `seen`. A file whose head shows
    /// that it is no media is an error, before the rest of it is read.
    ///
    /// When the client goes away, or is idle while another request asks for the upload, its bytes are on the disk
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
        let Incoming { mut bytes, limit, rest, owner, seen } = from;
        let mut published = Instant::now();
        let mut extended = Instant::now();
        let mut head = (append.offset() == 0).then(FileHead::default);
        let mut takeovers = self.store.signals.takeover_requests();
        loop {
            let next = tokio::select! {
                next = bytes.try_next() => next.map_err(|e| Error::Body(body::Error::from(e.into()))),
                () = takeover_while_idle(&mut takeovers, id) => Err(Error::Takeover),
            };
            let piece = match next {
                Ok(Some(piece)) => piece,
                Ok(None) => return Ok(Received::Whole),
                Err(error) => {
                    append.sync().await?;
                    return Err(error);
                }
            };
            // The limit may have been lowered below what an upload without a length has stored already.
            let room = limit.saturating_sub(append.offset());
            if piece.len() as u64 > room {
                append.write(&piece[..room as usize]).await?;
                return Ok(Received::TooMuch);
            }
            if let Some(kind) = head.as_mut().and_then(|head| head.add(&piece)) {
                return Err(Error::NoMedia(kind));
            }
            seen(&piece);
            append.write(&piece).await?;
            if published.elapsed() >= PUBLISH_EVERY {
                published = Instant::now();
                self.store.signals.publish(Signal::Progress(id.clone()));
                // Several at once share what is left of a quota.
                if owner.is_some() {
                    self.store.quotas.count_upload(id, append.offset()).await?;
                    self.admit(owner, 0).await?;
                }
            }
            if extended.elapsed() >= EXTEND_EVERY {
                extended = Instant::now();
                self.store.uploads.extend(id, Timestamp::now() + rest).await?;
            }
        }
    }
}

/// Returns when another request asks for the upload `id`, but not before the connection was idle.
async fn takeover_while_idle(requests: &mut broadcast::Receiver<VideoId>, id: &VideoId) {
    tokio::time::sleep(IDLE).await;
    // A request from before that may have given up.
    *requests = requests.resubscribe();
    loop {
        match requests.recv().await {
            Ok(upload) if upload == *id => return,
            // A lost request is repeated by its sender.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// The source and the bounds of [`Origin::receive`].
pub(crate) struct Incoming<'a, S> {
    /// The bytes.
    pub(crate) bytes: S,
    /// The offset that must not be passed.
    pub(crate) limit: u64,
    /// How long the upload may rest once nothing comes any more.
    pub(crate) rest: Duration,
    /// The person whose quota the bytes count against as they come; of an upload with a length, that is counted already.
    pub(crate) owner: Option<&'a UserId>,
    /// Sees every piece; for checksums.
    pub(crate) seen: &'a mut (dyn FnMut(&[u8]) + Send),
}
