//! In charge of HTTP/2 to origins (RFC 9113): one connection for each, which all requests share.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::FutureExt;
use h2::client::{Builder, SendRequest};
use http::Uri;
use http_body::Body as _;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy::connect::{Connection, HttpConnector},
    rt::TokioIo,
};
use server::{BoxError, Interim, Request, Response, http2};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::interim;

/// TCP, TLS and the preface.
const CONNECT: Duration = Duration::from_secs(5);
const PING: Duration = Duration::from_secs(15);
/// An origin that prefers HTTP/1.1 today may be another tomorrow.
const PREFERENCE: Duration = Duration::from_mins(5);
// Some 80 Mbit/s at 100 ms, for each stream. Their sum has no bound of its own: else a few slow clients of large objects
// would hold up all others. An origin of ours lets 128 be open.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
/// How long an origin may take to hear that we leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// What is spoken without TLS, which agrees on it by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// The connections.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    connector: HttpsConnector<HttpConnector>,
    places: Arc<Mutex<HashMap<Uri, Place>>>,
    tasks: TaskTracker,
    cut: CancellationToken,
}

/// One origin's. Who comes second waits for what the first makes.
type Place = Arc<tokio::sync::Mutex<Option<Way>>>;

/// What an origin is reached by.
#[derive(Debug)]
enum Way {
    Http2(SendRequest<Bytes>),
    /// TLS has agreed on HTTP/1.1, at that time.
    Http1(Instant),
}

impl Way {
    fn is_spent(&self) -> bool {
        match self {
            Self::Http2(sender) => matches!(sender.clone().ready().now_or_never(), Some(Err(_))),
            Self::Http1(since) => since.elapsed() > PREFERENCE,
        }
    }

    fn http2(&self) -> Option<SendRequest<Bytes>> {
        match self {
            Self::Http2(sender) => Some(sender.clone()),
            Self::Http1(_) => None,
        }
    }
}

impl Connections {
    pub(crate) fn new(connector: HttpsConnector<HttpConnector>) -> Self {
        Self { connector, places: Arc::default(), tasks: TaskTracker::new(), cut: CancellationToken::new() }
    }

    /// Returns the connection to the origin of `base`; `None` when that speaks HTTP/1.1.
    pub(crate) async fn reach(
        &self,
        base: &Uri,
        protocol: Protocol,
    ) -> Result<Option<SendRequest<Bytes>>, BoxError> {
        let place = self.place(base);
        let mut way = place.lock().await;
        if way.as_ref().is_none_or(Way::is_spent) {
            *way = Some(tokio::time::timeout(CONNECT, self.connect(base, protocol)).await??);
        }
        Ok(way.as_ref().and_then(Way::http2))
    }

    fn place(&self, base: &Uri) -> Place {
        self.places().entry(base.clone()).or_default().clone()
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Uri, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self, base: &Uri, protocol: Protocol) -> Result<Way, BoxError> {
        let stream = self.connector.clone().oneshot(base.clone()).await?;
        if protocol == Protocol::Http1 && !stream.connected().is_negotiated_h2() {
            return Ok(Way::Http1(Instant::now()));
        }
        let (stream, heard) = http2::listen(TokioIo::new(stream));
        let (sender, mut connection) = Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake(stream)
            .await?;
        let pings = connection.ping_pong().expect("it is taken once");
        let origin = base.clone();
        let cut = self.cut.clone();
        // Ends with the last who has the connection, or with the peer.
        self.tasks.spawn(async move {
            tokio::select! {
                ended = connection => match ended {
                    Ok(()) => tracing::debug!(%origin, "a connection to an origin has ended"),
                    Err(error) => tracing::debug!(%origin, %error, "the connection to an origin broke"),
                },
                () = http2::silence(pings, heard, PING, || true) => tracing::debug!(%origin, "an origin is gone"),
                () = cut.cancelled() => tracing::debug!(%origin, "an origin does not let us leave"),
            }
        });
        Ok(Way::Http2(sender))
    }

    /// Sends a request over a connection. h2 holds it back while the origin takes no more at once.
    pub(crate) async fn ask(
        &self,
        mut to: SendRequest<Bytes>,
        request: Request,
    ) -> Result<Response, BoxError> {
        let (mut parts, body) = request.into_parts();
        let client = parts.extensions.remove::<Interim>();
        http2::tell_length(&mut parts.headers, &body);
        let is_whole = body.is_end_stream();
        let (mut answer, stream) = to.send_request(http::Request::from_parts(parts, ()), is_whole)?;
        if !is_whole {
            // On its own: an answer may come before all of it is sent, and then the rest is still due.
            let cut = self.cut.clone();
            self.tasks.spawn(async move { cut.run_until_cancelled(http2::send(body, stream)).await });
        }
        let response = poll_fn(|cx| {
            while let Some(client) = &client
                && let Poll::Ready(Some(said)) = answer.poll_informational(cx)?
            {
                interim::pass_on(client, said.status(), said.headers());
            }
            Pin::new(&mut answer).poll(cx)
        });
        let (parts, stream) = response.await?.into_parts();
        let body = http2::body_of(stream, &parts.headers);
        Ok(Response::from_parts(parts, body))
    }

    /// Takes leave of all origins. To be called when nobody asks any more.
    pub(crate) async fn finish(&self) {
        // RFC 9113 §5.4.1: GOAWAY goes out on a connection that nobody has any more.
        self.places().clear();
        self.tasks.close();
        if tokio::time::timeout(FAREWELL, self.tasks.wait()).await.is_err() {
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::TcpListener,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use hyper_rustls::HttpsConnectorBuilder;
    use rustls::{
        ClientConfig, RootCertStore, ServerConfig, ServerConnection, crypto::ring,
        pki_types::PrivatePkcs8KeyDer,
    };

    use super::*;

    /// A server that agrees on one of `protocols` and says no more, how often that was, and connections that trust it.
    fn server(protocols: &[&str]) -> (Uri, Arc<AtomicUsize>, Connections) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = made.cert.der().clone();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone());
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let mut config = builder.with_single_cert(vec![certificate.clone()], key.into()).unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("https://localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap();
        let count = Arc::<AtomicUsize>::default();
        let counts = count.clone();
        std::thread::spawn(move || {
            let mut open = Vec::new();
            for mut stream in listener.incoming().map(Result::unwrap) {
                counts.fetch_add(1, Ordering::Relaxed);
                let mut session = ServerConnection::new(config.clone()).unwrap();
                while session.is_handshaking() {
                    session.complete_io(&mut stream).unwrap();
                }
                open.push(stream);
            }
        });
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let trusting = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let trusting = trusting.unwrap().with_root_certificates(roots).with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let builder = HttpsConnectorBuilder::new().with_tls_config(trusting).https_only();
        (base, count, Connections::new(builder.enable_all_versions().wrap_connector(tcp)))
    }

    #[tokio::test]
    async fn tls_agrees_on_a_version_and_all_share_what_came_of_it() {
        for (protocols, is_http2) in
            [(&["h2", "http/1.1"][..], true), (&["h2"], true), (&["http/1.1"], false), (&[], false)]
        {
            let (base, count, connections) = server(protocols);
            let reaching = (0..10).map(|_| connections.reach(&base, Protocol::Http1));
            for reached in futures::future::join_all(reaching).await {
                assert_eq!(reached.unwrap().is_some(), is_http2, "{protocols:?}");
            }
            assert_eq!(count.load(Ordering::Relaxed), 1, "{protocols:?}");
        }
    }
}
