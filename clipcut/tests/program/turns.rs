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
async fn the_first_answer_has_the_place_in_the_queue() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let long = std::fs::read(Clip::Long.file()).unwrap();
    for place in 0..3 {
        let answer = server.http.ask(server.http.request("POST", "/api/v1/videos").body(long.clone())).await;
        assert_eq!(answer.json()["queue_position"], place, "{answer:?}");
    }
}
