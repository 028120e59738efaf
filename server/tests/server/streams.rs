//! HTTP/2 as a client sees it whose frames are h2's: bodies, methods, resets.

use std::future::poll_fn;

use bytes::Bytes;
use h2::{Reason, RecvStream, client::SendRequest};
use http::{Method, Request, Response, StatusCode};
use server::Limits;
use tokio::net::TcpStream;

use crate::running::{Running, SHORT, start};

/// A connection to a server.
struct Client {
    to: SendRequest<Bytes>,
    running: Running,
}

/// The body of a request, as far as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Nothing,
    Whole(&'static str),
    Beginning(&'static str),
}

impl Client {
    async fn start(limits: Limits) -> Self {
        let running = start(limits).await;
        let stream = TcpStream::connect(running.address).await.unwrap();
        let (to, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(async move { _ = connection.await });
        Self { to, running }
    }

    async fn send(&mut self, request: Request<()>, body: Sent) -> Result<Response<RecvStream>, h2::Error> {
        let (answer, mut stream) = self.to.send_request(request, body == Sent::Nothing).unwrap();
        match body {
            Sent::Nothing => {}
            Sent::Whole(body) => stream.send_data(Bytes::from(body), true).unwrap(),
            Sent::Beginning(body) => stream.send_data(Bytes::from(body), false).unwrap(),
        }
        answer.await
    }
}

fn request(method: Method, path: &str) -> Request<()> {
    Request::builder().method(method).uri(format!("http://x{path}")).body(()).unwrap()
}

async fn text(response: Response<RecvStream>) -> String {
    let mut body = response.into_body();
    let mut text = Vec::new();
    while let Some(data) = body.data().await {
        text.extend_from_slice(&data.unwrap());
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn bodies_go_both_ways_up_to_their_limits() {
    let mut client = Client::start(Limits { body_idle: 5 * SHORT, ..Limits::default() }).await;
    let whole = client.send(request(Method::POST, "/echo"), Sent::Whole("complete")).await.unwrap();
    assert_eq!(whole.headers()["content-length"], "8");
    assert!(whole.headers().contains_key("date"));
    assert_eq!(text(whole).await, "complete");
    for (path, body, expected) in [
        ("/echo", "half", StatusCode::REQUEST_TIMEOUT),
        ("/echo", "more than ten bytes", StatusCode::PAYLOAD_TOO_LARGE),
        ("/refuse", "half", StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let response = client.send(request(Method::POST, path), Sent::Beginning(body)).await.unwrap();
        assert_eq!(response.status(), expected, "{path} {body}");
    }
}

#[tokio::test]
async fn a_head_has_the_length_alone() {
    let mut client = Client::start(Limits::default()).await;
    let response = client.send(request(Method::HEAD, "/"), Sent::Nothing).await.unwrap();
    assert_eq!(response.headers()["content-length"], "4");
    assert!(response.body().is_end_stream());
}

#[tokio::test]
async fn a_panic_on_a_stream_is_a_500_and_the_connection_lives() {
    let mut client = Client::start(Limits::default()).await;
    let response = client.send(request(Method::GET, "/panic"), Sent::Nothing).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let response = client.send(request(Method::GET, "/"), Sent::Nothing).await.unwrap();
    assert_eq!(text(response).await, "fine");
}

#[tokio::test]
async fn a_body_that_is_reset_has_broken_off_rfc_9113_8_1() {
    for reason in [Reason::CANCEL, Reason::NO_ERROR, Reason::INTERNAL_ERROR] {
        let mut client = Client::start(Limits::default()).await;
        let (_answer, mut stream) = client.to.send_request(request(Method::PUT, "/collect"), false).unwrap();
        assert_eq!(client.running.started.recv().await.unwrap(), "/collect");
        stream.send_data(Bytes::from("half"), false).unwrap();
        stream.send_reset(reason);
        assert_eq!(client.running.started.recv().await.unwrap(), "broken", "{reason}");
    }
    let mut client = Client::start(Limits::default()).await;
    client.send(request(Method::PUT, "/collect"), Sent::Whole("all")).await.unwrap();
    assert_eq!(client.running.started.recv().await.unwrap(), "/collect");
    assert_eq!(client.running.started.recv().await.unwrap(), "whole");
}

/// Debian's curl and httpx drop an answer that a `RST_STREAM` follows at once.
#[tokio::test]
async fn an_answer_before_the_body_was_read_comes_without_a_reset() {
    let mut client = Client::start(Limits::default()).await;
    let (answer, mut stream) = client.to.send_request(request(Method::POST, "/refuse"), false).unwrap();
    stream.send_data(Bytes::from(vec![0; 30_000]), false).unwrap();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text(answer).await.contains("too_large"));
    // A reset would have come with the answer's end.
    let reset = poll_fn(|cx| stream.poll_reset(cx));
    assert!(tokio::time::timeout(5 * SHORT, reset).await.is_err(), "the stream was reset at once");
    stream.send_data(Bytes::from(vec![0; 30_000]), true).unwrap();
}
