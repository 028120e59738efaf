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
    access::Asked,
    answer::{Answering, Books, Tail},
    body,
    forwarded::Peer,
    incoming::{Afterwards, Incoming},
    metrics::Counts,
    patience::{Activity, Turn},
    well_formed,
};

/// What all connections of a listener share.
#[derive(Clone)]
pub(crate) struct House {
    pub(crate) tasks: TaskTracker,
    pub(crate) draining: CancellationToken,
    pub(crate) cut: CancellationToken,
    pub(crate) limits: Arc<Limits>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) tls: Option<Tls>,
}

/// One connection to the house, whatever is spoken on it.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) house: House,
    pub(crate) activity: Arc<Activity>,
    pub(crate) peer: Option<Peer>,
}

/// Turns a connection's requests into ours, and has them answered.
pub(crate) struct Answers<S> {
    service: RefCell<S>,
    visit: Visit,
}

impl<S> Answers<S>
where
    S: Service<Request> + Clone,
{
    pub(crate) fn house(&self) -> &House {
        &self.visit.house
    }

    /// Makes the answers of `service` to one connection's requests.
    pub(crate) fn new(service: S, visit: Visit) -> Self {
        Self { service: RefCell::new(service), visit }
    }

    /// Has a request answered. `expecting` is who waits to be told that the body is wanted.
    pub(crate) fn answer(&self, mut parts: Parts, body: Body, expecting: Option<Interim>) -> Answering<S> {
        let house = self.house();
        if let Some(peer) = self.visit.peer {
            parts.extensions.insert(peer);
        }
        let turn = Turn::begin(self.visit.activity.clone());
        let asked = Asked::new(house.counts.clone(), &parts.method, &parts.uri);
        let books = Books { asked, turn, last: well_formed::is_last(&parts) };
        let body = if body.is_end_stream() {
            body
        } else {
            let afterwards = Afterwards { tasks: house.tasks.clone(), cut: house.cut.clone() };
            Incoming::new(&parts, body, house.limits.body_idle, afterwards).telling(expecting).boxed_unsync()
        };
        if let Err(why) = well_formed::check(&mut parts) {
            return Answering::refuse(why, books);
        }
        Answering::serve(&mut self.service.borrow_mut(), Request::from_parts(parts, body), books)
    }
}

impl<S, B> HyperService<http::Request<hyper::body::Incoming>> for Answers<S>
where
    S: Service<Request, Response = http::Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Response = http::Response<Tail<B>>;
    type Error = std::convert::Infallible;
    type Future = Answering<S>;

    fn call(&self, request: http::Request<hyper::body::Incoming>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let body = if body.is_end_stream() { body::empty() } else { body.map_err(Into::into).boxed_unsync() };
        // hyper tells by itself.
        self.answer(parts, body, None)
    }
}
