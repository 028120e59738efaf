//! In charge of interim answers (RFC 9110 §15.2), which go out in front of the answer that they announce. hyper's server
//! cannot send them, so over HTTP/1.1, whose connections answer one request at a time, they are slipped into the
//! connection; over HTTP/2 they are given to their stream.

use std::{
    cell::RefCell,
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
use http::{HeaderMap, Response, StatusCode, Version, header};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::mpsc,
};

// Hints are short. What comes beyond this before the client takes any is left out, over HTTP/2 beyond this in all: h2 does
// not tell what it has taken.
const MOST: usize = 16 * 1024;
const MOST_AT_ONCE: usize = 16;
// A frame's head and its status.
const STATUS: usize = 16;

tokio::task_local! {
    static WAY: Way;
}

/// How interim answers get to the client of what this task answers.
enum Way {
    Line(Arc<Line>),
    Stream(Hints),
}

/// Where the interim answers to one request go.
#[derive(Clone, Debug)]
pub struct Interim(Goal);

#[derive(Clone, Debug)]
enum Goal {
    Line { line: Arc<Line>, request: u64 },
    Stream(mpsc::Sender<Response<()>>),
}

impl Interim {
    /// Returns that of the request of `version` which this task is answering. `None` where there is no way: HTTP/1.0 has
    /// no interim answers.
    pub fn of(version: Version) -> Option<Self> {
        let way = |way: &Way| match way {
            Way::Line(line) => line.interim(),
            Way::Stream(hints) => hints.interim(),
        };
        (version >= Version::HTTP_11).then(|| WAY.try_with(way).ok()).flatten()
    }

    /// Sends an answer, unless the last one is on its way already. 100 (Continue) is the server's to say, and 101
    /// (Switching Protocols) is no interim answer.
    pub fn send(&self, status: StatusCode, mut headers: HeaderMap) {
        if !status.is_informational()
            || matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS)
        {
            return;
        }
        // RFC 9110 §8.6 and RFC 9112 §6.1: neither is sent in a 1xx.
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::TRANSFER_ENCODING);
        self.say(status, headers);
    }

    /// Tells the client to go on, and send the body (RFC 9110 §10.1.1).
    pub(crate) fn go_on(&self) {
        self.say(StatusCode::CONTINUE, HeaderMap::new());
    }

    fn say(&self, status: StatusCode, headers: HeaderMap) {
        match &self.0 {
            Goal::Line { line, request } => line.put(*request, status, &headers),
            Goal::Stream(stream) => {
                let mut response = Response::new(());
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                // None is taken any more behind the last answer.
                let _ = stream.try_send(response);
            }
        }
    }
}

/// The interim answers to the request of one HTTP/2 stream. Most have none, and make no place for them.
#[derive(Default)]
pub(crate) struct Hints(RefCell<Option<Place>>);

struct Place {
    sender: mpsc::Sender<Response<()>>,
    receiver: mpsc::Receiver<Response<()>>,
    room: usize,
}

impl Hints {
    pub(crate) fn interim(&self) -> Interim {
        let mut place = self.0.borrow_mut();
        let place = place.get_or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(MOST_AT_ONCE);
            Place { sender, receiver, room: MOST }
        });
        Interim(Goal::Stream(place.sender.clone()))
    }

    /// Runs `work`, which answers the request.
    pub(crate) fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> + use<F> {
        WAY.scope(Way::Stream(self), work)
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Response<()>> {
        let mut place = self.0.borrow_mut();
        let Some(place) = place.as_mut() else { return Poll::Pending };
        while let Some(next) = ready!(place.receiver.poll_recv(cx)) {
            let fields = next.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
            if let Some(room) = place.room.checked_sub(STATUS + fields.sum::<usize>()) {
                place.room = room;
                return Poll::Ready(next);
            }
        }
        Poll::Pending
    }
}

/// Waits for the next interim answer to what this task, a stream's, is answering.
pub(crate) fn poll_next(cx: &mut Context<'_>) -> Poll<Response<()>> {
    let next = WAY.try_with(|way| match way {
        Way::Stream(hints) => hints.poll_next(cx),
        Way::Line(_) => Poll::Pending,
    });
    next.unwrap_or(Poll::Pending)
}

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

/// Notes that the request which this task is answering has its last answer: what comes later comes too late.
pub(crate) fn answered() {
    let _ = WAY.try_with(|way| {
        if let Way::Line(line) = way
            && line.busy.load(Ordering::Acquire)
        {
            let mut waiting = line.waiting();
            waiting.request += 1;
            line.busy.store(!waiting.bytes.is_empty(), Ordering::Release);
        }
    });
}

impl Line {
    /// Runs `work`, which answers this line's requests.
    pub(crate) fn scope<F: Future>(self: &Arc<Self>, work: F) -> impl Future<Output = F::Output> + use<F> {
        WAY.scope(Way::Line(self.clone()), work)
    }

    fn interim(self: &Arc<Self>) -> Interim {
        self.busy.store(true, Ordering::Release);
        let request = self.waiting().request;
        Interim(Goal::Line { line: self.clone(), request })
    }

    fn put(&self, request: u64, status: StatusCode, headers: &HeaderMap) {
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
    use std::future::poll_fn;

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
        to.send(StatusCode::EARLY_HINTS, headers);
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

    #[tokio::test]
    async fn a_stream_is_given_a_bounded_number_of_bytes() {
        let hints = Hints::default();
        let given = hints.scope(async {
            let to = Interim::of(Version::HTTP_2).unwrap();
            let mut given = 0;
            for _ in 0..1000 {
                hint(&to, &"x".repeat(1000));
                poll_fn(|cx| {
                    while let Poll::Ready(next) = poll_next(cx) {
                        given += next.headers()[header::LINK].len();
                    }
                    Poll::Ready(())
                })
                .await;
            }
            given
        });
        let given = given.await;
        assert!((MOST / 2..=MOST).contains(&given), "{given}");
    }
}
