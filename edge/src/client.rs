//! Requests that go out, over hyper's pools of connections: HTTP/1.1, or HTTP/2 where it is spoken from the first byte or
//! agreed on by TLS.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{Uri, Version, header, uri::Scheme};
use http_body_util::BodyExt;
use hyper::rt::Executor;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioTimer,
};
use rustls::{ClientConfig, RootCertStore};
use server::{Body, BoxError, Request, Response, body};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use traces::TraceContext;

// The limit has room for one lost SYN, which TCP sends again after a second (RFC 6298).
const CONNECT: Duration = Duration::from_secs(3);
// Servers of ours close a quiet connection after 30 s; one that we let go first is never closed under a request.
const POOL_IDLE: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
// hyper's own 400 kB, for each connection, leave an allocator with more holes than a fetch is quicker by.
const READ_BUFFER: usize = 64 * 1024;
// Some 80 Mbit/s at 100 ms, for each stream. Their sum has no bound of its own: else a few slow clients of large objects
// would hold up all others. An origin of ours lets 128 be open.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
// How long an origin may take to acknowledge that the edge leaves.
const FAREWELL: Duration = Duration::from_secs(1);

/// Which authorities are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those of this machine.
    Machine,
    /// None: no upstream uses TLS.
    Nobody,
}

/// The protocol of connections without TLS. With TLS, ALPN agrees on it (RFC 9113 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// A server that requests are sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upstream {
    /// Scheme and host, without a path.
    pub(crate) base: Uri,
    pub(crate) protocol: Protocol,
}

impl Upstream {
    pub(crate) fn http1(base: Uri) -> Self {
        Self { base, protocol: Protocol::Http1 }
    }
}

/// Which connection a request goes out on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// One that is there, if there is one.
    Pooled,
    /// A new one. After a server has gone, a pool is full of connections that do not know of it yet.
    Fresh,
}

/// Sends requests.
#[derive(Clone, Debug)]
pub(crate) struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// `None` behind [`Client::finish`].
    pools: Mutex<Option<Pools>>,
    runner: ConnectionRunner,
}

type HttpPool = Pool<HttpsConnector<HttpConnector>, Body>;

#[derive(Clone, Debug)]
struct Pools {
    /// TLS agrees on the version; without TLS it is HTTP/1.1.
    agreed: Pair,
    /// HTTP/2 with prior knowledge (RFC 9113 §3.3).
    http2: Pair,
}

#[derive(Clone, Debug)]
struct Pair {
    pooled: HttpPool,
    fresh: HttpPool,
}

impl Client {
    pub(crate) fn new(trust: Trust) -> Result<Self, std::io::Error> {
        let mut tcp = HttpConnector::new();
        // hyper's own connector refuses https URIs, which the TLS connector around it hands down.
        tcp.enforce_http(false);
        // A request's head is a small write that must not wait for an acknowledgement.
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls(trust)?).https_or_http();
        let connector = builder.enable_all_versions().wrap_connector(tcp);
        let runner = ConnectionRunner::default();
        let pair = |protocol| Pair {
            pooled: pool(&runner, protocol, usize::MAX, connector.clone()),
            fresh: pool(&runner, protocol, 0, connector.clone()),
        };
        let pools = Pools { agreed: pair(Protocol::Http1), http2: pair(Protocol::Http2) };
        Ok(Self(Arc::new(Shared { pools: Mutex::new(Some(pools)), runner })))
    }

    /// Sends a request to `upstream`.
    pub(crate) async fn send(
        &self,
        upstream: &Upstream,
        reuse: Reuse,
        mut request: Request,
    ) -> Result<Response, BoxError> {
        let mut parts = upstream.base.clone().into_parts();
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts)?;
        if upstream.protocol == Protocol::Http2 || upstream.base.scheme() == Some(&Scheme::HTTPS) {
            // RFC 9113 §8.3.1: a Host beside another `:authority` is refused. Where HTTP/2 may be spoken the server is
            // asked by its own name, then.
            request.headers_mut().remove(header::HOST);
        }
        if let Some(place) = TraceContext::current() {
            place.put(request.headers_mut());
        }
        let response = self.pool(upstream.protocol, reuse)?.request(request).await?;
        Ok(match response.version() {
            Version::HTTP_2 => response.map(body::received),
            _ => response.map(|body| body.map_err(Into::into).boxed_unsync()),
        })
    }

    fn pool(&self, protocol: Protocol, reuse: Reuse) -> Result<HttpPool, BoxError> {
        let pools = self.0.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let pools = pools.as_ref().ok_or("this edge is shutting down")?;
        let pair = match protocol {
            Protocol::Http1 => &pools.agreed,
            Protocol::Http2 => &pools.http2,
        };
        Ok(match reuse {
            Reuse::Pooled => pair.pooled.clone(),
            Reuse::Fresh => pair.fresh.clone(),
        })
    }

    /// Closes all connections, those of HTTP/2 with a GOAWAY (RFC 9113 §5.4.1). To be called when nothing is sent any more.
    pub(crate) async fn finish(&self) {
        // hyper ends a connection that no pool has any more.
        drop(self.0.pools.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.0.runner.finish().await;
    }
}

fn pool(
    runner: &ConnectionRunner,
    protocol: Protocol,
    idle: usize,
    connector: HttpsConnector<HttpConnector>,
) -> HttpPool {
    Pool::builder(runner.clone())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .pool_max_idle_per_host(idle)
        .http1_max_buf_size(READ_BUFFER)
        .http2_only(protocol == Protocol::Http2)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        // RFC 9113 §6.7: an origin that froze keeps its connection, and all requests share it.
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_keep_alive_timeout(KEEP_ALIVE)
        .build(connector)
}

/// Runs connections where the end of the edge waits for them.
#[derive(Clone, Debug, Default)]
struct ConnectionRunner {
    tasks: TaskTracker,
    cut: CancellationToken,
}

impl<F> Executor<F> for ConnectionRunner
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, connection: F) {
        let cut = self.cut.clone();
        self.tasks.spawn(async move { cut.run_until_cancelled(connection).await });
    }
}

impl ConnectionRunner {
    async fn finish(&self) {
        self.tasks.close();
        if tokio::time::timeout(FAREWELL, self.tasks.wait()).await.is_err() {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

fn tls(trust: Trust) -> Result<ClientConfig, std::io::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(std::io::Error::other)?;
    Ok(match trust {
        Trust::Machine => builder.with_native_roots()?.with_no_client_auth(),
        Trust::Nobody => builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
    })
}
