//! The future of one response: a malformed request is refused, a panic becomes a 500, and the request's record is kept
//! until the last byte of the body is written. It allocates nothing of its own, because every request passes here.

use std::{
    any::Any,
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Version, header, request::Parts};
use http_body::{Body as _, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::{Service, ServiceExt, util::Oneshot};
use tracing::{Span, error};

use crate::{
    Body, BoxError, Problem, Request, Response, access::AccessLogEntry, activity::RequestGuard, body,
    clients::ClientGuard, cors, sending::Sending, span, well_formed,
};

// RFC 9113 §4.1 and RFC 8446 §5.1: a frame and its head of nine bytes fit into one record of TLS. Frames of as many bytes
// as most peers take would leave nine bytes to a record of their own.
const FRAME: usize = 16 * 1024 - 9;

pin_project! {
    /// The future of a response.
    pub(crate) struct ResponseFuture<S>
    where
        S: Service<Request>,
    {
        #[pin]
        stage: Stage<S>,
        record: Option<RequestRecord>,
    }
}

pin_project! {
    #[project = StageProjection]
    enum Stage<S>
    where
        S: Service<Request>,
    {
        Called { #[pin] future: S::Future },
        Waiting { #[pin] service: Oneshot<S, Request> },
        Ours { response: Option<Response> },
    }
}

/// The account of a request until its end.
pub(crate) struct RequestRecord {
    pub(crate) entry: AccessLogEntry,
    pub(crate) guard: RequestGuard,
    pub(crate) delivery: Delivery,
    pub(crate) client: Option<ClientGuard>,
    pub(crate) span: Span,
}

/// How a response goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Http1,
    /// The connection ends with it.
    Http1Close,
    /// In frames.
    Http2,
    /// Without a body. hyper sees to that over HTTP/1.1 alone.
    Http2Head,
}

impl Delivery {
    pub(crate) fn of(request: &Parts) -> Self {
        match request.version {
            Version::HTTP_2 if request.method == Method::HEAD => Self::Http2Head,
            Version::HTTP_2 => Self::Http2,
            _ if well_formed::is_last(request) => Self::Http1Close,
            _ => Self::Http1,
        }
    }
}

impl<S> ResponseFuture<S>
where
    S: Service<Request> + Clone,
{
    /// Has `service` answer. It gets the request at once, if it is ready: what is answered from memory then lets go of
    /// hyper's buffer before hyper looks whether the client has gone, and would have to take another for that.
    pub(crate) fn serve(service: &mut S, request: Request, record: RequestRecord) -> Self {
        let call = || match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => Stage::Called { future: service.call(request) },
            _ => Stage::Waiting { service: service.clone().oneshot(request) },
        };
        let called = record.span.in_scope(|| catch_panic(call));
        let stage = called.unwrap_or_else(|| Stage::Ours { response: Some(unexpected()) });
        Self { stage, record: Some(record) }
    }

    pub(crate) fn refuse(problem: Problem, record: RequestRecord) -> Self {
        Self { stage: Stage::Ours { response: Some(problem.into()) }, record: Some(record) }
    }
}

impl<S, B> Future for ResponseFuture<S>
where
    S: Service<Request, Response = http::Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes>,
{
    type Output = Result<http::Response<TrackedBody<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.record.as_ref().map(|record| record.span.enter());
        let polled = match this.stage.project() {
            StageProjection::Called { future } => answered(|| future.poll(cx)),
            StageProjection::Waiting { service } => answered(|| service.poll(cx)),
            StageProjection::Ours { response } => Poll::Ready(ours(response.take().expect(ONCE))),
        };
        drop(entered);
        let mut response = ready!(polled);
        let RequestRecord { entry, guard, delivery, client, span } = this.record.take().expect(ONCE);
        match delivery {
            Delivery::Http1 | Delivery::Http2 => {}
            Delivery::Http1Close => {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Delivery::Http2Head => response = without_body(response),
        }
        let status = response.status();
        span::answered(&span, status);
        let response = response.map(|source| {
            let record = entry.answered(status);
            TrackedBody { source, rest: Bytes::new(), delivery, record, _guard: guard, _client: client }
        });
        Poll::Ready(Ok(response))
    }
}

/// RFC 9110 §9.3.2: a HEAD is answered with the fields of the GET, the length among them.
fn without_body<B>(mut response: http::Response<Source<B>>) -> http::Response<Source<B>>
where
    B: http_body::Body<Data = Bytes>,
{
    let body = response.body();
    let len = match body {
        Source::Service { body } if !body.is_end_stream() => body.size_hint().exact(),
        Source::Ours { body } if !body.is_end_stream() => body.size_hint().exact(),
        _ => None,
    };
    if let Some(len) = len {
        response.headers_mut().entry(header::CONTENT_LENGTH).or_insert_with(|| len.into());
    }
    response.map(|_| Source::Ours { body: body::empty() })
}

const ONCE: &str = "a future is not polled after its end";

/// Turns a service's result into a response. A panic and an error become a 500, so that the client gets an answer and
/// the other requests of the connection go on.
fn answered<B, E: Into<BoxError>>(
    poll: impl FnOnce() -> Poll<Result<http::Response<B>, E>>,
) -> Poll<http::Response<Source<B>>> {
    let Some(polled) = catch_panic(poll) else { return Poll::Ready(ours(unexpected())) };
    Poll::Ready(match ready!(polled) {
        Ok(response) => response.map(|body| Source::Service { body }),
        Err(error) => {
            let error: BoxError = error.into();
            error!(error, "a service failed");
            ours(unexpected())
        }
    })
}

/// Runs `work`; `None` when it panics. The handler's state is dropped with its future, and services are handles to
/// shared state, so no later request sees a half-changed handler: hence `AssertUnwindSafe`.
fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    let log = |panic: Box<dyn Any + Send>| {
        let message = panic.downcast_ref::<&str>().copied();
        let message = message.or(panic.downcast_ref::<String>().map(String::as_str));
        error!(panic = message.unwrap_or("not a text"), "a handler panicked");
    };
    catch_unwind(AssertUnwindSafe(work)).map_err(log).ok()
}

