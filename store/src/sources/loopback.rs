//! A source's loopback URL: HTTP, GET and HEAD with one range. Waits for an unavailable server, so that a short outage
//! does not end an hour's work.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    net::Ipv4Addr,
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures::stream;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Empty, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::Instant,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Error, Result, VideoId, blobs::Opened};

// A file whose sound lies far from its pictures is read in two places in turn.
const CHUNKS_KEPT: usize = 8;
// A poster is taken from eight places at once, and ffmpeg seeks on a second connection before it lets go of the first.
const CONNECTIONS: usize = 32;
// A local program that connects and sends nothing would else hold a place for ever.
const REQUEST_TIME: Duration = Duration::from_secs(10);
// A server that is started again is back by then.
const MOST_OUTAGE: Duration = Duration::from_mins(2);
const PAUSE_MS: Range<u64> = 200..1000;

type Body = Either<Empty<Bytes>, StreamBody<stream::BoxStream<'static, Result<Frame<Bytes>>>>>;

/// A source's address.
pub struct LoopbackSource {
    url: String,
    read: Arc<SharedReader>,
    _listening: DropGuard,
}

/// The state that all requests for one source share.
struct SharedReader {
    opened: Opened,
    path: String,
    kept: Mutex<VecDeque<(u64, Bytes)>>,
    fetched_bytes: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl LoopbackSource {
    pub(super) async fn start(opened: Opened) -> Result<Self> {
        let failed = |e| Error::io("listen for", "readers of a source", e);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        // 160 random bits: other programs of this machine may connect, and get a 404.
        let path = format!("/{}{}/source", VideoId::random(), VideoId::random());
        let url = format!("http://127.0.0.1:{port}{path}");
        let read = Arc::new(SharedReader {
            opened,
            path,
            kept: Mutex::default(),
            fetched_bytes: AtomicU64::new(0),
            failure: Mutex::default(),
        });
        let stop = CancellationToken::new();
        tokio::spawn(listen(listener, read.clone(), stop.clone()));
        Ok(Self { url, read, _listening: stop.drop_guard() })
    }

    /// Returns the address, which is a secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the bytes of `range`, as far as the source goes.
    pub async fn read_at(&self, range: Range<u64>) -> Result<Bytes> {
        let mut range = range.start..range.end.min(self.len());
        let mut bytes = BytesMut::new();
        while !range.is_empty() {
            let piece = self.read.piece(&range).await?;
            range.start += piece.len() as u64;
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes.freeze())
    }

    /// Returns the size of the source in bytes.
    pub fn len(&self) -> u64 {
        self.read.opened.len()
    }

    /// Returns whether the source has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many bytes were fetched so far, those that were fetched again counted again.
    pub fn fetched_bytes(&self) -> u64 {
        self.read.fetched_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn failure(&self) -> Option<Error> {
        locked(&self.read.failure).take()
    }
}

impl fmt::Debug for LoopbackSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoopbackSource").field("len", &self.len()).finish_non_exhaustive()
    }
}

async fn listen(listener: TcpListener, read: Arc<SharedReader>, stop: CancellationToken) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let accept = async {
        loop {
            // The place is taken before the accept, so that connections beyond the bound wait in the kernel's backlog.
            let Ok(place) = room.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let (read, stop) = (read.clone(), stop.clone());
                    tokio::spawn(async move {
                        stop.run_until_cancelled_owned(serve(stream, read)).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Out of descriptors (EMFILE), accept(2) fails again at once: without a pause the loop would spin.
                    tracing::warn!(%error, "cannot take a reader of a source");
                    tokio::time::sleep(Duration::from_millis(PAUSE_MS.start)).await;
                }
            }
        }
    };
    stop.run_until_cancelled(accept).await;
}

async fn serve(stream: TcpStream, read: Arc<SharedReader>) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let read = read.clone();
        async move { Ok::<_, Infallible>(read.answer(&request)) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(REQUEST_TIME);
    // A reader that seeks goes away in the middle; that is no failure of anybody's.
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}

