//! Write coalescing: the writes of one turn of a connection become few calls of the kernel, as with `TCP_CORK`. Over
//! TLS each record would be a call of its own, and hyper's HTTP/2 flushes behind every frame.

use std::{
    future::{Future, poll_fn},
    io::{self, IoSlice},
    pin::{Pin, pin},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::{OwnedSemaphorePermit, Semaphore},
};

// Four records of TLS: twice as many save nothing more that could be measured.
const ENOUGH: usize = 64 * 1024;
// One record of TLS, for a stream without a place among the large ones.
const RECORD: usize = 16 * 1024;
// The room that an idle stream keeps; small, because thousands of connections are idle.
const SMALL: usize = 4 * 1024;

/// The places of streams that hold more than a record back. Readers that take nothing keep theirs: without a bound a
/// thousand of them would hold 64 MB, and with it the streams after them write a record at a time.
#[derive(Clone, Debug)]
pub(crate) struct LargeHolds(Arc<Semaphore>);

impl LargeHolds {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Semaphore::new(most)))
    }
}

/// A stream that holds writes back until there are enough bytes, or until its [`Cork`] is drawn.
#[derive(Debug)]
pub(crate) struct Corked<T>(Cork<T>);

/// The handle that draws the cork: it writes the bytes that are held.
#[derive(Debug)]
pub(crate) struct Cork<T>(Arc<Mutex<Held<T>>>);

#[derive(Debug)]
struct Held<T> {
    stream: T,
    bytes: BytesMut,
    large_holds: LargeHolds,
    // Given back when nothing is held any more.
    large: Option<OwnedSemaphorePermit>,
    // The peer takes no more for now.
    stalled: bool,
    failure: Option<io::Error>,
}

impl<T: AsyncWrite + Unpin> Corked<T> {
    pub(crate) fn new(stream: T, large_holds: LargeHolds) -> (Self, Cork<T>) {
        let held = Arc::new(Mutex::new(Held {
            stream,
            bytes: BytesMut::new(),
            large_holds,
            large: None,
            stalled: false,
            failure: None,
        }));
        (Self(Cork(held.clone())), Cork(held))
    }
}

impl<T> Cork<T> {
    // One task has both halves, so the lock is never contended.
    fn held(&self) -> MutexGuard<'_, Held<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: AsyncWrite + Unpin> Cork<T> {
    /// Runs `work`, which reads and writes the stream, and draws the cork behind each of its turns: bytes that were
    /// held until a timer fired would delay the last part of every response.
    pub(crate) async fn around<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| {
            let done = work.as_mut().poll(cx);
            self.held().draw(cx);
            done
        })
        .await
    }
}

impl<T: AsyncWrite + Unpin> Held<T> {
    /// Writes the bytes that are held, as far as the stream takes them. A failure is kept and becomes the result of
    /// the next write, since this call has no caller that could handle it.
    fn draw(&mut self, cx: &mut Context<'_>) {
        if let Poll::Ready(Err(failure)) = self.poll_empty(cx) {
            self.failure.get_or_insert(failure);
        }
    }

