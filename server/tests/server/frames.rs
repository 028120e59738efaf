//! HTTP/2 as it is on the wire (RFC 9113), as far as the tests speak it by hand.

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::running::{LONG, Running};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// RFC 9113 §6: types of frames, and §7: codes of errors.
pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const ACK: u8 = 0x1;
pub(crate) const END_STREAM_AND_HEADERS: u8 = 0x5;
pub(crate) const NO_ERROR: u32 = 0;
pub(crate) const ENHANCE_YOUR_CALM: u32 = 11;

// RFC 7541: GET, http, / from the static table.
const GET_ROOT: &[u8] = &[0x82, 0x86, 0x84];

pub(crate) fn literal(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

pub(crate) fn get(stream: u32, fields: &[&[u8]]) -> Vec<u8> {
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, &[GET_ROOT, &fields.concat()].concat())
}

pub(crate) async fn connect(running: &Running) -> TcpStream {
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(PREFACE).await.unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
    stream
}

pub(crate) struct Frame {
    kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// Reads on to the next frame of a kind; `None` when the server has closed.
pub(crate) async fn next(stream: &mut (impl AsyncRead + Unpin), kind: u8) -> Option<Frame> {
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
pub(crate) async fn status(stream: &mut TcpStream) -> u16 {
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

/// A request for `path`, which fits into one byte's length.
pub(crate) fn get_path(stream: u32, path: &str) -> Vec<u8> {
    let path = [&[0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    let fields = [&[0x82, 0x86], &path[..], &literal(":authority", "x")].concat();
    frame(HEADERS, END_STREAM_AND_HEADERS, stream, &fields)
}
