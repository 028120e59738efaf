use std::time::Duration;

use origin::Config;
use serde_json::{Value, json};
use store::{Advance, Conclusion, Cue, DetectedLanguage, Job, JobKind, VideoId};

use crate::harness::Harness;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const VTT: &str =
    "WEBVTT\n\n00:01.000 --> 00:02.500\nHello <b>there</b>\n\n00:05.000 --> 00:07.000\nacross\nthe border\n";
const SHORT: Duration = Duration::from_millis(100);

/// Makes a video of two segments that plays, and claims its captions.
async fn listening(harness: &Harness) -> (VideoId, Job) {
    let id = harness.planned(2).await;
    harness.store.videos.mark_playable(&id).await.unwrap();
    let lease = Duration::from_mins(1);
    let job = harness.store.jobs.claim(&[JobKind::Captions], "ear", lease).await.unwrap().unwrap();
    harness.store.captions.begin(&job).await.unwrap().unwrap();
    (id, job)
}

async fn advance(harness: &Harness, job: &Job, seconds_done: f64, text: &str) {
    let start_ms = (seconds_done * 1000.0) as u64 - 2000;
    let cue = Cue {
        start_ms,
        end_ms: start_ms + 1000,
        styles: String::new(),
        settings: String::new(),
        text: text.into(),
    };
    let window = Advance { seconds_done, checkpoint: "{}", cues: &[cue], segments: "[]" };
    assert!(harness.store.captions.advance(job, &window).await.unwrap());
}

const MACHINE: &str =
    r#"{"model":"tiny","model_sha256":"ab","library":"clipcut","sound_sha256":"cd","settings":{}}"#;

async fn set_language(harness: &Harness, job: &Job) {
    let detected = DetectedLanguage { language: "en", provenance: MACHINE };
    harness.store.captions.set_language(job, &detected).await.unwrap().unwrap();
}

async fn text(harness: &Harness, path: &str) -> String {
    let answer = harness.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// Adds `VTT` in German and returns its document.
async fn added(harness: &Harness, id: &VideoId) -> Value {
    let answer = harness.ask("POST", &format!("/api/v1/videos/{id}/captions?language=DE"), &[], VTT).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

#[tokio::test]
async fn a_persons_file_is_listed_and_goes_out_in_every_format() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    let track = added(&harness, &id).await;
    assert_eq!(
        (&track["language"], &track["name"], &track["origin"]),
        (&json!("de"), &json!("de"), &json!("person"))
    );
    assert_eq!((&track["state"], &track["listed"]), (&json!("done"), &json!(true)));
    let video = harness.get(&format!("/api/v1/videos/{id}")).await.json();
    let listed = video["captions"].as_array().unwrap();
    assert_eq!(listed.len(), 2, "the machine's and the person's");
    let vtt = text(&harness, track["files"]["vtt"].as_str().unwrap()).await;
    assert!(vtt.contains("00:00:01.000 --> 00:00:02.500\nHello <b>there</b>\n"), "{vtt}");
    let srt = text(&harness, track["files"]["srt"].as_str().unwrap()).await;
    assert!(srt.contains("00:00:05,000 --> 00:00:07,000"), "{srt}");
    let txt = text(&harness, track["files"]["txt"].as_str().unwrap()).await;
    assert!(txt.starts_with("Hello there\n"), "{txt}");
    let json: Value =
        serde_json::from_str(&text(&harness, track["files"]["json"].as_str().unwrap()).await).unwrap();
    assert_eq!((&json["language"], &json["provenance"]["by"]), (&json!("de"), &json!("person")));
    assert_eq!(json["cues"][1]["text"], "across\nthe border");
}

#[tokio::test]
async fn a_cue_across_a_border_stands_in_both_segments() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    added(&harness, &id).await;
    for number in 0..2 {
        let answer = harness.get(&format!("/v/{id}/captions/de/{number}.vtt")).await;
        let segment = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(segment.starts_with("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000\n"), "{segment}");
        assert!(segment.contains("00:00:05.000 --> 00:00:07.000\nacross\nthe border\n"), "{segment}");
        assert_eq!(segment.contains("Hello"), number == 0, "{segment}");
        assert_eq!(answer.header("content-type"), "text/vtt; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "public, max-age=2");
    }
    harness.get(&format!("/v/{id}/captions/de/2.vtt")).await.is_problem(404, "unknown_segment");
    harness.get(&format!("/v/{id}/captions/fr/0.vtt")).await.is_problem(404, "unknown_file");
    let path = format!("/v/{id}/captions/de/0.vtt");
    let etag = harness.get(&path).await.header("etag").to_owned();
    assert_eq!(harness.ask("GET", &path, &[("if-none-match", &etag)], "").await.status, 304);
}

#[tokio::test]
async fn markup_of_pages_and_arrows_are_words() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let srt = "1\n00:00:01,000 --> 00:00:02,000\n<script>alert(1)</script>\na --&gt; b & c\n";
    let answer = harness.ask("POST", &format!("/api/v1/videos/{id}/captions?language=en"), &[], srt).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    let segment = text(&harness, &format!("/v/{id}/captions/en/0.vtt")).await;
    let wanted = "&lt;script&gt;alert(1)&lt;/script&gt;\na --&gt; b &amp; c\n";
    assert!(segment.contains(wanted), "{segment}");
}