impl SharedReader {
    fn answer(self: &Arc<Self>, request: &Request<Incoming>) -> Response<Body> {
        if request.uri().path() != self.path {
            return empty(StatusCode::NOT_FOUND);
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let len = self.opened.len();
        let asked = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
        let range = asked.and_then(|text| range(text, len));
        if asked.is_some() && range.is_none() {
            // RFC 9110 §15.5.17: the length in Content-Range shows the reader where the source ends.
            let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{len}"));
            return response;
        }
        let part = range.clone().unwrap_or(0..len);
        let sends = request.method() == Method::GET && !part.is_empty();
        let body = if sends { self.clone().stream(part.clone()) } else { Either::Left(Empty::new()) };
        let mut response = Response::new(body);
        set(&mut response, header::ACCEPT_RANGES, "bytes");
        set(&mut response, header::CONTENT_LENGTH, &(part.end - part.start).to_string());
        if range.is_some() {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let place = format!("bytes {}-{}/{len}", part.start, part.end - 1);
            set(&mut response, header::CONTENT_RANGE, &place);
        }
        response
    }

    fn stream(self: Arc<Self>, range: Range<u64>) -> Body {
        let frames = stream::try_unfold((self, range), |(read, mut range)| async move {
            if range.is_empty() {
                return Ok(None);
            }
            let piece = read.piece(&range).await.map_err(|failure| read.note(failure))?;
            range.start += piece.len() as u64;
            Ok(Some((Frame::data(piece), (read, range))))
        });
        Either::Right(StreamBody::new(Box::pin(frames)))
    }

    /// Returns the first bytes of `range`, which is not empty: as many as one chunk gives.
    async fn piece(&self, range: &Range<u64>) -> Result<Bytes> {
        let size = self.opened.chunk_bytes();
        let number = range.start / size;
        let chunk = self.chunk(number).await?;
        let from = range.start - number * size;
        let to = (range.end - number * size).min(chunk.len() as u64);
        Ok(chunk.slice(from as usize..to as usize))
    }

    /// Returns a chunk out of those that were read lately, or fetches it, also from a server that is unavailable for a while.
    async fn chunk(&self, number: u64) -> Result<Bytes> {
        if let Some((_, bytes)) = locked(&self.kept).iter().find(|(kept, _)| *kept == number) {
            return Ok(bytes.clone());
        }
        let began = Instant::now();
        let bytes = loop {
            match self.opened.whole_chunk(number).await {
                Err(error @ Error::Unavailable { .. }) if began.elapsed() < MOST_OUTAGE => {
                    tracing::warn!(%error, "a source waits for its server");
                    tokio::time::sleep(Duration::from_millis(rand::random_range(PAUSE_MS))).await;
                }
                fetched => break fetched?,
            }
        };
        self.fetched_bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        // The lock is not held over the fetch: two readers may fetch a chunk twice, which is cheaper than waiting in a row.
        let mut kept = locked(&self.kept);
        if kept.len() == CHUNKS_KEPT {
            kept.pop_front();
        }
        kept.push_back((number, bytes.clone()));
        Ok(bytes)
    }

    /// Keeps the first failure; the connection breaks off with an error of its own.
    fn note(&self, failure: Error) -> Error {
        tracing::warn!(error = %failure, "a source broke off");
        let broken = Error::io("read", "a source", std::io::Error::other(failure.to_string()));
        locked(&self.failure).get_or_insert(failure);
        broken
    }
}

/// Reads `bytes=A-B` and `bytes=A-`; ffmpeg sends no other forms.
fn range(text: &str, len: u64) -> Option<Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let start: u64 = first.parse().ok()?;
    let end = if last.is_empty() { len } else { last.parse::<u64>().ok()?.saturating_add(1).min(len) };
    (start < end).then_some(start..end)
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Either::Left(Empty::new()));
    *response.status_mut() = status;
    response
}

fn set(response: &mut Response<Body>, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
