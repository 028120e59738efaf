//! Limits of uploads: their size, the memory that they take, the time that they may rest.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use bytes::Bytes;
use futures::stream;
use reqwest::StatusCode;

use crate::harness::{Server, TIMEOUT, until};

// One byte over the limit of these servers.
const MORE: u64 = (1 << 20) + 1;

/// Sends `head` and `body`, and returns the answer, bytes after the headers included, as it comes.
fn talk(server: &Server, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    stream.write_all(head.replace('\n', "\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains("\r\n\r\n") {
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn an_upload_over_the_limit_is_413_before_a_byte_of_it_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[("CLIPCUT_UPLOAD_MAX", "1MiB")]);
    let tus =
        format!("POST /api/v1/uploads HTTP/1.1\nHost: x\nTus-Resumable: 1.0.0\nUpload-Length: {MORE}\n");
    let with_bytes = format!("{tus}Content-Type: application/offset+octet-stream\nContent-Length: {MORE}\n");
    let raw = format!("POST /api/v1/videos HTTP/1.1\nHost: x\nContent-Length: {MORE}\n");
    // A form is a little longer than its file.
    let form = format!(
        "POST /api/v1/videos HTTP/1.1\nHost: x\nContent-Type: multipart/form-data; boundary=b\nContent-Length: {}\n",
        2 * MORE
    );
    let expecting = format!("{raw}Expect: 100-continue\n");
    for head in [tus, with_bytes, raw, form, expecting] {
        let answer = talk(&server, &format!("{head}\n"), b"");
        assert!(answer.starts_with("HTTP/1.1 413 "), "{head}: {answer}");
        assert!(answer.contains("application/problem+json"), "{head}: {answer}");
    }
    // A chunked body has no length in advance: it is cut off at the limit.
    let head = "POST /api/v1/videos HTTP/1.1\nHost: x\nTransfer-Encoding: chunked\n\n";
    let chunk = [b"110000\r\n", &vec![0; 0x11_0000][..], b"\r\n"].concat();
    let answer = talk(&server, head, &chunk);
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    until("what was begun to be gone", async || {
        let listed = server.http.get("/api/v1/videos").await.json();
        listed["videos"].as_array().unwrap().is_empty().then_some(())
    })
    .await;
    let mut incoming = fs::read_dir(server.data.join("incoming")).unwrap();
    assert!(incoming.next().is_none(), "bytes of refused uploads are left");
    let at_limit = server.http.create_upload(1 << 20).await;
    assert_eq!(server.http.offset(&at_limit).await, 0);
}

/// Returns the largest memory that the process ever had, in bytes.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_stays_flat_however_long_the_upload() {
    const LENGTH: u64 = 2 << 30;
    const PIECE: usize = 1 << 20;
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let upload = server.http.create_upload(LENGTH).await;
    let zeros = Bytes::from(vec![0; PIECE]);
    let pieces = stream::iter((0..LENGTH / PIECE as u64).map(move |_| Ok(zeros.clone())));
    let answer = server.http.ask(server.http.append(&upload, 0, pieces)).await;
    assert_eq!((answer.status, answer.header("upload-offset")), (StatusCode::NO_CONTENT, "2147483648"));
    let document = server.settled(upload.rsplit('/').next().unwrap()).await;
    assert_eq!(document["error"]["code"], "not_media", "{document}");
    let peak = peak_memory(server.program.id());
    println!("peak memory: {} MiB", peak >> 20);
    assert!(peak < 200_000_000, "{peak} bytes for an upload of {LENGTH}");
}

#[tokio::test]
async fn a_plain_upload_that_breaks_off_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let mut stream = TcpStream::connect(server.url.trim_start_matches("http://")).unwrap();
    let head = "POST /api/v1/videos HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&vec![7; 2_000_000]).unwrap();
    let count = async || {
        let listed = server.http.get("/api/v1/videos").await.json();
        listed["videos"].as_array().unwrap().len()
    };
    until("the upload to be seen", async || (count().await == 1).then_some(())).await;
    drop(stream);
    until("it to be gone", async || (count().await == 0).then_some(())).await;
    let mut incoming = fs::read_dir(server.data.join("incoming")).unwrap();
    assert!(incoming.next().is_none(), "its bytes are left");
}

#[tokio::test]
async fn an_abandoned_upload_expires() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[("CLIPCUT_UPLOAD_EXPIRY", "1s")]);
    let upload = server.http.create_upload(1000).await;
    let some = stream::iter([Ok(Bytes::from_static(b"the beginning"))]);
    server.http.ask(server.http.append(&upload, 0, some)).await;
    let gone = until("the upload to expire", async || {
        let answer = server.http.ask(server.http.tus("HEAD", &upload)).await;
        (answer.status != StatusCode::OK).then_some(answer.status)
    })
    .await;
    assert_eq!(gone, StatusCode::GONE);
    until("its bytes to go", async || {
        fs::read_dir(server.data.join("incoming")).unwrap().next().is_none().then_some(())
    })
    .await;
    assert_eq!(server.http.get("/api/v1/videos").await.json()["videos"], serde_json::json!([]));
}
