//! The harness of the tests: an origin that the test scripts, an edge in front of it, and a client, all through sockets.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use bytes::Bytes;
use edge::{Clock, Config, Edge, Endpoints, Origins};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use server::{Body, BoxError, Limits, Metrics, Request, Response, body};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;

// Far beyond any test's own time, so that only a hang meets it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A request as the origin saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) version: http::Version,
    pub(crate) body: Bytes,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

type Script = Box<dyn FnMut(Seen) -> Reply + Send>;

/// The origin's reaction to a request.
pub(crate) enum Reply {
    Answer(Response),
    /// It never answers.
    Silence,
    /// It closes the connection.
    Close,
    /// It answers once the test lets it.
    Later(tokio::sync::oneshot::Receiver<Response>),
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Self::Answer(response)
    }
}

/// An origin that follows the test's script, and records the requests.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicU64>,
    script: Arc<Mutex<Script>>,
    /// How far its clock is ahead, in seconds: it skips with the edge's.
    prefetch: Arc<AtomicU64>,
    frozen: Arc<AtomicBool>,
    stop: CancellationToken,
}

impl Origin {
    pub(crate) async fn start<R: Into<Reply>>(script: impl FnMut(Seen) -> R + Send + 'static) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").await.unwrap(), script)
    }

    /// Starts where another was.
    pub(crate) async fn at<R: Into<Reply>>(
        address: SocketAddr,
        script: impl FnMut(Seen) -> R + Send + 'static,
    ) -> Self {
        Self::listen(TcpListener::bind(address).await.unwrap(), script)
    }

    fn listen<R: Into<Reply>>(
        listener: TcpListener,
        mut script: impl FnMut(Seen) -> R + Send + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let boxed: Script = Box::new(move |seen| script(seen).into());
        let script = Arc::new(Mutex::new(boxed));
        let stop = CancellationToken::new();
        let prefetch = Arc::<AtomicU64>::default();
        let frozen = Arc::<AtomicBool>::default();
        let connections = Arc::<AtomicU64>::default();
        let (freezes, counts) = (frozen.clone(), connections.clone());
        let (remembers, plays, stops, dates) = (seen.clone(), script.clone(), stop.clone(), prefetch.clone());
        tokio::spawn(async move {
            while let Some(Ok((stream, _))) = stops.run_until_cancelled(listener.accept()).await {
                counts.fetch_add(1, Ordering::Relaxed);
                let (remembers, plays, stops) = (remembers.clone(), plays.clone(), stops.clone());
                let (dates, freezes) = (dates.clone(), freezes.clone());
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| {
                        play(request, remembers.clone(), plays.clone(), (dates.clone(), freezes.clone()))
                    });
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let connection = builder.serve_connection(TokioIo::new(stream), service);
                    _ = stops.run_until_cancelled(connection).await;
                });
            }
        });
        Self { address, seen, connections, script, prefetch, frozen, stop }
    }

    /// Does something else from now on.
    pub(crate) fn play<R: Into<Reply>>(&self, mut script: impl FnMut(Seen) -> R + Send + 'static) {
        *self.script.lock().unwrap() = Box::new(move |seen| script(seen).into());
    }

    /// Returns all requests so far, save checks of its health.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }

    /// Returns how many connections there were to it.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Waits until it was asked `count` times.
    pub(crate) async fn asked(&self, count: usize) {
        until("the origin to be asked", || self.count() >= count).await;
    }

    /// Stops answering, health checks too; connections stay open.
    pub(crate) fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }

    /// Stops listening, and closes all connections.
    pub(crate) async fn die(&self) {
        self.stop.cancel();
        while tokio::net::TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn dated(mut response: Response, prefetch: &AtomicU64) -> Response {
    let now = SystemTime::now() + Duration::from_secs(prefetch.load(Ordering::Relaxed));
    let date = HeaderValue::from_str(&httpdate::fmt_http_date(now)).unwrap();
    response.headers_mut().entry("date").or_insert(date);
    response
}

async fn play(
    request: http::Request<hyper::body::Incoming>,
    remembers: Arc<Mutex<Vec<Seen>>>,
    plays: Arc<Mutex<Script>>,
    (dates, frozen): (Arc<AtomicU64>, Arc<AtomicBool>),
) -> Result<Response, BoxError> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let looks_after = parts.uri.path() == "/readyz";
    let path = parts.uri.path_and_query().unwrap().to_string();
    let (method, version) = (parts.method, parts.version);
    let seen = Seen { method, path, headers: parts.headers, version, body };
    if !looks_after {
        remembers.lock().unwrap().push(seen.clone());
    }
    if frozen.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
    if looks_after {
        return Ok(Response::new(body::full("ok")));
    }
    let reply = plays.lock().unwrap()(seen);
    match reply {
        Reply::Answer(response) => Ok(dated(response, &dates)),
        Reply::Silence => std::future::pending().await,
        Reply::Close => Err("as the test asked".into()),
        Reply::Later(answer) => Ok(dated(answer.await?, &dates)),
    }
}

/// Returns a response.
pub(crate) fn reply(status: u16, fields: &[(&str, &str)], text: &str) -> Response {
    with_body(status, fields, body::full(text.to_owned()))
}