#[tokio::test]
async fn a_wrong_file_is_refused_with_its_line() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let path = format!("/api/v1/videos/{id}/captions?language=en");
    let backwards = harness.ask("POST", &path, &[], "WEBVTT\n\n00:02.000 --> 00:01.000\nx").await;
    backwards.is_problem(400, "invalid_captions");
    assert!(backwards.json()["detail"].as_str().unwrap().contains("line 3"), "{}", backwards.json());
    harness.ask("POST", &path, &[], "hello").await.is_problem(400, "invalid_captions");
    harness.ask("POST", &path, &[], "").await.is_problem(400, "file_required");
    let huge = "x".repeat(captions::file::MAX_BYTES + 1);
    harness.ask("POST", &path, &[], huge).await.is_problem(413, "body_too_large");
    let nameless = format!("/api/v1/videos/{id}/captions");
    harness.ask("POST", &nameless, &[], VTT).await.is_problem(400, "language_required");
    let odd = format!("/api/v1/videos/{id}/captions?language=german");
    harness.ask("POST", &odd, &[], VTT).await.is_problem(400, "invalid_language");
    let unknown = "/api/v1/videos/0123456789abcdef/captions?language=de";
    harness.ask("POST", unknown, &[], VTT).await.is_problem(404, "unknown_video");
    let answer = harness.get(&format!("/api/v1/videos/{id}/captions")).await.json();
    assert_eq!(answer["captions"].as_array().unwrap().len(), 1, "nothing of them was kept: {answer}");
}

#[tokio::test]
async fn a_form_brings_a_file_of_any_encoding_with_its_names() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let mut form = Vec::new();
    for (name, value) in [("language", "de"), ("label", "Für alle")] {
        form.extend(
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    form.extend(b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.srt\"\r\n\r\n");
    // In Latin-1.
    form.extend(b"1\r\n00:00:01,000 --> 00:00:02,000\r\nSch\xf6ne Gr\xfc\xdfe aus K\xf6ln\r\n\r\n--b--\r\n");
    let kind = [("content-type", "multipart/form-data; boundary=b")];
    let answer = harness.ask("POST", &format!("/api/v1/videos/{id}/captions"), &kind, form).await;
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.json()["label"], "Für alle");
    let vtt = text(&harness, &format!("/v/{id}/captions/de.vtt")).await;
    assert!(vtt.contains("Schöne Grüße aus Köln"), "{vtt}");
}

#[tokio::test]
async fn a_segment_that_is_being_written_is_waited_for() {
    let harness = Harness::open().await;
    let (id, job) = listening(&harness).await;
    harness.get(&format!("/v/{id}/captions/en/0.vtt")).await.is_problem(404, "unknown_file");
    set_language(&harness, &job).await;
    advance(&harness, &job, 6.0, "first").await;
    let first = text(&harness, &format!("/v/{id}/captions/en/0.vtt")).await;
    assert!(first.contains("first"), "{first}");
    let whole = harness.get(&format!("/v/{id}/captions/en.vtt")).await;
    assert_eq!(whole.header("cache-control"), "no-store", "more is to come");

    let path = format!("/v/{id}/captions/en/1.vtt");
    let asked = harness.get(&path);
    tokio::pin!(asked);
    assert!(tokio::time::timeout(SHORT, &mut asked).await.is_err(), "answered before it was written");
    advance(&harness, &job, 12.0, "second").await;
    assert!(tokio::time::timeout(SHORT, &mut asked).await.is_err(), "the last has no end of its own");
    harness.store.captions.conclude(&job, Conclusion::Whole).await.unwrap();
    let answer = asked.await;
    assert_eq!(answer.status, 200);
    assert!(String::from_utf8_lossy(&answer.body).contains("second"));
    let whole = harness.get(&format!("/v/{id}/captions/en.vtt")).await;
    assert_eq!(whole.header("cache-control"), "public, max-age=2");
    let json: Value =
        serde_json::from_str(&text(&harness, &format!("/v/{id}/captions/en.json")).await).unwrap();
    assert_eq!(
        (&json["provenance"]["by"], &json["provenance"]["model"]),
        (&json!("machine"), &json!("tiny"))
    );
}

