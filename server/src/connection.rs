//! In charge of one connection from its acceptance to its end, with HTTP/1.1 and HTTP/2 on one port. Leaves
//! requests to the service.

use std::{
    cell::RefCell,
    fmt::Display,
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use http::{Version, request::Parts};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::{server::conn::http1, service::Service as HyperService};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;
use tracing::debug;

use crate::{
    Body, BoxError, Interim, Limits, Request, Tls,
    access::Asked,
    answer::{Answering, Books, Tail},
    body,
    cork::Corked,
    http2,
    incoming::{Afterwards, Incoming},
    interim::Spoken,
    metrics::Counts,
    patience::{self, Activity, Lost, Turn, Watched},
    preface,
    streams::{self, Streams},
    well_formed,
};

// What hyper takes by itself.
const HYPERS_HEADERS: usize = 100;

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
struct Visit {
    house: House,
    activity: Arc<Activity>,
}

impl House {
    /// Serves one connection to its end.
    pub(crate) async fn connection<S, B>(self, stream: TcpStream, service: S)
    where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        // Playlists and the ends of segments are small writes that must not wait for an acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "cannot set TCP_NODELAY");
        }
        let visit = Visit { house: self, activity: Arc::default() };
        let stream = Watched::new(stream, visit.activity.clone());
        match &visit.house.tls {
            None => visit.http(stream, service).await,
            Some(tls) => {
                let (stream, cork) = Corked::new(stream);
                let shaken = tokio::select! {
                    shaken = cork.around(tls.accept(stream)) => shaken,
                    _ = visit.news(true) => return debug!("a handshake took too long"),
                };
                match shaken {
                    Ok(stream) => cork.around(visit.http(stream, service)).await,
                    Err(error) => debug!(%error, "no TLS came about"),
                }
            }
        }
    }
}

impl Visit {
    async fn http<S, B>(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: S)
    where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let looked = tokio::select! {
            looked = preface::look(stream) => looked,
            _ = self.news(false) => return debug!("a connection without a request is closed"),
        };
        let (stream, version) = match looked {
            Ok(looked) => looked,
            Err(error) => return debug!(%error, "a connection broke"),
        };
        let answers = Answers { service: RefCell::new(service), visit: self.clone() };
        if version < Version::HTTP_2 {
            let (stream, line) = Spoken::new(stream);
            let connection = self.http1().serve_connection(TokioIo::new(stream), answers);
            return line.scope(self.see_out(connection, http1::Connection::graceful_shutdown, None)).await;
        }
        let (stream, heard) = http2::listen(stream);
        let shaken = tokio::select! {
            shaken = streams::shake(stream, &self.house.limits, answers) => shaken,
            _ = self.news(true) => return debug!("a handshake took too long"),
        };
        match shaken {
            Ok((connection, pings)) => {
                let waits = || self.activity.is_answering();
                let silence = http2::silence(pings, heard, self.house.limits.ping, waits);
                let silence = silence.map(|()| News::Silence).boxed();
                self.see_out(connection, Streams::leave, Some(silence)).await;
            }
            Err(error) => debug!(%error, "no HTTP/2 came about"),
        }
    }

    /// Serves a connection until it ends, is told to `leave` and does, or is cut.
    async fn see_out<'a, C, E>(
        &'a self,
        connection: C,
        leave: impl Fn(Pin<&mut C>),
        silence: Option<BoxFuture<'a, News>>,
    ) where
        C: Future<Output = Result<(), E>>,
        E: Display,
    {
        let mut connection = pin!(connection);
        let mut draining = false;
        // A set is polled when it has something to say, and not with every request.
        let mut news = FuturesUnordered::from_iter(silence);
        news.push(self.news(draining).boxed());
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(%error, "a connection broke");
                    }
                    return;
                }
                Some(told) = news.next() => match told {
                    News::Drain => {}
                    News::Lost(Lost::Idle) if !draining => debug!("a connection without a request is closed"),
                    News::Lost(lost) => return debug!(?lost, "a connection was cut"),
                    News::Silence => return debug!("a client is gone"),
                    News::Cut => return,
                }
            }
            draining = true;
            leave(connection.as_mut());
            news.push(self.news(draining).boxed());
        }
    }

    async fn news(&self, draining: bool) -> News {
        tokio::select! {
            () = self.house.draining.cancelled(), if !draining => News::Drain,
            lost = patience::lost(&self.activity, &self.house.limits) => News::Lost(lost),
            () = self.house.cut.cancelled() => News::Cut,
        }
    }

    fn http1(&self) -> http1::Builder {
        let limits = &self.house.limits;
        let mut builder = http1::Builder::new();
        builder
            // `patience` has one clock for all of a connection; hyper's is set anew by every request.
            .header_read_timeout(None)
            .max_buf_size(limits.header_bytes.max(8192) as usize);
        // Said in so many words, hyper clears as many places for every request; unsaid, it leaves them as they are.
        if limits.headers != HYPERS_HEADERS {
            builder.max_headers(limits.headers);
        }
        builder
    }
}

/// What a connection is told besides its requests.
enum News {
    Drain,
    Lost(Lost),
    Silence,
    Cut,
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

    /// Has a request answered. `expecting` is who waits to be told that the body is wanted.
    pub(crate) fn answer(&self, mut parts: Parts, body: Body, expecting: Option<Interim>) -> Answering<S> {
        let house = self.house();
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
