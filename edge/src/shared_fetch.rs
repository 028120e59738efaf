//! One fetch as its waiters see it: a head, then bytes that grow, then an end. Each waiter reads at its own position. The
//! request to the origin is `fetch`'s.

use std::{
    collections::VecDeque,
    ops::{Deref, Range},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use server::{Body, Response};
use tokio::sync::{Notify, watch};

use crate::{
    body,
    held::HeldBytes,
    object::{Head, Object},
    storable::Cacheability,
};

// Of an object too large to keep, the fastest reader may be so many parts behind the origin, and the others so many
// behind that reader. Waiting for the slowest instead would let one client stall all.
const WINDOW_PARTS: usize = 64;

/// The outcome of a fetch.
#[derive(Clone, Debug)]
pub(crate) enum FetchOutcome {
    /// A response whose bytes follow.
    Streaming(Arc<Head>, Cacheability),
    /// The stored object is still valid: the origin answered 304 (RFC 9111 §4.3.4).
    Validated(Arc<Object>),
    /// The stored object stands in for an origin that fails (RFC 5861 §4).
    StaleIfError(Arc<Object>),
    /// The response is for the request that started the fetch alone, and lies in `leftover`.
    Unshared(Reason),
    /// There is none.
    Failed(Failure),
}

impl FetchOutcome {
    fn is_immutable(&self) -> bool {
        match self {
            Self::Streaming(head, _) => head.is_immutable(),
            Self::Validated(object) | Self::StaleIfError(object) => object.head.is_immutable(),
            Self::Unshared(_) | Self::Failed(_) => false,
        }
    }
}

/// Why a response is not shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It is made for one request.
    Private,
    /// The same, and the origin was sent fields of that request which are in no key: others may get one that is shared.
    Unkeyed,
    /// It is larger than what is kept.
    Large,
}

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No origin took the request.
    Unreachable,
    /// None answered in time.
    TimedOut,
    /// There was no place or no room for it in time.
    Full,
    /// We stop.
    Stopping,
}

/// How a reader's bytes ended too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the origin's answer broke off")]
    Truncated,
    #[error("this client is too slow for something too large to keep")]
    Behind,
}

/// One fetch.
#[derive(Debug, Default)]
pub(crate) struct SharedFetch {
    state: Mutex<State>,
    changed: watch::Sender<()>,
    /// Set by a purge during the fetch: the present waiters get the object, and it is not stored.
    pub(crate) do_not_store: AtomicBool,
    /// Set by a purge of the video's playlists before the head arrived: the object is stored only if it is immutable.
    pub(crate) store_only_immutable: AtomicBool,
    leftover: Mutex<Option<Response>>,
    waiters: AtomicUsize,
    furthest: AtomicUsize,
    moved: Notify,
    /// Whether the fetch goes on without waiters.
    kept: AtomicBool,
    /// Wakes the fetch when the last waiter has gone.
    left: Notify,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<FetchOutcome>,
    parts: VecDeque<Bytes>,
    /// The number of the first part that is still here.
    first: usize,
    gathered: Gathered,
    end: Option<End>,
}

/// Whether the parts were gathered and the end is about to be published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gathered {
    #[default]
    No,
    Yes,
}

#[derive(Debug)]
pub(crate) enum End {
    /// All of it, in one piece.
    Whole(Bytes),
    /// All of it has passed by.
    Passed,
    /// The rest will not come.
    Broken,
}

/// Whether parts stay until the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    All,
    Window,
}

