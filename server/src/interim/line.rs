//! In charge of interim answers on an HTTP/1.1 connection: they are slipped in where its writer has nothing under way.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use futures::task::AtomicWaker;
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Goal, Interim, MOST, WAY, Way};

/// What waits to go out on an HTTP/1.1 connection in front of its next answer.
#[derive(Debug, Default)]
pub(crate) struct Line {
    /// Somebody may send, or something waits. Most requests leave it as it is and look no further.
    busy: AtomicBool,
    waiting: Mutex<Waiting>,
    connection: AtomicWaker,
}

#[derive(Debug, Default)]
struct Waiting {
    /// The number of the request that is being answered.
    request: u64,
    bytes: BytesMut,
}

impl Line {
    /// Runs `work`, which answers this line's requests.
    pub(crate) fn scope<F: Future>(self: &Arc<Self>, work: F) -> impl Future<Output = F::Output> + use<F> {
        WAY.scope(Way::Line(self.clone()), work)
    }

    pub(super) fn interim(self: &Arc<Self>) -> Interim {
        self.busy.store(true, Ordering::Release);
        let request = self.waiting().request;
        Interim(Goal::Line { line: self.clone(), request })
    }

    pub(super) fn put(&self, request: u64, status: StatusCode, headers: &HeaderMap) {
        let mut waiting = self.waiting();
        if waiting.request != request {
            return;
        }
        let bytes = encode(status, headers);
        if waiting.bytes.len() + bytes.len() <= MOST {
            waiting.bytes.extend_from_slice(&bytes);
        }
        drop(waiting);
        self.connection.wake();
    }

    /// Notes that the request in its turn has its last answer.
    pub(super) fn answered(&self) {
        if self.busy.load(Ordering::Acquire) {
            let mut waiting = self.waiting();
            waiting.request += 1;
            self.busy.store(!waiting.bytes.is_empty(), Ordering::Release);
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn encode(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(name.as_ref());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// A stream that says what waits on its line whenever its writer has nothing of its own under way.
#[derive(Debug)]
pub(crate) struct Spoken<T> {
    stream: T,
    line: Arc<Line>,
    /// The writer has flushed, and written nothing since.
    quiet: bool,
}

impl<T: AsyncWrite + Unpin> Spoken<T> {
    pub(crate) fn new(stream: T) -> (Self, Arc<Line>) {
        let line = Arc::<Line>::default();
        (Self { stream, line: line.clone(), quiet: true }, line)
    }

    fn poll_speak(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waiting = self.line.waiting();
        while !waiting.bytes.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &waiting.bytes))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            waiting.bytes.advance(written);
        }
        Poll::Ready(Ok(()))
    }

    /// Says what waits, in front of what is about to be written. In the middle of another answer it is too late.
    fn poll_before_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.line.busy.load(Ordering::Acquire) {
            if self.quiet {
                ready!(self.poll_speak(cx))?;
            } else {
                self.line.waiting().bytes.clear();
            }
        }
        self.quiet = false;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Spoken<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Spoken<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_before_write(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_before_write(cx))?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes at the end of each of its turns, once all that it had to write is written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.quiet = true;
        if self.line.busy.load(Ordering::Acquire) {
            self.line.connection.register(cx.waker());
            ready!(self.poll_speak(cx))?;
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Version, header};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;
    use crate::interim::{answered, tests::hint};

    fn spoken() -> (Spoken<DuplexStream>, Arc<Line>, DuplexStream) {
        let (near, far) = tokio::io::duplex(1 << 20);
        let (spoken, line) = Spoken::new(near);
        (spoken, line, far)
    }

    async fn heard(stream: Spoken<DuplexStream>, mut far: DuplexStream) -> String {
        drop(stream);
        let mut heard = String::new();
        far.read_to_string(&mut heard).await.unwrap();
        heard
    }

    #[tokio::test]
    async fn a_hint_goes_out_in_front_of_its_answer_or_not_at_all() {
        let (mut stream, line, far) = spoken();
        let answering = line.scope(async {
            let to = Interim::of(Version::HTTP_11).unwrap();
            hint(&to, "early");
            answered();
            hint(&to, "late");
            stream.write_all(b"the answer").await.unwrap();
            hint(&to, "later");
            stream.flush().await.unwrap();
        });
        answering.await;
        let heard = heard(stream, far).await;
        assert_eq!(heard, "HTTP/1.1 103 Early Hints\r\nlink: early\r\n\r\nthe answer");
    }

    #[tokio::test]
    async fn no_hint_goes_into_the_middle_of_what_is_being_written() {
        let (mut stream, line, far) = spoken();
        let answering = line.scope(async {
            stream.write_all(b"one ans").await.unwrap();
            hint(&Interim::of(Version::HTTP_11).unwrap(), "of the next");
            stream.write_all(b"wer").await.unwrap();
            stream.flush().await.unwrap();
        });
        answering.await;
        assert_eq!(heard(stream, far).await, "one answer");
    }

    #[tokio::test]
    async fn a_client_that_takes_none_is_not_kept_many() {
        let (stream, line, _far) = spoken();
        line.scope(async {
            let to = Interim::of(Version::HTTP_11).unwrap();
            (0..1000).for_each(|_| hint(&to, &"x".repeat(1000)));
        })
        .await;
        let kept = stream.line.waiting().bytes.len();
        assert!((MOST / 2..=MOST).contains(&kept), "{kept}");
    }

    #[tokio::test]
    async fn only_hints_are_sent_and_none_over_http_1_0() {
        let (mut stream, line, far) = spoken();
        assert!(Interim::of(Version::HTTP_11).is_none(), "nobody is being answered");
        let answering = line.scope(async {
            assert!(Interim::of(Version::HTTP_10).is_none());
            let to = Interim::of(Version::HTTP_11).unwrap();
            for status in [StatusCode::CONTINUE, StatusCode::SWITCHING_PROTOCOLS, StatusCode::OK] {
                to.send(status, HeaderMap::new());
            }
            let length = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from_static("7"))]);
            to.send(StatusCode::PROCESSING, length);
            stream.flush().await.unwrap();
        });
        answering.await;
        assert_eq!(heard(stream, far).await, "HTTP/1.1 102 Processing\r\n\r\n");
    }
}
