//! The edge: a caching reverse proxy that fetches each object once for any number of clients, verifies tickets, and goes on
//! when the origin is down. It knows HTTP (RFC 9110, 9111), and no storage.

mod admission;
mod answer;
mod body;
mod cache;
pub mod cache_control;
mod cache_status;
mod client;
mod clock;
pub mod cmcd;
mod endpoints;
mod fetch;
mod fetch_request;
mod fill_budget;
pub mod freshness;
mod held;
mod hop;
mod in_flight;
mod incoming;
pub mod key;
mod memory;
mod metrics;
mod miss;
mod object;
mod origins;
mod pass;
mod payload;
mod peers;
mod prefetch;
mod problem;
mod purge;
mod purge_client;
mod rendezvous;
mod serve;
mod shared_fetch;
mod shown;
mod signature;
mod storable;
mod unkeyed;
mod upload;
mod vary;

use std::{
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http_body_util::BodyExt;
use server::{BoxError, Metrics, Request, forwarded::TrustedProxies};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt};

pub use admission::Access;
pub use clock::Clock;
pub use endpoints::Endpoints;
pub use origins::{AddressError, Origins};
pub use payload::Payload;
pub use peers::Peers;
pub use purge::Purge;
pub use purge_client::PurgeClient;
pub use serve::Answer;
pub use signature::{PeerKeys, PeerKeysError};

pub use metrics::MetricsSnapshot;

use crate::{
    admission::Admission, cache::Cache, fill_budget::FillBudget, hop::Via, memory::Memory,
    metrics::EdgeMetrics, unkeyed::Unkeyed,
};

// Fetches in flight may use a fourth of the cache's memory, on top of it.
const FILL_SHARE: u64 = 4;

/// The settings of an edge.
#[derive(Clone, Debug)]
pub struct Config {
    /// The listener's scheme, `http` or `https`: a part of every key.
    pub scheme: &'static str,
    /// Its name in `Cache-Status` and `Via`: a token.
    pub name: String,
    /// Bytes of memory for what is cached, overhead counted.
    pub memory: u64,
    /// Bytes of the largest object that is kept, at most an eighth of the memory; larger ones pass by.
    pub max_object: u64,
    /// How long an error without a lifetime of its own is kept.
    pub negative: Duration,
    /// How long past its freshness an answer may stand in for an origin that cannot be reached.
    pub stale_when_down: Duration,
    /// How long the origin may take to begin an answer.
    pub first_byte: Duration,
    /// How long it may take over a request that is not safe, once it has all of it: a transcription is one.
    pub change: Duration,
    /// How long it may go without a byte after that.
    pub idle: Duration,
    /// Fetches at once; more wait, as for a slow origin.
    pub fetches: usize,
    /// Requests that may hang on one fetch, the first counted.
    pub waiters: usize,
    /// Beginnings of paths that are never cached.
    pub bypass: Vec<String>,
    /// Request fields that the origin always gets. They are no part of a key, so they must not change an answer that others
    /// get: fields that only trace a request.
    pub forward_headers: Vec<http::HeaderName>,
    /// Proxies in front of the edge whose word on a client goes on to the origin.
    pub proxies: TrustedProxies,
    /// Whether playing needs a ticket.
    pub access: Access,
    /// Segments that may be fetched at once before a player asks; none: no prefetching.
    pub prefetches: usize,
    /// The secrets by which internal requests are signed, of the origin and the peers. Without them there are none.
    pub peer_keys: Option<PeerKeys>,
    /// The other edges.
    pub peers: Option<Arc<Peers>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            scheme: "http",
            name: "clipcut-edge".to_owned(),
            memory: 256 * 1024 * 1024,
            max_object: 32 * 1024 * 1024,
            negative: Duration::from_secs(1),
            stale_when_down: Duration::from_hours(1),
            first_byte: Duration::from_secs(30),
            change: Duration::from_hours(1),
            // An origin whose encoder ended within an answer waits for the next one: three times its `segment_wait`, 24 s.
            idle: Duration::from_secs(30),
            fetches: 512,
            waiters: 10_000,
            bypass: vec!["/api/".to_owned()],
            forward_headers: Vec::new(),
            proxies: TrustedProxies::default(),
            access: Access::Open,
            prefetches: 16,
            peer_keys: None,
            peers: None,
        }
    }
}

type Ask = dyn Fn(Request) -> BoxFuture<'static, Result<server::Response, BoxError>> + Send + Sync;

/// An edge: a handle that is cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<EdgeInner>);

/// The parts of an edge, which all requests share.
struct EdgeInner {
    config: Config,
    clock: Clock,
    admission: Admission,
    cache: Cache,
    fill_budget: FillBudget,
    ask: Box<Ask>,
    via: Via,
    unkeyed: Unkeyed,
    peers: Option<Arc<Peers>>,
    prefetching: Arc<Semaphore>,
    fetching: Semaphore,
    tasks: TaskTracker,
    shutdown: CancellationToken,
    metrics: EdgeMetrics,
}

impl Edge {
    /// Makes an edge in front of `upstream`: the origin itself, or a client of it.
    pub fn new<S, B>(mut config: Config, clock: Clock, upstream: S) -> Self
    where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let ask = move |request| {
            // Not an `async` block: the compiler cannot see from inside of one that the future is `Send`.
            let answer = upstream.clone().oneshot(request).map(|answered| match answered {
                Ok(response) => Ok(response.map(|body| body.map_err(Into::into).boxed_unsync())),
                Err(error) => Err(error.into()),
            });
            answer.boxed()
        };
        // One object must not take the room of all others.
        config.max_object = config.max_object.min(config.memory / 8);
        let metrics = EdgeMetrics::default();
        let memory = Memory::new(config.memory, metrics.evicted.clone());
        Self(Arc::new(EdgeInner {
            admission: Admission::new(&config),
            cache: Cache::new(memory, clock.clone(), config.waiters),
            fill_budget: FillBudget::new(config.memory / FILL_SHARE),
            ask: Box::new(ask),
            via: Via::new(&config.name),
            unkeyed: Unkeyed::new(),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
            peers: config.peers.clone(),
            fetching: Semaphore::new(config.fetches),
            prefetching: Arc::new(Semaphore::new(config.prefetches)),
            metrics,
            config,
            clock,
        }))
    }

    /// Returns what it has done so far.
    pub fn metrics(&self) -> MetricsSnapshot {
        self.0.cache.memory.settle();
        self.0.measure();
        self.0.metrics.summary()
    }

    /// Registers its metrics with those of the process.
    pub fn register(&self, metrics: &Metrics) {
        metrics.register(|registry| self.0.metrics.register(registry));
        let edge = self.clone();
        metrics.before_answer(move || _ = edge.metrics());
    }

    /// Ends the fetches that are left. To be called after the listener's drain, when no client waits for them.
    pub async fn finish(&self) {
        self.0.shutdown.cancel();
        // A tracker that is not closed is never done, empty or not.
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl EdgeInner {
    /// Brings the metrics of the memory and the peers up to date.
    fn measure(&self) {
        self.metrics.bytes.set(self.cache.memory.bytes().cast_signed());
        self.metrics.sending.set(self.fill_budget.held().sending().cast_signed());
        self.metrics.entries.set(self.cache.memory.entries().cast_signed());
        self.metrics.peers.set(self.peers.as_ref().map_or(0, |peers| peers.count()) as i64);
    }
}

impl Service<Request> for Edge {
    type Response = http::Response<Payload>;
    type Error = std::convert::Infallible;
    type Future = Answer<Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.answer(request)
    }
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge").field("config", &self.0.config).finish_non_exhaustive()
    }
}
