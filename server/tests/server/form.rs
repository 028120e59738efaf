//! The form of a request in HTTP/1.1, by the sections of RFC 9112 that require it.

use server::Limits;

use crate::running::start;

/// Sends each request on a connection of its own and compares the beginnings of the answers.
async fn check(cases: &[(&str, &str)]) {
    let running = start(Limits::default()).await;
    for (request, expected) in cases {
        let answer = running.ask(request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{request:?}: {answer}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_missing_double_or_invalid_host_is_400_rfc_9112_3_2() {
    check(&[
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: x\r\nhost: x\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost:\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: a b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: x/y\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: user@x\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: x:port\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: [::1]:8080\r\nconnection: close\r\n\r\n", "200"),
    ])
    .await;
}

#[tokio::test]
async fn http_1_0_needs_no_host_rfc_9112_3_2() {
    let running = start(Limits::default()).await;
    let answer = running.ask("GET /head HTTP/1.0\r\n\r\n").await;
    assert!(answer.ends_with("host none upgrade none"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn an_absolute_address_gives_the_host_rfc_9112_3_2_2() {
    let running = start(Limits::default()).await;
    let request = "GET http://real:80/head HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n";
    let answer = running.ask(request).await;
    assert!(answer.ends_with("host real:80 upgrade none"), "{answer}");
    let userinfo = "GET http://user@real/head HTTP/1.1\r\nhost: real\r\n\r\n";
    assert!(running.ask(userinfo).await.starts_with("HTTP/1.1 400 "));
    running.stop().await;
}

#[tokio::test]
async fn a_transfer_encoding_that_is_not_chunked_once_is_400_rfc_9112_6_1() {
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\n";
    let body = "\r\n2\r\nhi\r\n0\r\n\r\n";
    let with = |fields: &str| format!("{head}{fields}{body}");
    let cases = [
        ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", "400"),
        ("transfer-encoding: chunked, chunked\r\n", "400"),
        ("transfer-encoding: gzip, chunked\r\n", "400"),
        ("transfer-encoding: gzip\r\n", "400"),
        ("transfer-encoding: chunked, identity\r\n", "400"),
        ("transfer-encoding: xchunked\r\n", "400"),
        ("transfer-encoding: \r\n", "400"),
        ("transfer-encoding: Chunked\r\n", "200"),
    ];
    let cases = cases.map(|(fields, expected)| (with(fields), expected));
    check(&cases.each_ref().map(|(request, expected)| (request.as_str(), *expected))).await;
}

#[tokio::test]
async fn a_length_beside_chunked_ends_the_connection_rfc_9112_6_1() {
    let running = start(Limits::default()).await;
    let smuggling = "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n\
        2\r\nhi\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n";
    let answer = running.ask(smuggling).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(answer.contains("connection: close") && answer.ends_with("hi"), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn lengths_that_differ_are_400_rfc_9112_6_3() {
    check(&[
        ("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nhi!", "400"),
        ("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 2, 3\r\n\r\nhi!", "400"),
        ("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: -2\r\n\r\nhi!", "400"),
        ("POST /echo HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
    ])
    .await;
}

#[tokio::test]
async fn a_refusal_ends_the_connection_and_gives_its_reason() {
    let running = start(Limits::default()).await;
    let answer = running.ask("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("\"invalid_host\""), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn connect_and_trace_are_405_with_allow_rfc_9110_15_5_6() {
    let running = start(Limits::default()).await;
    for request in [
        "CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\nconnection: close\r\n\r\n",
        "TRACE / HTTP/1.1\r\nhost: x\r\ncookie: secret\r\nconnection: close\r\n\r\n",
    ] {
        let answer = running.ask(request).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
        assert!(answer.contains("\r\nallow: GET, HEAD, "), "{answer}");
        assert!(!answer.contains("secret"), "{answer}");
    }
    running.stop().await;
}

#[tokio::test]
async fn an_upgrade_is_answered_without_it_rfc_9110_7_8() {
    let running = start(Limits::default()).await;
    for protocol in ["websocket", "h2c", "TLS/1.2"] {
        let request = format!(
            "GET /head HTTP/1.1\r\nhost: x\r\nconnection: upgrade, close\r\nupgrade: {protocol}\r\n\r\n"
        );
        let answer = running.ask(&request).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.ends_with("host x upgrade none"), "{answer}");
    }
    running.stop().await;
}

#[tokio::test]
async fn lines_that_others_may_read_differently_are_400_rfc_9112_2_2_and_5() {
    check(&[
        ("GET / HTTP/1.1\r\nhost : x\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nhost: x\r\nbad\u{0}name: y\r\n\r\n", "400"),
        ("GET  / HTTP/1.1\r\nhost: x\r\n\r\n", "400"),
        ("GET / HTTP/1.1 \r\nhost: x\r\n\r\n", "400"),
    ])
    .await;
}
