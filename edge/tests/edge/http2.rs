//! Origins that speak HTTP/2: RFC 9113.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use edge::{Config, Origins};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper_util::rt::TokioExecutor;
use server::{Body, BoxError, body};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::io::InspectReader;
use tower::ServiceExt;

use crate::harness::{Origin, PATIENCE, Running, reply, with_body, written};

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];
// RFC 9113 §6.8: eight bytes on stream 0, no stream of the server's, NO_ERROR.
const GOAWAY: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

#[tokio::test]
async fn the_origin_may_speak_http2() {
    let origin = Origin::start(|_| reply(200, FRESH, "over h2")).await;
    let edge = edge_before_http2(&origin).await;
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

/// An origin that answers all requests of one connection, and the bytes that it was sent once that has ended.
async fn one_connection() -> (Origins, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origins = Origins::new(&[format!("h2c://{}", listener.local_addr().unwrap())]).unwrap();
    (origins, tokio::spawn(async move { answer_all(listener.accept().await.unwrap().0).await }))
}

async fn answer_all(stream: TcpStream) -> Vec<u8> {
    let read = Arc::new(Mutex::new(Vec::new()));
    let keeps = read.clone();
    let stream =
        InspectReader::new(stream, move |bytes: &[u8]| keeps.lock().unwrap().extend_from_slice(bytes));
    let mut connection = h2::server::handshake(stream).await.unwrap();
    let mut asked = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        respond.send_response(Response::new(()), true).unwrap();
        asked.push(request);
    }
    drop(connection);
    Arc::into_inner(read).unwrap().into_inner().unwrap()
}

async fn ask(origins: &Origins, body: Body) -> Result<Response<Body>, BoxError> {
    origins.clone().oneshot(Request::post("/a").body(body).unwrap()).await
}

#[tokio::test]
async fn an_origin_gets_a_goaway_when_the_edge_shuts_down_rfc9113_5_4_1() {
    let (origins, ended) = one_connection().await;
    assert_eq!(ask(&origins, body::empty()).await.unwrap().status(), 200);
    timeout(PATIENCE, origins.finish()).await.unwrap();
    assert!(ended.await.unwrap().ends_with(&GOAWAY));
}

#[tokio::test]
async fn a_body_that_nobody_ends_does_not_keep_the_edge() {
    let (origins, ended) = one_connection().await;
    let (write, endless) = written();
    assert_eq!(ask(&origins, endless).await.unwrap().status(), 200);
    write.send(Ok(Bytes::from("more"))).unwrap();
    timeout(PATIENCE, origins.finish()).await.unwrap();
    assert!(write.is_closed());
    ended.await.unwrap();
}
