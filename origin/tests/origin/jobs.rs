use std::time::Duration;

use serde_json::json;
use store::{JobKind, Segment};

use crate::harness::Harness;

#[tokio::test]
async fn the_queue_shows_who_works_on_what_and_what_waits() {
    let harness = Harness::open().await;
    let id = harness.planned(4).await;
    let lease = Duration::from_mins(1);
    harness.store.jobs.claim(&[JobKind::Video], "packager-1", lease).await.unwrap().unwrap();
    let segment = Segment { number: 0, facts: "{}".to_owned() };
    harness.store.renditions.publish(&id, "720p", &segment).await.unwrap();
    let answer = harness.get("/api/v1/jobs").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let queue = answer.json();
    let running = &queue["jobs"][0];
    assert_eq!(running["video"], json!({ "id": id, "title": "Planned" }));
    for (field, expected) in [
        ("kind", json!("video")),
        ("class", json!("rest")),
        ("state", json!("running")),
        ("tracks", json!(["720p"])),
        ("first_segment", json!(0)),
        ("segments_total", json!(4)),
        ("segments_published", json!(1)),
        ("attempts", json!(1)),
        ("worker", json!("packager-1")),
    ] {
        assert_eq!(running[field], expected, "{field} of {running}");
    }
    assert!(
        running["segments_per_minute"].as_f64().unwrap() > 0.0 && running["since"].is_string(),
        "{running}"
    );
    let waiting = queue["jobs"].as_array().unwrap()[1..].iter().find(|job| job["kind"] == "prepare").unwrap();
    assert_eq!(
        (&waiting["state"], &waiting["worker"], &waiting["since"]),
        (&json!("waiting"), &json!(null), &json!(null))
    );
    let counts = queue["counts"].as_array().unwrap();
    assert!(
        counts.iter().any(|it| it["kind"] == "video" && it["state"] == "running" && it["jobs"] == 1),
        "{counts:?}"
    );
    assert_eq!(harness.get("/api/v1/jobs?limit=1").await.json()["jobs"].as_array().unwrap().len(), 1);
    harness.get("/api/v1/jobs?limit=0").await.is_problem(400, "invalid_limit");
    harness.get("/api/v1/jobs?limit=201").await.is_problem(400, "invalid_limit");
}
