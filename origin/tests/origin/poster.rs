//! Choosing a poster: what is taken, what is refused and why, and when the answer comes. What becomes of it is the packager's.

use std::time::Duration;

use origin::Config;
use serde_json::json;
use store::{PosterKind, Store, VideoId};

use crate::harness::{Answer, Harness};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const PNG: [(&str, &str); 1] = [("content-type", "image/png")];

/// Returns the head of a PNG file, which is all of it that an origin reads.
fn png(width: u32, height: u32) -> Vec<u8> {
    let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &sides, b"\x08"].concat()
}

/// Waits for the choice of a poster and ends it as a packager does.
async fn packager(store: Store, id: VideoId, problem: Option<&'static str>) {
    let choice = loop {
        match store.posters.choice(&id).await.unwrap() {
            Some(choice) => break choice,
            None => tokio::task::yield_now().await,
        }
    };
    match problem {
        None => store.posters.made(&id, &choice).await.unwrap(),
        Some(problem) => store.posters.refuse(&id, &choice, problem).await.unwrap(),
    }
}

async fn put(harness: &Harness, path: &str, at_seconds: f64) -> Answer {
    harness.ask("PUT", path, &JSON, json!({ "at_seconds": at_seconds }).to_string()).await
}

#[tokio::test]
async fn a_chosen_frame_is_answered_once_it_is_made_and_has_an_address_of_its_own() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    harness.put(&id, "poster.jpg", "jpeg").await;
    let path = format!("/api/v1/videos/{id}/poster");
    let ready = json!({ "kind": "automatic", "at_seconds": null, "state": "ready", "error": null });
    assert_eq!(harness.get(&path).await.json(), ready);
    let (answer, ()) =
        tokio::join!(put(&harness, &path, 7.5), packager(harness.store.clone(), id.clone(), None));
    assert_eq!(answer.status, 200, "{answer:?}");
    let chosen = json!({ "kind": "frame", "at_seconds": 7.5, "state": "ready", "error": null });
    assert_eq!(answer.json(), chosen);
    let document = harness.get(&format!("/api/v1/videos/{id}")).await.json();
    assert_eq!(document["poster"], format!("/v/{id}/poster.jpg?v=1"));
    assert_eq!(document["poster_small"], format!("/v/{id}/poster-640.jpg?v=1"));
    assert_eq!(&harness.get(document["poster"].as_str().unwrap()).await.body[..], b"jpeg");
}

#[tokio::test]
async fn a_poster_that_takes_long_is_under_way_and_one_that_fails_has_a_reason() {
    let harness = Harness::with(Config { poster_wait: Duration::ZERO, ..Config::default() }).await;
    let id = harness.planned(2).await;
    let path = format!("/api/v1/videos/{id}/poster");
    let answer = harness.ask("PUT", &path, &PNG, png(1600, 900)).await;
    assert_eq!((answer.status.as_u16(), answer.json()["state"].as_str()), (202, Some("waiting")));
    packager(harness.store.clone(), id.clone(), Some("unreadable_image")).await;
    let shown = harness.get(&path).await.json();
    assert_eq!((&shown["state"], &shown["error"]["code"]), (&json!("failed"), &json!("unreadable_image")));
    assert_eq!(shown["kind"], "automatic", "the poster is as it was");
    let answer = harness.ask("DELETE", &path, &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.json()["state"].as_str()), (202, Some("waiting")));
    let choice = harness.store.posters.choice(&id).await.unwrap().unwrap();
    assert_eq!(choice.kind, PosterKind::Automatic);

    let patient = Harness::open().await;
    let id = patient.planned(2).await;
    let path = format!("/api/v1/videos/{id}/poster");
    let failing = packager(patient.store.clone(), id.clone(), Some("no_frame"));
    let (answer, ()) = tokio::join!(put(&patient, &path, 1.0), failing);
    answer.is_problem(422, "no_frame");
}

#[tokio::test]
async fn what_is_no_poster_is_refused_before_a_packager_sees_it() {
    let harness = Harness::with(Config { poster_wait: Duration::ZERO, ..Config::default() }).await;
    let id = harness.planned(2).await;
    let path = format!("/api/v1/videos/{id}/poster");
    let unknown = format!("/api/v1/videos/{}/poster", VideoId::random());
    put(&harness, &unknown, 1.0).await.is_problem(404, "unknown_video");
    harness.get(&unknown).await.is_problem(404, "unknown_video");
    put(&harness, &path, 12.5).await.is_problem(422, "beyond_the_end");
    put(&harness, &path, -1.0).await.is_problem(400, "invalid_document");
    harness.ask("PUT", &path, &JSON, "{}").await.is_problem(400, "invalid_document");
    harness
        .ask("PUT", &path, &[("content-type", "image/gif")], "GIF89a")
        .await
        .is_problem(415, "unsupported_media_type");
    harness.ask("PUT", &path, &PNG, "no picture").await.is_problem(422, "unreadable_image");
    harness.ask("PUT", &path, &PNG, png(60_000, 60_000)).await.is_problem(422, "image_too_large");
    harness.ask("PUT", &path, &PNG, png(1600, 1)).await.is_problem(422, "image_too_small");
    harness.ask("PUT", &path, &PNG, vec![0; 20 * 1024 * 1024 + 1]).await.is_problem(413, "body_too_large");
    assert_eq!(harness.store.posters.choice(&id).await.unwrap(), None);
    let early = harness.uploaded("Early").await;
    let path = format!("/api/v1/videos/{early}/poster");
    put(&harness, &path, 1.0).await.is_problem(409, "video_not_prepared");
    harness.ask("DELETE", &path, &[], "").await.is_problem(409, "video_not_prepared");
}

#[tokio::test]
async fn a_poster_that_somebody_else_has_chosen_meanwhile_is_not_replaced() {
    let harness = Harness::with(Config { poster_wait: Duration::ZERO, ..Config::default() }).await;
    let id = harness.planned(2).await;
    let path = format!("/api/v1/videos/{id}/poster");
    assert_eq!(harness.get(&path).await.header("etag"), "\"0\"");
    let json = json!({ "at_seconds": 1.0 }).to_string();
    let put = async |tag: &str| harness.ask("PUT", &path, &[JSON[0], ("if-match", tag)], json.clone()).await;
    let chosen = put("\"0\"").await;
    assert_eq!((chosen.status.as_u16(), chosen.header("etag")), (202, "\"1\""));
    let png_late = harness.ask("PUT", &path, &[PNG[0], ("if-match", "\"0\"")], png(1600, 900)).await;
    let reset_late = harness.ask("DELETE", &path, &[("if-match", "\"0\"")], "").await;
    for refused in [put("\"0\"").await, png_late, reset_late] {
        refused.is_problem(412, "edited_meanwhile");
        assert_eq!(refused.header("etag"), "\"1\"");
    }
    let choice = harness.store.posters.choice(&id).await.unwrap().unwrap();
    assert_eq!(choice.kind, PosterKind::Frame { seconds: 1.0 });
    let reset = harness.ask("DELETE", &path, &[("if-match", "\"1\"")], "").await;
    assert_eq!((reset.status.as_u16(), reset.header("etag")), (202, "\"2\""));
    // Without the field the last one counts, as before.
    assert_eq!(self::put(&harness, &path, 2.0).await.header("etag"), "\"3\"");
}
