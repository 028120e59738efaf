//! A load generator: requests one URL over and over, on one thread. The kernel throws bodies away (`MSG_TRUNC`),
//! for a client that copies every byte is slower than the servers measured. It looks for answers without ever sleeping:
//! waking a client that sleeps on the next core is work of the server's, which a client across a network never gives it.
//!
//! Usage: `load http://ADDRESS/PATH CONNECTIONS SECONDS`. Prints requests, requests a second, and the 50th and 99th
//! percentile of their time in µs. Any answer but a whole 200 ends it.

use std::{
    error::Error,
    io::{self, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use http::Uri;
use rustix::net::{RecvFlags, recv};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const HEAD_BYTES: usize = 8 * 1024;
const BODY_BYTES: usize = 1024 * 1024;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, connections, seconds] = &arguments[..] else {
        return Err("usage: load http://ADDRESS/PATH CONNECTIONS SECONDS".into());
    };
    let url: Uri = url.parse()?;
    let host = url.authority().ok_or("the URL names no address")?.as_str();
    let address: SocketAddr = host.parse()?;
    let question = format!("GET {} HTTP/1.1\r\nHost: {host}\r\n\r\n", url.path());
    let span = Duration::from_secs_f64(seconds.parse()?);
    let mut clients = Vec::new();
    for _ in 0..connections.parse()? {
        clients.push(Client::connect(address)?);
    }
    let (mut body, mut took) = (vec![0; BODY_BYTES], Vec::new());
    let begun = Instant::now();
    for client in &mut clients {
        client.ask(&question)?;
    }
    while begun.elapsed() < span {
        for client in &mut clients {
            if client.has_answer(&mut body)? {
                took.push(client.asked.elapsed());
                client.ask(&question)?;
            }
        }
    }
    let second = begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let quantile = |percent: usize| took.get(took.len() * percent / 100).map_or(0, Duration::as_micros);
    println!("{} {:.1} {} {}", took.len(), took.len() as f64 / second, quantile(50), quantile(99));
    Ok(())
}

/// A connection, and the response that it waits for.
struct Client {
    stream: TcpStream,
    asked: Instant,
    head: Vec<u8>,
    filled: usize,
    /// The body bytes still to come, once the head is complete.
    left: Option<usize>,
}

impl Client {
    fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, asked: Instant::now(), head: vec![0; HEAD_BYTES], filled: 0, left: None })
    }

    fn ask(&mut self, question: &str) -> Result<()> {
        self.asked = Instant::now();
        (self.filled, self.left) = (0, None);
        // A question is short, and nothing else waits to be sent.
        Ok(self.stream.write_all(question.as_bytes())?)
    }

    /// Reads the bytes that have arrived. Returns whether the response is complete.
    fn has_answer(&mut self, body: &mut [u8]) -> Result<bool> {
        let Some(left) = self.left else {
            self.filled += received(&self.stream, &mut self.head[self.filled..], RecvFlags::empty())?;
            self.left = body_left(&self.head[..self.filled])?;
            return Ok(self.left == Some(0));
        };
        let most = left.min(body.len());
        let left = left - received(&self.stream, &mut body[..most], RecvFlags::TRUNC)?;
        self.left = Some(left);
        Ok(left == 0)
    }
}

/// Returns the number of body bytes still to come; `None` before the end of the head.
fn body_left(received: &[u8]) -> Result<Option<usize>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&received[..end])?;
    let len = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
    });
    let Some(len) = len.filter(|_| text.starts_with("HTTP/1.1 200 ")) else {
        return Err(format!("not a 200 of a known length: {text}").into());
    };
    Ok(Some(len? - (received.len() - end - 4)))
}

/// Returns the number of bytes read; 0 when none has arrived yet.
fn received(stream: &TcpStream, into: &mut [u8], flags: RecvFlags) -> Result<usize> {
    match recv(stream, into, flags).map_err(io::Error::from) {
        Ok((_, 0)) => Err("the server closed the connection in the middle of an answer".into()),
        Ok((_, received)) => Ok(received),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        Err(error) => Err(error.into()),
    }
}
