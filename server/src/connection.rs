//! In charge of one connection from its acceptance to its end, with HTTP/1.1 and HTTP/2 on one port. Leaves
//! requests to the service.

use std::{cell::RefCell, pin::pin, sync::Arc};

use bytes::Bytes;
use futures::{StreamExt, stream::FuturesUnordered};
use http_body_util::BodyExt;
use hyper::{body::Body as _, rt::Executor, service::Service as HyperService};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;
use tracing::debug;

use crate::{
    BoxError, Limits, Request, Tls,
    access::Asked,
    answer::{Answering, Books, Tail},
    body,
    cork::Corked,
    incoming::{Afterwards, Incoming},
    interim::Spoken,
    metrics::Counts,
    patience::{self, Activity, Lost, Turn, Watched},
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
        let activity = Arc::new(Activity::default());
        let stream = Watched::new(stream, activity.clone());
        match &self.tls {
            None => self.http(stream, service, activity).await,
            Some(tls) => {
                let (stream, cork) = Corked::new(stream);
                let shaken = tokio::select! {
                    shaken = cork.around(tls.accept(stream)) => shaken,
                    _ = patience::lost(&activity, &self.limits) => return debug!("a handshake took too long"),
                    () = self.cut.cancelled() => return,
                };
                match shaken {
                    Ok(stream) => cork.around(self.http(stream, service, activity)).await,
                    Err(error) => debug!(%error, "no TLS came about"),
                }
            }
        }
    }

    async fn http<S, B>(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        service: S,
        activity: Arc<Activity>,
    ) where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let answers =
            Answers { service: RefCell::new(service), activity: activity.clone(), house: self.clone() };
        let builder = self.builder();
        let (stream, line) = Spoken::new(stream);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), answers));
        let mut draining = false;
        // A set of one is polled when it has something to say, and not with every request.
        let mut news = FuturesUnordered::from_iter([self.news(&activity, draining)]);
        loop {
            tokio::select! {
                biased;
                ended = line.scope(connection.as_mut()) => {
                    if let Err(error) = ended {
                        debug!(error, "a connection broke");
                    }
                    return;
                }
                Some(told) = news.next() => match told {
                    News::Drain => {}
                    News::Lost(Lost::Idle) if !draining => debug!("a connection without a request is closed"),
                    News::Lost(lost) => return debug!(?lost, "a connection was cut"),
                    News::Cut => return,
                }
            }
            draining = true;
            connection.as_mut().graceful_shutdown();
            news.push(self.news(&activity, draining));
        }
    }

    async fn news(&self, activity: &Activity, draining: bool) -> News {
        tokio::select! {
            () = self.draining.cancelled(), if !draining => News::Drain,
            lost = patience::lost(activity, &self.limits) => News::Lost(lost),
            () = self.cut.cancelled() => News::Cut,
        }
    }

    fn builder(&self) -> auto::Builder<Tracked> {
        let limits = &self.limits;
        let mut builder = auto::Builder::new(Tracked { tasks: self.tasks.clone(), cut: self.cut.clone() });
        builder
            .http1()
            // `patience` has one clock for all of a connection; hyper's is set anew by every request.
            .header_read_timeout(None)
            .max_buf_size(limits.header_bytes.max(8192) as usize);
        // Said in so many words, hyper clears as many places for every request; unsaid, it leaves them as they are.
        if limits.headers != HYPERS_HEADERS {
            builder.http1().max_headers(limits.headers);
        }
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(limits.header_bytes)
            .max_concurrent_streams(limits.streams)
            // CVE-2023-44487: streams that are opened and reset at once cost us more than the client.
            .max_pending_accept_reset_streams(limits.resets)
            .max_local_error_reset_streams(limits.resets)
            .keep_alive_interval(limits.ping)
            .keep_alive_timeout(limits.ping)
            // Enough for an upload over a long line; the product with `connections` bounds our memory.
            .initial_stream_window_size(512 * 1024)
            .initial_connection_window_size(1024 * 1024);
        builder
    }
}

/// What a connection is told besides its requests.
enum News {
    Drain,
    Lost(Lost),
    Cut,
}

/// Turns hyper's requests into ours.
struct Answers<S> {
    service: RefCell<S>,
    activity: Arc<Activity>,
    house: House,
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
        let turn = Turn::begin(self.activity.clone());
        let (mut parts, body) = request.into_parts();
        let asked = Asked::new(self.house.counts.clone(), &parts.method, &parts.uri);
        let books = Books { asked, turn, last: well_formed::is_last(&parts) };
        let body = if body.is_end_stream() {
            body::empty()
        } else {
            let house = &self.house;
            let afterwards = Afterwards { tasks: house.tasks.clone(), cut: house.cut.clone() };
            let body = body.map_err(Into::into).boxed_unsync();
            Incoming::new(&parts, body, house.limits.body_idle, afterwards).boxed_unsync()
        };
        if let Err(why) = well_formed::check(&mut parts) {
            return Answering::refuse(why, books);
        }
        Answering::serve(&mut self.service.borrow_mut(), Request::from_parts(parts, body), books)
    }
}

/// Runs HTTP/2's requests where the drain can see and the cut can reach them.
#[derive(Clone)]
struct Tracked {
    tasks: TaskTracker,
    cut: CancellationToken,
}

impl<F> Executor<F> for Tracked
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, task: F) {
        let cut = self.cut.clone();
        self.tasks.spawn(async move { cut.run_until_cancelled(task).await });
    }
}