#[tokio::test]
async fn a_segment_that_takes_too_long_to_write_is_503_and_not_kept() {
    let harness = Harness::with(Config { segment_wait: SHORT, ..Config::default() }).await;
    let (id, job) = listening(&harness).await;
    set_language(&harness, &job).await;
    advance(&harness, &job, 3.0, "half").await;
    let answer = harness.get(&format!("/v/{id}/captions/en/0.vtt")).await;
    answer.is_problem(503, "captions_not_written_yet");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn what_a_broken_off_machine_wrote_stays_to_be_seen() {
    let harness = Harness::open().await;
    let (id, job) = listening(&harness).await;
    set_language(&harness, &job).await;
    advance(&harness, &job, 6.0, "first").await;
    harness.store.captions.conclude(&job, Conclusion::Failed("The model broke.")).await.unwrap();
    let second = text(&harness, &format!("/v/{id}/captions/en/1.vtt")).await;
    assert!(!second.contains("-->"), "{second}");
    let listed = harness.get(&format!("/api/v1/videos/{id}/captions")).await.json();
    let track = &listed["captions"][0];
    assert_eq!((&track["state"], &track["message"]), (&json!("failed"), &json!("The model broke.")));
    assert_eq!((&track["machine"]["model"], &track["listed"]), (&json!("tiny"), &json!(true)));
}

#[tokio::test]
async fn a_cue_is_corrected_added_and_deleted() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    let track = added(&harness, &id).await;
    let path = format!("/api/v1/videos/{id}/captions/{}/cues", track["id"].as_str().unwrap());
    let cues = harness.get(&path).await.json();
    assert_eq!(
        cues["cues"][0],
        json!({ "number": 1, "start_seconds": 1.0, "end_seconds": 2.5, "text": "Hello there" })
    );

    let change = json!({ "text": "Hello\n\nyou", "end_seconds": 3.25 }).to_string();
    let edited = harness.ask("PATCH", &format!("{path}/1"), JSON, change).await;
    assert_eq!(
        edited.json(),
        json!({ "number": 1, "start_seconds": 1.0, "end_seconds": 3.25, "text": "Hello\nyou" })
    );
    let new = json!({ "start_seconds": 3.5, "end_seconds": 4.0, "text": "new" }).to_string();
    assert_eq!(harness.ask("POST", &path, JSON, new).await.json()["number"], 3);
    assert_eq!(harness.ask("DELETE", &format!("{path}/2"), &[], "").await.status, 204);
    let vtt = text(&harness, &format!("/v/{id}/captions/de/0.vtt")).await;
    assert!(vtt.contains("00:00:01.000 --> 00:00:03.250\nHello\nyou\n"), "{vtt}");
    assert!(vtt.contains("new") && !vtt.contains("border"), "{vtt}");
    let shown = harness.get(&format!("/api/v1/videos/{id}/captions/{}", track["id"].as_str().unwrap())).await;
    assert_eq!(shown.json()["edited"], true);

    for (change, code) in [
        (json!({ "start_seconds": 9.0 }), "cue_backwards"),
        (json!({ "start_seconds": -1.0 }), "invalid_cue_time"),
        (json!({ "text": " \n " }), "cue_without_text"),
        (json!({ "text": "x".repeat(2001) }), "too_long"),
        (json!({ "words": "x" }), "invalid_document"),
    ] {
        harness.ask("PATCH", &format!("{path}/1"), JSON, change.to_string()).await.is_problem(400, code);
    }
    harness.ask("PATCH", &format!("{path}/9"), JSON, "{}").await.is_problem(404, "unknown_cue");
    harness.ask("PATCH", &format!("{path}/x"), JSON, "{}").await.is_problem(404, "unknown_cue");
    harness.ask("PATCH", &format!("{path}/1"), &[], "{}").await.is_problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_track_is_renamed_replaced_and_deleted() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let track = added(&harness, &id).await;
    let path = format!("/api/v1/videos/{id}/captions/{}", track["id"].as_str().unwrap());
    let names = json!({ "language": "fr", "label": "Sous-titres" }).to_string();
    let renamed = harness.ask("PATCH", &path, JSON, names).await.json();
    assert_eq!((&renamed["name"], &renamed["label"]), (&json!("fr"), &json!("Sous-titres")));
    let srt = "1\n00:00:00,500 --> 00:00:01,000\nautre\n";
    let replaced = harness.ask("PUT", &path, &[], srt).await;
    assert_eq!((replaced.status.as_u16(), &replaced.json()["name"]), (200, &json!("fr")));
    assert!(text(&harness, &format!("/v/{id}/captions/fr.vtt")).await.contains("autre"));
    let other = harness.planned(1).await;
    let wrong = format!("/api/v1/videos/{other}/captions/{}", track["id"].as_str().unwrap());
    harness.ask("DELETE", &wrong, &[], "").await.is_problem(404, "unknown_captions");
    assert_eq!(harness.ask("DELETE", &path, &[], "").await.status, 204);
    harness.ask("DELETE", &path, &[], "").await.is_problem(404, "unknown_captions");
    harness.get(&format!("/v/{id}/captions/fr.vtt")).await.is_problem(404, "unknown_file");
}

