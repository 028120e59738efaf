//! The edge's metrics and health.

use std::time::Duration;

use edge::Config;
use hyper_util::rt::TokioExecutor;
use server::{Body, body};

use crate::harness::{Origin, Running, edge_before_numbered, reply, until, with_body};

#[tokio::test]
async fn the_metrics_count_each_outcome() {
    let (_origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60")]).await;
    for path in ["/a", "/a", "/a?CMCD=bs%2Cmtp%3D1000", "/api/x"] {
        edge.get(path).await;
    }
    let metrics =
        body::collect(edge.metrics.answer(&http::HeaderMap::new()).into_body(), 100_000).await.unwrap();
    let metrics = str::from_utf8(&metrics).unwrap();
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
        assert!(metrics.lines().any(|printed| printed == line), "{line} in {metrics}");
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

#[tokio::test]
async fn bodies_that_are_still_being_sent_count_into_the_bound() {
    let fresh = &[("cache-control", "max-age=60")];
    let origin = Origin::start(|_| with_body(200, fresh, body::full(vec![7; 1_000_000]))).await;
    let first_byte = Duration::from_millis(300);
    let config = Config { memory: 8_000_000, first_byte, prefetches: 0, ..Config::default() };
    let edge = Running::before(&origin, config).await;
    // Its windows are full after 65,535 bytes, and are never opened.
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new())
        .http2_only(true)
        .http2_initial_stream_window_size(65_535)
        .build_http::<Body>();
    let mut answers = Vec::new();
    for n in 0..20 {
        let request = http::Request::get(format!("http://{}/{n}", edge.address)).body(body::empty());
        answers.push(client.request(request.unwrap()).await.unwrap());
        let metrics = edge.edge.metrics();
        assert!(metrics.bytes + metrics.sending <= 12_000_000, "{n}: {metrics:?}");
    }
    assert!(answers.iter().any(|answer| answer.status() == 503), "all were answered");
    drop(answers);
    until("their bytes to be free", || edge.edge.metrics().sending == 0).await;
    assert_eq!(edge.get("/next").await.status, 200);
}

#[tokio::test]
async fn checks_take_get_and_head_alone_rfc9110_15_5_6() {
    let origin = Origin::start(|_| reply(200, &[], "")).await;
    let edge = Running::before(&origin, Config::default()).await;
    for path in ["/healthz", "/readyz"] {
        for (method, expected) in [("GET", 200), ("HEAD", 200), ("POST", 405), ("DELETE", 405)] {
            let answer = edge.ask(method, path, &[]).await;
            assert_eq!(answer.status, expected, "{method} {path}");
            assert_eq!(answer.header("allow").is_empty(), expected == 200);
        }
    }
}
