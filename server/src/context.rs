//! In charge of what is alike on all connections, whatever is spoken on them: their requests become ours and are
//! answered.

use std::{cell::RefCell, sync::Arc};

use bytes::Bytes;
use http::request::Parts;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::service::Service as HyperService;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use crate::{
    Body, BoxError, Interim, Limits, Request, Tls,
    access::AccessLogEntry,
    activity::{Activity, RequestGuard},
    answer::{RequestRecord, ResponseFuture, TrackedBody},
    body,
    incoming::{Afterwards, Incoming},
    metrics::Counts,
    well_formed,
};

/// What all connections of a listener share.
#[derive(Clone)]
pub(crate) struct ServerContext {
    pub(crate) tasks: TaskTracker,
    pub(crate) draining: CancellationToken,
    pub(crate) cut: CancellationToken,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) tls: Option<Tls>,
}

/// One connection to the house, whatever is spoken on it.
#[derive(Clone)]
pub(crate) struct ConnectionContext {
    pub(crate) server: ServerContext,
    pub(crate) activity: Arc<Activity>,
}

/// Turns a connection's requests into ours, and has them answered.
pub(crate) struct RequestService<S> {
    service: RefCell<S>,
    context: ConnectionContext,
}

impl<S> RequestService<S>
where
    S: Service<Request> + Clone,
{
    pub(crate) fn server(&self) -> &ServerContext {
        &self.context.server
    }

    /// Makes the answers of `service` to one connection's requests.
    pub(crate) fn new(service: S, context: ConnectionContext) -> Self {
        Self { service: RefCell::new(service), context }
    }

    /// Has a request answered. `expecting` is who waits to be told that the body is wanted.
    pub(crate) fn answer(
        &self,
        mut parts: Parts,
        body: Body,
        expecting: Option<Interim>,
    ) -> ResponseFuture<S> {
        let server = self.server();
        let turn = RequestGuard::begin(self.context.activity.clone());
        let entry = AccessLogEntry::new(server.counts.clone(), &parts.method, &parts.uri);
        let record = RequestRecord { entry, turn, last: well_formed::is_last(&parts) };
        let body = if body.is_end_stream() {
            body
        } else {
            let afterwards = Afterwards { tasks: server.tasks.clone(), cut: server.cut.clone() };
            Incoming::new(&parts, body, server.limits.body_idle, afterwards).telling(expecting).boxed_unsync()
        };
        if let Err(why) = well_formed::check(&mut parts) {
            return ResponseFuture::refuse(why, record);
        }
        ResponseFuture::serve(&mut self.service.borrow_mut(), Request::from_parts(parts, body), record)
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
        let (parts, body) = request.into_parts();
        let body = if body.is_end_stream() { body::empty() } else { body.map_err(Into::into).boxed_unsync() };
        // hyper tells by itself.
        self.answer(parts, body, None)
    }
}
