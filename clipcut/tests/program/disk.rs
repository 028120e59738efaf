//! A disk that is full: uploads and encodes wait for room and lose nothing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use bytes::Bytes;
use futures::stream;
use reqwest::StatusCode;

use crate::harness::{Clip, Server, Shelf, count_frames, published, until};

/// Starts a server whose library is on a tmpfs of size `room`, in a mount namespace of its own.
fn on_a_small_disk(home: &Path, room: &str) -> Server {
    let disk = home.join("disk");
    fs::create_dir(&disk).unwrap();
    let serve = Server::command(&disk.join("data"), &[]);
    let mut command = Command::new("unshare");
    // Root has the right already; others get it inside a namespace of users.
    let whose = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    command.args([
        whose,
        "sh",
        "-c",
        "mount -t tmpfs -o size=$0 clipcut \"$1\" && shift && exec \"$@\"",
        room,
    ]);
    command.arg(&disk).arg(serve.get_program()).args(serve.get_args()).current_dir(home);
    for (name, value) in serve.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut server = Server::start_as(&mut command, &disk.join("data"));
    let seen = PathBuf::from(format!("/proc/{}/root", server.program.id()));
    server.data = seen.join(disk.strip_prefix("/").unwrap()).join("data");
    server
}

/// Fills the disk of `folder` up to `left` bytes, as another program would. Returns the file that fills it.
fn fill(folder: &Path, left: u64) -> PathBuf {
    let ballast = folder.join("ballast");
    let free = rustix::fs::statvfs(folder).map(|stat| stat.f_bavail * stat.f_frsize).unwrap();
    let filled = fs::write(&ballast, vec![7; free.saturating_sub(left) as usize]);
    // The server goes on writing meanwhile, so there may be less room than was measured.
    assert!(
        filled.as_ref().map_or_else(|e| e.kind() == std::io::ErrorKind::StorageFull, |()| true),
        "{filled:?}"
    );
    ballast
}

#[tokio::test]
async fn a_full_disk_is_507_and_the_upload_goes_on_once_there_is_room() {
    let home = tempfile::tempdir().unwrap();
    let server = on_a_small_disk(home.path(), "32m");
    let bytes = Bytes::from(fs::read(Clip::Heavy.file()).unwrap());
    let len = bytes.len() as u64;

    let hopeless = server.http.tus("POST", "/api/v1/uploads").header("Upload-Length", 40 << 20);
    let answer = server.http.ask(hopeless).await;
    assert_eq!(answer.status, StatusCode::INSUFFICIENT_STORAGE, "{answer:?}");
    assert_eq!(answer.problem(), "insufficient_storage");

    let upload = server.http.create_upload(len).await;
    let ballast = fill(&server.data, 6 << 20);
    let all = stream::iter([Ok(bytes.clone())]);
    let answer = server.http.ask(server.http.append(&upload, 0, all)).await;
    assert_eq!(answer.status, StatusCode::INSUFFICIENT_STORAGE, "{answer:?}");
    assert_eq!(answer.problem(), "insufficient_storage");

    let stored = server.http.offset(&upload).await;
    let id = upload.rsplit('/').next().unwrap();
    let file = server.data.join("incoming").join(id);
    assert_eq!(file.metadata().unwrap().len(), stored, "the offset is the number of bytes stored");
    assert!((1..len).contains(&stored), "{stored} of {len} found room");
    assert!(fs::read(&file).unwrap() == bytes[..stored as usize]);
    // Reading needs no room.
    assert_eq!(server.show(id).await["state"], "uploading");

    fs::remove_file(&ballast).unwrap();
    let rest = stream::iter([Ok(bytes.slice(stored as usize..))]);
    let answer = server.http.ask(server.http.append(&upload, stored, rest)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    assert!(fs::read(server.source(id)).unwrap() == bytes);
    server.ready(id).await;
    let master = server.http.url(&format!("/v/{id}/master.m3u8"));
    assert!(count_frames(&master).iter().all(|frames| *frames == Clip::Heavy.frames()));
}

#[tokio::test]
async fn an_encode_waits_for_room_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let server = on_a_small_disk(home.path(), "32m");
    let id = server.upload(Clip::Long.file()).await;
    until("the encode to begin", async || (published(&server.show(&id).await, None) > 2).then_some(())).await;
    let ballast = fill(&server.data, 0);
    let document = until("the encode to notice", async || {
        let document = server.show(&id).await;
        (server.program.log().contains("waiting for free space") || document["state"] == "failed")
            .then_some(document)
    })
    .await;
    assert_ne!(document["state"], "failed", "{document}");
    assert!(!server.program.log().contains("trying again"), "a full disk counts as a failure of ffmpeg");
    let left = Shelf::of(&server.folder(&id));

    fs::remove_file(&ballast).unwrap();
    let document = server.ready(&id).await;
    assert_eq!(published(&document, None), 3 * Clip::Long.segments(), "{document}");
    left.check_still_stands(&server.folder(&id));
    let master = server.http.url(&format!("/v/{id}/master.m3u8"));
    assert_eq!(count_frames(&master), [Clip::Long.frames(), Clip::Long.frames()]);
}
