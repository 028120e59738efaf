//! Several origins, their health, and what is tried again.

use bytes::Bytes;
use edge::{Config, Origins};
use http_body_util::BodyExt;
use hyper_util::rt::TokioExecutor;
use server::body;

use crate::harness::{Origin, Reply, Running, reply, with_body, written};

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];

async fn edge_before(origins: &[&Origin]) -> Running {
    let urls: Vec<String> = origins.iter().map(|origin| origin.url()).collect();
    Running::of(Origins::new(&urls).unwrap(), Config::default()).await
}

#[tokio::test]
async fn origins_share_the_work() {
    let (one, other) =
        (Origin::start(|_| reply(200, FRESH, "")).await, Origin::start(|_| reply(200, FRESH, "")).await);
    let edge = edge_before(&[&one, &other]).await;
    for n in 0..10 {
        edge.get(&format!("/{n}")).await;
    }
    assert!(one.count() >= 3 && other.count() >= 3 && one.count() + other.count() == 10);
}

#[tokio::test]
async fn what_may_happen_twice_is_tried_once_more_elsewhere_rfc9110_9_2_2() {
    let bad = Origin::start(|_| Reply::Close).await;
    let good = Origin::start(|_| reply(200, FRESH, "good")).await;
    let edge = edge_before(&[&bad, &good]).await;
    for n in 0..6 {
        assert_eq!(edge.get(&format!("/{n}")).await.text(), "good");
    }
    // A POST is not: nobody knows what the first one did.
    let alone = edge_before(&[&bad]).await;
    let before = bad.count();
    assert_eq!(alone.ask("POST", "/a", &[]).await.status, 502);
    assert_eq!(bad.count(), before + 1);
    assert_eq!(alone.get("/a").await.status, 502);
    assert_eq!(bad.count(), before + 3);
}

#[tokio::test]
async fn a_dead_origin_is_left_out_and_comes_back() {
    let dead = Origin::start(|_| reply(200, FRESH, "dead")).await;
    let alive = Origin::start(|_| reply(200, FRESH, "alive")).await;
    dead.die().await;
    let edge = edge_before(&[&dead, &alive]).await;
    for n in 0..4 {
        assert_eq!(edge.get(&format!("/{n}")).await.text(), "alive");
    }
    let address = dead.address;
    let back = Origin::at(address, |_| reply(200, FRESH, "back")).await;
    for n in 0.. {
        if edge.get(&format!("/again/{n}")).await.text() == "back" {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(back.count() > 0);
}

#[tokio::test]
async fn who_waits_for_a_frozen_origin_is_answered_by_another() {
    let frozen = Origin::start(|_| reply(200, FRESH, "frozen")).await;
    let alive = Origin::start(|_| reply(200, FRESH, "alive")).await;
    let edge = edge_before(&[&frozen, &alive]).await;
    frozen.freeze();
    for n in 0..4 {
        assert_eq!(edge.get(&format!("/{n}")).await.text(), "alive");
    }
    assert!(frozen.count() > 0, "nobody asked it");
    // Who is alone is waited for.
    let later = Config { first_byte: std::time::Duration::from_secs(5), ..Config::default() };
    let alone = Running::of(Origins::new(&[frozen.url()]).unwrap(), later).await;
    assert_eq!(alone.get("/a").await.status, 504);
}

#[tokio::test]
async fn the_origin_may_speak_http2() {
    let origin = Origin::start(|_| reply(200, FRESH, "over h2")).await;
    let url = format!("h2c://{}", origin.address);
    let edge = Running::of(Origins::new(&[url]).unwrap(), Config::default()).await;
    assert_eq!(edge.get("/a").await.text(), "over h2");
    assert_eq!(origin.seen()[0].version, http::Version::HTTP_2);
}

async fn edge_before_http2(origin: &Origin) -> Running {
    let origins = Origins::new(&[format!("h2c://{}", origin.address)]).unwrap();
    Running::of(origins, Config { max_object: 1024 * 1024, ..Config::default() }).await
}

#[tokio::test]
async fn a_connection_of_http2_that_has_ended_is_made_anew() {
    let origin = Origin::start(|_| reply(200, FRESH, "before")).await;
    let edge = edge_before_http2(&origin).await;
    assert_eq!(edge.get("/a").await.text(), "before");
    origin.die().await;
    assert_eq!(edge.get("/b").await.status, 502);
    let _back = Origin::at(origin.address, |_| reply(200, FRESH, "after")).await;
    // Not tried twice: its connection must not be one that has ended.
    assert_eq!(edge.ask("POST", "/c", &[]).await.text(), "after");
}

#[tokio::test]
async fn a_body_passes_to_an_origin_over_http2() {
    let origin = Origin::start(|seen| with_body(200, &[], body::full(seen.body))).await;
    let edge = edge_before_http2(&origin).await;
    let client = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
    let sent = Bytes::from(vec![7; 3_000_000]);
    let request = http::Request::post(format!("http://{}/a", edge.address)).body(body::full(sent.clone()));
    let response = client.request(request.unwrap()).await.unwrap();
    assert!(response.into_body().collect().await.unwrap().to_bytes() == sent);
    assert_eq!(origin.seen()[0].header("content-length"), Some("3000000"));
}

#[tokio::test]
async fn a_stream_that_is_reset_is_no_answer_rfc9113_8_1() {
    let (write, half) = written();
    let mut half = Some(half);
    let origin = Origin::start(move |_| match half.take() {
        Some(half) => with_body(200, FRESH, half),
        None => reply(200, FRESH, "whole"),
    })
    .await;
    let edge = edge_before_http2(&origin).await;
    write.send(Ok(Bytes::from("half"))).unwrap();
    let begun = edge.begin("GET", "/a", &[]).await;
    // hyper's server resets with INTERNAL_ERROR; other reasons are covered where bodies are taken in.
    write.send(Err("as the test asked".into())).unwrap();
    assert!(begun.into_body().collect().await.is_err());
    assert_eq!(edge.get("/a").await.text(), "whole");
}

#[tokio::test]
async fn clients_that_take_nothing_do_not_hold_up_others_over_http2() {
    let origin = Origin::start(|seen| match seen.path.as_str() {
        "/small" => reply(200, FRESH, "small"),
        _ => with_body(200, &[("cache-control", "no-store")], body::full(vec![7; 32 * 1024 * 1024])),
    })
    .await;
    let edge = edge_before_http2(&origin).await;
    let mut slow = Vec::new();
    for n in 0..20 {
        slow.push(edge.begin("GET", &format!("/large/{n}"), &[]).await);
    }
    assert_eq!(edge.get("/small").await.text(), "small");
    let last = slow.pop().unwrap().into_body().collect().await.unwrap();
    assert_eq!(last.to_bytes().len(), 32 * 1024 * 1024);
}
