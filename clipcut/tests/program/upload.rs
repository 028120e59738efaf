//! `clipcut upload`: whole, broken off on either side, and refused.

use std::{path::Path, process::Command};

use rand::RngExt;

use crate::harness::{Clip, Program, Relay, Server, clipcut, finish, own, seeded, until};

// Requests have headers, and the server is asked how the encoding goes on.
const TALK: u64 = 100_000;

fn upload(home: &Path, file: &Path, server: &str) -> Command {
    let mut command = clipcut(home);
    command.arg("upload").arg(file).args(["--server", server]);
    command
}

fn id_in(text: &str) -> String {
    let url =
        text.lines().find(|line| line.contains("/watch/")).unwrap_or_else(|| panic!("no URL in {text:?}"));
    url.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_is_sent_and_followed_to_its_end_in_plain_lines() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let done =
        finish(upload(home.path(), Clip::Short.file(), &server.url).args(["--title", "Ünïcode, of course"]));
    assert_eq!(done.code, Some(0), "{done:?}");
    for part in ["uploading\n", "uploading: ", "encoding\n", "encoding: 3 of 3 segments\n"] {
        assert!(done.stderr.contains(part), "{part:?} in {done:?}");
    }
    assert!(!done.stderr.contains(['\r', '\u{1b}']), "{done:?}");
    let document = server.show(&id_in(&done.stdout)).await;
    assert_eq!(document["state"], "ready");
    assert_eq!(document["title"], "Ünïcode, of course");
}

#[tokio::test]
async fn a_killed_client_goes_on_in_its_next_run() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let file = own(Clip::Heavy.file(), home.path());
    let len = file.metadata().unwrap().len();
    let moment = seeded().random_range(len / 4..len * 3 / 4);
    let relay = Relay::open(&server.url, moment).await;

    let mut client = Program::start(&mut upload(home.path(), &file, &relay.url));
    let stored = until("the bytes to be stored", async || {
        let video = server.http.get("/api/v1/videos").await.json()["videos"][0].clone();
        let stored = video["upload"]["bytes_stored"].as_u64()?;
        (stored + (1 << 20) >= moment).then_some(stored)
    })
    .await;
    client.kill();
    relay.cut().await;
    let before = relay.sent();
    relay.allow(u64::MAX);

    let done = finish_off_thread(upload(home.path(), &file, &relay.url)).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let sent = relay.sent() - before;
    assert!(sent <= len - stored + TALK, "{stored} of {len} bytes were there, and {sent} were sent");
    let id = id_in(&done.stdout);
    assert!(std::fs::read(server.source(&id)).unwrap() == std::fs::read(&file).unwrap());
    let videos = server.http.get("/api/v1/videos").await.json()["videos"].clone();
    assert_eq!(videos.as_array().unwrap().len(), 1, "{videos}");
}

#[tokio::test]
async fn a_server_that_dies_and_comes_back_is_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut server = Server::start(&data, &[]);
    let file = own(Clip::Heavy.file(), home.path());
    let len = file.metadata().unwrap().len();
    let moment = seeded().random_range(len / 4..len * 3 / 4);
    let relay = Relay::open(&server.url, moment).await;

    let mut client = Program::start(&mut upload(home.path(), &file, &relay.url));
    until("the line to be full", async || (relay.sent() == moment).then_some(())).await;
    let stored =
        server.http.get("/api/v1/videos").await.json()["videos"][0]["upload"]["bytes_stored"].clone();
    server.program.kill();
    server = Server::start(&data, &[]);
    relay.lead_to(&server.url);
    relay.allow(u64::MAX);

    let status = until("the client to be done", async || client.try_wait()).await;
    assert!(status.success(), "{}", client.log());
    let again = relay.sent() - moment;
    assert!(
        again <= len - stored.as_u64().unwrap() + TALK,
        "{stored} of {len} were stored, {again} were sent"
    );
    let videos = server.http.get("/api/v1/videos").await.json()["videos"].clone();
    assert_eq!(videos[0]["state"], "ready", "{videos}");
    let id = videos[0]["id"].as_str().unwrap();
    assert!(std::fs::read(server.source(id)).unwrap() == std::fs::read(&file).unwrap());
}

#[tokio::test]
async fn the_encode_is_followed_through_a_restart_of_the_server() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut server = Server::start(&data, &[]);
    let relay = Relay::open(&server.url, u64::MAX).await;
    let mut client = Program::start(&mut upload(home.path(), Clip::Long.file(), &relay.url));
    until("the client to follow", async || client.log().contains("encoding\n").then_some(())).await;

    server.program.kill();
    relay.cut().await;
    until("the client to notice", async || client.log().contains("trying again").then_some(())).await;
    server = Server::start(&data, &[]);
    relay.lead_to(&server.url);

    let status = until("the client to be done", async || client.try_wait()).await;
    assert!(status.success(), "{}", client.log());
    assert_eq!(server.http.get("/api/v1/videos").await.json()["videos"][0]["state"], "ready");
}

#[tokio::test]
async fn a_failed_upload_names_its_reason() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[("CLIPCUT_UPLOAD_MAX", "1MiB")]);
    let empty = home.path().join("empty.mp4");
    std::fs::write(&empty, "").unwrap();
    let noise = home.path().join("noise.mp4");
    std::fs::write(&noise, [7; 5000]).unwrap();
    let letter = home.path().join("letter.mp4");
    std::fs::write(&letter, "%PDF-1.7\n").unwrap();
    // A port that was free a moment ago refuses connections.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let check = |file: &Path, server: &str, parts: &[&str]| {
        let done = finish(&mut upload(home.path(), file, server));
        assert_eq!(done.code, Some(1), "{done:?}");
        for part in parts {
            assert!(done.stderr.contains(part), "{part:?} in {done:?}");
        }
        assert!(!done.stderr.contains("panicked"), "{done:?}");
    };
    let url = &server.url;
    check(Path::new("absent.mp4"), url, &["clipcut: cannot open absent.mp4: No such file or directory"]);
    check(home.path(), url, &["is not a file"]);
    check(&empty, url, &["is not a file with something in it"]);
    check(Clip::Short.file(), &format!("http://{closed}"), &["cannot reach http://127.0.0.1"]);
    check(Clip::Heavy.file(), url, &["413", "at most 1048576 bytes"]);
    check(&letter, url, &["This is a PDF document, not a video and not a sound"]);
    check(&noise, url, &["This is not a video or audio file that we can read"]);
}

/// Runs a command to its end while the relay, which lives on this thread, goes on.
async fn finish_off_thread(mut command: Command) -> crate::harness::Finished {
    tokio::task::spawn_blocking(move || finish(&mut command)).await.unwrap()
}
