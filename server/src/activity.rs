//! The activity on a connection, and the clock that ends an idle one: no request comes, its head trickles, or the
//! client takes no bytes. One coarse clock for each connection watches all of it, so that a request costs a few
//! counts and no timer.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use crate::Limits;

// How exact the clock is: a limit is overrun by a sixth at most.
const TICKS: u32 = 6;

/// The counts of a connection.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Requests whose response has not ended.
    open: AtomicU32,
    /// Goes up with every beginning and end of a request. Bytes do not count: a client that sends a head byte by byte, or
    /// PINGs (RFC 9113 §6.7), asks nothing.
    requests: AtomicU32,
    /// Bytes that the client took.
    written: AtomicU64,
    /// A write waits for the client to take bytes.
    blocked: AtomicBool,
}

impl Activity {
    /// Returns whether some request is being answered.
    pub(crate) fn is_answering(&self) -> bool {
        self.open.load(Relaxed) > 0
    }

    /// Returns how many requests have begun and ended so far.
    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Relaxed)
    }
}

/// A request from its head to the last byte of its response.
#[derive(Debug)]
pub(crate) struct RequestGuard(Arc<Activity>);

impl RequestGuard {
    pub(crate) fn begin(activity: Arc<Activity>) -> Self {
        // The order is relaxed, since no other memory hangs on these counts: a stale one moves a limit by a tick.
        activity.open.fetch_add(1, Relaxed);
        activity.requests.fetch_add(1, Relaxed);
        Self(activity)
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.requests.fetch_add(1, Relaxed);
        self.0.open.fetch_sub(1, Relaxed);
    }
}

/// Why a connection's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timeout {
    /// No request was there to answer. HTTP/2 deserves a GOAWAY.
    Idle,
    /// The client took no bytes, or too few.
    Stalled,
}

/// The clock of a connection.
#[derive(Debug)]
pub(crate) struct ActivityClock {
    activity: Arc<Activity>,
    limits: Arc<Limits>,
    tick: Duration,
    next: Instant,
    requests: u32,
    written: u64,
    /// How long no request was there.
    idle: Duration,
    /// How much longer the client may take nothing.
    left: Duration,
}

impl ActivityClock {
    pub(crate) fn new(activity: Arc<Activity>, limits: Arc<Limits>) -> Self {
        // The tick is never zero, or the clock would spin.
        let tick = (limits.header_timeout.min(limits.write_stall) / TICKS).max(Duration::from_millis(1));
        let left = limits.write_stall;
        let (requests, written) = (activity.requests(), activity.written.load(Relaxed));
        let next = Instant::now() + tick;
        Self { activity, limits, tick, next, requests, written, idle: Duration::ZERO, left }
    }

    /// Waits until the connection's time is over. May be dropped and called again without losing time.
    pub(crate) async fn next(&mut self) -> Timeout {
        loop {
            tokio::time::sleep_until(self.next).await;
            self.next += self.tick;
            if let Some(timeout) = self.count_tick() {
                return timeout;
            }
        }
    }

    fn count_tick(&mut self) -> Option<Timeout> {
        let written = self.activity.written.load(Relaxed);
        let moved = written - std::mem::replace(&mut self.written, written);
        self.left = self.limits.response_pace().refill(self.left, moved);
        let requests = self.activity.requests();
        let is_idle =
            requests == std::mem::replace(&mut self.requests, requests) && !self.activity.is_answering();
        self.idle = if is_idle { self.idle + self.tick } else { Duration::ZERO };
        if self.activity.blocked.load(Relaxed) {
            // A response may still be on its way behind the last request, so being blocked goes before being idle.
            self.left = self.left.saturating_sub(self.tick);
            return self.left.is_zero().then_some(Timeout::Stalled);
        }
        if self.idle < self.limits.header_timeout {
            return None;
        }
        // The next tick cuts what a GOAWAY did not end: hyper reads a head that has begun to its end, and another whole
        // limit would give a head twice its time.
        self.idle = self.limits.header_timeout.saturating_sub(self.tick);
        Some(Timeout::Idle)
    }
}

/// A socket whose writes are counted.
#[derive(Debug)]
pub(crate) struct ActivityStream {
    stream: TcpStream,
    activity: Arc<Activity>,
}

impl ActivityStream {
    pub(crate) fn new(stream: TcpStream, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }

    fn count(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.activity.blocked.store(written.is_pending(), Relaxed);
        if let Poll::Ready(Ok(bytes)) = &written {
            self.activity.written.fetch_add(*bytes as u64, Relaxed);
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
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count(written)
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
    use tokio::time::timeout;

    use super::*;

    fn clock(activity: &Arc<Activity>) -> ActivityClock {
        let limits = Limits {
            header_timeout: Duration::from_secs(12),
            write_stall: Duration::from_mins(1),
            ..Limits::default()
        };
        ActivityClock::new(activity.clone(), Arc::new(limits))
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_request_is_idle_whatever_it_writes() {
        let begun = Instant::now();
        let activity = Arc::new(Activity::default());
        let mut clock = clock(&activity);
        // The acknowledgement of a PING each second.
        let pings = async {
            loop {
                activity.written.fetch_add(17, Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            timeout = clock.next() => assert_eq!(timeout, Timeout::Idle),
            () = pings => {}
        }
        assert_eq!(begun.elapsed().as_secs(), 12);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_outlives_the_notice_has_no_second_limit() {
        let begun = Instant::now();
        let mut clock = clock(&Arc::default());
        assert_eq!(clock.next().await, Timeout::Idle);
        assert_eq!(clock.next().await, Timeout::Idle);
        assert_eq!(begun.elapsed().as_secs(), 14);
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_goes_on_where_it_was_left() {
        let begun = Instant::now();
        let mut clock = clock(&Arc::default());
        assert!(timeout(Duration::from_secs(7), clock.next()).await.is_err());
        assert_eq!(clock.next().await, Timeout::Idle);
        assert_eq!(begun.elapsed().as_secs(), 12);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_long_is_not_idle() {
        let activity = Arc::new(Activity::default());
        let guard = RequestGuard::begin(activity.clone());
        let mut clock = clock(&activity);
        assert!(timeout(Duration::from_hours(1), clock.next()).await.is_err());
        drop(guard);
        assert_eq!(clock.next().await, Timeout::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_no_bytes_has_the_longer_time_also_behind_the_last_request() {
        let begun = Instant::now();
        let activity = Arc::new(Activity { blocked: AtomicBool::new(true), ..Activity::default() });
        assert_eq!(clock(&activity).next().await, Timeout::Stalled);
        assert_eq!(begun.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_a_byte_now_and_then_is_stalled_too() {
        let begun = Instant::now();
        let activity = Arc::new(Activity { blocked: AtomicBool::new(true), ..Activity::default() });
        let mut clock = clock(&activity);
        let trickle = async {
            loop {
                activity.written.fetch_add(1, Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        };
        tokio::select! {
            timeout = clock.next() => assert_eq!(timeout, Timeout::Stalled),
            () = trickle => {}
        }
        assert!(begun.elapsed() < Duration::from_secs(70), "{:?}", begun.elapsed());
    }
}
