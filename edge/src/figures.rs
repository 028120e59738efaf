//! In charge of what the edge counts.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A count that only rises.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A sum of spans and their number.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    pub(crate) number: Count,
    pub(crate) ms: Count,
}

impl Spans {
    pub(crate) fn observe(&self, span: Duration) {
        self.number.add(1);
        self.ms.add(span.as_millis() as u64);
    }
}

/// Everything that is counted.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) hits: Count,
    pub(crate) hit_bytes: Count,
    pub(crate) stale: Count,
    pub(crate) validated: Count,
    pub(crate) misses: Count,
    pub(crate) collapsed: Count,
    pub(crate) passed: Count,
    pub(crate) refused: Count,
    pub(crate) fetches: Count,
    pub(crate) failures: Count,
    pub(crate) first_byte: Spans,
    pub(crate) purged: Count,
}

impl Figures {
    pub(crate) fn hit(&self, response: &http::Response<crate::Payload>) {
        self.hits.add(1);
        if let crate::Payload::Bytes(bytes) = response.body() {
            self.hit_bytes.add(bytes.len() as u64);
        }
    }
}

/// What an edge has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Requests answered from memory.
    pub hits: u64,
    /// Requests that went on to the origin, each the first for its key.
    pub misses: u64,
    /// Requests that waited for another's fetch.
    pub collapsed: u64,
    /// Requests that were not the cache's business.
    pub passed: u64,
    /// Requests to the origin for what may be kept.
    pub fetches: u64,
    /// Keys forgotten at the origin's word.
    pub purged: u64,
    /// Bytes of memory in use.
    pub bytes: u64,
    /// Keys in memory.
    pub entries: u64,
}

impl Figures {
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            hits: self.hits.get(),
            misses: self.misses.get(),
            collapsed: self.collapsed.get(),
            passed: self.passed.get(),
            fetches: self.fetches.get(),
            purged: self.purged.get(),
            ..Summary::default()
        }
    }
}
