//! Several origins, their health, and what is tried again.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use edge::{Clock, Config, Edge, Origins};
use http::Request;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Barrier,
};

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

/// An origin whose connections all break at their next request once it has failed over, as behind a load balancer that
/// lost its table. Its first requests are answered together, so that each has a connection.
#[derive(Clone)]
struct FailingOver {
    together: Arc<Barrier>,
    failed_over: Arc<AtomicBool>,
}

impl FailingOver {
    async fn start(connections: usize) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let origin = Self { together: Arc::new(Barrier::new(connections)), failed_over: Arc::default() };
        let accepting = origin.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        (origin, url)
    }

    async fn serve(self, mut stream: TcpStream) {
        let is_new = self.failed_over.load(Ordering::Acquire);
        let mut request = [0; 4096];
        while let Ok(1..) = stream.read(&mut request).await {
            if !is_new && self.failed_over.load(Ordering::Acquire) {
                return;
            }
            if !is_new && !request.starts_with(b"GET /readyz") {
                self.together.wait().await;
            }
            let response = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncache-control: max-age=60\r\n\r\nwell";
            if stream.write_all(response).await.is_err() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn a_second_try_does_not_take_another_dead_connection() {
    const CONNECTIONS: usize = 12;
    let (origin, url) = FailingOver::start(CONNECTIONS).await;
    let edge = Running::of(Origins::new(&[url]).unwrap(), Config::default()).await;
    let paths: Vec<String> = (0..CONNECTIONS).map(|n| format!("/before/{n}")).collect();
    futures::future::join_all(paths.iter().map(|path| edge.get(path))).await;
    origin.failed_over.store(true, Ordering::Release);
    for n in 0..48 {
        assert_eq!(edge.get(&format!("/after/{n}")).await.status, 200, "request {n}");
    }
}
