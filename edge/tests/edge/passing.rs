//! Requests that bypass the cache, and the stored responses that they invalidate: RFC 9110 §7.6, RFC 9111 §4.4.

use std::time::Duration;

use bytes::Bytes;
use edge::Config;
use http_body_util::BodyExt;
use server::forwarded::TrustedProxies;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Origin, Reply, Running, Seen, edge_before_numbered, reply, with_body, written};

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];

#[tokio::test]
async fn an_unsafe_method_makes_the_cache_forget_its_target_rfc9111_4_4() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "UNKNOWN"] {
        let (origin, edge) = edge_before_numbered(FRESH).await;
        edge.get("/a").await;
        let answer = edge.ask(method, "/a", &[]).await;
        assert_eq!((answer.status, answer.did()), (200, "fwd=method; fwd-status=200"), "{method}");
        assert_eq!(edge.get("/a").await.text(), "answer 3", "{method}");
        assert_eq!(origin.count(), 3);
    }
}

#[tokio::test]
async fn a_failed_or_safe_method_does_not_rfc9111_4_4() {
    let (origin, edge) = edge_before_numbered(FRESH).await;
    edge.get("/a").await;
    edge.ask("OPTIONS", "/a", &[]).await;
    origin.play(|_| reply(403, &[], "no"));
    edge.ask("DELETE", "/a", &[]).await;
    assert!(edge.get("/a").await.is_hit());
}

#[tokio::test]
async fn location_and_content_location_are_forgotten_of_the_same_origin_only_rfc9111_4_4() {
    let (origin, edge) = edge_before_numbered(FRESH).await;
    let host = edge.address.to_string();
    for path in ["/a", "/b", "/c"] {
        edge.get(path).await;
        edge.ask("GET", path, &[("host", "other.example")]).await;
    }
    let location = format!("http://{host}/b");
    origin.play(move |_| reply(201, &[("location", &location), ("content-location", "/a")], ""));
    edge.ask("POST", "/x", &[]).await;
    origin.play(|_| reply(201, &[("location", "http://other.example/c")], ""));
    edge.ask("POST", "/x", &[]).await;
    origin.play(|_| reply(200, FRESH, "new"));
    for (path, text) in [("/a", "new"), ("/b", "new"), ("/c", "answer 5")] {
        assert_eq!(edge.get(path).await.text(), text, "{path}");
        assert!(edge.ask("GET", path, &[("host", "other.example")]).await.is_hit(), "{path}");
    }
}

#[tokio::test]
async fn the_origin_learns_the_clients_address_and_no_client_makes_one_up() {
    let forged = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "for=203.0.113.9"),
    ];
    let fields = |seen: &Seen| {
        ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"].map(|name| {
            let values = seen.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned());
            values.collect::<Vec<_>>().join(", ")
        })
    };
    let origin = Origin::start(|_| reply(200, &[], "done")).await;
    let edge = Running::before(&origin, Config::default()).await;
    let host = ("host", "videos.example");
    edge.ask("POST", "/api/a", &[&[host], &forged[..]].concat()).await;
    assert_eq!(fields(&origin.seen()[0]), ["127.0.0.1", "", "videos.example", ""]);
    // A fetch is everybody's.
    edge.ask("GET", "/a", &[&[host], &forged[..]].concat()).await;
    assert_eq!(fields(&origin.seen()[1]), ["", "", "", ""]);

    let origin = Origin::start(|_| reply(200, &[], "done")).await;
    let proxies = TrustedProxies::parse(["127.0.0.1"]).unwrap();
    let edge = Running::before(&origin, Config { proxies, ..Config::default() }).await;
    edge.ask("POST", "/api/a", &[&[host], &forged[..3]].concat()).await;
    assert_eq!(fields(&origin.seen()[0]), ["203.0.113.9, 127.0.0.1", "https", "evil.example", ""]);
}

