//! What an origin says before its answer: RFC 9110 §15.2.

use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;
use edge::{Config, Origins};
use h2::{RecvStream, client::SendRequest, server::SendResponse};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use crate::harness::{PATIENCE, Running, until};

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nx-hop: 1\r\nconnection: x-hop\r\n\r\n\
                     HTTP/1.1 102 Processing\r\n\r\n";
const LINK: &str = "</a.css>; rel=preload";
const HINTS_PASSED_ON: [&str; 2] =
    ["HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n"];

/// An edge before an origin that says its hints at once, and gives an answer for each permit.
async fn edge_before_hints() -> (Running, Arc<Semaphore>) {
    edge_before("http").await
}

async fn edge_before(scheme: &str) -> (Running, Arc<Semaphore>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let permits = Arc::new(Semaphore::new(0));
    let answers = permits.clone();
    let is_http2 = scheme == "h2c";
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if is_http2 {
                tokio::spawn(answer_streams(stream, answers.clone()));
            } else {
                tokio::spawn(answer(stream, answers.clone()));
            }
        }
    });
    let origins = Origins::new(&[format!("{scheme}://{address}")]).unwrap();
    (Running::of(origins, Config::default()).await, permits)
}

async fn answer_streams(stream: TcpStream, permits: Arc<Semaphore>) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(answer_stream(request, respond, permits.clone()));
    }
}

async fn answer_stream(
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    permits: Arc<Semaphore>,
) {
    if request.uri().path() != "/readyz" {
        let link = HeaderMap::from_iter([(header::LINK, HeaderValue::from_static(LINK))]);
        for (status, headers) in [(StatusCode::EARLY_HINTS, link), (StatusCode::PROCESSING, HeaderMap::new())]
        {
            let mut hint = Response::new(());
            *hint.status_mut() = status;
            *hint.headers_mut() = headers;
            respond.send_informational(hint).unwrap();
        }
        permits.acquire().await.unwrap().forget();
    }
    let answer = Response::builder().header("cache-control", "max-age=60").header("content-length", 4);
    let answer = answer.body(()).unwrap();
    let mut stream = respond.send_response(answer, false).unwrap();
    stream.send_data(Bytes::from("body"), true).unwrap();
}

async fn http2_client(edge: &Running) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(edge.address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(async move { _ = connection.await });
    client
}

async fn answer(stream: TcpStream, permits: Arc<Semaphore>) {
    let mut stream = BufReader::new(stream);
    loop {
        let head = head(&mut stream).await;
        if head.is_empty() {
            return;
        }
        if !head.contains("/readyz") {
            stream.write_all(HINTS.as_bytes()).await.unwrap();
            permits.acquire().await.unwrap().forget();
        }
        let answer = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 4\r\n\r\nbody";
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads one head. It is empty at the end.
async fn head(stream: &mut BufReader<TcpStream>) -> String {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let read = timeout(PATIENCE, stream.read_line(&mut head)).await.expect("a line in time");
        if read.unwrap_or(0) == 0 {
            break;
        }
    }
    head
}

async fn ask(stream: &mut BufReader<TcpStream>, line: &str) {
    stream.write_all(format!("{line}\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
}

async fn hints(stream: &mut BufReader<TcpStream>, to: &str) {
    for hint in HINTS_PASSED_ON {
        assert_eq!(head(stream).await, hint, "{to}");
    }
}

async fn ok(stream: &mut BufReader<TcpStream>) {
    let head = head(stream).await;
    assert!(head.contains(" 200 OK\r\n"), "{head}");
    let mut body = [0; 4];
    stream.read_exact(&mut body).await.unwrap();
    assert_eq!(&body, b"body");
}

#[tokio::test]
async fn they_reach_the_client_before_the_answer_is_there() {
    let (edge, permits) = edge_before_hints().await;
    let mut client = BufReader::new(TcpStream::connect(edge.address).await.unwrap());
    for line in ["GET /a HTTP/1.1", "DELETE /b HTTP/1.1", "GET /c HTTP/1.1"] {
        ask(&mut client, line).await;
        hints(&mut client, line).await;
        permits.add_permits(1);
        ok(&mut client).await;
    }
    // What is answered from memory has none.
    ask(&mut client, "GET /a HTTP/1.1").await;
    ok(&mut client).await;
}

#[tokio::test]
async fn they_come_over_http2_too() {
    let (edge, permits) = edge_before("h2c").await;
    let mut client = BufReader::new(TcpStream::connect(edge.address).await.unwrap());
    for line in ["GET /a HTTP/1.1", "DELETE /b HTTP/1.1"] {
        ask(&mut client, line).await;
        hints(&mut client, line).await;
        permits.add_permits(1);
        ok(&mut client).await;
    }
}

#[tokio::test]
async fn they_go_to_a_client_of_http2_too() {
    for scheme in ["http", "h2c"] {
        let (edge, permits) = edge_before(scheme).await;
        let mut client = http2_client(&edge).await;
        for (method, path) in [(Method::GET, "/a"), (Method::DELETE, "/b")] {
            let uri = format!("http://x{path}");
            let request = Request::builder().method(method).uri(uri).body(()).unwrap();
            let (mut answer, _) = client.send_request(request.clone(), true).unwrap();
            let mut next = async || {
                timeout(PATIENCE, poll_fn(|cx| answer.poll_informational(cx))).await.expect("it in time")
            };
            let hint = next().await.unwrap().unwrap();
            assert_eq!(
                (hint.status(), hint.headers().len()),
                (StatusCode::EARLY_HINTS, 1),
                "{scheme} {path}"
            );
            assert_eq!(hint.headers()[header::LINK], LINK);
            let hint = next().await.unwrap().unwrap();
            assert_eq!((hint.status(), hint.headers().len()), (StatusCode::PROCESSING, 0));
            permits.add_permits(1);
            assert!(next().await.is_none());
            assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
        }
        // What is answered from memory has none.
        let (mut answer, _) =
            client.send_request(Request::get("http://x/a").body(()).unwrap(), true).unwrap();
        assert!(poll_fn(|cx| answer.poll_informational(cx)).await.is_none());
        assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn they_stay_in_front_of_an_answer_that_comes_at_once() {
    let (edge, permits) = edge_before_hints().await;
    permits.add_permits(100);
    let mut client = BufReader::new(TcpStream::connect(edge.address).await.unwrap());
    for n in 0..100 {
        let line = format!("GET /{n} HTTP/1.1");
        ask(&mut client, &line).await;
        hints(&mut client, &line).await;
        ok(&mut client).await;
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_none() {
    let (edge, permits) = edge_before_hints().await;
    permits.add_permits(1);
    let mut client = BufReader::new(TcpStream::connect(edge.address).await.unwrap());
    ask(&mut client, "GET /a HTTP/1.0").await;
    ok(&mut client).await;
}

#[tokio::test]
async fn a_client_that_waits_for_anothers_fetch_gets_the_answer_alone() {
    let (edge, permits) = edge_before_hints().await;
    let mut first = BufReader::new(TcpStream::connect(edge.address).await.unwrap());
    ask(&mut first, "GET /a HTTP/1.1").await;
    hints(&mut first, "the first").await;
    let mut second = BufReader::new(TcpStream::connect(edge.address).await.unwrap());
    ask(&mut second, "GET /a HTTP/1.1").await;
    until("the second to wait", || edge.edge.metrics().collapsed == 1).await;
    permits.add_permits(1);
    ok(&mut first).await;
    ok(&mut second).await;
}
