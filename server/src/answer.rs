//! In charge of one request's way through the service: what it may not be, what becomes of a panic, and the
//! books that are kept until the last byte of its response is gone. Allocates nothing of its own: this is every
//! request's way.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body::{Frame, SizeHint};
use pin_project_lite::pin_project;
use tower::{Service, ServiceExt, util::Oneshot};
use tracing::error;

use crate::{
    Body, BoxError, Problem, Request, Response, access::Asked, cors, interim, patience::Turn,
    well_formed::Malformed,
};

pin_project! {
    /// The future of a response.
    #[project = AnsweringProjection]
    pub(crate) enum Answering<S>
    where
        S: Service<Request>,
    {
        Serving { #[pin] service: Oneshot<S, Request>, books: Option<Books> },
        Refused { why: Malformed, books: Option<Books> },
    }
}

/// What is kept of a request until its end.
pub(crate) struct Books {
    pub(crate) asked: Asked,
    pub(crate) turn: Turn,
    /// Whether the connection must end with the answer.
    pub(crate) last: bool,
}

impl<S> Answering<S>
where
    S: Service<Request>,
{
    pub(crate) fn serve(service: S, request: Request, books: Books) -> Self {
        Self::Serving { service: service.oneshot(request), books: Some(books) }
    }

    pub(crate) fn refuse(why: Malformed, books: Books) -> Self {
        Self::Refused { why, books: Some(books) }
    }
}

impl<S, B> Future for Answering<S>
where
    S: Service<Request, Response = http::Response<B>>,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes>,
{
    type Output = Result<http::Response<Tail<B>>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut response, books) = match self.project() {
            AnsweringProjection::Refused { why, books } => (ours(Problem::from(*why).into()), books.take()),
            AnsweringProjection::Serving { mut service, books } => {
                // Whatever a handler held when it panicked is dropped with its future, so nothing broken is
                // seen later.
                let polled = catch_unwind(AssertUnwindSafe(|| service.as_mut().poll(cx)));
                let response = match polled {
                    Ok(polled) => match ready!(polled) {
                        Ok(response) => response.map(|body| Source::Service { body }),
                        Err(error) => {
                            let error: BoxError = error.into();
                            error!(error, "a service failed");
                            unexpected()
                        }
                    },
                    Err(panic) => {
                        let said = panic.downcast_ref::<&str>().copied();
                        let said = said.or(panic.downcast_ref::<String>().map(String::as_str));
                        error!(panic = said.unwrap_or("not a text"), "a handler panicked");
                        unexpected()
                    }
                };
                (response, books.take())
            }
        };
        interim::answered();
        let Books { asked, turn, last } = books.expect("a future is not polled after its end");
        if last {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let status = response.status();
        let response = response.map(|source| {
            let ended = asked.answered(status);
            Tail { source, ended, _turn: turn }
        });
        Poll::Ready(Ok(response))
    }
}

fn ours<B>(response: Response) -> http::Response<Source<B>> {
    response.map(|body| Source::Ours { body })
}

fn unexpected<B>() -> http::Response<Source<B>> {
    let mut response = Response::from(Problem::internal());
    // No layer of the role sees this answer any more, yet a page must be able to.
    cors::expose(response.headers_mut(), cors::PLAYBACK);
    ours(response)
}

pin_project! {
    /// A response's body, and what happens when the last of it is gone or nobody wants it any more.
    pub(crate) struct Tail<B> {
        #[pin]
        source: Source<B>,
        ended: crate::access::Ended,
        _turn: Turn,
    }
}

pin_project! {
    #[project = SourceProjection]
    enum Source<B> {
        Service { #[pin] body: B },
        Ours { body: Body },
    }
}

impl<B> http_body::Body for Tail<B>
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
        let frame = match this.source.project() {
            SourceProjection::Service { body } => ready!(body.poll_frame(cx)).map(|f| f.map_err(Into::into)),
            SourceProjection::Ours { body } => ready!(Pin::new(body).poll_frame(cx)),
        };
        this.ended.saw(frame.as_ref());
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Service { body } => body.is_end_stream(),
            Source::Ours { body } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Service { body } => body.size_hint(),
            Source::Ours { body } => body.size_hint(),
        }
    }
}
