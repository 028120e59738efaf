//! In charge of connections: accepting, bounding, draining and cutting them, with HTTP/1.1 and HTTP/2 on one
//! port. Leaves requests to the service.

use std::{convert::Infallible, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http_body_util::BodyExt;
use hyper::{rt::Executor, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulConnection},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt};
use tracing::{debug, error, info, warn};

use crate::{
    BoxError, Limits, Problem, Request, Response,
    access::Asked,
    cors,
    incoming::{Afterwards, Incoming},
};

// When accepting fails, descriptors have run out; they come back as connections end, not at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `service` on `listener` until `shutdown`, then lets requests in flight finish within
/// `limits.drain` and cuts what is left. Returns when every connection is gone.
pub async fn serve<S, B>(listener: TcpListener, service: S, limits: Limits, shutdown: CancellationToken)
where
    S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let house = House {
        tasks: TaskTracker::new(),
        draining: CancellationToken::new(),
        cut: CancellationToken::new(),
        limits: Arc::new(limits),
    };
    let places = Arc::new(Semaphore::new(house.limits.connections));
    let linger = house.limits.linger;
    let mut stop = pin!(async {
        shutdown.cancelled().await;
        tokio::time::sleep(linger).await;
    });
    loop {
        // The place comes first: at the bound nobody is accepted, and the kernel's queue holds the rest.
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = house.clone().connection(stream, service.clone());
                house.tasks.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    house.drain().await;
}

/// What all connections share.
#[derive(Clone)]
struct House {
    tasks: TaskTracker,
    draining: CancellationToken,
    cut: CancellationToken,
    limits: Arc<Limits>,
}

impl House {
    async fn connection<S, B>(self, stream: TcpStream, service: S)
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
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.write_stall));

        let asked = CancellationToken::new();
        let idle = self.limits.body_idle;
        let answer = {
            let asked = asked.clone();
            let afterwards = Afterwards { tasks: self.tasks.clone(), cut: self.cut.clone() };
            service_fn(move |request: http::Request<hyper::body::Incoming>| {
                asked.cancel();
                let (parts, body) = request.into_parts();
                let body = body.map_err(Into::into).boxed_unsync();
                let body = Incoming::new(&parts, body, idle, afterwards.clone()).boxed_unsync();
                answer(service.clone(), Request::from_parts(parts, body))
            })
        };
        let builder = self.builder();
        let mut connection = pin!(builder.serve_connection(TokioIo::new(Box::pin(stream)), answer));
        // hyper's clock for headers starts when it knows the protocol. Who never sends enough to tell, or
        // speaks HTTP/2 and asks nothing, is seen by this one.
        let silent = async {
            if tokio::time::timeout(self.limits.header_timeout, asked.cancelled()).await.is_ok() {
                std::future::pending::<()>().await;
            }
        };
        let mut silent = pin!(silent);
        let mut draining = false;
        loop {
            tokio::select! {
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(error, "a connection broke");
                    }
                    return;
                }
                () = self.draining.cancelled(), if !draining => {
                    draining = true;
                    GracefulConnection::graceful_shutdown(connection.as_mut());
                }
                () = &mut silent => return debug!("a connection without a request was closed"),
                () = self.cut.cancelled() => return,
            }
        }
    }

    fn builder(&self) -> auto::Builder<Tracked> {
        let limits = &self.limits;
        let mut builder = auto::Builder::new(Tracked { tasks: self.tasks.clone(), cut: self.cut.clone() });
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_timeout)
            .max_buf_size(limits.header_bytes.max(8192) as usize)
            .max_headers(limits.headers);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(limits.header_bytes)
            .max_concurrent_streams(limits.streams)
            .keep_alive_interval(limits.ping)
            .keep_alive_timeout(limits.ping)
            // Enough for an upload over a long line; the product with `connections` bounds our memory.
            .initial_stream_window_size(512 * 1024)
            .initial_connection_window_size(1024 * 1024);
        builder
    }

    async fn drain(self) {
        self.draining.cancel();
        self.tasks.close();
        info!(tasks = self.tasks.len(), "draining");
        if tokio::time::timeout(self.limits.drain, self.tasks.wait()).await.is_err() {
            warn!(tasks = self.tasks.len(), "cutting what did not finish in time");
            self.cut.cancel();
            self.tasks.wait().await;
        }
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

// Not an `async fn`: the compiler cannot see yet that the service's future is `Send` from inside of one.
fn answer<S, B>(service: S, request: Request) -> BoxFuture<'static, Result<Response, Infallible>>
where
    S: Service<Request, Response = http::Response<B>> + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let asked = Asked::new(request.method(), request.uri());
    // Whatever a handler held when it panicked is dropped with its future, so nothing broken is seen later.
    let answered = AssertUnwindSafe(service.oneshot(request)).catch_unwind();
    let answered = answered.map(move |answered| {
        let response = match answered {
            Ok(Ok(response)) => response.map(|body| body.map_err(Into::into).boxed_unsync()),
            Ok(Err(error)) => {
                let error: BoxError = error.into();
                error!(error, "a service failed");
                unexpected()
            }
            Err(panic) => {
                let said = panic.downcast_ref::<&str>().copied();
                let said = said.or(panic.downcast_ref::<String>().map(String::as_str));
                error!(panic = said.unwrap_or("not a text"), "a handler panicked");
                unexpected()
            }
        };
        Ok(asked.answered(response))
    });
    answered.boxed()
}

fn unexpected() -> Response {
    let mut response = Response::from(Problem::internal());
    // No layer of the role sees this answer any more, yet a page must be able to.
    cors::expose(response.headers_mut(), cors::PLAYBACK);
    response
}
