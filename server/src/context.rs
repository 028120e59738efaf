//! The state that all connections of a listener share, and the state of one connection. hyper's requests become
//! requests of the roles here, in the same way for HTTP/1.1 and HTTP/2.

use std::{cell::RefCell, sync::Arc};

use bytes::Bytes;
use http::{StatusCode, Version};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::service::Service as HyperService;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use crate::{
    BoxError, Limits, Problem, Request, Tls,
    access::AccessLogEntry,
    activity::{Activity, RequestGuard},
    answer::{Delivery, RequestRecord, ResponseFuture, TrackedBody},
    body,
    clients::Clients,
    connections::{Place, PlaceKind},
    cork::LargeHolds,
    forwarded::Peer,
    incoming::{Afterwards, Incoming},
    metrics::Counts,
    span, well_formed,
};

const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// The state that all connections of a listener share.
#[derive(Clone)]
pub(crate) struct ServerContext {
    pub(crate) tasks: TaskTracker,
    pub(crate) draining: CancellationToken,
    pub(crate) cut: CancellationToken,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) tls: Option<Tls>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) large_holds: LargeHolds,
}

/// One connection, over HTTP/1.1 or HTTP/2.
#[derive(Clone)]
pub(crate) struct ConnectionContext {
    pub(crate) server: ServerContext,
    pub(crate) activity: Arc<Activity>,
    pub(crate) evicted: CancellationToken,
    place: PlaceKind,
    peer: Peer,
}

impl ConnectionContext {
    pub(crate) fn new(server: ServerContext, place: &Place) -> Self {
        Self {
            server,
            activity: place.activity.clone(),
            evicted: place.evicted.clone(),
            place: place.kind,
            peer: Peer(place.address),
        }
    }
}

/// Turns a connection's requests into ours, and has them answered.
pub(crate) struct RequestService<S> {
    // hyper calls with `&self` and tower takes `&mut self`; all calls of a connection come from its one task.
    service: RefCell<S>,
    context: ConnectionContext,
}

impl<S> RequestService<S> {
    /// Makes the answers of `service` to one connection's requests.
    pub(crate) fn new(service: S, context: ConnectionContext) -> Self {
        Self { service: RefCell::new(service), context }
    }
}

impl<S, B> HyperService<http::Request<hyper::body::Incoming>> for RequestService<S>
where
    S: Service<Request, Response = http::Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<TrackedBody<B>>;
    type Error = std::convert::Infallible;
    type Future = ResponseFuture<S>;

    fn call(&self, request: http::Request<hyper::body::Incoming>) -> Self::Future {
        let (mut parts, incoming) = request.into_parts();
        let server = &self.context.server;
        parts.extensions.insert(self.context.peer);
        let guard = RequestGuard::begin(self.context.activity.clone());
        let entry = AccessLogEntry::new(server.counts.clone(), &parts, &server.limits.proxies);
        let span = span::begin(&parts, self.context.peer, &server.limits.proxies);
        let mut record = RequestRecord { entry, guard, delivery: Delivery::of(&parts), client: None, span };
        if let Some(client) = server.limits.proxies.client(self.context.peer, &parts.headers) {
            record.client = server.clients.begin(client);
            if record.client.is_none() {
                return ResponseFuture::refuse(too_many_requests(), record);
            }
        }
        if self.context.place == PlaceKind::Reserve && !HEALTH.contains(&parts.uri.path()) {
            return ResponseFuture::refuse(too_many_connections(), record);
        }
        // Most requests have no body, and pay for no clock then. The body is made before the check: that of a refused
        // request is read on, too, so that the client gets the 400.
        let body = if incoming.is_end_stream() {
            body::empty()
        } else {
            let body = match parts.version {
                // Only in HTTP/2 can a reset look like the end of a body.
                Version::HTTP_2 => body::received(incoming),
                _ => incoming.map_err(Into::into).boxed_unsync(),
            };
            let afterwards = Afterwards { tasks: server.tasks.clone(), cut: server.cut.clone() };
            Incoming::new(&parts, body, server.limits.request_pace(), afterwards).boxed_unsync()
        };
        if let Err(malformed) = well_formed::check(&mut parts) {
            return ResponseFuture::refuse(malformed.into(), record);
        }
        ResponseFuture::serve(&mut self.service.borrow_mut(), Request::from_parts(parts, body), record)
    }
}

/// A response with `Retry-After` makes a client try again; one that waits in silence would keep a place of the reserve.
fn too_many_connections() -> Problem {
    let detail = "The server answers as many connections as it can; try again in a moment.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_connections", detail)
        .retry_after(1)
        .header(http::header::CONNECTION, http::HeaderValue::from_static("close"))
}

/// A connection of the proxy goes on, for the other clients' requests.
fn too_many_requests() -> Problem {
    let detail = "This address has as many requests open as it may; try again when some have ended.";
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail).retry_after(1)
}
