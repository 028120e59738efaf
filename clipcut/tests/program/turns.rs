//! Two persons' uploads: each is planned at once, and neither waits until the other is encoded.

use crate::harness::{Clip, Server, until};

#[tokio::test]
async fn a_short_video_does_not_wait_for_the_long_one_before_it() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[("CLIPCUT_RUN_SEGMENTS", "2")]);
    let first = server.upload(Clip::Long.file()).await;
    let second = server.upload(Clip::Short.file()).await;

    let waits = until("the second to be planned", async || {
        let document = server.show(&second).await;
        document["playback"].is_object().then_some(document)
    })
    .await;
    let long = server.show(&first).await;
    assert_ne!(long["state"], "ready", "the second waited for the first to be encoded");
    assert_eq!(waits["duration_seconds"], 2.0);
    let playlist = server.http.get(&format!("/v/{second}/240p/media.m3u8")).await;
    assert!(playlist.text().ends_with("#EXT-X-ENDLIST\n"), "{playlist:?}");

    server.ready(&second).await;
    assert_ne!(server.show(&first).await["state"], "ready", "the second was encoded behind the first");
    server.ready(&first).await;
}

#[tokio::test]
async fn who_waits_for_a_segment_reads_it_while_it_is_encoded() {
    let home = tempfile::tempdir().unwrap();
    // A busy machine takes longer than viewers would wait.
    let settings = [("CLIPCUT_RUN_SEGMENTS", "2"), ("CLIPCUT_SEGMENT_WAIT", "25s")];
    let server = Server::start(&home.path().join("data"), &settings);
    let video = server.upload(Clip::Long.file()).await;
    let begins_on = until("the playlists", async || {
        let master = server.http.get(&format!("/v/{video}/master.m3u8")).await;
        let playlist = master.text().lines().find(|line| line.ends_with("p/media.m3u8"))?.to_owned();
        Some(playlist.trim_end_matches("/media.m3u8").to_owned())
    })
    .await;
    // Nobody has come so far when it is asked for.
    let asked = format!("/v/{video}/{begins_on}/{}.m4s", Clip::Long.segments() - 2);
    let growing = server.http.get(&asked).await;
    assert!(!growing.headers.contains_key("content-length"), "it was whole before it was sent: {growing:?}");
    assert_eq!(growing.header("cache-control"), "public, max-age=31536000, immutable");
    server.ready(&video).await;
    let stored =
        std::fs::read(server.folder(&video).join(&begins_on).join(asked.rsplit('/').next().unwrap()));
    assert!(growing.body == stored.unwrap(), "it is not the segment that stays");
}

#[tokio::test]
async fn the_first_answer_has_the_place_in_the_queue() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let long = std::fs::read(Clip::Long.file()).unwrap();
    for place in 0..3 {
        let answer = server.http.ask(server.http.request("POST", "/api/v1/videos").body(long.clone())).await;
        assert_eq!(answer.json()["queue_position"], place, "{answer:?}");
    }
}
