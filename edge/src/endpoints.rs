//! An edge's own addresses, in front of all others: its health, and the internal requests of the origin and the peers.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures::{FutureExt, future::Either};
use http::{HeaderValue, Method, Response, StatusCode, header};
use server::{Problem, Request, body, health};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    Answer, Edge, Origins, Payload, Purge, peers, problem, purge_client,
    signature::{self, Addressee},
};

// Names of some ten thousand videos.
const MOST_PURGE: u64 = 1024 * 1024;

/// An edge that stands alone.
#[derive(Clone, Debug)]
pub struct Endpoints {
    edge: Edge,
    origins: Origins,
    shutdown: CancellationToken,
}

impl Endpoints {
    /// Puts the addresses of a role in front of `edge`.
    pub fn new(edge: Edge, origins: Origins, shutdown: CancellationToken) -> Self {
        Self { edge, origins, shutdown }
    }

    /// Answers `/readyz`.
    pub async fn ready(&self) -> server::Response {
        // An edge without its origins still has what it keeps; sending its viewers away would not help them.
        if !self.origins.any_healthy() {
            tracing::warn!("no origin is healthy");
        }
        health::ready(&self.shutdown, async { Ok::<(), Infallible>(()) }).await
    }
}

impl Edge {
    /// Returns the internal endpoint that a request is for, if any. Without a right signature the request is handled as any other,
    /// so a scan does not find out that the address exists.
    pub(crate) fn internal_endpoint(&self, request: &Request) -> Option<InternalEndpoint> {
        let endpoint = match request.uri().path() {
            purge_client::PATH if *request.method() == Method::POST => InternalEndpoint::Purge,
            peers::PATH => InternalEndpoint::Peer,
            _ => return None,
        };
        let now = self.0.clock.date();
        self.0.admission.is_internal(request, Addressee::Any, now).then_some(endpoint)
    }

    pub(crate) async fn take_purge(self, request: Request) -> Response<Payload> {
        let bad =
            |detail: String| problem::answer(Problem::new(StatusCode::BAD_REQUEST, "invalid_purge", detail));
        let digest = request.headers().get(signature::DIGEST).cloned();
        let document = match body::collect(request.into_body(), MOST_PURGE).await {
            Ok(document) => document,
            Err(error) => return bad(error.to_string()),
        };
        // The signature covers the digest.
        if digest != Some(signature::digest(&document)) {
            return bad("the content is not the one of the digest".to_owned());
        }
        match serde_json::from_slice::<Purge>(&document) {
            Ok(purge) => self.purge(purge).await,
            Err(error) => return bad(error.to_string()),
        }
        let mut response = Response::new(Payload::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    }

    /// Answers with the id of this process, by which an edge recognises itself among its peers.
    pub(crate) fn peer_id(&self) -> Response<Payload> {
        let id = self.0.peers.as_ref().map(|peers| peers.id.clone()).unwrap_or_default();
        Response::new(Payload::Bytes(id.into()))
    }
}

/// An endpoint for the origin and the peers, which sign their requests.
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
        let answer = match request.uri().path() {
            "/healthz" | "/readyz" if !reads => std::future::ready(reads_only()).boxed(),
            "/healthz" => std::future::ready(health::live().map(Payload::Stream)).boxed(),
            "/readyz" => {
                let own = self.clone();
                async move { own.ready().await.map(Payload::Stream) }.boxed()
            }
            path if path.starts_with("/edge/") => match self.edge.internal_endpoint(&request) {
                Some(InternalEndpoint::Purge) => self.edge.clone().take_purge(request).boxed(),
                Some(InternalEndpoint::Peer) => std::future::ready(self.edge.peer_id()).boxed(),
                None => return self.edge.answer(request),
            },
            _ => return self.edge.answer(request),
        };
        Either::Right(answer.map(Ok).boxed())
    }
}

/// RFC 9110 §15.5.6: a check with a method other than GET or HEAD gets a 405 and no 200, which would hide the mistake.
fn reads_only() -> Response<Payload> {
    let detail = "This address takes GET and HEAD alone.";
    let refusal = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
    problem::answer(refusal.header(header::ALLOW, HeaderValue::from_static("GET, HEAD")))
}
