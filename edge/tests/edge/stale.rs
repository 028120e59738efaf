//! Going on when the origin does not: RFC 5861, RFC 9111 §4.2.4.

use std::time::Duration;

use edge::Config;

use crate::harness::{Reply, Running, edge_before_numbered, numbered, reply};

#[tokio::test]
async fn stale_while_revalidate_answers_at_once_and_asks_behind_rfc5861_3() {
    let (origin, edge) =
        edge_before_numbered(&[("cache-control", "max-age=60, stale-while-revalidate=30")]).await;
    edge.get("/a").await;
    edge.skip(70);
    let (release, held) = tokio::sync::oneshot::channel();
    let mut held = Some(held);
    origin.play(move |_| Reply::Later(held.take().expect("one fetch")));
    for _ in 0..3 {
        let answer = edge.get("/a").await;
        assert_eq!((answer.text(), answer.is_hit()), ("answer 1", true), "{answer:?}");
    }
    origin.asked(2).await;
    release.send(reply(200, &[("cache-control", "max-age=60")], "new")).map_err(drop).unwrap();
    let mut answer = edge.get("/a").await;
    while answer.text() != "new" {
        answer = edge.get("/a").await;
    }
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn past_its_span_stale_is_not_answered_at_once_rfc5861_3() {
    let (_origin, edge) =
        edge_before_numbered(&[("cache-control", "max-age=60, stale-while-revalidate=30")]).await;
    edge.get("/a").await;
    edge.skip(91);
    assert_eq!(edge.get("/a").await.text(), "answer 2");
}

#[tokio::test]
async fn stale_if_error_stands_in_for_an_error_within_its_span_rfc5861_4() {
    let (origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60, stale-if-error=30")]).await;
    edge.get("/a").await;
    origin.play(|_| reply(500, &[], "broken"));
    edge.skip(70);
    let answer = edge.get("/a").await;
    assert_eq!((answer.status, answer.text()), (200, "answer 1"));
    assert!(answer.did().starts_with("fwd=stale; ttl=-1"), "{answer:?}");
    edge.skip(30);
    assert_eq!(edge.get("/a").await.status, 500);
}

#[tokio::test]
async fn without_a_word_an_error_is_an_error_rfc9111_4_2_4() {
    let (origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60")]).await;
    edge.get("/a").await;
    origin.play(|_| reply(500, &[], "broken"));
    edge.skip(61);
    assert_eq!(edge.get("/a").await.status, 500);
}

#[tokio::test]
async fn the_edge_goes_on_when_the_origin_is_down_rfc9111_4_2_4() {
    let (origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60")]).await;
    edge.get("/a").await;
    origin.die().await;
    edge.skip(61);
    let answer = edge.get("/a").await;
    assert_eq!((answer.status, answer.text()), (200, "answer 1"), "{answer:?}");
    let answer = edge.get("/never-seen").await;
    assert_eq!((answer.status, answer.problem().as_str()), (502, "origin_unreachable"));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    edge.skip(3600);
    assert_eq!(edge.get("/a").await.status, 502);
}

#[tokio::test]
async fn must_revalidate_forbids_stale_rfc9111_5_2_2_2() {
    for control in ["max-age=60, must-revalidate", "max-age=60, proxy-revalidate", "s-maxage=60", "no-cache"]
    {
        let fields: &'static [(&str, &str)] = Box::leak(Box::new([("cache-control", control)]));
        let (origin, edge) = edge_before_numbered(fields).await;
        edge.get("/a").await;
        origin.die().await;
        edge.skip(61);
        let answer = edge.get("/a").await;
        assert_eq!((answer.status, answer.problem().as_str()), (502, "origin_unreachable"), "{control}");
    }
}

#[tokio::test]
async fn a_silent_origin_is_a_504_in_time_and_what_is_stale_stands_in() {
    let origin = numbered(&[("cache-control", "max-age=60")]).await;
    let config = Config { first_byte: Duration::from_millis(200), ..Config::default() };
    let edge = Running::before(&origin, config).await;
    edge.get("/a").await;
    origin.play(|_| Reply::Silence);
    edge.skip(61);
    assert_eq!(edge.get("/a").await.text(), "answer 1");
    let answer = edge.get("/b").await;
    assert_eq!((answer.status, answer.problem().as_str()), (504, "origin_timeout"));
}
