//! In charge of patience: it ends connections on which nothing happens, be it that no request comes, that its
//! headers trickle, or that the client takes no bytes. One coarse clock for each connection watches all of it,
//! so that a request costs a few counts and no timer.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use crate::Limits;

/// What happens on a connection.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Requests whose response has not ended.
    open: AtomicU32,
    /// Goes up with every beginning and end of a request and with every write. Reads do not count: who sends
    /// headers byte by byte is not active.
    ticks_seen: AtomicU32,
    /// A write waits for the client to take bytes.
    blocked: AtomicBool,
}

impl Activity {
    /// Returns whether some request is being answered.
    pub(crate) fn is_answering(&self) -> bool {
        self.open.load(Relaxed) > 0
    }

    fn note(&self) {
        self.ticks_seen.fetch_add(1, Relaxed);
    }
}

/// A request from its head to the last byte of its response.
pub(crate) struct RequestGuard(Arc<Activity>);

impl RequestGuard {
    pub(crate) fn begin(activity: Arc<Activity>) -> Self {
        activity.open.fetch_add(1, Relaxed);
        activity.note();
        Self(activity)
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.note();
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// Why patience ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// No request was there to answer. HTTP/2 deserves a GOAWAY.
    Idle,
    /// The client took no bytes.
    Stalled,
}

/// Waits until nothing has happened for as long as the limits allow, at most half as long again.
pub(crate) async fn wait_until_idle(activity: &Activity, limits: &Limits) -> Timeout {
    let tick = (limits.header_timeout.min(limits.write_stall) / 2).max(Duration::from_millis(1));
    let ticks = |limit: Duration| limit.as_nanos().div_ceil(tick.as_nanos());
    let (idle, stall) = (ticks(limits.header_timeout), ticks(limits.write_stall));
    let mut quiet = 0;
    let mut before = activity.ticks_seen.load(Relaxed);
    loop {
        tokio::time::sleep(tick).await;
        let ticks_seen = activity.ticks_seen.load(Relaxed);
        quiet = if ticks_seen == before { quiet + 1 } else { 0 };
        before = ticks_seen;
        if activity.blocked.load(Relaxed) {
            if quiet >= stall {
                return Timeout::Stalled;
            }
        } else if !activity.is_answering() && quiet >= idle {
            return Timeout::Idle;
        }
    }
}

/// A socket whose writes are noticed.
pub(crate) struct ActivityStream {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl ActivityStream {
    pub(crate) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn noticed(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.activity.blocked.store(written.is_pending(), Relaxed);
        if written.is_ready() {
            self.activity.note();
        }
        written
    }
}

impl AsyncRead for ActivityStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for ActivityStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.noticed(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.noticed(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    const LIMITS: fn() -> Limits = || Limits {
        header_timeout: Duration::from_secs(10),
        write_stall: Duration::from_mins(1),
        ..Limits::default()
    };

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_is_idle() {
        let begun = Instant::now();
        assert_eq!(wait_until_idle(&Activity::default(), &LIMITS()).await, Timeout::Idle);
        assert_eq!(begun.elapsed().as_secs(), 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_long_is_not() {
        let activity = Arc::new(Activity::default());
        let note = RequestGuard::begin(activity.clone());
        let limits = LIMITS();
        let wait_until_idle = wait_until_idle(&activity, &limits);
        tokio::pin!(wait_until_idle);
        assert!(timeout(Duration::from_hours(1), &mut wait_until_idle).await.is_err());
        drop(note);
        assert_eq!(wait_until_idle.await, Timeout::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_no_bytes_has_the_longer_time_also_behind_the_last_request() {
        let begun = Instant::now();
        let activity = Activity { blocked: AtomicBool::new(true), ..Activity::default() };
        assert_eq!(wait_until_idle(&activity, &LIMITS()).await, Timeout::Stalled);
        assert_eq!(begun.elapsed().as_secs(), 60);
    }
}
