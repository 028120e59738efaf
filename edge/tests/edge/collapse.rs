//! One fetch, however many ask: RFC 9111 §4.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use edge::Config;
use http_body_util::BodyExt;
use server::body;

use crate::harness::{Origin, PATIENCE, Reply, Running, reply, until, with_body, written};

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_on_one_cold_key_cause_one_fetch() {
    let (release, held) = tokio::sync::oneshot::channel();
    let mut held = Some(held);
    let origin = Origin::start(move |_| Reply::Later(held.take().expect("one fetch"))).await;
    let edge = Arc::new(Running::before(&origin, Config::default()).await);
    let clients: Vec<_> = (0..1000)
        .map(|_| {
            let edge = edge.clone();
            tokio::spawn(async move { edge.get("/a").await })
        })
        .collect();
    until("all of them to wait", || edge.edge.metrics().collapsed == 999).await;
    release.send(reply(200, FRESH, &"x".repeat(100_000))).map_err(drop).unwrap();
    for client in clients {
        assert_eq!(client.await.unwrap().text().len(), 100_000);
    }
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn bytes_reach_everybody_as_they_arrive() {
    let (bytes, body) = written();
    let mut body = Some(body);
    let origin = Origin::start(move |_| with_body(200, FRESH, body.take().expect("one fetch"))).await;
    let edge = Running::before(&origin, Config::default()).await;
    bytes.send(Ok(Bytes::from("first "))).unwrap();
    let mut early = edge.begin("GET", "/a", &[]).await.into_body();
    assert_eq!(early.frame().await.unwrap().unwrap().into_data().unwrap(), "first ");
    // A late waiter gets the beginning too, while the end is still on its way.
    let late = edge.begin("GET", "/a", &[]).await;
    let did = late.headers()["cache-status"].to_str().unwrap().to_owned();
    let mut late = late.into_body();
    assert_eq!(late.frame().await.unwrap().unwrap().into_data().unwrap(), "first ");
    bytes.send(Ok(Bytes::from("second"))).unwrap();
    for body in [&mut early, &mut late] {
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "second");
    }
    drop(bytes);
    assert!(early.frame().await.is_none() && late.frame().await.is_none());
    assert!(did.ends_with("collapsed"), "{did}");
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn the_first_clients_disconnect_does_not_fail_the_others() {
    let (bytes, body) = written();
    let mut body = Some(body);
    let origin = Origin::start(move |_| with_body(200, FRESH, body.take().expect("one fetch"))).await;
    let edge = Running::before(&origin, Config::default()).await;
    bytes.send(Ok(Bytes::from("first "))).unwrap();
    let leader = edge.begin("GET", "/a", &[]).await;
    let follower = edge.begin("GET", "/a", &[]).await;
    drop(leader);
    bytes.send(Ok(Bytes::from("second"))).unwrap();
    drop(bytes);
    assert_eq!(follower.into_body().collect().await.unwrap().to_bytes(), "first second");
    assert!(edge.get("/a").await.is_hit());
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn a_slow_key_does_not_block_another() {
    let origin = Origin::start(|seen| match seen.path.as_str() {
        "/slow" => Reply::Silence,
        _ => reply(200, FRESH, "fast").into(),
    })
    .await;
    let edge = Arc::new(Running::before(&origin, Config::default()).await);
    let slow = tokio::spawn({
        let edge = edge.clone();
        async move { edge.get("/slow").await }
    });
    origin.asked(1).await;
    assert_eq!(edge.get("/fast").await.text(), "fast");
    assert!(!slow.is_finished());
    slow.abort();
}

#[tokio::test]
async fn waiting_is_bounded_in_time_and_in_number() {
    let origin = Origin::start(|_| Reply::Silence).await;
    let short = Config { first_byte: Duration::from_millis(300), waiters: 2, ..Config::default() };
    let edge = Arc::new(Running::before(&origin, short).await);
    let ask = |edge: &Arc<Running>| {
        let edge = edge.clone();
        tokio::spawn(async move { edge.get("/a").await })
    };
    let first = ask(&edge);
    origin.asked(1).await;
    let second = ask(&edge);
    until("the second to wait", || edge.edge.metrics().collapsed == 1).await;
    let third = edge.get("/a").await;
    assert_eq!((third.status, third.problem().as_str()), (503, "too_many_waiting"));
    for waiter in [first, second] {
        let answer = tokio::time::timeout(PATIENCE, waiter).await.unwrap().unwrap();
        assert_eq!((answer.status, answer.problem().as_str()), (504, "origin_timeout"));
    }
}

#[tokio::test]
async fn answers_for_one_request_do_not_hold_up_the_others() {
    let origin = Origin::start(|_| reply(200, &[("cache-control", "private")], "mine")).await;
    let edge = Arc::new(Running::before(&origin, Config::default()).await);
    let clients: Vec<_> = (0..10)
        .map(|_| {
            let edge = edge.clone();
            tokio::spawn(async move { edge.get("/a").await })
        })
        .collect();
    for client in clients {
        assert_eq!(client.await.unwrap().text(), "mine");
    }
    assert_eq!(origin.count(), 10);
}

#[tokio::test]
async fn an_object_too_large_to_keep_streams_through() {
    let config = Config { max_object: 1000, ..Config::default() };
    let origin = Origin::start(|seen| {
        let large = "x".repeat(200_000);
        match seen.path.as_str() {
            "/with-length" => reply(200, FRESH, &large),
            // Without a length it is known to be too large when it is.
            _ => with_body(
                200,
                FRESH,
                body::stream(futures::stream::iter(
                    large
                        .into_bytes()
                        .chunks(10_000)
                        .map(|part| Ok::<_, std::io::Error>(Bytes::copy_from_slice(part)))
                        .collect::<Vec<_>>(),
                )),
            ),
        }
    })
    .await;
    let edge = Running::before(&origin, config).await;
    for path in ["/with-length", "/without-length"] {
        for _ in 0..2 {
            let answer = edge.get(path).await;
            assert_eq!((answer.text().len(), answer.is_hit()), (200_000, false), "{path}");
        }
    }
    assert_eq!(origin.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_waiters_of_a_segment_share_its_503_until_retry_after() {
    let (release, held) = tokio::sync::oneshot::channel();
    let mut held = Some(held);
    let not_yet = [("cache-control", "no-store"), ("cdn-cache-control", "max-age=60"), ("retry-after", "1")];
    let origin = Origin::start(move |_| match held.take() {
        Some(held) => Reply::Later(held),
        None => reply(200, FRESH, "encoded").into(),
    })
    .await;
    let config = Config { prefetches: 0, ..Config::default() };
    let edge = Arc::new(Running::before(&origin, config).await);
    let clients: Vec<_> = (0..100)
        .map(|_| {
            let edge = edge.clone();
            tokio::spawn(async move { edge.get("/v/1/720p/3.m4s").await })
        })
        .collect();
    until("all of them to wait", || edge.edge.metrics().collapsed == 99).await;
    release.send(reply(503, &not_yet, "not yet")).map_err(drop).unwrap();
    for client in clients {
        let answer = client.await.unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (503, "1"));
    }
    assert_eq!(origin.count(), 1);
    // The error is cached no longer than its Retry-After.
    edge.skip(1);
    assert_eq!(edge.get("/v/1/720p/3.m4s").await.text(), "encoded");
}

#[tokio::test]
async fn fetches_are_bounded_in_number() {
    let (bytes, body) = written();
    let mut body = Some(body);
    let origin = Origin::start(move |_| with_body(200, FRESH, body.take().expect("one fetch"))).await;
    let config = Config { fetches: 1, first_byte: Duration::from_millis(300), ..Config::default() };
    let edge = Running::before(&origin, config).await;
    bytes.send(Ok(Bytes::from("half"))).unwrap();
    let first = edge.begin("GET", "/a", &[]).await;
    let second = edge.get("/b").await;
    assert_eq!((second.status, second.problem().as_str()), (503, "too_many_fetches"));
    drop(bytes);
    assert_eq!(first.into_body().collect().await.unwrap().to_bytes(), "half");
}

#[tokio::test]
async fn a_stored_answer_stands_in_where_all_fetches_are_taken() {
    let (bytes, body) = written();
    let mut body = Some(body);
    let origin = Origin::start(move |seen| match seen.path.as_str() {
        "/slow" => with_body(200, FRESH, body.take().expect("one fetch")),
        _ => reply(200, FRESH, "kept"),
    })
    .await;
    let config = Config { fetches: 1, first_byte: Duration::from_millis(300), ..Config::default() };
    let edge = Running::before(&origin, config).await;
    edge.get("/a").await;
    edge.skip(61);
    bytes.send(Ok(Bytes::from("half"))).unwrap();
    let slow = edge.begin("GET", "/slow", &[]).await;
    assert_eq!(edge.get("/a").await.text(), "kept");
    assert_eq!(origin.count(), 2);
    drop(bytes);
    assert_eq!(slow.into_body().collect().await.unwrap().to_bytes(), "half");
}

#[tokio::test]
async fn fetches_in_flight_are_bounded_in_bytes() {
    const LENGTH: usize = 400_000;
    let (sender, mut bodies) = tokio::sync::mpsc::unbounded_channel();
    let origin = Origin::start(move |_| {
        let (bytes, body) = written();
        sender.send(bytes).unwrap();
        with_body(200, &[FRESH[0], ("content-length", &LENGTH.to_string())], body)
    })
    .await;
    let config = Config { memory: 4_000_000, prefetches: 0, ..Config::default() };
    let edge = Arc::new(Running::before(&origin, config).await);
    let begin = |path: &'static str| {
        let edge = edge.clone();
        tokio::spawn(async move { edge.begin("GET", path, &[]).await })
    };
    let heads = [begin("/a").await.unwrap(), begin("/b").await.unwrap()];
    let mut third = begin("/c");
    origin.asked(3).await;
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut third).await.is_err(), "it found room");
    let mut finish = async || {
        let bytes = bodies.recv().await.unwrap();
        bytes.send(Ok(Bytes::from(vec![0; LENGTH]))).unwrap();
    };
    finish().await;
    let third = third.await.unwrap();
    finish().await;
    finish().await;
    for answer in heads.into_iter().chain([third]) {
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes().len(), LENGTH);
    }
}

