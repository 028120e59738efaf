use std::time::Duration;

use serde_json::{Value, json};
use store::{Failure, JobKind};

use crate::harness::{Answer, Harness, NOTE};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn titles(answer: &Answer) -> Vec<String> {
    let videos = answer.json()["videos"].clone();
    videos.as_array().unwrap().iter().map(|v| v["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_document_holds_all_of_a_planned_video() {
    let harness = Harness::open().await;
    let id = harness.planned(3).await;
    harness.put(&id, "poster.jpg", "jpeg").await;
    let answer = harness.get(&format!("/api/v1/videos/{id}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let mut document = answer.json();
    let created_at = document["created_at"].take();
    assert!(created_at.as_str().unwrap().ends_with('Z'), "{created_at}");
    let captions = document["captions"].take();
    assert_eq!((&captions[0]["origin"], &captions[0]["state"]), (&"machine".into(), &"queued".into()));
    let rendition = |name: &str, kind: &str, picture: (Value, Value, Value), language: Value| {
        json!({
            "name": name, "kind": kind, "width": picture.0, "height": picture.1, "frame_rate": picture.2,
            "bitrate_bps": 2_000_000, "language": language, "label": null,
            "segments_published": 0, "segments_total": 3, "published_seconds": [], "listed": false,
            "workers": 0, "speed": null, "seconds_left": null,
        })
    };
    let none = || (Value::Null, Value::Null, Value::Null);
    assert_eq!(
        document,
        json!({
            "id": id, "title": "Planned", "description": "", "tags": [], "views": 0, "revision": 0, "state": "planned", "error": null,
            "owner": null, "visibility": "public", "may_edit": true, "shared_with_me": false,
            "duration_seconds": 18.0, "notes": [NOTE],
            "renditions": [
                rendition("720p", "video", (1280.into(), 720.into(), 29.97.into()), Value::Null),
                rendition("audio", "audio", none(), Value::Null),
            ],
            "captions": null,
            "playback": {
                "hls": format!("/v/{id}/master.m3u8"), "dash": format!("/v/{id}/manifest.mpd"),
                "ladder": format!("/v/{id}/ladder.m3u8"),
            },
            "poster": format!("/v/{id}/poster.jpg"),
            "poster_small": format!("/v/{id}/poster-640.jpg"),
            "upload": null, "queue_position": 0, "created_at": null,
        })
    );
}

#[tokio::test]
async fn of_two_edits_of_one_reading_the_second_is_412_and_changes_nothing() {
    let harness = Harness::open().await;
    let id = harness.uploaded("Before").await;
    let path = format!("/api/v1/videos/{id}");
    let read = harness.get(&path).await;
    let tag = read.header("etag").to_owned();
    assert_eq!(tag, format!("\"{}\"", read.json()["revision"]));
    let edit = async |tag: &str, title: &str| {
        let fields = [("content-type", "application/json"), ("if-match", tag)];
        harness.ask("PATCH", &path, &fields, json!({ "title": title }).to_string()).await
    };
    let first = edit(&tag, "First").await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_ne!(first.header("etag"), tag);
    for stale in [&tag, &format!("W/{tag}"), "\"other\""] {
        edit(stale, "Second").await.is_problem(412, "edited_meanwhile");
    }
    assert_eq!(harness.get(&path).await.json()["title"], "First");
    assert_eq!(edit(&format!("\"x\", {}", first.header("etag")), "Second").await.status, 200);
    assert_eq!(edit("*", "Third").await.status, 200);
    let fields = JSON;
    assert_eq!(harness.ask("PATCH", &path, fields, "{}").await.status, 200);
}

#[tokio::test]
async fn a_document_in_gzip_has_a_tag_of_its_own_which_an_edit_may_name() {
    let harness = Harness::open().await;
    let id = harness.uploaded("Video").await;
    let path = format!("/api/v1/videos/{id}");
    let description = json!({ "description": "long ".repeat(400) }).to_string();
    assert_eq!(harness.ask("PATCH", &path, JSON, description).await.status, 200);
    let plain = harness.get(&path).await;
    let packed = harness.ask("GET", &path, &[("accept-encoding", "gzip")], "").await;
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    assert_eq!((plain.header("etag"), packed.header("etag")), ("\"1\"", "\"1-gzip\""));
    let edit = async |tag: &str| {
        let fields = [("content-type", "application/json"), ("if-match", tag)];
        harness.ask("PATCH", &path, &fields, json!({ "title": "Edited" }).to_string()).await
    };
    edit("\"0-gzip\"").await.is_problem(412, "edited_meanwhile");
    assert_eq!(edit("\"1-gzip\"").await.status, 200);
    assert_eq!(edit("\"2\"").await.status, 200);
}

#[tokio::test]
async fn the_list_is_paged_newest_first() {
    let harness = Harness::open().await;
    for n in 0..5 {
        harness.uploaded(&format!("Video {n}")).await;
    }
    let first = harness.get("/api/v1/videos?limit=2").await;
    assert_eq!(titles(&first), ["Video 4", "Video 3"]);
    let cursor = first.json()["next"].as_str().unwrap().to_owned();
    // A new video at the top does not shift the pages below.
    harness.uploaded("Video 5").await;
    let second = harness.get(&format!("/api/v1/videos?limit=2&cursor={cursor}")).await;
    assert_eq!(titles(&second), ["Video 2", "Video 1"]);
    let cursor = second.json()["next"].as_str().unwrap().to_owned();
    let third = harness.get(&format!("/api/v1/videos?limit=2&cursor={cursor}")).await;
    assert_eq!((titles(&third), &third.json()["next"]), (vec!["Video 0".to_owned()], &Value::Null));
}

#[tokio::test]
async fn the_list_of_one_state_has_the_others_not() {
    let harness = Harness::open().await;
    harness.uploaded("Uploaded").await;
    let id = harness.planned(1).await;
    let failure = Failure { code: "not_media".to_owned(), message: "This is not a video.".to_owned() };
    harness.fail(&id, &failure).await;
    assert_eq!(titles(&harness.get("/api/v1/videos?state=failed").await), ["Planned"]);
    assert_eq!(titles(&harness.get("/api/v1/videos?state=uploaded").await), ["Uploaded"]);
    assert_eq!(titles(&harness.get("/api/v1/videos?state=ready").await), [""; 0]);
    assert_eq!(titles(&harness.get("/api/v1/videos").await).len(), 2);
    harness.get("/api/v1/videos?state=broken").await.is_problem(400, "invalid_state");
}

#[tokio::test]
async fn the_work_on_a_video_is_cancelled_and_goes_on_by_another_try() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    let lease = Duration::from_mins(1);
    let run = harness.store.jobs.claim(&[JobKind::Video], "worker", lease).await.unwrap().unwrap();
    let (cancel, retry) = (format!("/api/v1/videos/{id}/cancel"), format!("/api/v1/videos/{id}/retry"));
    let cancelled = harness.ask("POST", &cancel, &[], "").await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["error"]["code"]), (200, &json!("cancelled")));
    assert!(!harness.store.jobs.renew(&run, lease).await.unwrap(), "its worker has lost the lease");
    assert_eq!(harness.get("/api/v1/jobs").await.json()["jobs"], json!([]));
    harness.ask("POST", &cancel, &[], "").await.is_problem(409, "not_in_work");
    let again = harness.ask("POST", &retry, &[], "").await;
    assert_eq!((again.status.as_u16(), &again.json()["state"]), (202, &json!("uploaded")));
    harness
        .ask("POST", "/api/v1/videos/0123456789abcdef/cancel", &[], "")
        .await
        .is_problem(404, "unknown_video");
}

#[tokio::test]
async fn a_page_that_cannot_be_is_refused() {
    let harness = Harness::open().await;
    harness.get("/api/v1/videos?limit=0").await.is_problem(400, "invalid_limit");
    harness.get("/api/v1/videos?limit=101").await.is_problem(400, "invalid_limit");
    harness.get("/api/v1/videos?limit=many").await.is_problem(400, "invalid_query");
    harness.get("/api/v1/videos?cursor=nonsense").await.is_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn title_and_description_can_be_edited_each_alone() {
    let harness = Harness::open().await;
    let id = harness.uploaded("Before").await;
    let path = format!("/api/v1/videos/{id}");
    let answer = harness.ask("PATCH", &path, JSON, r#"{"title": " After "}"#).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["title"]), (200, &json!("After")));
    let answer = harness.ask("PATCH", &path, JSON, r#"{"description": "one\ntwo"}"#).await;
    assert_eq!(answer.json()["description"], "one\ntwo");
    assert_eq!(harness.get(&path).await.json()["title"], "After");
}

#[tokio::test]
async fn tags_are_set_as_a_whole_and_narrow_the_list() {
    let harness = Harness::open().await;
    let ids =
        [harness.uploaded("Dunes").await, harness.uploaded("Waves").await, harness.uploaded("Rocks").await];
    let path = |n: usize| format!("/api/v1/videos/{}", ids[n]);
    let answer = harness.ask("PATCH", &path(0), JSON, r#"{"tags": ["Sand", "sAND", " Stra\u00dfe "]}"#).await;
    assert_eq!(answer.json()["tags"], json!(["Sand", "Stra\u{df}e"]));
    harness.ask("PATCH", &path(1), JSON, r#"{"tags": ["Water", "sand"]}"#).await;
    assert_eq!(titles(&harness.get("/api/v1/videos?tag=SAND").await), ["Waves", "Dunes"]);
    assert_eq!(titles(&harness.get("/api/v1/videos?tag=sand&state=ready").await), [""; 0]);
    assert_eq!(titles(&harness.get("/api/v1/videos?tag=stra%C3%9Fe").await), ["Dunes"]);
    assert_eq!(harness.get("/api/v1/search?q=water").await.json()["results"][0]["video"]["title"], "Waves");
    let first = harness.get("/api/v1/videos?tag=sand&limit=1").await.json();
    assert_eq!(first["videos"][0]["tags"], json!(["Water", "sand"]));
    let next = format!("/api/v1/videos?tag=sand&limit=1&cursor={}", first["next"].as_str().unwrap());
    assert_eq!(titles(&harness.get(&next).await), ["Dunes"]);
    // Another edit leaves them, and an empty list takes them away.
    harness.ask("PATCH", &path(1), JSON, r#"{"title": "Sea"}"#).await;
    assert_eq!(titles(&harness.get("/api/v1/videos?tag=water").await), ["Sea"]);
    assert_eq!(harness.ask("PATCH", &path(1), JSON, r#"{"tags": []}"#).await.json()["tags"], json!([]));
    assert_eq!(titles(&harness.get("/api/v1/videos?tag=sand").await), ["Dunes"]);
    assert_eq!(harness.get("/api/v1/search?q=water").await.json()["results"], json!([]));
    for wrong in [r#"{"tags": ["a,b"]}"#, r#"{"tags": [""]}"#] {
        harness.ask("PATCH", &path(2), JSON, wrong).await.is_problem(422, "invalid_text");
    }
    harness.ask("PATCH", &path(2), JSON, r#"{"tags": "sand"}"#).await.is_problem(400, "invalid_document");
    harness.get("/api/v1/videos?tag=").await.is_problem(422, "invalid_text");
}

#[tokio::test]
async fn a_view_counts_once_a_viewer() {
    let harness = Harness::open().await;
    let path = format!("/api/v1/videos/{}", harness.uploaded("Dunes").await);
    for _ in 0..3 {
        assert_eq!(harness.ask("POST", &format!("{path}/views"), &[], "").await.status, 204);
    }
    assert_eq!(harness.get(&path).await.json()["views"], 1);
    let nowhere = harness.ask("POST", "/api/v1/videos/0123456789abcdef/views", &[], "").await;
    nowhere.is_problem(404, "unknown_video");
}

#[tokio::test]
async fn edits_that_make_no_sense_are_refused() {
    let harness = Harness::open().await;
    let id = harness.uploaded("Before").await;
    let path = format!("/api/v1/videos/{id}");
    for (body, status, code) in [
        (r#"{"title": ""}"#.to_owned(), 422, "invalid_text"),
        (format!(r#"{{"title": "{}"}}"#, "x".repeat(201)), 422, "invalid_text"),
        (r#"{"title": "a\u0007b"}"#.to_owned(), 422, "invalid_text"),
        (r#"{"state": "ready"}"#.to_owned(), 400, "invalid_document"),
        ("{".to_owned(), 400, "invalid_document"),
        (format!(r#"{{"title": "{}"}}"#, "x".repeat(100_000)), 413, "body_too_large"),
    ] {
        harness.ask("PATCH", &path, JSON, body).await.is_problem(status, code);
    }
    let text = [("content-type", "text/plain")];
    harness.ask("PATCH", &path, &text, "{}").await.is_problem(415, "unsupported_media_type");
    assert_eq!(harness.get(&path).await.json()["title"], "Before");
}

#[tokio::test]
async fn deleting_removes_the_blobs_too() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    harness.put(&id, "720p/0.m4s", "segment").await;
    let path = format!("/api/v1/videos/{id}");
    assert_eq!(harness.ask("DELETE", &path, &[], "").await.status, 204);
    harness.get(&path).await.is_problem(404, "unknown_video");
    harness.get(&format!("/v/{id}/720p/0.m4s")).await.is_problem(404, "unknown_video");
    for folder in ["videos", "sources"] {
        assert!(harness.store.blobs.children(folder).await.unwrap().is_empty(), "{folder}");
    }
    harness.ask("DELETE", &path, &[], "").await.is_problem(404, "unknown_video");
}

#[tokio::test]
async fn only_a_failed_video_can_be_tried_again() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let path = format!("/api/v1/videos/{id}/retry");
    harness.ask("POST", &path, &[], "").await.is_problem(409, "not_failed");
    let failure = Failure { code: "not_media".to_owned(), message: "This is not a video.".to_owned() };
    harness.fail(&id, &failure).await;
    let failed = harness.get(&format!("/api/v1/videos/{id}")).await.json();
    assert_eq!(failed["error"], json!({ "code": "not_media", "message": "This is not a video." }));
    assert_eq!((&failed["state"], &failed["playback"]), (&json!("failed"), &Value::Null));
    let answer = harness.ask("POST", &path, &[], "").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (202, &json!("uploaded")));
    harness
        .ask("POST", "/api/v1/videos/0123456789abcdef/retry", &[], "")
        .await
        .is_problem(404, "unknown_video");
}

#[tokio::test]
async fn unknown_addresses_and_wrong_methods_are_problems() {
    let harness = Harness::open().await;
    harness.get("/api/v1/nothing").await.is_problem(404, "unknown_path");
    harness.get("/api/v2/videos").await.is_problem(404, "unknown_path");
    harness.get("/nothing").await.is_problem(404, "unknown_path");
    harness.get("/api/v1/videos/nonsense").await.is_problem(404, "unknown_video");
    let answer = harness.ask("PUT", "/api/v1/videos", &[], "").await;
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD,POST");
}

#[tokio::test]
async fn health_and_readiness_are_answered() {
    let harness = Harness::open().await;
    assert_eq!(harness.get("/healthz").await.status, 200);
    assert_eq!(harness.get("/readyz").await.status, 200);
}
