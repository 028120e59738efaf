//! In charge of an edge that stands alone: its own addresses, in front of all others.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use futures::FutureExt;
use futures::future::Either;
use http_body_util::BodyExt;
use server::{Request, health};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{Answer, Edge, Origins, Payload};

/// An edge with `/healthz` and `/readyz` of its own.
#[derive(Clone, Debug)]
pub struct Front {
    edge: Edge,
    origins: Origins,
    shutdown: CancellationToken,
}

impl Front {
    /// Puts the addresses of a role in front of `edge`.
    pub fn new(edge: Edge, origins: Origins, shutdown: CancellationToken) -> Self {
        Self { edge, origins, shutdown }
    }

    async fn ready(self) -> server::Response {
        // An edge without its origins still has what it keeps, and says the truth about the rest.
        if !self.origins.any_well() {
            tracing::warn!("no origin is well");
        }
        health::ready(&self.shutdown, async { Ok::<(), Infallible>(()) }).await
    }
}

impl Service<Request> for Front {
    type Response = http::Response<Payload>;
    type Error = Infallible;
    type Future = Answer<Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let own = match request.uri().path() {
            "/healthz" => std::future::ready(health::live()).boxed(),
            "/readyz" => self.clone().ready().boxed(),
            _ => return self.edge.answer(request),
        };
        Either::Right(
            own.map(|response| Ok(response.map(|body| Payload::Stream(body.boxed_unsync())))).boxed(),
        )
    }
}
