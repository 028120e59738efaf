//! In charge of what both ends of an HTTP/2 connection (RFC 9113) do alike: taking bodies in, sending them, and noticing
//! that nobody is there any more. Over the crate h2, not hyper, which has no way for interim answers.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use h2::{Ping, PingPong, Reason, RecvStream, SendStream};
use http::{HeaderMap, header};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::io::InspectReader;
use tracing::debug;

use crate::{Body, BoxError, body};

// RFC 9113 §4.1 and RFC 8446 §5.1: a frame and its head of nine bytes fit into one record of TLS. Frames of as many bytes
// as most peers take would leave nine bytes to a record of their own.
const PIECE: usize = 16 * 1024 - 9;

/// Returns the body of a message with `headers` that comes in on `stream`.
pub fn body_of(stream: RecvStream, headers: &HeaderMap) -> Body {
    if stream.is_end_stream() {
        return body::empty();
    }
    // h2 has made sure that it is true (RFC 9113 §8.1.1).
    let told = headers.get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse().ok());
    Received { stream, left: told, data_done: false }.boxed_unsync()
}

struct Received {
    stream: RecvStream,
    left: Option<u64>,
    data_done: bool,
}

impl http_body::Body for Received {
    type Data = Bytes;
    type Error = BoxError;

    /// A stream that is reset is a body that broke off, whatever the reason (RFC 9113 §8.1): half a segment is none.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if !self.data_done {
            if let Some(data) = ready!(self.stream.poll_data(cx)) {
                return Poll::Ready(Some(match data {
                    Ok(data) => {
                        // RFC 9113 §6.9: who took the bytes has room for as many.
                        let _ = self.stream.flow_control().release_capacity(data.len());
                        self.left = self.left.map(|left| left.saturating_sub(data.len() as u64));
                        Ok(Frame::data(data))
                    }
                    Err(error) => Err(error.into()),
                }));
            }
            self.data_done = true;
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)).map_err(Into::into).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// Tells the length of `body`, if it is known and there is one (RFC 9110 §8.6).
pub fn tell_length(headers: &mut HeaderMap, body: &impl http_body::Body) {
    if let Some(len) = body.size_hint().exact().filter(|_| !body.is_end_stream()) {
        headers.entry(header::CONTENT_LENGTH).or_insert_with(|| len.into());
    }
}

/// Sends `body` on `stream`, no faster than the peer takes it. The stream is reset when the body breaks off.
pub async fn send<B>(body: B, mut stream: SendStream<Bytes>)
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if let Err(error) = send_all(body, &mut stream).await {
        debug!(error, "a stream broke");
        // With NO_ERROR some would take what they have for the whole body.
        stream.send_reset(Reason::INTERNAL_ERROR);
    }
}

async fn send_all<B>(body: B, stream: &mut SendStream<Bytes>) -> Result<(), BoxError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut body = pin!(body);
    loop {
        let frame = poll_fn(|cx| unless_reset(stream, cx, |_, cx| body.as_mut().poll_frame(cx))).await?;
        let Some(frame) = frame else { return Ok(stream.send_data(Bytes::new(), true)?) };
        match frame.map_err(Into::into)?.into_data() {
            Ok(mut data) => {
                let last = body.is_end_stream();
                if !data.is_empty() {
                    // One byte is room enough to begin: what is asked for and not used would be missing to other
                    // streams. h2 asks for the rest itself.
                    stream.reserve_capacity(1);
                    poll_fn(|cx| unless_reset(stream, cx, poll_room)).await??;
                }
                while data.len() > PIECE {
                    stream.send_data(data.split_to(PIECE), false)?;
                }
                stream.send_data(data, last)?;
                if last {
                    return Ok(());
                }
            }
            Err(frame) => {
                if let Ok(trailers) = frame.into_trailers() {
                    return Ok(stream.send_trailers(trailers)?);
                }
            }
        }
    }
}

fn poll_room(stream: &mut SendStream<Bytes>, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
    while stream.capacity() == 0 {
        match ready!(stream.poll_capacity(cx)) {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Poll::Ready(Err(error.into())),
            None => return Poll::Ready(Err("the stream has ended".into())),
        }
    }
    Poll::Ready(Ok(()))
}

/// Polls `work`, unless the peer wants no more.
fn unless_reset<T>(
    stream: &mut SendStream<Bytes>,
    cx: &mut Context<'_>,
    work: impl FnOnce(&mut SendStream<Bytes>, &mut Context<'_>) -> Poll<T>,
) -> Poll<Result<T, BoxError>> {
    if let Poll::Ready(reason) = stream.poll_reset(cx) {
        return Poll::Ready(Err(h2::Error::from(reason?).into()));
    }
    work(stream, cx).map(Ok)
}

/// How often bytes came from a peer.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<AtomicU32>);

/// Makes `stream` count what it hears.
pub fn listen<T>(stream: T) -> (impl AsyncRead + AsyncWrite + Unpin + Send + 'static, Heard)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heard = Heard::default();
    let counts = heard.clone();
    let stream = InspectReader::new(stream, move |_: &[u8]| {
        counts.0.fetch_add(1, Relaxed);
    });
    (stream, heard)
}

/// Ends when nobody is there any more: nothing was heard for `every`, nor the answer to a ping (RFC 9113 §6.7) or
/// anything else for as long again. Asks only while somebody `waits` for the peer.
pub async fn silence(mut pings: PingPong, heard: Heard, every: Duration, waits: impl Fn() -> bool) {
    let count = || heard.0.load(Relaxed);
    loop {
        let before = count();
        tokio::time::sleep(every).await;
        if count() != before || !waits() {
            continue;
        }
        let mut pong = pin!(pings.ping(Ping::opaque()));
        loop {
            let before = count();
            match tokio::time::timeout(every, &mut pong).await {
                Ok(Ok(_)) => break,
                Ok(Err(_)) => return,
                Err(_) if count() == before => return,
                Err(_) => {}
            }
        }
    }
}