pub(crate) fn with_body(status: u16, fields: &[(&str, &str)], body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    for (name, value) in fields {
        response
            .headers_mut()
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    response
}

/// Returns a body that the test writes: bytes, or an error that breaks it off.
pub(crate) fn written() -> (mpsc::UnboundedSender<Result<Bytes, BoxError>>, Body) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (sender, body::stream(futures::stream::poll_fn(move |cx| receiver.poll_recv(cx))))
}

/// An edge that listens, and a client of it.
pub(crate) struct Running {
    pub(crate) metrics: Metrics,
    pub(crate) edge: Edge,
    pub(crate) clock: Clock,
    pub(crate) address: SocketAddr,
    client: Http<HttpConnector, Body>,
    prefetch: Arc<AtomicU64>,
    shutdown: CancellationToken,
}

impl Running {
    /// Starts an edge in front of `origin`.
    pub(crate) async fn before(origin: &Origin, config: Config) -> Self {
        let mut running = Self::of(Origins::new(&[origin.url()]).unwrap(), config).await;
        running.prefetch = origin.prefetch.clone();
        running
    }

    pub(crate) async fn of(origins: Origins, config: Config) -> Self {
        Self::at(TcpListener::bind("127.0.0.1:0").await.unwrap(), origins, config)
    }

    /// Starts an edge on `listener`.
    pub(crate) fn at(listener: TcpListener, origins: Origins, config: Config) -> Self {
        let clock = Clock::system();
        let shutdown = CancellationToken::new();
        tokio::spawn(origins.clone().watch(shutdown.clone()));
        if let Some(peers) = config.peers.clone() {
            tokio::spawn(peers.watch(shutdown.clone()));
        }
        let edge = Edge::new(config, clock.clone(), origins.clone());
        let address = listener.local_addr().unwrap();
        let endpoints = Endpoints::new(edge.clone(), origins, shutdown.clone());
        let metrics = Metrics::new();
        edge.register(&metrics);
        tokio::spawn(server::serve(listener, endpoints, Limits::default(), shutdown.clone()));
        let client = Http::builder(TokioExecutor::new()).build_http();
        Self { edge, metrics, clock, address, client, prefetch: Arc::default(), shutdown }
    }

    /// Sends a request, and returns the answer as soon as its head is there.
    pub(crate) async fn begin(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> http::Response<hyper::body::Incoming> {
        let response = self.try_begin(method, path, fields).await;
        response.unwrap_or_else(|e| panic!("{method} {path}: {e:?}"))
    }

    pub(crate) async fn try_begin(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Result<http::Response<hyper::body::Incoming>, BoxError> {
        let mut request = Request::new(body::empty());
        *request.method_mut() = method.parse().unwrap();
        *request.uri_mut() = format!("http://{}{path}", self.address).parse().unwrap();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, HeaderValue::from_str(value).unwrap());
        }
        let answered = tokio::time::timeout(PATIENCE, self.client.request(request)).await;
        Ok(answered.unwrap_or_else(|_| panic!("no answer to {method} {path}"))?)
    }

    /// Sends a request and returns the whole answer.
    pub(crate) async fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let (parts, body) = self.begin(method, path, fields).await.into_parts();
        let body = tokio::time::timeout(PATIENCE, body.collect()).await;
        let body = body.unwrap_or_else(|_| panic!("no end of {method} {path}"));
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: body.map(http_body_util::Collected::to_bytes).ok(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }

    /// Stops it, with all its connections.
    pub(crate) async fn die(&self) {
        self.shutdown.cancel();
        while tokio::net::TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn skip(&self, seconds: u64) {
        self.clock.skip(Duration::from_secs(seconds));
        self.prefetch.fetch_add(seconds, Ordering::Relaxed);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `None` when it broke off.
    pub(crate) body: Option<Bytes>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(self.body.as_ref().expect("the body broke off")).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the edge's own member of `Cache-Status`.
    pub(crate) fn did(&self) -> &str {
        let all: Vec<&str> =
            self.headers.get_all("cache-status").iter().map(|value| value.to_str().unwrap()).collect();
        all.last().copied().unwrap_or_default().trim_start_matches("clipcut-edge; ")
    }

    pub(crate) fn is_hit(&self) -> bool {
        self.did().starts_with("hit")
    }

    pub(crate) fn problem(&self) -> String {
        let document: serde_json::Value = serde_json::from_str(self.text()).unwrap();
        document["code"].as_str().unwrap().to_owned()
    }
}

/// Looks until `look` sees it. Panics, naming `what`, when that takes unreasonably long.
pub(crate) async fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// An origin that numbers its answers to each path.
pub(crate) async fn numbered(fields: &'static [(&'static str, &'static str)]) -> Origin {
    let mut number = 0;
    Origin::start(move |_| {
        number += 1;
        reply(200, fields, &format!("answer {number}"))
    })
    .await
}

/// Starts an edge of the default configuration before `numbered`.
pub(crate) async fn edge_before_numbered(
    fields: &'static [(&'static str, &'static str)],
) -> (Origin, Running) {
    let origin = numbered(fields).await;
    let edge = Running::before(&origin, Config::default()).await;
    (origin, edge)
}
