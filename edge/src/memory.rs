//! The objects in memory: bounded by bytes, admitted by how often they are asked for (`TinyLFU`), so that one scan over
//! rarely played videos does not evict the popular ones.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use moka::{notification::RemovalCause, sync::Cache};
use server::metrics::Counter;

use crate::{clock::Moment, key::Key, object::Object, storable::RequestAuth, vary};

// An origin with more variants of a key varies by too much to cache well; the oldest go.
const MOST_VARIANTS: usize = 8;

/// The state of one key.
#[derive(Clone, Debug, Default)]
pub(crate) struct CacheEntry {
    /// Newest first.
    pub(crate) variants: Vec<Arc<Object>>,
    /// Until then each answer is expected to be for one request alone, so requests do not wait for a shared fetch.
    passes_until: Option<Moment>,
    /// The same for requests with `Authorization`. Apart, since a private answer to them is no sign that the others' are
    /// private too (RFC 9111 §3.5).
    passes_authorized_until: Option<Moment>,
}

impl CacheEntry {
    /// Returns whether a request does not join a shared fetch.
    pub(crate) fn passes(&self, auth: RequestAuth, now: Moment) -> bool {
        let until = match auth {
            RequestAuth::Anonymous => self.passes_until,
            RequestAuth::Authorized => self.passes_authorized_until,
        };
        until.is_some_and(|until| now < until)
    }

    /// Returns the request fields that its answers depend on.
    pub(crate) fn selecting_names(&self) -> Vec<HeaderName> {
        let all = self.variants.iter().flat_map(|object| object.head.selecting.iter());
        let mut names: Vec<HeaderName> = all.map(|(name, _)| name.clone()).collect();
        names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
        names.dedup();
        names
    }

    /// Returns the newest object that answers a request with these headers.
    pub(crate) fn find(&self, request: &HeaderMap) -> Option<&Arc<Object>> {
        self.variants.iter().find(|object| vary::agrees(&object.head.selecting, request))
    }
}

/// The cache.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    entries: Cache<Key, Arc<CacheEntry>>,
    capacity: u64,
}

impl Memory {
    pub(crate) fn new(capacity: u64, evicted: Counter) -> Self {
        let entries = Cache::builder()
            .name("edge")
            .max_capacity(capacity)
            .weigher(|key: &Key, entry: &Arc<CacheEntry>| {
                let objects: usize = entry.variants.iter().map(|object| object.weight()).sum();
                u32::try_from(objects + 2 * key.as_str().len() + 256).unwrap_or(u32::MAX)
            })
            .eviction_listener(move |_, _, cause| {
                if cause == RemovalCause::Size {
                    evicted.inc();
                }
            })
            .build();
        Self { entries, capacity }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<CacheEntry>> {
        self.entries.get(key)
    }

    /// Stores an object in place of the variant that answers the same requests.
    pub(crate) fn insert(&self, key: Key, object: &Arc<Object>) {
        self.entries.entry(key).and_upsert_with(|old| {
            let old = old.map(moka::Entry::into_value).unwrap_or_default();
            let others = old.variants.iter().filter(|other| other.head.selecting != object.head.selecting);
            let mut variants = vec![Arc::clone(object)];
            variants.extend(others.take(MOST_VARIANTS - 1).cloned());
            // A response that is stored ends the passes: the key is shared again.
            Arc::new(CacheEntry { variants, ..CacheEntry::default() })
        });
        // moka evicts later, a few dozen writes at a time: with segments of megabytes that would be far over the bound.
        self.settle();
    }

    /// Marks a key as private until then: its requests do not share fetches.
    pub(crate) fn pass(&self, key: Key, auth: RequestAuth, until: Moment) {
        self.entries.entry(key).and_upsert_with(|old| {
            let mut entry = CacheEntry::clone(&old.map(moka::Entry::into_value).unwrap_or_default());
            match auth {
                RequestAuth::Anonymous => entry.passes_until = Some(until),
                RequestAuth::Authorized => entry.passes_authorized_until = Some(until),
            }
            Arc::new(entry)
        });
    }

    pub(crate) fn remove(&self, key: &str) {
        self.entries.invalidate(key);
    }

    /// Removes every entry that `do_not_store` selects. Takes time in proportion to the number of keys.
    pub(crate) fn remove_all(&self, do_not_store: impl Fn(&Key, &CacheEntry) -> bool) -> u64 {
        let mut removed = 0;
        for (key, entry) in &self.entries {
            if do_not_store(&key, &entry) {
                self.entries.invalidate(&*key);
                removed += 1;
            }
        }
        removed
    }

    /// Does the deferred work of the cache now: evictions and the freeing of memory.
    pub(crate) fn settle(&self) {
        self.entries.run_pending_tasks();
        // moka leaves removed objects to the epochs of crossbeam, which advance when there are enough pieces of garbage.
        // Few of ours are a lot of bytes already: after three epochs an object without readers is free.
        for _ in 0..3 {
            crossbeam_epoch::pin().flush();
        }
    }

    /// Returns the bytes in use.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries.weighted_size()
    }

    /// Returns the number of keys.
    pub(crate) fn entries(&self) -> u64 {
        self.entries.entry_count()
    }

    /// Returns whether `bytes` more fit without an eviction.
    pub(crate) fn has_room(&self, bytes: u64) -> bool {
        self.entries.weighted_size() + bytes <= self.capacity
    }
}