impl SharedFetch {
    /// Waits for the outcome. The fetch itself is bounded in time, so this needs no timeout.
    pub(crate) async fn outcome(&self) -> FetchOutcome {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(outcome) = self.lock().outcome.clone() {
                return outcome;
            }
            // The sender is ours, so it is there.
            let _ = changed.changed().await;
        }
    }

    /// Returns whether the object is immutable, once the head is there.
    pub(crate) fn is_immutable(&self) -> Option<bool> {
        self.lock().outcome.as_ref().map(FetchOutcome::is_immutable)
    }

    pub(crate) fn publish(&self, outcome: FetchOutcome) {
        self.lock().outcome.get_or_insert(outcome);
        self.changed.send_replace(());
    }

    /// Leaves the response for the request that started the fetch.
    pub(crate) fn leave(&self, response: Response) {
        *self.leftover.lock().unwrap_or_else(PoisonError::into_inner) = Some(response);
    }

    pub(crate) fn take_leftover(&self) -> Option<Response> {
        self.leftover.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Adds a part. With `Hold::Window` it waits for the fastest reader, and fails when there is none.
    pub(crate) async fn push(&self, part: Bytes, hold: Hold) -> Result<(), Broken> {
        let end = {
            let mut state = self.lock();
            state.parts.push_back(part);
            if hold == Hold::Window {
                let furthest = self.furthest.load(Ordering::Relaxed);
                while state.parts.len() > 2 * WINDOW_PARTS && state.first + WINDOW_PARTS < furthest {
                    state.parts.pop_front();
                    state.first += 1;
                }
            }
            state.first + state.parts.len()
        };
        self.changed.send_replace(());
        if hold == Hold::All {
            return Ok(());
        }
        loop {
            // Before the checks, so that a reader that moves between them and the wait is not missed.
            let moved = self.moved.notified();
            // The first parts are gone, so no reader can come any more: reading on would only cost the origin.
            if self.waiters.load(Ordering::Acquire) == 0 {
                return Err(Broken::Behind);
            }
            if self.furthest.load(Ordering::Acquire) + WINDOW_PARTS >= end {
                return Ok(());
            }
            moved.await;
        }
    }

    /// Returns all of it in one piece, `last` included, which no reader has yet. Readers wait for `end` from here on, so a
    /// client that has the last byte and asks again finds the object in memory.
    pub(crate) fn gather(&self, last: Option<Bytes>, held: &HeldBytes) -> Bytes {
        let mut state = self.lock();
        let mut parts = std::mem::take(&mut state.parts);
        state.first += parts.len();
        state.gathered = Gathered::Yes;
        parts.extend(last);
        let len = parts.iter().map(Bytes::len).sum();
        body::join(parts, len, held)
    }

    pub(crate) fn end(&self, end: End) {
        let mut state = self.lock();
        if state.end.is_none() {
            if !matches!(end, End::Passed) {
                state.first += state.parts.len();
                state.parts.clear();
            }
            state.end = Some(end);
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Lets the fetch go on when all its waiters go.
    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }

    /// Returns whether the fetch has waiters, or goes on without.
    pub(crate) fn is_wanted(&self) -> bool {
        self.kept.load(Ordering::Acquire) || self.waiters.load(Ordering::Acquire) > 0
    }

    /// Waits until the last waiter has gone.
    pub(crate) fn left(&self) -> impl Future<Output = ()> {
        self.left.notified()
    }

    /// Adds a waiter, unless there are `most` already.
    pub(crate) fn waiter(self: &Arc<Self>, most: usize) -> Option<Waiter> {
        let waiter = Waiter {
            shared_fetch: self.clone(),
            is_lagging: self.store_only_immutable.load(Ordering::Relaxed),
            keeps_fetch: AtomicBool::new(false),
        };
        // Counted before the check: a waiter beyond the bound takes its count back by its drop.
        (self.waiters.fetch_add(1, Ordering::AcqRel) < most).then_some(waiter)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request that waits for a fetch, and then reads from it.
#[derive(Debug)]
pub(crate) struct Waiter {
    shared_fetch: Arc<SharedFetch>,
    is_lagging: bool,
    keeps_fetch: AtomicBool,
}

impl Waiter {
    /// Lets the fetch go on when this waiter goes: it got all that it asked for.
    pub(crate) fn keep_fetch(&self) {
        self.keeps_fetch.store(true, Ordering::Relaxed);
    }

    /// Takes that back: a client that goes away now takes no more of it.
    pub(crate) fn release_fetch(&self) {
        self.keeps_fetch.store(false, Ordering::Relaxed);
    }

    /// Returns whether this waiter must not get the outcome: the origin was asked before a purge, and the waiter joined
    /// after it. An immutable object is the same before and after.
    pub(crate) fn is_too_late_for(&self, outcome: &FetchOutcome) -> bool {
        let answers = matches!(
            outcome,
            FetchOutcome::Streaming(..) | FetchOutcome::Validated(_) | FetchOutcome::StaleIfError(_)
        );
        self.is_lagging && answers && !outcome.is_immutable()
    }

    /// Returns a body of the bytes in `range` as they come.
    pub(crate) fn body(self, range: Range<u64>) -> Body {
        let changed = self.changed.subscribe();
        let reader = Reader { waiter: self, changed, part: 0, offset: 0, at: range.start, until: range.end };
        server::body::stream(futures::stream::unfold(reader, async |mut reader| {
            reader.next().await.map(|part| (part, reader))
        }))
    }
}

impl Deref for Waiter {
    type Target = Arc<SharedFetch>;

    fn deref(&self) -> &Arc<SharedFetch> {
        &self.shared_fetch
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if self.keeps_fetch.load(Ordering::Relaxed) {
            self.keep();
        }
        if self.waiters.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.left.notify_one();
        }
        self.moved.notify_one();
    }
}

/// A position in a fetch's bytes.
struct Reader {
    waiter: Waiter,
    changed: watch::Receiver<()>,
    /// The next part, and where in the whole it starts.
    part: usize,
    offset: u64,
    at: u64,
    until: u64,
}

/// The state at a reader's position.
enum Found {
    Part(Bytes),
    Nothing,
    End,
    Break(Broken),
}

impl Reader {
    async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        loop {
            match self.look() {
                Found::Part(bytes) => return Some(Ok(bytes)),
                Found::End => return None,
                Found::Break(broken) => return Some(Err(broken)),
                // The sender belongs to the fetch, which the waiter holds, so this never fails.
                Found::Nothing => _ = self.changed.changed().await,
            }
        }
    }

    fn look(&mut self) -> Found {
        if self.at >= self.until {
            // The range is complete, and the rest is worth fetching: players ask for the next range soon after.
            self.waiter.keep_fetch();
            return Found::End;
        }
        let shared_fetch = self.waiter.shared_fetch.clone();
        let state = shared_fetch.lock();
        if state.gathered == Gathered::Yes && state.end.is_none() {
            return Found::Nothing;
        }
        if let Some(End::Whole(body)) = &state.end {
            let until = self.until.min(body.len() as u64);
            let at = std::mem::replace(&mut self.at, self.until);
            return if at < until {
                Found::Part(body.slice(at as usize..until as usize))
            } else {
                Found::End
            };
        }
        while let Some(index) = self.part.checked_sub(state.first) {
            let Some(part) = state.parts.get(index) else {
                return match &state.end {
                    None => Found::Nothing,
                    Some(End::Broken) => Found::Break(Broken::Truncated),
                    Some(_) => Found::End,
                };
            };
            let (start, end) = (self.offset, self.offset + part.len() as u64);
            self.part += 1;
            self.offset = end;
            shared_fetch.furthest.fetch_max(self.part, Ordering::AcqRel);
            shared_fetch.moved.notify_one();
            if end > self.at && start < self.until {
                let slice = part.slice((self.at - start) as usize..(end.min(self.until) - start) as usize);
                self.at += slice.len() as u64;
                return Found::Part(slice);
            }
        }
        Found::Break(if matches!(state.end, Some(End::Broken)) { Broken::Truncated } else { Broken::Behind })
    }
}
