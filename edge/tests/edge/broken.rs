//! Answers that break off, fall silent or do not come, and those who wait for them.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use edge::Config;
use http_body_util::BodyExt;
use server::body;

use crate::harness::{Origin, Reply, Running, reply, until, with_body, written};

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];

#[tokio::test]
async fn a_truncated_answer_fails_its_waiters_and_is_never_stored_rfc9112_8() {
    for length in [Some("100"), None] {
        let (bytes, body) = written();
        let mut body = Some(body);
        let origin = Origin::start(move |_| {
            let mut fields = FRESH.to_vec();
            fields.extend(length.map(|length| ("content-length", length)));
            match body.take() {
                Some(body) => with_body(200, &fields, body),
                None => reply(200, FRESH, "whole"),
            }
        })
        .await;
        let edge = Running::before(&origin, Config::default()).await;
        bytes.send(Ok(Bytes::from("half"))).unwrap();
        let (one, other) = (edge.begin("GET", "/a", &[]).await, edge.begin("GET", "/a", &[]).await);
        bytes.send(Err("cut".into())).unwrap();
        for body in [one, other] {
            assert!(body.into_body().collect().await.is_err(), "half a body passed for a whole one");
        }
        // The next request tries again.
        assert_eq!(edge.get("/a").await.text(), "whole");
        assert!(edge.get("/a").await.is_hit());
        assert_eq!(origin.count(), 2);
    }
}

#[tokio::test]
async fn an_origin_that_stalls_in_the_middle_fails_its_waiters() {
    let (bytes, body) = written();
    let mut body = Some(body);
    let origin =
        Origin::start(move |_| with_body(200, FRESH, body.take().unwrap_or_else(|| body::full("again"))))
            .await;
    let config = Config { idle: Duration::from_millis(200), ..Config::default() };
    let edge = Running::before(&origin, config).await;
    bytes.send(Ok(Bytes::from("half"))).unwrap();
    assert!(edge.get("/a").await.body.is_none());
    assert_eq!(edge.get("/a").await.text(), "again");
}

/// The body that a client gets of answers that come one after the other, of which the first breaks off behind "half", and how
/// many were asked for.
async fn broken_off(fields: &'static [(&str, &str)], second: &'static str) -> (Option<String>, usize) {
    let (bytes, body) = written();
    let mut body = Some(body);
    let origin =
        Origin::start(move |_| with_body(200, fields, body.take().unwrap_or_else(|| body::full(second))))
            .await;
    let edge = Running::before(&origin, Config::default()).await;
    bytes.send(Ok(Bytes::from("half"))).unwrap();
    let mut answer = edge.begin("GET", "/a", &[]).await.into_body();
    let half = answer.frame().await.unwrap().unwrap().into_data().unwrap();
    bytes.send(Err("the origin died".into())).unwrap();
    let rest = answer.collect().await.ok().map(|rest| [half, rest.to_bytes()].concat());
    (rest.map(|text| String::from_utf8(text).unwrap()), origin.count())
}

#[tokio::test]
async fn an_immutable_answer_that_breaks_off_goes_on_behind_what_was_sent_rfc8246() {
    const IMMUTABLE: &[(&str, &str)] = &[("cache-control", "max-age=60, immutable")];
    assert_eq!(broken_off(IMMUTABLE, "half and the rest").await, (Some("half and the rest".to_owned()), 2));
    // Each of these is none that goes on.
    assert_eq!(broken_off(IMMUTABLE, "another").await, (None, 2));
    assert_eq!(broken_off(IMMUTABLE, "ha").await, (None, 2));
    assert_eq!(broken_off(FRESH, "half and the rest").await, (None, 1));
}

#[tokio::test]
async fn an_immutable_answer_that_never_comes_is_asked_for_twice() {
    let origin = Origin::start(|_| {
        let (bytes, body) = written();
        // Held open for ever, without a byte.
        std::mem::forget(bytes);
        with_body(200, &[("cache-control", "max-age=60, immutable")], body)
    })
    .await;
    let config = Config { idle: Duration::from_millis(200), ..Config::default() };
    let edge = Running::before(&origin, config).await;
    assert!(edge.get("/a").await.body.is_none());
    assert_eq!(origin.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_waiters_share_the_error_of_a_broken_origin_and_the_next_request_fetches_again() {
    let (release, held) = tokio::sync::oneshot::channel();
    let mut held = Some(held);
    let origin = Origin::start(move |_| match held.take() {
        Some(held) => Reply::Later(held),
        None => reply(200, FRESH, "whole again").into(),
    })
    .await;
    let edge = Arc::new(Running::before(&origin, Config::default()).await);
    let clients: Vec<_> = (0..100)
        .map(|_| {
            let edge = edge.clone();
            tokio::spawn(async move { edge.get("/a").await })
        })
        .collect();
    until("all of them to wait", || edge.edge.metrics().collapsed == 99).await;
    release.send(reply(500, &[("cache-control", "no-store")], "broken")).map_err(drop).unwrap();
    for client in clients {
        assert_eq!(client.await.unwrap().status, 500);
    }
    assert_eq!(origin.count(), 1);
    // Nor does the error mark the key as private: later requests still share a fetch.
    for _ in 0..2 {
        assert_eq!(edge.get("/a").await.text(), "whole again");
    }
    assert_eq!(origin.count(), 2);
}