#[tokio::test]
async fn a_fetch_that_nobody_wants_any_more_is_ended() {
    let (write, body) = written();
    let mut body = Some(body);
    let length = [("cache-control", "max-age=60"), ("content-length", "100")];
    let origin = Origin::start(move |_| match body.take() {
        Some(body) => with_body(200, &length, body),
        None => reply(200, &[("cache-control", "max-age=60")], "anew"),
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    write.send(Ok(Bytes::from(vec![7; 50]))).unwrap();
    drop(edge.begin("GET", "/a", &[]).await);
    until("the fetch to end", || write.is_closed()).await;
    assert_eq!(edge.get("/a").await.text(), "anew");
}

#[tokio::test]
async fn a_fetch_that_is_nearly_done_is_stored_without_waiters() {
    let (write, body) = written();
    let mut body = Some(body);
    let length = [("cache-control", "max-age=60"), ("content-length", "100")];
    let origin = Origin::start(move |_| with_body(200, &length, body.take().unwrap())).await;
    let edge = Running::before(&origin, Config::default()).await;
    write.send(Ok(Bytes::from(vec![b'x'; 90]))).unwrap();
    let mut begun = edge.begin("GET", "/a", &[]).await;
    begun.frame().await.unwrap().unwrap();
    drop(begun);
    write.send(Ok(Bytes::from(vec![b'x'; 10]))).unwrap();
    drop(write);
    until("it to be stored", || edge.edge.metrics().entries == 1).await;
    assert!(edge.get("/a").await.is_hit());
}