#[tokio::test]
async fn the_machine_is_asked_for_another_language_and_again() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let path = format!("/api/v1/videos/{id}/captions");
    let wish = json!({ "language": "de", "prompt": "Clip Cut", "translate": true }).to_string();
    let asked = harness.ask("POST", &format!("{path}/machine"), JSON, wish).await;
    assert_eq!(asked.status, 202);
    let track = asked.json();
    assert_eq!(
        (&track["state"], &track["listed"], &track["files"]),
        (&json!("queued"), &json!(false), &Value::Null)
    );
    let wanted = json!({ "language": "de", "model": null, "prompt": "Clip Cut", "translate": true });
    assert_eq!(track["asked"], wanted);
    let again = format!("{path}/{}/machine", track["id"].as_str().unwrap());
    let asked = harness.ask("POST", &again, JSON, json!({ "model": "small" }).to_string()).await;
    assert_eq!((asked.status.as_u16(), &asked.json()["asked"]["model"]), (202, &json!("small")));
    for (wish, code) in [
        (json!({ "language": "german" }), "invalid_language"),
        (json!({ "prompt": "x".repeat(1001) }), "too_long"),
        (json!({ "voice": "x" }), "invalid_document"),
    ] {
        harness.ask("POST", &again, JSON, wish.to_string()).await.is_problem(400, code);
    }
}

#[tokio::test]
async fn a_language_that_the_model_does_not_know_is_refused_with_the_list() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let path = format!("/api/v1/videos/{id}/captions/machine");
    let ask = async |wish: Value| harness.ask("POST", &path, JSON, wish.to_string()).await;
    let unknown = json!({ "language": "tlh" });
    // Nobody has read a model yet.
    let asked = ask(unknown.clone()).await;
    assert_eq!(asked.status, 202);
    let again = format!("/api/v1/videos/{id}/captions/{}/machine", asked.json()["id"].as_str().unwrap());
    let codes = ["de", "en"].map(str::to_owned);
    harness.store.captions.learn_languages(None, &codes).await.unwrap();
    for refused in [ask(unknown.clone()).await, harness.ask("POST", &again, JSON, unknown.to_string()).await]
    {
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        refused.is_problem(400, "unknown_language");
        assert!(detail.contains("`tlh`") && detail.contains("de, en"), "{detail}");
    }
    assert_eq!(ask(json!({ "language": "de-AT" })).await.status, 202);
    assert_eq!(ask(json!({ "language": "tlh", "model": "small" })).await.status, 202);
    harness.store.captions.learn_languages(None, &[]).await.unwrap();
    assert_eq!(ask(unknown).await.status, 202);
}
