//! The bytes of bodies in memory, wherever they are. The cache's own weight ends with eviction; a body that is still being
//! sent to somebody stays, and a few slow readers of many objects would take more memory than the cache has.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use tokio::sync::{Notify, futures::Notified};

/// The counts. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldBytes(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    all: AtomicU64,
    stored: AtomicU64,
    freed: Notify,
}

/// The share of a body in the cache, given back with its object.
#[derive(Debug)]
pub(crate) struct StoredBytes {
    held: HeldBytes,
    len: u64,
}

/// The memory of a body, counted until the last reader drops it.
struct Owner<T> {
    memory: T,
    len: u64,
    held: HeldBytes,
}

impl HeldBytes {
    /// Makes a body of `memory`.
    pub(crate) fn hold(&self, memory: impl AsRef<[u8]> + Send + 'static) -> Bytes {
        let len = memory.as_ref().len() as u64;
        self.0.all.fetch_add(len, Ordering::Relaxed);
        Bytes::from_owner(Owner { memory, len, held: self.clone() })
    }

    /// Counts `len` bytes as the cache's.
    pub(crate) fn store(&self, len: usize) -> StoredBytes {
        self.0.stored.fetch_add(len as u64, Ordering::Relaxed);
        StoredBytes { held: self.clone(), len: len as u64 }
    }

    /// Returns the bytes that are being sent and no longer in the cache.
    pub(crate) fn sending(&self) -> u64 {
        // Two counts read one after the other may disagree for a moment.
        self.0.all.load(Ordering::Relaxed).saturating_sub(self.0.stored.load(Ordering::Relaxed))
    }

    /// Wakes those who wait for bytes.
    pub(crate) fn wake(&self) {
        self.0.freed.notify_waiters();
    }

    /// Waits until some bytes are freed.
    pub(crate) fn freed(&self) -> Notified<'_> {
        self.0.freed.notified()
    }
}

impl<T: AsRef<[u8]>> AsRef<[u8]> for Owner<T> {
    fn as_ref(&self) -> &[u8] {
        self.memory.as_ref()
    }
}

impl<T> Drop for Owner<T> {
    fn drop(&mut self) {
        self.held.0.all.fetch_sub(self.len, Ordering::Relaxed);
        // All waiters look again, for one large body may make room for several.
        self.held.0.freed.notify_waiters();
    }
}

impl Drop for StoredBytes {
    fn drop(&mut self) {
        self.held.0.stored.fetch_sub(self.len, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_counts_as_sent_from_its_eviction_to_its_last_reader() {
        let held = HeldBytes::default();
        let body = held.hold(vec![7; 100]);
        let stored = held.store(body.len());
        let slice = body.slice(10..20);
        assert_eq!(held.sending(), 0);
        drop(stored);
        drop(body);
        assert_eq!((held.sending(), &slice[..2]), (100, &[7, 7][..]));
        drop(slice);
        assert_eq!(held.sending(), 0);
    }
}
