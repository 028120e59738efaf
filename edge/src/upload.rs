//! A request's body on its way to the origin: which side, client or origin, keeps the other waiting, and whether the body
//! broke off. A slow client must not count as a silent origin.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use server::{Body, BoxError, body};
use tokio::sync::watch;

/// The side that the transfer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Client,
    Origin,
    /// Neither's: the body broke off.
    Broken,
    /// Neither's: the client let the body stall.
    Stalled,
}

/// The progress of a body.
#[derive(Clone, Debug)]
pub(crate) struct Progress(watch::Receiver<Turn>);

/// Wraps a body so that its progress can be watched.
pub(crate) fn watched(body: Body) -> (Body, Progress) {
    let (turn, receiver) = watch::channel(Turn::Origin);
    (Watched { body, turn }.boxed_unsync(), Progress(receiver))
}

impl Progress {
    /// Ends when it was the origin's turn for `limit`: to take more of the body, or to answer. The client's turns do not
    /// count, as the listener bounds them.
    pub(crate) async fn origin_timeout(mut self, limit: Duration) {
        loop {
            let turn = *self.0.borrow_and_update();
            let moved = if turn == Turn::Client {
                self.0.changed().await
            } else {
                match tokio::time::timeout(limit, self.0.changed()).await {
                    Ok(moved) => moved,
                    Err(_) => return,
                }
            };
            if moved.is_err() {
                // The body was dropped: the origin needs no more of it, and only its answer is awaited.
                return tokio::time::sleep(limit).await;
            }
        }
    }

    /// Returns whether the client did not send all of it.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(*self.0.borrow(), Turn::Broken | Turn::Stalled)
    }

    /// Returns whether the client was too slow.
    pub(crate) fn is_stalled(&self) -> bool {
        *self.0.borrow() == Turn::Stalled
    }
}

struct Watched {
    body: Body,
    turn: watch::Sender<Turn>,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let turn = match &polled {
            Poll::Pending => Turn::Client,
            Poll::Ready(Some(Err(error))) if body::is_stalled(&**error) => Turn::Stalled,
            Poll::Ready(Some(Err(_))) => Turn::Broken,
            Poll::Ready(_) => Turn::Origin,
        };
        // Each part restarts the origin's timer: a large upload to a slow disk is progress, not silence.
        self.turn.send_if_modified(|before| std::mem::replace(before, turn) != turn || turn == Turn::Origin);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_the_origin_is_waited_for_with_a_limit() {
        let (write, mut written) = mpsc::unbounded_channel::<Result<Bytes, BoxError>>();
        let written = futures::stream::poll_fn(move |cx| written.poll_recv(cx));
        let (mut body, progress) = watched(body::stream(written));
        let limit = Duration::from_secs(1);
        let mut origin_timeout = std::pin::pin!(progress.clone().origin_timeout(limit));
        let slow_client = timeout(10 * limit, body.frame());
        assert!(tokio::join!(slow_client, timeout(9 * limit, &mut origin_timeout)).1.is_err());
        write.send(Ok(Bytes::from("part"))).unwrap();
        assert!(body.frame().await.unwrap().is_ok());
        assert!(timeout(2 * limit, origin_timeout).await.is_ok(), "the origin takes no more");
        assert!(!progress.is_broken());
        write.send(Err("gone".into())).unwrap();
        assert!(body.frame().await.unwrap().is_err());
        assert!(progress.is_broken());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_waited_for_behind_the_body() {
        let (body, progress) = watched(body::empty());
        drop(body);
        assert!(
            timeout(Duration::from_secs(2), progress.origin_timeout(Duration::from_secs(1))).await.is_ok()
        );
    }
}
