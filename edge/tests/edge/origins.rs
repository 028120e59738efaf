//! Several origins, their health, and what is tried again.

use std::convert::Infallible;

use bytes::Bytes;
use edge::{Clock, Config, Edge, Origins};
use http::Request;

use crate::harness::{Origin, Reply, Running, reply, written};

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
async fn a_connection_is_used_again() {
    for scheme in ["http", "h2c"] {
        let origin = Origin::start(|_| reply(200, FRESH, "")).await;
        let origins = Origins::new(&[format!("{scheme}://{}", origin.address)]).unwrap();
        let edge = Running::of(origins, Config::default()).await;
        for n in 0..50 {
            edge.get(&format!("/{n}")).await;
        }
        // Looking after its health may take one more.
        assert!(origin.count() == 50 && origin.connections() <= 2, "{scheme} {}", origin.connections());
    }
}

#[tokio::test]
async fn an_idempotent_request_is_tried_once_more_elsewhere_rfc9110_9_2_2() {
    let bad = Origin::start(|_| Reply::Close).await;
    let good = Origin::start(|_| reply(200, FRESH, "good")).await;
    let edge = edge_before(&[&bad, &good]).await;
    for n in 0..6 {
        assert_eq!(edge.get(&format!("/{n}")).await.text(), "good");
    }
    // A POST is not (RFC 9110 §9.2.2): the first one may have had its effect.
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
async fn a_request_to_a_frozen_origin_is_answered_by_another() {
    let frozen = Origin::start(|_| reply(200, FRESH, "frozen")).await;
    let alive = Origin::start(|_| reply(200, FRESH, "alive")).await;
    let edge = edge_before(&[&frozen, &alive]).await;
    frozen.freeze();
    for n in 0..4 {
        assert_eq!(edge.get(&format!("/{n}")).await.text(), "alive");
    }
    assert!(frozen.count() > 0, "nobody asked it");
    // An origin without an alternative is waited for, even if it is unhealthy.
    let later = Config { first_byte: std::time::Duration::from_secs(5), ..Config::default() };
    let alone = Running::of(Origins::new(&[frozen.url()]).unwrap(), later).await;
    assert_eq!(alone.get("/a").await.status, 504);
}

#[tokio::test]
async fn a_client_that_breaks_off_makes_no_origin_ill() {
    for scheme in ["http", "h2c"] {
        let origin = Origin::start(|_| reply(200, FRESH, "well")).await;
        let origins = Origins::new(&[format!("{scheme}://{}", origin.address)]).unwrap();
        let (write, body) = written();
        let taken = origins.clone();
        let asked = tokio::spawn(async move {
            let edge = Edge::new(Config::default(), Clock::system(), taken);
            edge.answer::<Infallible>(Request::post("http://x/a").body(body).unwrap()).await.unwrap()
        });
        write.send(Ok(Bytes::from("half"))).unwrap();
        write.send(Err("gone".into())).unwrap();
        assert_eq!(asked.await.unwrap().status(), 400);
        assert!(origins.any_healthy(), "{scheme}");
    }
}
