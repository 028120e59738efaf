//! Sources in GridFS for programs that read files: by range, guarded, and past a server's absence.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, process::Stdio};

use store::{Blobs, LoopbackSource, Source, VideoId};
use testbed::Mongodb;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Command,
};

/// Keeps `bytes` as the source of a video, and serves it.
async fn served(mongodb: &Mongodb, bytes: &[u8]) -> (LoopbackSource, Blobs) {
    let blobs = Blobs::in_gridfs(&mongodb.database()).await.unwrap();
    let id = VideoId::random();
    blobs.put(&id.source(), bytes).await.unwrap();
    let Source::Loopback(served) = blobs.source(&id).await.unwrap() else { panic!("not a file") };
    (served, blobs)
}

/// Asks for `path` at a source's port. Returns the status line, the headers and the body.
async fn ask(served: &LoopbackSource, request: &str, range: &str) -> (String, String, Vec<u8>) {
    let address = served.url().strip_prefix("http://").unwrap().split('/').next().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let text = format!("{request} HTTP/1.1\r\nHost: {address}\r\n{range}Connection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).unwrap().to_lowercase();
    let (status, headers) = head.split_once("\r\n").unwrap();
    (status.to_owned(), headers.to_owned(), body)
}

fn path(served: &LoopbackSource) -> &str {
    let rest = served.url().strip_prefix("http://").unwrap();
    &rest[rest.find('/').unwrap()..]
}

/// Half a minute of noise, its index at the end, so that a reader must seek.
async fn film(folder: &Path) -> Vec<u8> {
    let file = folder.join("film.mp4");
    let made = Command::new("ffmpeg")
        .args(
            "-v error -nostdin -f lavfi -i nullsrc=s=320x180:r=25:d=30,geq=random(1)*255:128:128".split(' '),
        )
        .args("-c:v libx264 -preset ultrafast -g 25 -b:v 6M".split(' '))
        .arg(&file)
        .status();
    assert!(made.await.unwrap().success());
    std::fs::read(file).unwrap()
}

fn ffmpeg(url: &str, seconds: &str) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-protocol_whitelist", "http,tcp", "-i", url]);
    command.args(["-t", seconds, "-f", "null", "-"]).kill_on_drop(true).stderr(Stdio::piped());
    command
}

#[tokio::test]
async fn eight_places_of_a_file_are_read_by_one_program() {
    let folder = tempfile::tempdir().unwrap();
    let (served, _blobs) = served(Mongodb::shared(), &film(folder.path()).await).await;
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin"]);
    for place in 0..8 {
        let place = (place * 3).to_string();
        command.args(["-protocol_whitelist", "http,tcp", "-ss", &place, "-i", served.url()]);
    }
    for input in 0..8 {
        command.args(["-map", &format!("{input}:v"), "-frames:v", "1", "-f", "null", "-"]);
    }
    let run = command.stdin(Stdio::null()).output().await.unwrap();
    assert!(run.status.success() && run.stderr.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[tokio::test]
async fn ranges_are_answered_and_nothing_else() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n ^ (n >> 9)) as u8).collect();
    let (served, _blobs) = served(Mongodb::shared(), &bytes).await;
    let get = format!("GET {}", path(&served));
    let (status, _, body) = ask(&served, &get, "").await;
    assert!(status.contains("200") && body == bytes);
    let (status, headers, body) = ask(&served, &get, "Range: bytes=2097151-2097153\r\n").await;
    assert!(status.contains("206") && headers.contains("content-range: bytes 2097151-2097153/3000000"));
    assert_eq!(body, &bytes[2_097_151..2_097_154]);
    let (status, _, body) = ask(&served, &get, "Range: bytes=2999999-\r\n").await;
    assert!(status.contains("206") && body == bytes[2_999_999..]);
    assert!(ask(&served, &get, "Range: bytes=3000000-\r\n").await.0.contains("416"));
    let (status, headers, body) = ask(&served, &format!("HEAD {}", path(&served)), "").await;
    assert!(status.contains("200") && headers.contains("content-length: 3000000") && body.is_empty());
    for other in ["GET /", "GET /source", &format!("GET {}x", path(&served)), "GET /etc/passwd"] {
        assert!(ask(&served, other, "").await.0.contains("404"), "{other}");
    }
    assert!(ask(&served, &format!("PUT {}", path(&served)), "").await.0.contains("405"));
}

#[tokio::test]
async fn an_address_goes_with_its_source() {
    let (served, _blobs) = served(Mongodb::shared(), b"bytes").await;
    let address = served.url().strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    drop(served);
    while TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_first_seconds_do_not_wait_for_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path()).await;
    let (served, _blobs) = served(Mongodb::shared(), &film).await;
    assert!(ffmpeg(served.url(), "1").status().await.unwrap().success());
    let (fetched, all) = (served.fetched_bytes(), served.len());
    assert!(fetched * 2 < all, "{fetched} of {all} bytes were fetched");
}

#[tokio::test]
async fn a_source_waits_for_a_server_that_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path()).await;
    let mongodb = Mongodb::start();
    let (served, _blobs) = served(&mongodb, &film).await;
    let mut reader = ffmpeg(served.url(), "60").spawn().unwrap();
    while served.fetched_bytes() == 0 {
        tokio::task::yield_now().await;
    }
    mongodb.server().kill();
    mongodb.server().start();
    let mut output = String::new();
    reader.stderr.take().unwrap().read_to_string(&mut output).await.unwrap();
    assert!(reader.wait().await.unwrap().success() && output.is_empty(), "{output}");
    assert!(served.fetched_bytes() >= film.len() as u64);
}
