//! Two persons' uploads: each is planned at once, and they are encoded in the order in which they came.

use crate::harness::{Clip, Server, published, until};

#[tokio::test]
async fn the_first_persons_video_is_encoded_before_the_second_persons() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[("CLIPCUT_RUN_SEGMENTS", "2")]);
    let first = server.upload(Clip::Long.file()).await;
    let second = server.upload(Clip::Short.file()).await;

    let waits = until("the second to be planned and to have its place", async || {
        let document = server.show(&second).await;
        (document["playback"].is_object() && document["queue_position"] == 1).then_some(document)
    })
    .await;
    let long = server.show(&first).await;
    assert_ne!(long["state"], "ready", "the second waited for the first to be planned");
    assert_eq!(long["queue_position"], 0, "{long}");
    assert_eq!(waits["duration_seconds"], 2.0);
    let playlist = server.http.get(&format!("/v/{second}/240p/media.m3u8")).await;
    assert!(playlist.text().ends_with("#EXT-X-ENDLIST\n"), "{playlist:?}");

    until("the second to be ready", async || {
        // In this order: segments of the second, seen first, were published before the first is read.
        let short = server.show(&second).await;
        let long = server.show(&first).await;
        if published(&short, Some("video")) > 0 {
            assert_eq!(published(&long, Some("video")), 2 * 11, "{short} overtook {long}");
        }
        (short["state"] == "ready").then_some(())
    })
    .await;
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
