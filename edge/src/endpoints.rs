//! In charge of an edge's own addresses, in front of all others: its health, its figures, and what the house
//! tells it.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures::{FutureExt, future::Either};
use http::{HeaderValue, Method, Response, StatusCode, header};
use server::{Metrics, Problem, Request, body, health};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{Answer, Edge, Origins, Payload, Purge, answer, peers, purge_client};

// Names of some ten thousand videos.
const MOST_PURGE: u64 = 1024 * 1024;

/// An edge that stands alone.
#[derive(Clone, Debug)]
pub struct Endpoints {
    edge: Edge,
    origins: Origins,
    metrics: Metrics,
    shutdown: CancellationToken,
}

impl Endpoints {
    /// Puts the addresses of a role in front of `edge`, and adds its figures to `metrics`.
    pub fn new(edge: Edge, origins: Origins, metrics: Metrics, shutdown: CancellationToken) -> Self {
        edge.register(&metrics);
        Self { edge, origins, metrics, shutdown }
    }

    async fn ready(self) -> Response<Payload> {
        // An edge without its origins still has what it keeps; sending its viewers away would not help them.
        if !self.origins.any_healthy() {
            tracing::warn!("no origin is well");
        }
        health::ready(&self.shutdown, async { Ok::<(), Infallible>(()) }).await.map(Payload::Stream)
    }

    fn metrics(&self) -> Response<Payload> {
        self.edge.metrics();
        self.metrics.answer().map(Payload::Stream)
    }
}

impl Edge {
    /// Answers what the house itself asks of an edge; `None` when it asks nothing of that kind. Who has not
    /// its token does not learn that there is such an address.
    pub(crate) fn own(&self, request: &Request) -> Option<InternalEndpoint> {
        let own = match request.uri().path() {
            purge_client::PATH if *request.method() == Method::POST => InternalEndpoint::Purge,
            peers::PATH => InternalEndpoint::Peer,
            _ => return None,
        };
        let token = self.0.token.as_ref()?;
        token.is_in(request.headers()).then_some(own)
    }

    pub(crate) async fn take_purge(self, request: Request) -> Response<Payload> {
        let bad =
            |detail: String| answer::problem(Problem::new(StatusCode::BAD_REQUEST, "invalid_purge", detail));
        let document = match body::collect(request.into_body(), MOST_PURGE).await {
            Ok(document) => document,
            Err(error) => return bad(error.to_string()),
        };
        match serde_json::from_slice::<Purge>(&document) {
            Ok(purge) => self.purge(purge).await,
            Err(error) => return bad(error.to_string()),
        }
        let mut response = Response::new(Payload::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    /// Tells who this process is.
    pub(crate) fn peer_id(&self) -> Response<Payload> {
        let id = self.0.peers.as_ref().map(|peers| peers.id.clone()).unwrap_or_default();
        Response::new(Payload::Bytes(id.into()))
    }
}

/// What the house asks of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InternalEndpoint {
    Purge,
    Peer,
}

impl Service<Request> for Endpoints {
    type Response = Response<Payload>;
    type Error = Infallible;
    type Future = Answer<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let own = match request.uri().path() {
            "/healthz" | "/readyz" | "/metrics" if !reads => std::future::ready(reads_only()).boxed(),
            "/healthz" => std::future::ready(health::live().map(Payload::Stream)).boxed(),
            "/readyz" => self.clone().ready().boxed(),
            "/metrics" => std::future::ready(self.metrics()).boxed(),
            path if path.starts_with("/edge/") => match self.edge.own(&request) {
                Some(InternalEndpoint::Purge) => self.edge.clone().take_purge(request).boxed(),
                Some(InternalEndpoint::Peer) => std::future::ready(self.edge.peer_id()).boxed(),
                None => return self.edge.answer(request),
            },
            _ => return self.edge.answer(request),
        };
        Either::Right(own.map(Ok).boxed())
    }
}

/// RFC 9110 §15.5.6: a check that is sent by another method than meant is told so, and not that all is well.
fn reads_only() -> Response<Payload> {
    let detail = "This address takes GET and HEAD alone.";
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    answer::problem(problem.header(header::ALLOW, HeaderValue::from_static("GET, HEAD")))
}
