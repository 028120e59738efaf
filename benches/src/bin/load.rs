//! In charge of asking a server for one URL over and over, on one thread, without reading what it answers: the kernel
//! throws bodies away (`MSG_TRUNC`). A load generator that copies every byte is slower than the servers measured.
//!
//! Usage: `load http://ADDRESS/PATH CONNECTIONS SECONDS`. Prints requests, requests a second, and the 50th and 99th
//! percentile of their time in µs. Any answer but a whole 200 ends it.

use std::{
    error::Error,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use http::Uri;
use rustix::net::{RecvFlags, recv};
use tokio::{io::Interest, net::TcpStream, task::JoinSet};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const HEAD_BYTES: usize = 8 * 1024;
const BODY_BYTES: usize = 1024 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, connections, seconds] = &arguments[..] else {
        return Err("usage: load http://ADDRESS/PATH CONNECTIONS SECONDS".into());
    };
    let url: Uri = url.parse()?;
    let host = url.authority().ok_or("the URL names no address")?.as_str();
    let address: SocketAddr = host.parse()?;
    let question = format!("GET {} HTTP/1.1\r\nHost: {host}\r\n\r\n", url.path());
    let span = Duration::from_secs_f64(seconds.parse()?);
    let begun = Instant::now();
    let mut asking = JoinSet::new();
    for _ in 0..connections.parse()? {
        asking.spawn(ask(address, question.clone(), begun + span));
    }
    let mut took = Vec::new();
    while let Some(asked) = asking.join_next().await {
        took.extend(asked??);
    }
    let second = begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let quantile = |percent: usize| took.get(took.len() * percent / 100).map_or(0, Duration::as_micros);
    println!("{} {:.1} {} {}", took.len(), took.len() as f64 / second, quantile(50), quantile(99));
    Ok(())
}

/// Asks on one connection until `end`. Returns how long each answer took, from the question to its last byte.
async fn ask(address: SocketAddr, question: String, end: Instant) -> Result<Vec<Duration>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut head, mut body) = (vec![0; HEAD_BYTES], vec![0; BODY_BYTES]);
    let mut took = Vec::new();
    while Instant::now() < end {
        let asked = Instant::now();
        let mut told = question.as_bytes();
        while !told.is_empty() {
            stream.writable().await?;
            match stream.try_write(told) {
                Ok(written) => told = &told[written..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut left = answer(&stream, &mut head).await?;
        while left > 0 {
            let most = left.min(BODY_BYTES);
            left -= receive(&stream, &mut body[..most], RecvFlags::TRUNC).await?;
        }
        took.push(asked.elapsed());
    }
    Ok(took)
}

/// Reads the head of an answer. Returns how much of its body is still to come.
async fn answer(stream: &TcpStream, head: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    loop {
        filled += receive(stream, &mut head[filled..], RecvFlags::empty()).await?;
        let Some(end) = head[..filled].windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&head[..end])?;
        let len = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        });
        let Some(len) = len.filter(|_| text.starts_with("HTTP/1.1 200 ")) else {
            return Err(format!("not a 200 of a known length: {text}").into());
        };
        return Ok(len? - (filled - end - 4));
    }
}

async fn receive(stream: &TcpStream, into: &mut [u8], flags: RecvFlags) -> Result<usize> {
    loop {
        stream.readable().await?;
        match stream.try_io(Interest::READABLE, || Ok(recv(stream, &mut *into, flags)?.1)) {
            Ok(0) => return Err("the server closed the connection in the middle of an answer".into()),
            Ok(received) => return Ok(received),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
    }
}
