//! What the edge tells of itself.

use edge::Config;

use crate::harness::{Origin, Running, edge_before_numbered, reply};

#[tokio::test]
async fn the_figures_tell_what_was_done() {
    let (_origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60")]).await;
    for path in ["/a", "/a", "/a?CMCD=bs%2Cmtp%3D1000", "/api/x"] {
        edge.get(path).await;
    }
    let metrics = edge.get("/metrics").await;
    for line in [
        "clipcut_edge_requests_total{outcome=\"hit\"} 2",
        "clipcut_edge_requests_total{outcome=\"miss\"} 1",
        "clipcut_edge_requests_total{outcome=\"passed\"} 1",
        "clipcut_edge_hit_bytes_total 16",
        "clipcut_edge_fetched_bytes_total 8",
        "clipcut_edge_fetches_total 1",
        "clipcut_edge_cache_entries 1",
        "clipcut_edge_cmcd_starvations_total 1",
        "clipcut_edge_cmcd_throughput_bps_count 1",
    ] {
        assert!(metrics.text().lines().any(|told| told == line), "{line} in {}", metrics.text());
    }
}

#[tokio::test]
async fn the_edge_is_alive_and_ready_also_without_its_origin() {
    let origin = Origin::start(|_| reply(200, &[], "")).await;
    let edge = Running::before(&origin, Config::default()).await;
    origin.die().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(edge.get(path).await.text(), "ok\n", "{path}");
    }
}

#[tokio::test]
async fn memory_stays_within_its_bound() {
    let config = Config { memory: 1_000_000, prefetches: 0, ..Config::default() };
    let origin = Origin::start(|_| reply(200, &[("cache-control", "max-age=60")], &"x".repeat(20_000))).await;
    let edge = Running::before(&origin, config).await;
    for n in 0..300 {
        edge.get(&format!("/{n}")).await;
        let metrics = edge.edge.metrics();
        assert!(metrics.bytes <= 1_000_000, "{metrics:?}");
    }
    let metrics = edge.edge.metrics();
    assert!(metrics.evicted > 200 && metrics.entries > 20, "{metrics:?}");
}
