//! Being ahead of the player: the next segment is there before it is asked for.

use edge::Config;

use crate::harness::{Origin, Running, reply, until};

const FRESH: &[(&str, &str)] = &[("cache-control", "public, max-age=31536000, immutable")];

async fn edge_with_segments(config: Config) -> (Origin, Running) {
    let origin = Origin::start(|seen| reply(200, FRESH, &seen.path)).await;
    let edge = Running::before(&origin, config).await;
    (origin, edge)
}

/// Asks for `path` and returns what the origin was asked, once that are `count` requests.
async fn ask(path: &str, fields: &[(&str, &str)], count: usize) -> Vec<String> {
    let (origin, edge) = edge_with_segments(Config::default()).await;
    edge.ask("GET", path, fields).await;
    origin.asked(count).await;
    let mut paths: Vec<String> = origin.seen().into_iter().map(|seen| seen.path).collect();
    paths.sort_unstable();
    for path in &paths {
        until("it to be kept", || edge.edge.metrics().entries as usize >= count).await;
        let only = edge.ask("GET", path, &[("cache-control", "only-if-cached")]).await;
        assert!(only.is_hit(), "{path}: {only:?}");
    }
    paths
}

#[tokio::test]
async fn the_next_in_sequence_is_fetched_without_cmcd() {
    assert_eq!(ask("/v/1/720p/3.m4s", &[], 2).await, ["/v/1/720p/3.m4s", "/v/1/720p/4.m4s"]);
}

#[tokio::test]
async fn the_origin_sees_that_nobody_waits_for_a_prefetch() {
    let (origin, edge) = edge_with_segments(Config::default()).await;
    edge.get("/v/1/720p/3.m4s").await;
    origin.asked(2).await;
    for seen in origin.seen() {
        let expected = (seen.path == "/v/1/720p/4.m4s").then_some("prefetch");
        assert_eq!(seen.header("sec-purpose"), expected, "{}", seen.path);
    }
}

#[tokio::test]
async fn the_next_object_request_is_prefetched_from_query_and_header_cta5004() {
    let expected = ["/v/1/480p/4.m4s", "/v/1/720p/3.m4s"];
    let query = "/v/1/720p/3.m4s?CMCD=nor%3D%22..%252F480p%252F4.m4s%22%2Csf%3Dh";
    assert_eq!(ask(query, &[], 2).await, expected);
    let header = [("cmcd-request", "nor=\"..%2F480p%2F4.m4s\""), ("cmcd-session", "sf=h,v=2")];
    assert_eq!(ask("/v/1/720p/3.m4s", &header, 2).await, expected);
}

#[tokio::test]
async fn a_player_that_needs_bytes_at_once_gets_two_ahead_cta5004() {
    let paths = ask("/v/1/720p/3.m4s?CMCD=su%2Csf%3Dh", &[], 3).await;
    assert_eq!(paths, ["/v/1/720p/3.m4s", "/v/1/720p/4.m4s", "/v/1/720p/5.m4s"]);
}

#[tokio::test]
async fn nobody_makes_the_edge_fetch_of_another_video() {
    let (origin, edge) = edge_with_segments(Config::default()).await;
    edge.get("/v/1/720p/init.mp4?CMCD=nor%3D%22..%252F..%252F2%252F720p%252F4.m4s%22").await;
    edge.get("/v/1/720p/media.m3u8").await;
    assert_eq!((origin.count(), edge.edge.metrics().prefetches), (2, 0));
}

#[tokio::test]
async fn nothing_is_fetched_ahead_without_room_or_when_it_is_off() {
    for config in [Config { prefetches: 0, ..Config::default() }, Config { memory: 100, ..Config::default() }]
    {
        let (origin, edge) = edge_with_segments(config).await;
        edge.get("/v/1/720p/3.m4s").await;
        edge.get("/v/1/720p/3.m4s").await;
        assert_eq!(edge.edge.metrics().prefetches, 0);
        assert!(origin.seen().iter().all(|seen| seen.path == "/v/1/720p/3.m4s"));
    }
}