    fn poll_empty(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(failure) = self.failure.take() {
            return Poll::Ready(Err(failure));
        }
        while !self.bytes.is_empty() {
            let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, &self.bytes) else {
                // A reader that takes nothing for minutes holds just what it has not taken: the room behind goes back.
                if !self.stalled {
                    self.bytes = BytesMut::from(&self.bytes[..]);
                }
                self.stalled = true;
                return Poll::Pending;
            };
            match written? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.bytes.advance(written),
            }
        }
        self.stalled = false;
        self.large = None;
        if self.bytes.capacity() > SMALL {
            self.bytes = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    /// Returns how much may be held once `more` bytes are written.
    fn most(&mut self, more: usize) -> usize {
        if self.large.is_none() && self.bytes.len() + more > RECORD {
            self.large = self.large_holds.0.clone().try_acquire_owned().ok();
        }
        if self.large.is_some() { ENOUGH } else { RECORD }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Corked<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.held().stream).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Corked<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut held = self.0.held();
        let more = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        if held.stalled || held.failure.is_some() || held.bytes.len() >= held.most(more) {
            ready!(held.poll_empty(cx))?;
        }
        let (before, most) = (held.bytes.len(), held.most(more));
        if before + more > SMALL {
            held.bytes.reserve(most - before);
        }
        for buf in bufs {
            let room = most.saturating_sub(held.bytes.len());
            held.bytes.extend_from_slice(&buf[..buf.len().min(room)]);
        }
        Poll::Ready(Ok(held.bytes.len() - before))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing, since hyper flushes behind every frame: the cork is drawn when the turn is over.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut held = self.0.held();
        // Held bytes go first: a FIN in front of them would cut the response.
        ready!(held.poll_empty(cx))?;
        Pin::new(&mut held.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn what_a_turn_writes_goes_out_behind_it_in_order() {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let (mut corked, cork) = Corked::new(near, LargeHolds::new(1));
        let writing = cork.around(async {
            corked.write_all(b"one ").await.unwrap();
            corked.flush().await.unwrap();
            corked.write_all(b"two").await.unwrap();
            let mut none = [0; 8];
            assert!(far.read(&mut none).now_or_never().is_none(), "it was held");
        });
        writing.await;
        let mut received = [0; 7];
        far.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"one two");
    }

    #[tokio::test]
    async fn more_than_enough_passes_through_a_narrow_stream_whole() {
        let (near, mut far) = tokio::io::duplex(1000);
        let (mut corked, cork) = Corked::new(near, LargeHolds::new(1));
        let sent: Vec<u8> = (0..300_000_u32).map(|n| (n ^ (n >> 8)) as u8).collect();
        let writing = cork.around(async {
            corked.write_all(&sent).await.unwrap();
            corked.shutdown().await.unwrap();
        });
        let mut received = Vec::new();
        let (reading, ()) = tokio::join!(far.read_to_end(&mut received), writing);
        reading.unwrap();
        assert!(received == sent);
    }

    #[tokio::test]
    async fn a_stalled_stream_holds_what_the_peer_has_not_taken_and_no_more() {
        let (near, mut far) = tokio::io::duplex(60_000);
        let (mut corked, cork) = Corked::new(near, LargeHolds::new(1));
        let sent = vec![7; 2 * ENOUGH];
        let mut writing = pin!(cork.around(async {
            corked.write_all(&sent).await?;
            corked.shutdown().await
        }));
        assert!(writing.as_mut().now_or_never().is_none(), "the peer takes nothing");
        assert_eq!(cork.held().bytes.capacity(), ENOUGH - 60_000);
        let mut received = vec![0; sent.len()];
        let (reading, written) = tokio::join!(far.read_exact(&mut received), writing);
        reading.unwrap();
        written.unwrap();
        assert!(received == sent);
        assert_eq!(cork.held().bytes.capacity(), 0);
    }

    #[tokio::test]
    async fn of_many_stalled_streams_few_hold_more_than_a_record() {
        let large_holds = LargeHolds::new(3);
        let stall = async || {
            let (near, far) = tokio::io::duplex(1);
            let (mut corked, cork) = Corked::new(near, large_holds.clone());
            let sent = vec![7; 2 * ENOUGH];
            assert!(cork.around(corked.write_all(&sent)).now_or_never().is_none(), "the peer takes nothing");
            (cork, far)
        };
        let mut stalled = Vec::new();
        for _ in 0..10 {
            stalled.push(stall().await);
        }
        let held = |streams: &[(Cork<_>, _)]| -> Vec<usize> {
            streams.iter().map(|(cork, _)| cork.held().bytes.capacity()).collect()
        };
        assert_eq!(held(&stalled), [[ENOUGH - 1; 3].as_slice(), &[RECORD - 1; 7]].concat());
        // An ended stream gives its place back.
        stalled.remove(0);
        stalled.push(stall().await);
        assert_eq!(held(&stalled[9..]), [ENOUGH - 1]);
    }

    #[tokio::test]
    async fn a_broken_stream_fails_the_next_write() {
        let (near, far) = tokio::io::duplex(1000);
        let (mut corked, cork) = Corked::new(near, LargeHolds::new(1));
        drop(far);
        cork.around(corked.write_all(b"lost")).await.unwrap();
        let failure = cork.around(corked.write_all(b"more")).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::BrokenPipe);
    }
}
