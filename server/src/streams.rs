//! In charge of a client's HTTP/2 connection (RFC 9113) and of the requests on it. Leaves the frames and the limits on
//! them to h2.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
    time::SystemTime,
};

use bytes::Bytes;
use h2::{
    PingPong, RecvStream,
    server::{Builder, Connection, SendResponse},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use http_body::Body as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service;
use tracing::debug;

use crate::{
    BoxError, Limits, Request,
    answer::{ResponseFuture, TrackedBody},
    context::{RequestService, ServerContext},
    has_any, http2,
    interim::{self, Hints},
};

// Enough for an upload over a long line; the product with `connections` bounds our memory.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

// RFC 9113 §8.2.2: HTTP/1.1's alone, and malformed here.
const OF_HTTP_1: [HeaderName; 6] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A connection: a future that ends with it.
pub(crate) struct Streams<T, S> {
    connection: Connection<T, Bytes>,
    answers: RequestService<S>,
}

/// Begins a connection on `stream`, from the client's preface on.
pub(crate) async fn shake<T, S>(
    stream: T,
    limits: &Limits,
    answers: RequestService<S>,
) -> Result<(Streams<T, S>, PingPong), h2::Error>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Builder::new()
        .max_header_list_size(limits.header_bytes)
        .max_concurrent_streams(limits.streams)
        // CVE-2023-44487: streams that are opened and reset at once cost us more than the client.
        .max_pending_accept_reset_streams(limits.resets)
        .max_local_error_reset_streams(Some(limits.resets))
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .handshake(stream)
        .await?;
    let pings = connection.ping_pong().expect("it is taken once");
    Ok((Streams { connection, answers }, pings))
}

impl<T, S> Streams<T, S>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    /// Sends the client away (RFC 9113 §6.8), behind the requests that it has made.
    pub(crate) fn leave(mut self: Pin<&mut Self>) {
        self.connection.graceful_shutdown();
    }
}

impl<T, S, B> Streams<T, S>
where
    S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn begin(&self, request: http::Request<RecvStream>, respond: SendResponse<Bytes>) {
        let (parts, stream) = request.into_parts();
        let hints = Hints::default();
        let expecting = parts.headers.contains_key(header::EXPECT).then(|| hints.interim());
        let body = http2::body_of(stream, &parts.headers);
        let method = parts.method.clone();
        let answering = self.answers.answer(parts, body, expecting);
        let mut answer = Box::pin(hints.scope(answer(answering, respond, method)));
        // What is in memory is on its way at once. What is not is a task that the drain sees and the cut can reach.
        if answer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            let ServerContext { tasks, cut, .. } = self.answers.server().clone();
            tasks.spawn(async move { cut.run_until_cancelled(answer).await });
        }
    }
}

impl<T, S> Unpin for Streams<T, S> {}

impl<T, S, B> Future for Streams<T, S>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Output = Result<(), h2::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(request) = ready!(self.connection.poll_accept(cx)) {
            let (request, respond) = request?;
            self.begin(request, respond);
        }
        Poll::Ready(Ok(()))
    }
}

/// Answers one request, unless its client wants no answer any more.
async fn answer<S, B>(answering: ResponseFuture<S>, mut respond: SendResponse<Bytes>, method: Method)
where
    S: Service<Request, Response = http::Response<B>> + Clone,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let mut answering = pin!(answering);
    let answered = poll_fn(|cx| {
        let answered = answering.as_mut().poll(cx);
        while let Poll::Ready(interim) = interim::poll_next(cx) {
            if let Err(error) = respond.send_informational(interim) {
                debug!(%error, "an interim answer is left out");
            }
        }
        match answered {
            Poll::Ready(Ok(response)) => Poll::Ready(Some(response)),
            Poll::Pending => respond.poll_reset(cx).map(|_| None),
        }
    });
    let Some(response) = answered.await else { return };
    let (mut parts, body) = response.into_parts();
    dress(&mut parts.headers, &body);
    let is_whole = method == Method::HEAD || body.is_end_stream();
    match respond.send_response(http::Response::from_parts(parts, ()), is_whole) {
        Ok(stream) if !is_whole => http2::send(body, stream).await,
        Ok(_) => {}
        Err(error) => debug!(%error, "a stream ended before its answer"),
    }
}

fn dress<B>(headers: &mut HeaderMap, body: &TrackedBody<B>)
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if has_any(headers, &OF_HTTP_1) {
        for name in &OF_HTTP_1 {
            headers.remove(name);
        }
    }
    http2::tell_length(headers, body);
    // RFC 9110 §6.6.1
    headers.entry(header::DATE).or_insert_with(|| {
        HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::now())).expect("a date is visible ASCII")
    });
}
