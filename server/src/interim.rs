//! In charge of interim answers (RFC 9110 §15.2), which hyper's server cannot send: they go out in front of the answer
//! that they announce. Over HTTP/1.1 only, whose connections answer one request at a time.

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
use http::{HeaderMap, StatusCode, Version, header};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

// Hints are short. What comes beyond this before the client takes any is left out.
const MOST: usize = 16 * 1024;

tokio::task_local! {
    static LINE: Arc<Line>;
}

/// Where the interim answers to one request go.
#[derive(Clone, Debug)]
pub struct Interim {
    line: Arc<Line>,
    request: u64,
}

/// What waits to go out on a connection in front of its next answer.
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

impl Interim {
    /// Returns that of the request of `version` which this task is answering. `None` where there is no way: HTTP/1.0
    /// has no interim answers, and hyper none over HTTP/2.
    pub fn of(version: Version) -> Option<Self> {
        let line = LINE.try_with(Arc::clone).ok().filter(|_| version == Version::HTTP_11)?;
        line.busy.store(true, Ordering::Release);
        let request = line.waiting().request;
        Some(Self { line, request })
    }

    /// Sends an answer, unless the last one is on its way already. hyper says 100 (Continue) itself, and 101
    /// (Switching Protocols) is no interim answer.
    pub fn send(&self, status: StatusCode, headers: &HeaderMap) {
        let mut waiting = self.line.waiting();
        if waiting.request != self.request
            || !status.is_informational()
            || matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS)
        {
            return;
        }
        let bytes = encode(status, headers);
        if waiting.bytes.len() + bytes.len() <= MOST {
            waiting.bytes.extend_from_slice(&bytes);
        }
        drop(waiting);
        self.line.connection.wake();
    }
}

fn encode(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in headers {
        // RFC 9110 §8.6 and RFC 9112 §6.1: neither is sent in a 1xx.
        if name != header::CONTENT_LENGTH && name != header::TRANSFER_ENCODING {
            bytes.extend_from_slice(name.as_ref());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Notes that the request which this task is answering has its last answer: what comes later comes too late.
pub(crate) fn answered() {
    let _ = LINE.try_with(|line| {
        if line.busy.load(Ordering::Acquire) {
            let mut waiting = line.waiting();
            waiting.request += 1;
            line.busy.store(!waiting.bytes.is_empty(), Ordering::Release);
        }
    });
}

impl Line {
    /// Runs `work`, which answers this line's requests.
    pub(crate) fn scope<F: Future>(self: &Arc<Self>, work: F) -> impl Future<Output = F::Output> + use<F> {
        LINE.scope(self.clone(), work)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
    use http::HeaderValue;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    use super::*;

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

    fn hint(to: &Interim, value: &str) {
        let headers = HeaderMap::from_iter([(header::LINK, HeaderValue::from_str(value).unwrap())]);
        to.send(StatusCode::EARLY_HINTS, &headers);
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
    async fn only_hints_are_sent_and_only_over_http_1_1() {
        let (mut stream, line, far) = spoken();
        assert!(Interim::of(Version::HTTP_11).is_none(), "nobody is being answered");
        let answering = line.scope(async {
            assert!(Interim::of(Version::HTTP_10).is_none());
            assert!(Interim::of(Version::HTTP_2).is_none());
            let to = Interim::of(Version::HTTP_11).unwrap();
            for status in [StatusCode::CONTINUE, StatusCode::SWITCHING_PROTOCOLS, StatusCode::OK] {
                to.send(status, &HeaderMap::new());
            }
            let length = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from_static("7"))]);
            to.send(StatusCode::PROCESSING, &length);
            stream.flush().await.unwrap();
        });
        answering.await;
        assert_eq!(heard(stream, far).await, "HTTP/1.1 102 Processing\r\n\r\n");
    }
}
