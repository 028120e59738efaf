//! In charge of interim answers on an HTTP/2 stream: they wait for the task that answers its request.

use std::{
    cell::RefCell,
    task::{Context, Poll, ready},
};

use http::Response;
use tokio::sync::mpsc;

use super::{Goal, Interim, MOST, WAY, Way};

const MOST_AT_ONCE: usize = 16;
// A frame's head and its status.
const STATUS: usize = 16;

/// The interim answers to the request of one HTTP/2 stream. Most have none, and make no place for them.
#[derive(Default)]
pub(crate) struct Hints(RefCell<Option<Place>>);

struct Place {
    sender: mpsc::Sender<Response<()>>,
    receiver: mpsc::Receiver<Response<()>>,
    room: usize,
}

impl Hints {
    pub(crate) fn interim(&self) -> Interim {
        let mut place = self.0.borrow_mut();
        let place = place.get_or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(MOST_AT_ONCE);
            Place { sender, receiver, room: MOST }
        });
        Interim(Goal::Stream(place.sender.clone()))
    }

    /// Runs `work`, which answers the request.
    pub(crate) fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> + use<F> {
        WAY.scope(Way::Stream(self), work)
    }

    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Response<()>> {
        let mut place = self.0.borrow_mut();
        let Some(place) = place.as_mut() else { return Poll::Pending };
        while let Some(next) = ready!(place.receiver.poll_recv(cx)) {
            let fields = next.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
            if let Some(room) = place.room.checked_sub(STATUS + fields.sum::<usize>()) {
                place.room = room;
                return Poll::Ready(next);
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use http::{Version, header};

    use super::*;
    use crate::interim::{poll_next, tests::hint};

    #[tokio::test]
    async fn a_stream_is_given_a_bounded_number_of_bytes() {
        let hints = Hints::default();
        let given = hints.scope(async {
            let to = Interim::of(Version::HTTP_2).unwrap();
            let mut given = 0;
            for _ in 0..1000 {
                hint(&to, &"x".repeat(1000));
                poll_fn(|cx| {
                    while let Poll::Ready(next) = poll_next(cx) {
                        given += next.headers()[header::LINK].len();
                    }
                    Poll::Ready(())
                })
                .await;
            }
            given
        });
        let given = given.await;
        assert!((MOST / 2..=MOST).contains(&given), "{given}");
    }
}