fn ours<B>(response: Response) -> http::Response<Source<B>> {
    response.map(|body| Source::Ours { body })
}

fn unexpected() -> Response {
    let mut response = Response::from(Problem::internal());
    // No layer of the role sees this answer any more, yet a page must be able to.
    cors::expose(response.headers_mut(), cors::PLAYBACK);
    response
}

pin_project! {
    /// A response's body on its way out. Dropped behind its last byte, or when nobody wants it any more.
    pub(crate) struct TrackedBody<B> {
        #[pin]
        source: Source<B>,
        // Behind the frame that went out last.
        rest: Bytes,
        delivery: Delivery,
        record: crate::access::ResponseRecord,
        _guard: RequestGuard,
        _client: Option<ClientGuard>,
    }
}

pin_project! {
    #[project = SourceProjection]
    enum Source<B> {
        Service { #[pin] body: B },
        Ours { body: Body },
    }
}

impl<B> http_body::Body for TrackedBody<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.project();
        let mut frame = if this.rest.is_empty() {
            let polled = match this.source.project() {
                SourceProjection::Service { body } => body.poll_frame(cx).map_err(Into::into),
                SourceProjection::Ours { body } => Pin::new(body).poll_frame(cx),
            };
            let Poll::Ready(frame) = polled else {
                Sending::note(None);
                return Poll::Pending;
            };
            frame
        } else {
            Some(Ok(Frame::data(std::mem::take(this.rest))))
        };
        if *this.delivery == Delivery::Http2
            && let Some(Ok(whole)) = frame
        {
            frame = Some(Ok(whole.map_data(|mut data| {
                *this.rest = data.split_off(data.len().min(FRAME));
                data
            })));
        }
        if let Some(Ok(frame)) = &frame {
            Sending::note(Some(frame.data_ref().map_or(0, Bytes::len)));
        }
        this.record.saw(frame.as_ref());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        if !self.rest.is_empty() {
            return false;
        }
        match &self.source {
            Source::Service { body } => body.is_end_stream(),
            Source::Ours { body } => body.is_end_stream(),
        }
    }

    // Asked before the first frame only, when there is no rest.
    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Service { body } => body.size_hint(),
            Source::Ours { body } => body.size_hint(),
        }
    }
}
