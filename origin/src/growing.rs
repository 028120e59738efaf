//! Answers with a segment while it is encoded. An encoder that ends early, or is lost with Redis, is followed by another, whose bytes
//! are the same: the answer goes on with what is published. Leaves the wait for the first chunk to `playback`.

use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, header};
use server::{Response, body};
use store::{BrokenOff, ChunkReader};
use tokio::time::{sleep, timeout};

use crate::{Origin, Path};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Waits for a segment, one after the other: a killed worker's lease runs out, and the next one encodes it.
const WAITS: u32 = 3;

struct Growing {
    origin: Origin,
    key: String,
    chunks: ChunkReader,
    sent: Vec<Bytes>,
    is_over: bool,
}

/// Answers with a segment as its chunks come. It has no length and no validators yet, so a range of it is all of it
/// (RFC 9110 §14.2), and one that breaks off is an incomplete message, which no cache keeps (RFC 9111 §3.3).
pub(crate) fn answer(origin: Origin, path: &Path, chunks: ChunkReader) -> Response {
    let growing = Growing { origin, key: path.key(), chunks, sent: Vec::new(), is_over: false };
    let chunks = stream::unfold(growing, async |mut growing| Some((growing.next().await?, growing)));
    let mut response = Response::new(body::stream(chunks));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(path.file.content_type()));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(path.file.cache_control()));
    response
}

impl Growing {
    async fn next(&mut self) -> Option<Result<Bytes, BrokenOff>> {
        if self.is_over {
            return None;
        }
        match self.chunks.next().await? {
            Ok(chunk) => {
                self.sent.push(chunk.clone());
                Some(Ok(chunk))
            }
            Err(broken_off) => {
                self.is_over = true;
                Some(self.rest().await.ok_or(broken_off))
            }
        }
    }

    /// Waits until the segment is published. Returns what of it was not sent; `None` where it does not begin with what was.
    async fn rest(&self) -> Option<Bytes> {
        let published = async {
            loop {
                match self.origin.store.blobs.read(&self.key).await {
                    Ok(Some(segment)) => return segment,
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!(%error, key = self.key, "cannot look for the rest of a segment");
                    }
                }
                sleep(LOOK_EVERY).await;
            }
        };
        let segment = timeout(self.origin.config.segment_wait * WAITS, published).await.ok()?;
        let sent = self.sent.concat();
        segment.starts_with(&sent).then(|| segment.slice(sent.len()..))
    }
}
