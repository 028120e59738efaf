//! HTTP/2 as a client sees it whose frames are h2's: bodies, methods, and what is said before an answer.

use std::future::poll_fn;

use bytes::Bytes;
use futures::FutureExt;
use h2::{Reason, RecvStream, client::SendRequest};
use http::{Method, Request, Response, StatusCode};
use server::{Limits, body, http2};
use tokio::net::TcpStream;

use crate::running::{Running, SHORT, start};

/// A connection to a server.
struct Client {
    to: SendRequest<Bytes>,
    _running: Running,
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
        Self { to, _running: running }
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
async fn who_expects_to_be_told_is_told_to_go_on_when_the_body_is_wanted_rfc_9110_10_1_1() {
    let mut client = Client::start(Limits::default()).await;
    let expecting = |path| {
        let mut request = request(Method::POST, path);
        request.headers_mut().insert("expect", "100-continue".parse().unwrap());
        request
    };
    let (mut answer, mut stream) = client.to.send_request(expecting("/echo"), false).unwrap();
    let told = poll_fn(|cx| answer.poll_informational(cx)).await.unwrap().unwrap();
    assert_eq!(told.status(), StatusCode::CONTINUE);
    stream.send_data(Bytes::from("complete"), true).unwrap();
    assert_eq!(text(answer.await.unwrap()).await, "complete");

    let (mut answer, _stream) = client.to.send_request(expecting("/refuse"), false).unwrap();
    assert!(poll_fn(|cx| answer.poll_informational(cx)).await.is_none());
    assert_eq!(answer.await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_body_that_is_reset_has_broken_off_rfc_9113_8_1() {
    for reason in [Reason::CANCEL, Reason::NO_ERROR, Reason::INTERNAL_ERROR] {
        let (near, far) = tokio::io::duplex(1000);
        let (serving, asking) = tokio::join!(h2::server::handshake(near), h2::client::handshake(far));
        let (mut serving, (mut to, connection)) = (serving.unwrap(), asking.unwrap());
        tokio::spawn(async move { _ = connection.await });
        let (_answer, mut stream) = to.send_request(request(Method::PUT, "/"), false).unwrap();
        stream.send_data(Bytes::from("half"), false).unwrap();
        let (incoming, _respond) = serving.accept().await.unwrap().unwrap();
        tokio::spawn(async move { while serving.accept().await.is_some() {} });
        let (parts, incoming) = incoming.into_parts();
        let mut taking = Box::pin(body::collect(http2::body_of(incoming, &parts.headers), 100));
        assert!(taking.as_mut().now_or_never().is_none(), "it is whole already");
        stream.send_reset(reason);
        assert!(matches!(taking.await, Err(body::Error::Broken(_))), "{reason}");
    }
}