#[tokio::test]
async fn the_api_passes_as_it_is() {
    let (origin, edge) = edge_before_numbered(FRESH).await;
    for number in 1..=2 {
        let fields = [
            ("cookie", "me"),
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("upgrade", "websocket"),
            ("x-end", "1"),
        ];
        let answer = edge.ask("GET", "/api/v1/videos?limit=1", &fields).await;
        assert_eq!(
            (answer.text(), answer.did()),
            (&*format!("answer {number}"), "fwd=bypass; fwd-status=200")
        );
    }
    let seen = origin.seen()[0].clone();
    assert_eq!(
        (seen.path.as_str(), seen.header("cookie"), seen.header("x-end")),
        ("/api/v1/videos?limit=1", Some("me"), Some("1"))
    );
    // RFC 9110 §7.6.1, §7.6.3, §7.8
    assert_eq!((seen.header("x-hop"), seen.header("upgrade")), (None, None));
    assert_eq!(seen.header("via"), Some("1.1 clipcut-edge"));
}

#[tokio::test]
async fn a_passed_body_may_not_stall_unless_it_is_events() {
    let origin = Origin::start(|seen| {
        let (bytes, body) = written();
        bytes.send(Ok(Bytes::from("first"))).unwrap();
        // Held open for ever.
        std::mem::forget(bytes);
        let kind = if seen.path == "/api/events" { "text/event-stream" } else { "text/plain" };
        with_body(200, &[("content-type", kind)], body)
    })
    .await;
    let config = Config { idle: Duration::from_millis(200), ..Config::default() };
    let edge = Running::before(&origin, config).await;
    assert!(edge.get("/api/text").await.body.is_none());
    let mut events = edge.begin("GET", "/api/events", &[]).await.into_body();
    assert_eq!(events.frame().await.unwrap().unwrap().into_data().unwrap(), "first");
    let more = tokio::time::timeout(Duration::from_millis(600), events.frame()).await;
    assert!(more.is_err(), "the stream of events ended: {more:?}");
}

#[tokio::test]
async fn bodies_pass_in_both_directions() {
    let origin = Origin::start(|seen| {
        reply(200, &[], &format!("{} {}", seen.method, String::from_utf8(seen.body.to_vec()).unwrap()))
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    let mut stream = tokio::net::TcpStream::connect(edge.address).await.unwrap();
    let text = "PUT /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 5\r\n\r\nbytes";
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("PUT bytes"), "{answer}");
}

#[tokio::test]
async fn a_private_body_may_not_stall_either() {
    let origin = Origin::start(|_| {
        let (bytes, body) = written();
        bytes.send(Ok(Bytes::from("first"))).unwrap();
        // Held open for ever.
        std::mem::forget(bytes);
        with_body(200, &[("cache-control", "private")], body)
    })
    .await;
    let config = Config { idle: Duration::from_millis(200), ..Config::default() };
    let edge = Running::before(&origin, config).await;
    assert!(edge.get("/a").await.body.is_none());
}

#[tokio::test]
async fn an_origin_that_never_answers_a_change_is_a_504_in_time() {
    let origin = Origin::start(|_| Reply::Silence).await;
    let config = Config { change: Duration::from_millis(200), ..Config::default() };
    let edge = Running::before(&origin, config).await;
    let answer = edge.ask("POST", "/api/a", &[]).await;
    assert_eq!((answer.status, answer.problem().as_str()), (504, "origin_timeout"));
}

#[tokio::test]
async fn options_go_as_far_as_max_forwards_allows_rfc9110_7_6_2() {
    let (origin, edge) = edge_before_numbered(FRESH).await;
    assert_eq!(edge.ask("OPTIONS", "/a", &[("max-forwards", "0")]).await.status, 204);
    assert_eq!(origin.count(), 0);
    edge.ask("OPTIONS", "/a", &[("max-forwards", "3")]).await;
    assert_eq!(origin.seen()[0].header("max-forwards"), Some("2"));
}
