//! The sender of webhooks: one POST, to an address that was checked after its name was resolved and to no other, with a bound
//! on time and on what is read. Redirects are answers like others.

use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
    vec,
};

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use tower::Service;

use super::{Allowed, message::Message};

// An answer's head; of its body nothing is read.
const READ_BUFFER: usize = 16 * 1024;
const CONNECT: Duration = Duration::from_secs(5);
const AGENT: &str = concat!("Clip-Cut/", env!("CARGO_PKG_VERSION"));

/// Sends messages; a handle that is cheap to clone.
#[derive(Clone)]
pub(super) struct Sender {
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    allowed: Arc<Allowed>,
    timeout: Duration,
}

impl Sender {
    pub(super) fn new(allowed: Allowed, timeout: Duration) -> Self {
        let allowed = Arc::new(allowed);
        let mut tcp = HttpConnector::new_with_resolver(Resolver(allowed.clone()));
        // hyper's own connector refuses https URIs, which the TLS connector around it hands down.
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(crate::tls::client())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            // Each attempt resolves the name anew.
            .pool_max_idle_per_host(0)
            .http1_max_buf_size(READ_BUFFER)
            .build(connector);
        Self { client, allowed, timeout }
    }

    /// Sends a message. An error is a sentence for people: why there was no answer.
    pub(super) async fn send(&self, url: &str, message: Message) -> Result<StatusCode, String> {
        let uri: Uri = url.parse().map_err(|_| format!("{url} is no address"))?;
        // The connector does not resolve what is an address already.
        if let Some(address) = literal(&uri)
            && !self.allowed.admits("", address)
        {
            return Err(NotPublic { host: address.to_string() }.to_string());
        }
        let request = Request::post(uri)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, AGENT)
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp)
            .header("webhook-signature", message.signature)
            .body(Full::new(Bytes::from(message.body)))
            .map_err(|e| e.to_string())?;
        match tokio::time::timeout(self.timeout, self.client.request(request)).await {
            Ok(Ok(response)) => Ok(response.status()),
            Ok(Err(error)) => Err(innermost(&error).to_string()),
            Err(_) => Err(format!("there was no answer within {} s", self.timeout.as_secs())),
        }
    }
}

fn literal(uri: &Uri) -> Option<IpAddr> {
    uri.host()?.trim_matches(['[', ']']).parse().ok()
}

/// Returns the cause of a cause: the connector's own words only say that it could not connect.
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut innermost = error;
    while let Some(cause) = innermost.source() {
        innermost = cause;
    }
    innermost
}

/// Resolves names, and leaves out addresses that webhooks may not reach. The connector connects to what comes out of it, so
/// that a name cannot be one address when it is checked and another one a moment later (DNS rebinding).
#[derive(Clone)]
struct Resolver(Arc<Allowed>);

#[derive(Debug)]
struct NotPublic {
    host: String,
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allowed = self.0.clone();
        Box::pin(async move {
            let host = name.as_str();
            // The connector puts the URL's port in place of 0.
            let resolved = tokio::net::lookup_host((host, 0)).await?;
            let admitted: Vec<SocketAddr> =
                resolved.filter(|address| allowed.admits(host, address.ip())).collect();
            if admitted.is_empty() {
                return Err(io::Error::other(NotPublic { host: host.to_owned() }));
            }
            Ok(admitted.into_iter())
        })
    }
}

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} is not on the public internet; an operator may let it through (webhook_allow)",
            self.host
        )
    }
}

impl Error for NotPublic {}
