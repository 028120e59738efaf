//! In charge of request bodies while they come in: they may not go silent, and what is left of one that was
//! answered early is read on for a moment, so that the client gets to see the answer.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Version, header, request::Parts};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::{
    runtime::Handle,
    time::{Instant, Sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Body, BoxError, Interim, body};

// Long enough for an answer to cross the world and for the client to stop sending.
const READ_ON: Duration = Duration::from_secs(5);

/// Where tasks that outlive their request run, and what ends them.
#[derive(Clone)]
pub(crate) struct Afterwards {
    /// What the drain waits for.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the drain has waited long enough.
    pub(crate) cut: CancellationToken,
}

/// A request's body. It fails when no byte comes for a while; the clock runs only while somebody waits for a
/// byte, so a slow disk of ours is not the client's fault.
pub(crate) struct Incoming {
    inner: Body,
    idle: Duration,
    sleep: Pin<Box<Sleep>>,
    waiting: bool,
    rest: Rest,
    /// Who is to be told that the body is wanted.
    expecting: Option<Interim>,
    afterwards: Afterwards,
}

/// What to do with bytes that nobody asked for when the request is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Read on: they are on their way, and a connection that is closed before them is reset, which can
    /// destroy the answer.
    ReadOn,
    /// Not until the first byte: the client waits for "100 Continue" and must not be told to go on.
    Unasked,
    /// Let go: there are none, or HTTP/2 ends the one stream by itself.
    LetGo,
}

impl Incoming {
    pub(crate) fn new(request: &Parts, inner: Body, idle: Duration, afterwards: Afterwards) -> Self {
        let rest = if request.version >= Version::HTTP_2 {
            Rest::LetGo
        } else if request.headers.contains_key(header::EXPECT) {
            Rest::Unasked
        } else {
            Rest::ReadOn
        };
        let sleep = Box::pin(tokio::time::sleep(idle));
        Self { inner, idle, sleep, waiting: false, rest, expecting: None, afterwards }
    }

    /// Has a client told, who expects it, when the body is wanted.
    pub(crate) fn telling(mut self, expecting: Option<Interim>) -> Self {
        self.expecting = expecting;
        self
    }
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) {
            this.waiting = false;
            match (&frame, this.rest) {
                (Some(Ok(_)), Rest::Unasked) => this.rest = Rest::ReadOn,
                (Some(Err(_)) | None, _) => this.rest = Rest::LetGo,
                _ => {}
            }
            return Poll::Ready(frame);
        }
        if !this.waiting {
            this.waiting = true;
            if let Some(client) = this.expecting.take() {
                client.go_on();
            }
            this.sleep.as_mut().reset(Instant::now() + this.idle);
        }
        ready!(this.sleep.as_mut().poll(cx));
        this.rest = Rest::LetGo;
        Poll::Ready(Some(Err(body::Error::Stalled(this.idle).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.rest != Rest::ReadOn || self.inner.is_end_stream() {
            return;
        }
        // There is none when the program ends and its last tasks are dropped.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut inner = std::mem::replace(&mut self.inner, body::empty());
        let cut = self.afterwards.cut.clone();
        let read_on = async move { while let Some(Ok(_)) = inner.frame().await {} };
        let bounded = async move { cut.run_until_cancelled(tokio::time::timeout(READ_ON, read_on)).await };
        self.afterwards.tasks.spawn_on(bounded, &runtime);
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http::Request;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("a layer in between")]
    struct Wrapper(#[source] BoxError);

    #[tokio::test(start_paused = true)]
    async fn a_body_that_goes_silent_is_stalled_and_known_as_such_through_wrappers() {
        let silent = body::stream(stream::pending::<Result<Bytes, BoxError>>());
        let (request, ()) = Request::new(()).into_parts();
        let afterwards = Afterwards { tasks: TaskTracker::new(), cut: CancellationToken::new() };
        let body = Incoming::new(&request, silent, Duration::from_secs(5), afterwards);
        let wrapped = body.map_err(|e| Box::new(Wrapper(e)) as BoxError);
        let error = body::collect(wrapped, 10).await.unwrap_err();
        assert!(matches!(error, body::Error::Stalled(span) if span == Duration::from_secs(5)), "{error:?}");
    }
}
