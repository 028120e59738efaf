//! The streams of HTTP/2 connections as tasks, and the clock on flow control: a client that opens a stream and never its
//! window holds the response's bytes in our memory. Leaves frames and windows to hyper.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::debug;

use crate::{
    context::ServerContext,
    pace::{Pace, PaceClock},
    sending::Sending,
};

/// Spawns the streams of a connection where the drain waits for them and the cut reaches them.
#[derive(Clone, Debug)]
pub(crate) struct StreamExecutor {
    tasks: TaskTracker,
    cut: CancellationToken,
    pace: Pace,
}

impl StreamExecutor {
    pub(crate) fn new(server: &ServerContext) -> Self {
        Self { tasks: server.tasks.clone(), cut: server.cut.clone(), pace: server.limits.response_pace() }
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let mut stream =
            Box::pin(Stream { inner: stream, sending: Sending::default(), clock: PaceClock::new(self.pace) });
        // An answer from memory is on its way at once; only a stream that has to wait becomes a task.
        if stream.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
            let cut = self.cut.clone();
            self.tasks.spawn(async move { cut.run_until_cancelled(stream).await });
        }
    }
}

pin_project! {
    /// One stream. It ends early when the client takes its bytes too slowly; hyper then resets it.
    struct Stream<F> {
        #[pin]
        inner: F,
        sending: Sending,
        clock: PaceClock,
    }
}

impl<F: Future<Output = ()>> Future for Stream<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let (polled, sending) = this.sending.track(|| this.inner.poll(cx));
        *this.sending = sending;
        if polled.is_ready() {
            return Poll::Ready(());
        }
        if !sending.waits_for_client {
            this.clock.pause();
            return Poll::Pending;
        }
        // PINGs do not get here: a client that answers them and opens no window is stalled all the same.
        this.clock
            .poll_late(sending.bytes, cx)
            .map(|()| debug!("a stream whose client takes nothing is reset"))
    }
}
