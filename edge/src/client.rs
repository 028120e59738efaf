//! In charge of connections that are kept: one pool for HTTP/1.1 and what TLS agrees on, one for HTTP/2 from the
//! first byte.

use std::{sync::Arc, time::Duration};

use http::{Uri, header, uri::Scheme};
use http_body_util::BodyExt;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};
use server::{Body, BoxError, Request, Response};

const CONNECT: Duration = Duration::from_secs(3);
// Servers of ours close a quiet connection after 30 s; one that we let go first is never closed under a request.
const POOL_IDLE: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
// hyper's own 400 kB, for each connection, leave an allocator with more holes than a fetch is quicker by.
const READ_BUFFER: usize = 64 * 1024;

/// What is spoken without TLS; TLS agrees on it by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// Which authorities are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those of this machine.
    Machine,
    /// None: nobody is asked over TLS.
    Nobody,
}

/// Sends requests.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agreed: Pool<HttpsConnector<HttpConnector>, Body>,
    prior: Pool<HttpsConnector<HttpConnector>, Body>,
}

impl Client {
    pub(crate) fn new(trust: Trust) -> Result<Self, std::io::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls(trust)?).https_or_http();
        let connector = builder.enable_all_versions().wrap_connector(tcp);
        let pool = |protocol: Protocol| {
            Pool::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(POOL_IDLE)
                .http1_max_buf_size(READ_BUFFER)
                .http2_only(protocol == Protocol::Http2)
                .http2_adaptive_window(true)
                .http2_keep_alive_interval(KEEP_ALIVE)
                .build(connector.clone())
        };
        Ok(Self { agreed: pool(Protocol::Http1), prior: pool(Protocol::Http2) })
    }

    /// Sends a request to the origin of `base`, a URI without a path.
    pub(crate) async fn send(
        &self,
        base: &Uri,
        protocol: Protocol,
        mut request: Request,
    ) -> Result<Response, BoxError> {
        let mut parts = base.clone().into_parts();
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts)?;
        // RFC 9113 §8.3.1: a Host beside another `:authority` is refused. Where HTTP/2 may be spoken the server is
        // asked by its own name, then.
        if protocol == Protocol::Http2 || base.scheme() == Some(&Scheme::HTTPS) {
            request.headers_mut().remove(header::HOST);
        }
        let pool = if protocol == Protocol::Http2 { &self.prior } else { &self.agreed };
        Ok(pool.request(request).await?.map(|body| body.map_err(Into::into).boxed_unsync()))
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
