//! The origins: their health, which of them gets a request, and whether it is tried again. Connections are `client`'s,
//! the requests themselves `fetch`'s and `pass`'s.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures::future::BoxFuture;
use http::{Method, Uri, uri::Scheme};
use http_body::Body as _;
use server::{BoxError, Request, Response, body};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    client::{Client, Protocol, Reuse, Trust, Upstream},
    upload::Progress,
};

const CHECK_EVERY: Duration = Duration::from_secs(1);
// The wait is longer than an origin of ours takes to find a database unreachable (1.5 s).
const CHECK_WAIT: Duration = Duration::from_secs(2);
const HEALTH: &str = "/readyz";

/// Why an address is not one of an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It is no URL of a kind that we speak.
    #[error(
        "{0}: an origin is http://, https:// or h2c:// (HTTP/2 without TLS), a host and maybe a port, without a path"
    )]
    Form(String),
    /// The machine's list of authorities cannot be read.
    #[error("cannot read this machine's certificate authorities, which https needs: {0}")]
    Authorities(String),
    /// There is none.
    #[error("no origin is named")]
    None,
}

/// The origins, as one service.
#[derive(Clone, Debug)]
pub struct Origins(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    client: Client,
    all: Vec<Origin>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Origin {
    upstream: Upstream,
    healthy: watch::Sender<bool>,
}

impl Origins {
    /// Makes a client of the origins at `addresses`.
    pub fn new(addresses: &[String]) -> Result<Self, AddressError> {
        let all = addresses.iter().map(|address| Origin::parse(address)).collect::<Result<Vec<_>, _>>()?;
        if all.is_empty() {
            return Err(AddressError::None);
        }
        let secure = all.iter().any(|origin| origin.upstream.base.scheme() == Some(&Scheme::HTTPS));
        let client = Client::new(if secure { Trust::Machine } else { Trust::Nobody });
        let client = client.map_err(|e| AddressError::Authorities(e.to_string()))?;
        let pool = Pool { client, all, next: AtomicUsize::new(0) };
        Ok(Self(Arc::new(pool)))
    }

    /// Returns whether some origin is well.
    pub fn any_healthy(&self) -> bool {
        self.0.all.iter().any(Origin::is_healthy)
    }

    /// Checks the origins' health until `shutdown`. An unhealthy origin gets requests only when no other is left.
    pub async fn watch(self, shutdown: CancellationToken) {
        while shutdown.run_until_cancelled(tokio::time::sleep(CHECK_EVERY)).await.is_some() {
            let checks = self.0.all.iter().map(|origin| async {
                let healthy = self.0.check_health(origin).await;
                if origin.set_healthy(healthy) {
                    tracing::warn!(origin = %origin.upstream.base, healthy, "an origin's health changed");
                }
            });
            futures::future::join_all(checks).await;
        }
    }

    /// Takes leave of the origins. To be called behind [`crate::Edge::finish`] and [`Self::watch`].
    pub async fn finish(&self) {
        self.0.client.finish().await;
    }
}

impl Pool {
    /// Returns the origins in the order to ask them: each in its turn, the ill ones last. When all are ill they
    /// are asked nevertheless: a check may be wrong.
    fn order(&self) -> Vec<&Origin> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let all = (0..self.all.len()).map(move |n| &self.all[(turn + n) % self.all.len()]);
        let (healthy, unhealthy): (Vec<_>, Vec<_>) = all.partition(|origin| origin.is_healthy());
        [healthy, unhealthy].concat()
    }

    async fn send(&self, origin: &Origin, reuse: Reuse, request: Request) -> Result<Response, BoxError> {
        self.client.send(&origin.upstream, reuse, request).await
    }

    async fn check_health(&self, origin: &Origin) -> bool {
        let mut request = Request::new(body::empty());
        *request.uri_mut() = Uri::from_static(HEALTH);
        // Any answer that is no failure will do: an origin need not be one of ours.
        let answered = tokio::time::timeout(CHECK_WAIT, self.send(origin, Reuse::Pooled, request)).await;
        matches!(answered, Ok(Ok(response)) if !response.status().is_server_error())
    }
}

impl Origin {
    fn parse(address: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError::Form(address.to_owned());
        let (text, protocol) = match address.strip_prefix("h2c://") {
            Some(rest) => (format!("http://{rest}"), Protocol::Http2),
            None => (address.to_owned(), Protocol::Http1),
        };
        let base: Uri = text.parse().map_err(|_| wrong())?;
        let known = base.scheme().is_some_and(|s| *s == Scheme::HTTP || *s == Scheme::HTTPS);
        if !known || base.authority().is_none() || base.path() != "/" || base.query().is_some() {
            return Err(wrong());
        }
        // An origin is well until a check fails: an edge that has just started must not wait for one.
        Ok(Self { upstream: Upstream { base, protocol }, healthy: watch::Sender::new(true) })
    }

    fn is_healthy(&self) -> bool {
        *self.healthy.borrow()
    }

    /// Sets the health. Returns whether it changed.
    fn set_healthy(&self, healthy: bool) -> bool {
        self.healthy.send_if_modified(|before| std::mem::replace(before, healthy) != healthy)
    }

    /// Ends once this one, which was well, has been found ill while `other` is well.
    async fn became_unhealthy(&self, other: &Self) {
        let mut changed = self.healthy.subscribe();
        let fell_ill = *changed.borrow_and_update() && changed.wait_for(|healthy| !healthy).await.is_ok();
        if !fell_ill || !other.is_healthy() {
            std::future::pending::<()>().await;
        }
    }
}

impl Service<Request> for Origins {
    type Response = Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let pool = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let progress = parts.extensions.get::<Progress>().cloned();
            // RFC 9110 §9.2.2: only what may happen twice is sent twice, and only once more.
            let again = is_idempotent(&parts.method) && body.is_end_stream();
            let order = pool.order();
            let (first, other) = (order[0], order.get(1).copied().unwrap_or(order[0]));
            let answered = tokio::select! {
                answered = pool.send(first, Reuse::Pooled, Request::from_parts(parts.clone(), body)) => answered,
                // A frozen origin keeps its connections open, so a request to it would wait for the whole timeout: the
                // health check finds out much sooner.
                () = first.became_unhealthy(other), if again => Err("the origin fell unhealthy".into()),
            };
            let error = match answered {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if progress.is_some_and(|progress| progress.is_broken()) {
                // It was the client.
                return Err(error);
            }
            first.set_healthy(false);
            if !again {
                return Err(error);
            }
            tracing::debug!(error, "asking again");
            let answered = pool.send(other, Reuse::Fresh, Request::from_parts(parts, body::empty())).await;
            other.set_healthy(answered.is_ok());
            answered
        })
    }
}

fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::PUT | Method::DELETE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for good in ["http://a", "http://a:8080", "https://a.example/", "h2c://127.0.0.1:1"] {
            assert!(Origin::parse(good).is_ok(), "{good}");
        }
        for wrong in ["a:8080", "ftp://a", "http://a/path", "http://a/?q", "", "http://"] {
            assert_eq!(Origin::parse(wrong).unwrap_err(), AddressError::Form(wrong.to_owned()));
        }
    }
}
