//! Graceful shutdown: requests in flight finish after a stop signal; a second server on the same folder or port is
//! refused.

use std::fs;

use bytes::Bytes;
use futures::{StreamExt, stream};
use reqwest::StatusCode;

use crate::harness::{Clip, Http, Program, Server, clipcut, finish, published, until};

#[tokio::test]
async fn a_stop_signal_lets_a_download_finish_and_takes_no_more() {
    const SIZE: usize = 48 << 20;
    let home = tempfile::tempdir().unwrap();
    let mut server = Server::start(&home.path().join("data"), &[]);
    let id = server.upload(Clip::Short.file()).await;
    server.ready(&id).await;
    // A segment that no socket's buffers can hold.
    let segment: Vec<u8> = (0..SIZE).map(|n| (n / 251) as u8).collect();
    fs::write(server.folder(&id).join("240p/0.m4s"), &segment).unwrap();

    let mut download = server.http.request("GET", &format!("/v/{id}/240p/0.m4s")).send().await.unwrap();
    let mut came = download.chunk().await.unwrap().unwrap().to_vec();
    server.program.terminate();
    server.program.wait_for_log("draining");
    let refused = Http::try_ask(Http::new(&server.url).request("GET", "/readyz")).await;
    assert!(refused.is_err_and(|e| e.is_connect()), "the listener still accepts connections");
    assert!(server.program.try_wait().is_none(), "it did not wait for the download");
    while let Some(chunk) = download.chunk().await.unwrap() {
        came.extend_from_slice(&chunk);
    }
    assert!(came == segment, "{} bytes came", came.len());
    drop(download);
    let status = server.program.wait();
    assert_eq!(status.code(), Some(0), "{}", server.program.log());
}

#[tokio::test]
async fn a_stop_signal_gives_the_encode_back() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut server = Server::start(&data, &[]);
    let id = server.upload(Clip::Long.file()).await;
    until("the encode to begin", async || (published(&server.show(&id).await, None) > 0).then_some(())).await;
    server.program.terminate();
    assert_eq!(server.program.wait().code(), Some(0), "{}", server.program.log());
    let server = Server::start(&data, &[]);
    let document = server.ready(&id).await;
    assert_eq!(published(&document, None), 3 * Clip::Long.segments());
}

#[tokio::test]
async fn a_stop_signal_lets_an_upload_finish() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut server = Server::start(&data, &[]);
    let bytes = Bytes::from(fs::read(Clip::Heavy.file()).unwrap());
    let half = bytes.len() / 2;
    let upload = server.http.create_upload(bytes.len() as u64).await;
    let (go_on, may_go_on) = tokio::sync::oneshot::channel::<()>();
    let (first, second) = (bytes.slice(..half), bytes.slice(half..));
    let second = stream::once(async move {
        may_go_on.await.unwrap();
        Ok(second)
    });
    let pieces = stream::iter([Ok(first)]).chain(second);
    let sending = tokio::spawn(Http::try_ask(server.http.append(&upload, 0, pieces)));
    until("the first half to arrive", async || (server.http.offset(&upload).await > 0).then_some(())).await;

    server.program.terminate();
    server.program.wait_for_log("draining");
    go_on.send(()).unwrap();
    let answer = sending.await.unwrap().unwrap();
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    assert_eq!(server.program.wait().code(), Some(0), "{}", server.program.log());

    let server = Server::start(&data, &[]);
    let id = upload.rsplit('/').next().unwrap();
    assert!(fs::read(server.source(id)).unwrap() == bytes);
    server.ready(id).await;
}

#[tokio::test]
async fn a_server_whose_log_is_closed_stops_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Server::command(&home.path().join("data"), &[]);
    let (mut server, line) = Program::start_with_closed_log(&mut command, "serving http://");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    assert_eq!(Http::new(url).get("/healthz").await.status, StatusCode::OK);
    server.terminate();
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_folder_in_use_is_refused_with_a_way_out() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let first = Server::start(&data, &[]);
    let second = finish(&mut Server::command(&data, &[]));
    assert_eq!(second.code, Some(1), "{second:?}");
    let sentence = "is in use by another clipcut; stop that one or choose another with --data";
    assert!(second.stderr.contains(sentence), "{second:?}");
    drop(first);
    Server::start(&data, &[]);
}

#[tokio::test]
async fn a_port_in_use_is_refused_with_a_way_out() {
    let home = tempfile::tempdir().unwrap();
    let first = Server::start(&home.path().join("one"), &[]);
    let address = first.url.trim_start_matches("http://");
    let mut command = clipcut(home.path());
    let second = finish(command.args(["--listen", address, "--data", "two"]));
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains(&format!("cannot listen on {address}")), "{second:?}");
    assert!(second.stderr.contains("choose another with --listen"), "{second:?}");
}
