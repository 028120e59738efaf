//! What an origin says before its answer: RFC 9110 §15.2.

use std::sync::Arc;

use edge::{Config, Origins};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};

use crate::harness::{PATIENCE, Running, until};

const HINTS: &str = "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nx-hop: 1\r\nconnection: x-hop\r\n\r\n\
                     HTTP/1.1 102 Processing\r\n\r\n";
const HINTS_PASSED_ON: [&str; 2] =
    ["HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n"];

/// An edge before an origin that says its hints at once, and gives an answer for each permit.
async fn edge_before_hints() -> (Running, Arc<Semaphore>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let permits = Arc::new(Semaphore::new(0));
    let answers = permits.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, answers.clone()));
        }
    });
    let origins = Origins::new(&[format!("http://{address}")]).unwrap();
    (Running::of(origins, Config::default()).await, permits)
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
    until("the second to wait", || edge.edge.figures().collapsed == 1).await;
    permits.add_permits(1);
    ok(&mut first).await;
    ok(&mut second).await;
}
