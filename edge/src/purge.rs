//! Purges: the origin's order to drop a video that is deleted or hidden, or playlists that are written again. Lifetimes
//! alone would show them until they end.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Edge, in_flight::PurgeEffect, key::Key, memory::CacheEntry, shared_fetch::SharedFetch};

// Fits what an edge takes at once.
const MOST_NAMED: usize = 10_000;

/// The set of objects to drop.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    /// Videos that are gone or hidden: all of them is forgotten.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub gone: BTreeSet<String>,
    /// Videos whose playlists changed: what never changes stays.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub changed: BTreeSet<String>,
    /// Keys that something unsafe was sent to (RFC 9111 §4.4), whole.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub keys: BTreeSet<String>,
    /// Whether purges were missed: every stored response is revalidated before its next use. A drop of everything would
    /// send the whole load to the origin; a revalidation costs a 304 each.
    #[serde(default)]
    pub all: bool,
}

impl Purge {
    /// Returns the one after which nothing is used without asking.
    pub fn everything() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Returns whether there is nothing to forget.
    pub fn is_empty(&self) -> bool {
        !self.all && self.gone.is_empty() && self.changed.is_empty() && self.keys.is_empty()
    }

    /// Adds `other`. A purge that grows too large becomes [`Self::everything`], so that an edge that is away for days takes
    /// bounded memory.
    pub fn merge(&mut self, other: Self) {
        self.gone.extend(other.gone);
        self.changed.extend(other.changed);
        self.keys.extend(other.keys);
        self.all |= other.all;
        if self.gone.len() + self.changed.len() + self.keys.len() > MOST_NAMED {
            *self = Self::everything();
        }
    }

    fn effect_on(&self, key: &Key, shared_fetch: &SharedFetch) -> PurgeEffect {
        let video = video(key);
        let is_gone = video.is_some_and(|video| self.gone.contains(video));
        if self.all || is_gone || self.keys.contains(key.as_str()) {
            return PurgeEffect::DoNotStore;
        }
        if !video.is_some_and(|video| self.changed.contains(video)) {
            return PurgeEffect::Unaffected;
        }
        // While a video is encoded each of its segments comes with a purge of its playlists: the waiters of a segment
        // must stay one group through them, or each purge would cause another fetch.
        match shared_fetch.is_immutable() {
            Some(true) => PurgeEffect::Unaffected,
            Some(false) => PurgeEffect::DoNotStore,
            None => PurgeEffect::StoreOnlyImmutable,
        }
    }

    fn removes(&self, key: &Key, entry: &CacheEntry) -> bool {
        let Some(video) = video(key) else { return false };
        self.gone.contains(video)
            || self.changed.contains(video) && !entry.variants.iter().all(|object| object.head.is_immutable())
    }
}

/// Returns the video that a key belongs to.
fn video(key: &Key) -> Option<&str> {
    let tail = key.path_and_query().strip_prefix("/v/")?;
    tail.split(['/', '?']).next()
}

impl Edge {
    /// Drops the objects that `purge` names, and has the rest revalidated if it covers everything. When this returns, no
    /// request is answered with an object stored or fetched before.
    pub async fn purge(&self, purge: Purge) {
        if purge.is_empty() {
            return;
        }
        let inner = self.0.clone();
        // Fetches in flight come first: one that completes after this is not stored, and one that completed before is
        // found in memory below. The other order would leave a gap between the two.
        inner.cache.in_flight.sweep(|key, shared_fetch| purge.effect_on(key, shared_fetch));
        if purge.all {
            inner.cache.revalidate_all();
        }
        purge.keys.iter().for_each(|key| inner.cache.memory.remove(key));
        if purge.gone.is_empty() && purge.changed.is_empty() {
            return;
        }
        // The walk takes time in proportion to what is kept.
        let walk = tokio::task::spawn_blocking(move || {
            let purged = inner.cache.memory.remove_all(|key, entry| purge.removes(key, entry));
            inner.metrics.purged.inc_by(purged);
            tracing::debug!(?purge, purged, "purged");
        });
        if let Err(error) = walk.await {
            tracing::error!(%error, "purge failed");
        }
    }
}
