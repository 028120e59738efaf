//! HTTP/2 frame by frame: what the limits and the drain look like on the wire.

use bytes::Bytes;
use futures::FutureExt;
use h2::{Reason, RecvStream, client::SendRequest};
use http::{Method, Request, Response, StatusCode};
use server::{Limits, body, http2};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::running::{LONG, Running, SHORT, start};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// RFC 9113 §6: types of frames, and §7: codes of errors.
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 0x1;
const END_STREAM_AND_HEADERS: u8 = 0x5;
const NO_ERROR: u32 = 0;
const ENHANCE_YOUR_CALM: u32 = 11;

// RFC 7541: GET, http, / from the static table.
const GET_ROOT: &[u8] = &[0x82, 0x86, 0x84];

fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn get(stream: u32, fields: &[&[u8]]) -> Vec<u8> {
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, &[GET_ROOT, &fields.concat()].concat())
}

async fn connect(running: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

struct Frame {
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// Reads on to the next frame of a kind; `None` when the server has closed.
async fn next(stream: &mut TcpStream, kind: u8) -> Option<Frame> {
    tokio::time::timeout(LONG, async {
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await.ok()?;
            if head[3] == kind {
                let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
                return Some(Frame { kind, stream, payload });
            }
        }
    })
    .await
    .expect("no such frame comes and the connection stays open")
}

/// The status of the next response, where the server uses the static table for it.
async fn status(stream: &mut TcpStream) -> u16 {
    let headers = next(stream, HEADERS).await.unwrap().payload;
    // Size updates of the dynamic table come first.
    let field = headers.iter().find(|b| *b & 0xe0 != 0x20).copied().unwrap();
    match field {
        0x88 => 200,
        0x8c => 400,
        0x8d => 404,
        0x48 | 0x08 => {
            let text = &headers[headers.iter().position(|b| *b == field).unwrap() + 1..];
            // 3 digits, plain or by Huffman's code: only the plain are read here.
            match text[0] {
                3 => String::from_utf8(text[1..4].to_vec()).unwrap().parse().unwrap(),
                _ => huffman_digits(&text[1..=usize::from(text[0] & 0x7f)]),
            }
        }
        other => panic!("a field {other:#x} that this test does not read"),
    }
}

/// RFC 7541, appendix B: 0, 1 and 2 have five bits, 3 to 9 have six.
fn huffman_digits(bytes: &[u8]) -> u16 {
    let bits: Vec<u8> = bytes.iter().flat_map(|b| (0..8).rev().map(move |n| b >> n & 1)).collect();
    let (mut at, mut number) = (0, 0);
    for _ in 0..3 {
        let value = |n: usize| bits[at..at + n].iter().fold(0, |sum, bit| sum * 2 + u16::from(*bit));
        let (digit, length) = if value(5) < 3 { (value(5), 5) } else { (value(6) - 0x19 + 3, 6) };
        number = number * 10 + digit;
        at += length;
    }
    number
}

#[tokio::test]
async fn a_host_that_is_not_the_authority_is_400_rfc_9113_8_3_1() {
    let running = start(Limits::default()).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get(1, &[&literal(":authority", "x"), &literal("host", "y")])).await.unwrap();
    assert_eq!(status(&mut stream).await, 400);
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn neither_host_nor_authority_is_400_and_one_of_them_is_enough() {
    let running = start(Limits::default()).await;
    for (fields, expected) in [
        (vec![], 400),
        (vec![literal("host", "x")], 200),
        (vec![literal(":authority", "x")], 200),
        (vec![literal(":authority", "x"), literal("host", "x")], 200),
        (vec![literal("host", "a b")], 400),
    ] {
        let mut stream = connect(&running).await;
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        stream.write_all(&get(1, &fields)).await.unwrap();
        assert_eq!(status(&mut stream).await, expected, "{fields:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn headers_of_one_connection_alone_are_malformed_rfc_9113_8_2_2() {
    let running = start(Limits::default()).await;
    for field in
        [literal("transfer-encoding", "chunked"), literal("connection", "close"), literal("upgrade", "h2c")]
    {
        let mut stream = connect(&running).await;
        stream.write_all(&get(1, &[&literal(":authority", "x"), &field])).await.unwrap();
        let reset = next(&mut stream, RST_STREAM).await.unwrap();
        assert_eq!((reset.stream, reset.code()), (1, 1), "{field:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn streams_that_are_reset_as_soon_as_opened_end_the_connection_rfc_9113_10_5() {
    let mut running = start(Limits { resets: 10, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    let authority = literal(":authority", "x");
    // In one write, as the attack does: nothing of it is answered in between.
    let attack: Vec<u8> = (0..100_u32)
        .flat_map(|n| {
            let id = 2 * n + 1;
            [get(id, &[&authority]), frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())].concat()
        })
        .collect();
    stream.write_all(&attack).await.unwrap();
    assert_eq!(next(&mut stream, GOAWAY).await.unwrap().code(), ENHANCE_YOUR_CALM);
    let mut served = 0;
    while running.started.try_recv().is_ok() {
        served += 1;
    }
    assert!(served <= 20, "{served} of 100 were served");
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn the_settings_say_how_many_streams_and_how_large_headers_rfc_9113_6_5_2() {
    let running = start(Limits { streams: 7, header_bytes: 9000, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    let settings = next(&mut stream, SETTINGS).await.unwrap().payload;
    let value = |id: u16| {
        let mut settings = settings.chunks_exact(6);
        let found = settings.find(|setting| setting[..2] == id.to_be_bytes()).unwrap();
        u32::from_be_bytes(found[2..].try_into().unwrap())
    };
    assert_eq!((value(3), value(6)), (7, 9000));
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn headers_that_are_too_large_are_431_rfc_6585_5() {
    let running = start(Limits { header_bytes: 8192, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    let large = literal("a", &"b".repeat(100)).repeat(100);
    stream.write_all(&get(1, &[&literal(":authority", "x"), &large])).await.unwrap();
    assert_eq!(status(&mut stream).await, 431);
    drop(stream);
    running.stop().await;
}

#[tokio::test]
async fn the_drain_says_goaway_and_finishes_what_was_asked_rfc_9113_6_8() {
    let mut running = start(Limits::default()).await;
    let mut stream = connect(&running).await;
    let wait = [&[0x82, 0x86, 0x04, 5][..], b"/wait", &literal(":authority", "x")].concat();
    stream.write_all(&frame(HEADERS, END_STREAM_AND_HEADERS, 1, &wait)).await.unwrap();
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    running.shutdown.cancel();
    assert_eq!(next(&mut stream, GOAWAY).await.unwrap().code(), NO_ERROR);
    running.release.add_permits(1);
    assert_eq!(status(&mut stream).await, 200);
    drop(stream);
    running.serving.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_is_sent_away_rfc_9113_9_1() {
    let running = start(Limits { header_timeout: SHORT, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get(1, &[&literal(":authority", "x")])).await.unwrap();
    assert_eq!(status(&mut stream).await, 200);
    assert_eq!(next(&mut stream, GOAWAY).await.unwrap().code(), NO_ERROR);
    drop(stream);
    running.stop().await;
}

/// A request for `path`, which fits into one byte's length.
fn get_path(stream: u32, path: &str) -> Vec<u8> {
    let path = [&[0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    let fields = [&[0x82, 0x86], &path[..], &literal(":authority", "x")].concat();
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, &fields)
}

#[tokio::test]
async fn who_asks_nothing_is_not_asked_either_and_sent_away() {
    let limits = Limits { header_timeout: 4 * SHORT, ping: SHORT, ..Limits::default() };
    let running = start(limits).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get(1, &[&literal(":authority", "x")])).await.unwrap();
    assert_eq!(status(&mut stream).await, 200);
    let mut rest = Vec::new();
    tokio::time::timeout(LONG, stream.read_to_end(&mut rest))
        .await
        .expect("the connection stays open")
        .unwrap();
    let mut kinds = Vec::new();
    while rest.len() >= 9 {
        let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        kinds.push(rest[3]);
        rest.drain(..9 + length);
    }
    // The GOAWAY has a PING behind it.
    let first = kinds.iter().find(|kind| [GOAWAY, PING].contains(kind));
    assert_eq!(first, Some(&GOAWAY), "{kinds:?}");
    running.stop().await;
}

#[tokio::test]
async fn who_waits_and_answers_no_ping_is_gone_rfc_9113_6_7() {
    let mut running = start(Limits { ping: 5 * SHORT, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get_path(1, "/wait")).await.unwrap();
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    for _ in 0..3 {
        let asked = next(&mut stream, PING).await.unwrap();
        stream.write_all(&frame(PING, ACK, 0, &asked.payload)).await.unwrap();
    }
    next(&mut stream, PING).await.unwrap();
    assert!(next(&mut stream, HEADERS).await.is_none(), "nobody answered, and it went on");
    running.stop().await;
}

#[tokio::test]
async fn a_reset_stream_is_not_answered_any_more() {
    let mut running = start(Limits { drain: 2 * LONG, ..Limits::default() }).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get_path(1, "/endless")).await.unwrap();
    stream.write_all(&get_path(3, "/wait")).await.unwrap();
    assert_eq!(running.started.recv().await.unwrap(), "/endless");
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    next(&mut stream, DATA).await.unwrap();
    for id in [1, 3] {
        stream.write_all(&frame(RST_STREAM, 0, id, &8_u32.to_be_bytes())).await.unwrap();
    }
    running.shutdown.cancel();
    // The drain asks whether the client has seen the GOAWAY.
    let asked = next(&mut stream, PING).await.unwrap();
    stream.write_all(&frame(PING, ACK, 0, &asked.payload)).await.unwrap();
    tokio::time::timeout(LONG, running.serving).await.expect("something is answered still").unwrap();
}

#[tokio::test]
async fn a_frame_and_its_head_fit_into_one_record_of_tls_rfc_8446_5_1() {
    let running = start(Limits::default()).await;
    let mut stream = connect(&running).await;
    stream.write_all(&get_path(1, "/endless")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(next(&mut stream, DATA).await.unwrap().payload.len() + 9, 1 << 14);
    }
    drop(stream);
    running.stop().await;
}

/// A client that is h2's.
struct Client {
    to: SendRequest<Bytes>,
    _running: Running,
}

impl Client {
    async fn start(limits: Limits) -> Self {
        let running = start(limits).await;
        let stream = TcpStream::connect(running.address).await.unwrap();
        let (to, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(async move { _ = connection.await });
        Self { to, _running: running }
    }

    async fn send(
        &mut self,
        request: Request<()>,
        body: Option<&'static str>,
        ends: bool,
    ) -> Result<Response<RecvStream>, h2::Error> {
        let (answer, mut stream) = self.to.send_request(request, body.is_none()).unwrap();
        if let Some(body) = body {
            stream.send_data(Bytes::from(body), ends).unwrap();
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
    let whole = client.send(request(Method::POST, "/echo"), Some("complete"), true).await.unwrap();
    assert_eq!(whole.headers()["content-length"], "8");
    assert!(whole.headers().contains_key("date"));
    assert_eq!(text(whole).await, "complete");
    for (path, body, expected) in [
        ("/echo", "half", StatusCode::REQUEST_TIMEOUT),
        ("/echo", "more than ten bytes", StatusCode::PAYLOAD_TOO_LARGE),
        ("/refuse", "half", StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let response = client.send(request(Method::POST, path), Some(body), false).await.unwrap();
        assert_eq!(response.status(), expected, "{path} {body}");
    }
}

#[tokio::test]
async fn a_head_has_the_length_alone() {
    let mut client = Client::start(Limits::default()).await;
    let response = client.send(request(Method::HEAD, "/"), None, true).await.unwrap();
    assert_eq!(response.headers()["content-length"], "4");
    assert!(response.body().is_end_stream());
}

#[tokio::test]
async fn a_panic_on_a_stream_is_a_500_and_the_connection_lives() {
    let mut client = Client::start(Limits::default()).await;
    let response = client.send(request(Method::GET, "/panic"), None, true).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let response = client.send(request(Method::GET, "/"), None, true).await.unwrap();
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
    let told = std::future::poll_fn(|cx| answer.poll_informational(cx)).await.unwrap().unwrap();
    assert_eq!(told.status(), StatusCode::CONTINUE);
    stream.send_data(Bytes::from("complete"), true).unwrap();
    assert_eq!(text(answer.await.unwrap()).await, "complete");

    let (mut answer, _stream) = client.to.send_request(expecting("/refuse"), false).unwrap();
    assert!(std::future::poll_fn(|cx| answer.poll_informational(cx)).await.is_none());
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
