//! Request bodies while they come in: they may neither go silent nor trickle, and the rest of one that was answered early
//! is read for a moment (nginx's lingering close), so that the client gets to see the answer.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{header, request::Parts};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::runtime::Handle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Body, BoxError, body,
    pace::{Pace, PaceClock},
};

// Long enough for an answer to cross the world and for the client to stop sending.
const LINGERING_TIME: Duration = Duration::from_secs(5);

/// The tracker and the end of tasks that outlive their request.
#[derive(Clone)]
pub(crate) struct Afterwards {
    /// The tasks that the drain waits for.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when the drain has waited long enough.
    pub(crate) cut: CancellationToken,
}

/// A request's body. It fails when it comes too slowly; the clock runs only while a byte is waited for, so a slow disk of
/// ours is not the client's fault.
pub(crate) struct Incoming {
    inner: Body,
    pace: Pace,
    clock: PaceClock,
    bytes: u64,
    leftover: Leftover,
    afterwards: Afterwards,
}

/// The rest of a request's body that no handler has read when the request is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leftover {
    /// Lingering close: they are on their way, and a connection that is closed before them is reset, which can destroy the
    /// answer. Over HTTP/2 curl and httpx drop an answer that a `RST_STREAM` follows at once (RFC 9113 §8.1).
    Read,
    /// None before the first byte: the client waits for "100 Continue", which reading would send.
    NotAsked,
    /// There are none, or they came too slowly.
    Dropped,
}

impl Incoming {
    pub(crate) fn new(request: &Parts, inner: Body, pace: Pace, afterwards: Afterwards) -> Self {
        let expects = request.headers.contains_key(header::EXPECT);
        let leftover = if expects { Leftover::NotAsked } else { Leftover::Read };
        Self { inner, pace, clock: PaceClock::new(pace), bytes: 0, leftover, afterwards }
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
            this.clock.pause();
            match &frame {
                Some(Ok(frame)) => {
                    this.bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                    if this.leftover == Leftover::NotAsked {
                        this.leftover = Leftover::Read;
                    }
                }
                Some(Err(_)) | None => this.leftover = Leftover::Dropped,
            }
            return Poll::Ready(frame);
        }
        ready!(this.clock.poll_late(this.bytes, cx));
        this.leftover = Leftover::Dropped;
        Poll::Ready(Some(Err(body::Error::Stalled(this.pace.pause).into())))
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
        if self.leftover != Leftover::Read || self.inner.is_end_stream() {
            return;
        }
        // There is none when the program ends and its last tasks are dropped.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut inner = std::mem::replace(&mut self.inner, body::empty());
        let cut = self.afterwards.cut.clone();
        let read = async move { while let Some(Ok(_)) = inner.frame().await {} };
        let bounded =
            async move { cut.run_until_cancelled(tokio::time::timeout(LINGERING_TIME, read)).await };
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
        let body =
            Incoming::new(&request, silent, Pace { pause: Duration::from_secs(5), least_bps: 0 }, afterwards);
        let wrapped = body.map_err(|e| Box::new(Wrapper(e)) as BoxError);
        let error = body::collect(wrapped, 10).await.unwrap_err();
        assert!(matches!(error, body::Error::Stalled(span) if span == Duration::from_secs(5)), "{error:?}");
    }
}
