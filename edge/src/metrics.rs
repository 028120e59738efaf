//! The edge's metrics.

use std::time::Duration;

use server::metrics::{Counter, Family, Gauge, Histogram, Registry, exponential_buckets};

use crate::{Payload, cmcd::Cmcd};

/// Everything that is counted. Handles: clones count into the same.
#[derive(Clone, Debug)]
pub(crate) struct EdgeMetrics {
    pub(crate) hits: Counter,
    pub(crate) stale: Counter,
    pub(crate) validated: Counter,
    pub(crate) misses: Counter,
    pub(crate) collapsed: Counter,
    pub(crate) passed: Counter,
    /// For their ticket.
    pub(crate) refused: Counter,
    pub(crate) invalid: Counter,
    pub(crate) hit_bytes: Counter,
    pub(crate) fetched_bytes: Counter,
    pub(crate) fetches: Counter,
    pub(crate) peer_fetches: Counter,
    pub(crate) failures: Counter,
    pub(crate) abandoned: Counter,
    pub(crate) prefetches: Counter,
    pub(crate) purged: Counter,
    pub(crate) evicted: Counter,
    pub(crate) bytes: Gauge,
    pub(crate) sending: Gauge,
    pub(crate) entries: Gauge,
    pub(crate) peers: Gauge,
    starved: Counter,
    first_byte: Histogram,
    throughput: Histogram,
    outcomes: Family<[(&'static str, &'static str); 1], Counter>,
}

impl Default for EdgeMetrics {
    fn default() -> Self {
        let outcomes = Family::<[(&'static str, &'static str); 1], Counter>::default();
        // Each count is looked up once: a `Family` takes a lock and hashes the labels.
        let of = |outcome| outcomes.get_or_create_owned(&[("outcome", outcome)]);
        Self {
            hits: of("hit"),
            stale: of("stale"),
            validated: of("validated"),
            misses: of("miss"),
            collapsed: of("collapsed"),
            passed: of("passed"),
            refused: of("refused"),
            invalid: of("invalid"),
            hit_bytes: Counter::default(),
            fetched_bytes: Counter::default(),
            fetches: Counter::default(),
            peer_fetches: Counter::default(),
            failures: Counter::default(),
            abandoned: Counter::default(),
            prefetches: Counter::default(),
            purged: Counter::default(),
            evicted: Counter::default(),
            bytes: Gauge::default(),
            sending: Gauge::default(),
            entries: Gauge::default(),
            peers: Gauge::default(),
            starved: Counter::default(),
            // 1 ms to 16 s: from an origin next door to a segment that is waited for.
            first_byte: Histogram::new(exponential_buckets(0.001, 2.0, 15)),
            // 0.25 to 128 Mbit/s.
            throughput: Histogram::new(exponential_buckets(250_000.0, 2.0, 10)),
            outcomes,
        }
    }
}

impl EdgeMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        registry.register("edge_requests", "Requests, by what was done with them", self.outcomes.clone());
        for (name, help, counter) in [
            ("edge_hit_bytes", "Bytes answered from memory", &self.hit_bytes),
            ("edge_fetched_bytes", "Bytes taken in to be kept or shared", &self.fetched_bytes),
            ("edge_fetches", "Requests to the origin or a peer for what may be kept", &self.fetches),
            ("edge_peer_fetches", "Those of them that a peer answered", &self.peer_fetches),
            ("edge_fetch_failures", "Requests to the origin that came to nothing", &self.failures),
            (
                "edge_fetches_abandoned",
                "Fetches that were ended because all who waited had gone",
                &self.abandoned,
            ),
            ("edge_prefetches", "Segments fetched before a player asked", &self.prefetches),
            ("edge_purged", "Keys forgotten at the origin's word", &self.purged),
            ("edge_evictions", "Keys that went because others needed the room", &self.evicted),
            ("edge_cmcd_starvations", "Requests whose player ran dry before them (CMCD bs)", &self.starved),
        ] {
            registry.register(name, help, counter.clone());
        }
        for (name, help, gauge) in [
            ("edge_cache_bytes", "Bytes of memory in use, overhead counted", &self.bytes),
            (
                "edge_sending_bytes",
                "Bytes of bodies that are being sent and no longer in the cache",
                &self.sending,
            ),
            ("edge_cache_entries", "Keys in memory", &self.entries),
            ("edge_peers", "Edges of the group that answer, this one counted", &self.peers),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            "edge_fetch_first_byte_seconds",
            "Time from a request to the origin to its answer's head",
            self.first_byte.clone(),
        );
        registry.register(
            "edge_cmcd_throughput_bps",
            "Throughput that players measure (CMCD mtp)",
            self.throughput.clone(),
        );
    }

    pub(crate) fn hit(&self, response: &http::Response<Payload>) {
        self.hits.inc();
        if let Payload::Bytes(bytes) = response.body() {
            self.hit_bytes.inc_by(bytes.len() as u64);
        }
    }

    pub(crate) fn waited(&self, span: Duration) {
        self.first_byte.observe(span.as_secs_f64());
    }

    pub(crate) fn cmcd(&self, cmcd: &Cmcd) {
        if cmcd.starved {
            self.starved.inc();
        }
        if let Some(kbps) = cmcd.throughput_kbps {
            self.throughput.observe(kbps as f64 * 1000.0);
        }
    }

    pub(crate) fn summary(&self) -> MetricsSnapshot {
        MetricsSnapshot {
            hits: self.hits.get(),
            misses: self.misses.get(),
            collapsed: self.collapsed.get(),
            passed: self.passed.get(),
            fetches: self.fetches.get(),
            prefetches: self.prefetches.get(),
            evicted: self.evicted.get(),
            purged: self.purged.get(),
            bytes: self.bytes.get().cast_unsigned(),
            sending: self.sending.get().cast_unsigned(),
            entries: self.entries.get().cast_unsigned(),
            peers: self.peers.get().cast_unsigned(),
        }
    }
}

/// The counts of an edge at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricsSnapshot {
    /// Requests answered from memory.
    pub hits: u64,
    /// Requests that went on to the origin, each the first for its key.
    pub misses: u64,
    /// Requests that waited for another's fetch.
    pub collapsed: u64,
    /// Requests that were not the cache's business.
    pub passed: u64,
    /// Requests to the origin or a peer for what may be kept.
    pub fetches: u64,
    /// Segments fetched before a player asked.
    pub prefetches: u64,
    /// Keys that went because others needed the room.
    pub evicted: u64,
    /// Keys forgotten at the origin's word.
    pub purged: u64,
    /// Bytes of memory in use.
    pub bytes: u64,
    /// Bytes of bodies that are being sent and no longer in the cache.
    pub sending: u64,
    /// Keys in memory.
    pub entries: u64,
    /// Edges of the group that answer, this one counted.
    pub peers: u64,
}
