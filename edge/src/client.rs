//! In charge of what goes out: over a pool of connections for HTTP/1.1, or over the one of `http2`, which is spoken from
//! the first byte or agreed on by TLS.

use std::{sync::Arc, time::Duration};

use http::{Uri, header, uri::Scheme};
use http_body_util::BodyExt;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore};
use server::{Body, BoxError, Interim, Request, Response};

use crate::{
    http2::{Connections, Protocol},
    interim,
};

const CONNECT: Duration = Duration::from_secs(3);
// Servers of ours close a quiet connection after 30 s; one that we let go first is never closed under a request.
const POOL_IDLE: Duration = Duration::from_secs(20);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
// hyper's own 400 kB, for each connection, leave an allocator with more holes than a fetch is quicker by.
const READ_BUFFER: usize = 64 * 1024;

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
    http1: Pool<HttpsConnector<HttpConnector>, Body>,
    http2: Connections,
}

impl Client {
    pub(crate) fn new(trust: Trust) -> Result<Self, std::io::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_keepalive(Some(KEEP_ALIVE));
        let tls = tls(trust)?;
        let builder = || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let http1 = Pool::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .http1_max_buf_size(READ_BUFFER)
            .build(builder().enable_http1().wrap_connector(tcp.clone()));
        let http2 = Connections::new(builder().enable_all_versions().wrap_connector(tcp));
        Ok(Self { http1, http2 })
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
        if protocol == Protocol::Http2 || base.scheme() == Some(&Scheme::HTTPS) {
            // RFC 9113 §8.3.1: a Host beside another `:authority` is refused. Where HTTP/2 may be spoken the server is
            // asked by its own name, then.
            request.headers_mut().remove(header::HOST);
            if let Some(connection) = self.http2.reach(base, protocol).await? {
                return self.http2.ask(connection, request).await;
            }
        }
        if let Some(client) = request.extensions_mut().remove::<Interim>() {
            hyper::ext::on_informational(&mut request, move |said| {
                interim::pass_on(&client, said.status(), said.headers());
            });
        }
        Ok(self.http1.request(request).await?.map(|body| body.map_err(Into::into).boxed_unsync()))
    }

    /// Takes leave of whom it has been sent to. To be called when nothing is sent any more.
    pub(crate) async fn finish(&self) {
        self.http2.finish().await;
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
