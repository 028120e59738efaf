//! Requests answered from stored responses: preconditions (RFC 9110 §13), ranges (§14), HEAD, clients' directives.

use edge::Config;

use crate::harness::{Origin, Running, edge_before_numbered, reply};

const TAG: &str = "\"v1\"";
const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

async fn edge_with_digits() -> (Origin, Running) {
    let fields = [
        ("cache-control", "max-age=60"),
        ("etag", TAG),
        ("last-modified", CHANGED),
        ("content-type", "video/mp4"),
    ];
    let origin = Origin::start(move |_| reply(200, &fields, "0123456789")).await;
    let edge = Running::before(&origin, Config::default()).await;
    (origin, edge)
}

#[tokio::test]
async fn a_matching_validator_is_304_cold_and_warm_rfc9111_4_3_2() {
    let (origin, edge) = edge_with_digits().await;
    for fields in [("if-none-match", TAG), ("if-none-match", "W/\"v1\""), ("if-modified-since", CHANGED)] {
        let answer = edge.ask("GET", "/a", &[fields]).await;
        assert_eq!((answer.status, answer.text(), answer.header("etag")), (304, "", TAG), "{fields:?}");
        assert_eq!(answer.header("content-length"), "");
    }
    let answer = edge.ask("GET", "/a", &[("if-none-match", "\"v0\""), ("if-modified-since", CHANGED)]).await;
    assert_eq!((answer.status, answer.text()), (200, "0123456789"));
    // The origin was asked once, and for the whole.
    let seen = origin.seen();
    assert_eq!((seen.len(), seen[0].header("if-none-match")), (1, None));
}

#[tokio::test]
async fn a_range_is_cut_from_the_whole_cold_and_warm_rfc9110_14_2() {
    let (origin, edge) = edge_with_digits().await;
    for (range, place, text) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=-3", "bytes 7-9/10", "789"),
        ("bytes=5-", "bytes 5-9/10", "56789"),
        ("bytes=0-99", "bytes 0-9/10", "0123456789"),
    ] {
        let answer = edge.ask("GET", "/a", &[("range", range)]).await;
        assert_eq!(
            (answer.status, answer.header("content-range"), answer.text()),
            (206, place, text),
            "{range}"
        );
        assert_eq!(answer.header("content-length"), text.len().to_string());
    }
    let seen = origin.seen();
    assert_eq!((seen.len(), seen[0].header("range")), (1, None));
}

#[tokio::test]
async fn a_range_past_the_end_is_416_and_a_broken_one_is_no_range_rfc9110_14_2() {
    let (_origin, edge) = edge_with_digits().await;
    for _ in 0..2 {
        let answer = edge.ask("GET", "/a", &[("range", "bytes=10-")]).await;
        assert_eq!((answer.status, answer.header("content-range")), (416, "bytes */10"));
        for range in ["bytes=4-2", "items=0-1", "bytes=0-1,4-5"] {
            assert_eq!(edge.ask("GET", "/a", &[("range", range)]).await.status, 200, "{range}");
        }
    }
}

#[tokio::test]
async fn if_range_keeps_versions_apart_rfc9110_13_1_5() {
    let (_origin, edge) = edge_with_digits().await;
    for (version, status) in [(TAG, 206), ("\"v0\"", 200), ("W/\"v1\"", 200), (CHANGED, 206)] {
        let answer = edge.ask("GET", "/a", &[("range", "bytes=0-1"), ("if-range", version)]).await;
        assert_eq!(answer.status, status, "{version}");
    }
}

#[tokio::test]
async fn a_cold_range_of_something_large_passes_through() {
    let origin = Origin::start(|seen| match seen.header("range") {
        Some(_) => reply(206, &[("content-range", "bytes 0-0/5000"), ("cache-control", "max-age=60")], "x"),
        None => reply(200, &[("cache-control", "max-age=60")], &"x".repeat(5000)),
    })
    .await;
    let edge = Running::before(&origin, Config { max_object: 1000, ..Config::default() }).await;
    for _ in 0..2 {
        let answer = edge.ask("GET", "/a", &[("range", "bytes=0-0")]).await;
        assert_eq!((answer.status, answer.text(), answer.is_hit()), (206, "x", false), "{answer:?}");
    }
    // The first found out that it is large.
    assert_eq!(origin.count(), 3);
}

#[tokio::test]
async fn head_is_answered_from_a_stored_get_rfc9110_9_3_2() {
    let (origin, edge) = edge_with_digits().await;
    assert_eq!(edge.ask("HEAD", "/a", &[]).await.status, 200);
    assert_eq!(origin.seen()[0].method, "HEAD");
    edge.get("/a").await;
    let answer = edge.ask("HEAD", "/a", &[("range", "bytes=0-1")]).await;
    assert!(answer.is_hit(), "{answer:?}");
    assert_eq!((answer.status, answer.text(), answer.header("content-length")), (200, "", "10"));
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn preconditions_for_the_origin_go_to_the_origin_rfc9111_4_3_2() {
    let (origin, edge) = edge_with_digits().await;
    edge.get("/a").await;
    for field in ["if-match", "if-unmodified-since"] {
        let answer = edge.ask("GET", "/a", &[(field, "\"x\"")]).await;
        assert!(answer.did().starts_with("fwd=request"), "{answer:?}");
        assert_eq!(origin.seen().last().unwrap().header(field), Some("\"x\""));
    }
}

#[tokio::test]
async fn only_if_cached_is_answered_from_memory_or_with_504_rfc9111_5_2_1_7() {
    let (origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60")]).await;
    let only = [("cache-control", "only-if-cached")];
    let answer = edge.ask("GET", "/a", &only).await;
    assert_eq!((answer.status, answer.problem().as_str(), origin.count()), (504, "not_stored", 0));
    edge.get("/a").await;
    assert!(edge.ask("GET", "/a", &only).await.is_hit());
}

#[tokio::test]
async fn a_reload_does_not_reach_the_origin_rfc9111_5_2_1() {
    let (origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60")]).await;
    edge.get("/a").await;
    for directive in ["no-cache", "max-age=0", "no-store", "min-fresh=600"] {
        assert!(edge.ask("GET", "/a", &[("cache-control", directive)]).await.is_hit(), "{directive}");
    }
    assert!(edge.ask("GET", "/a", &[("pragma", "no-cache")]).await.is_hit());
    assert_eq!(origin.count(), 1);
}
