use std::time::Instant;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use store::Edit;

use crate::harness::Harness;

/// A stream of events as a browser reads it.
struct Events {
    body: Incoming,
    text: String,
}

impl Events {
    async fn open(harness: &Harness, path: &str) -> Self {
        let response = harness.begin("GET", path, &[], "").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { body: response.into_body(), text: String::new() }
    }

    /// Returns the next event's name and data, or `None` at the end of the stream.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let event: String = self.text.drain(..end + 2).collect();
                let field =
                    |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
                let found = (field("event: "), serde_json::from_str(&field("data: ")).unwrap());
                return Some(found);
            }
            let frame = self.body.frame().await?.unwrap();
            self.text += std::str::from_utf8(frame.data_ref().unwrap()).unwrap();
        }
    }
}

async fn rename(harness: &Harness, id: &store::VideoId, title: &str) {
    let edit = Edit { title: Some(title.to_owned()), ..Edit::default() };
    harness.store.videos.edit(id, &edit).await.unwrap();
}

#[tokio::test]
async fn one_videos_stream_starts_with_what_it_is_and_ends_when_it_is_deleted() {
    let harness = Harness::open().await;
    let (id, other) = (harness.uploaded("One").await, harness.uploaded("Other").await);
    let mut events = Events::open(&harness, &format!("/api/v1/videos/{id}/events")).await;
    let (name, document) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &document["title"]), ("video", &Value::from("One")));
    rename(&harness, &other, "Not this one").await;
    rename(&harness, &id, "Renamed").await;
    assert_eq!(events.next().await.unwrap().1["title"], "Renamed");
    harness.store.delete(&id).await.unwrap();
    assert_eq!(events.next().await, Some(("deleted".to_owned(), serde_json::json!({ "id": id }))));
    assert_eq!(events.next().await, None);
    harness.get("/api/v1/videos/0123456789abcdef/events").await.is_problem(404, "unknown_video");
}

#[tokio::test]
async fn the_stream_of_all_has_every_video_with_its_whole_document() {
    let harness = Harness::open().await;
    let id = harness.uploaded("First").await;
    let mut events = Events::open(&harness, "/api/v1/events").await;
    rename(&harness, &id, "Renamed").await;
    let (name, document) = events.next().await.unwrap();
    assert_eq!((name.as_str(), &document["title"]), ("video", &Value::from("Renamed")));
    assert_eq!(document, harness.get(&format!("/api/v1/videos/{id}")).await.json());
    harness.store.delete(&id).await.unwrap();
    assert_eq!(events.next().await.unwrap().0, "deleted");
}

#[tokio::test]
async fn changes_that_come_fast_are_gathered() {
    let harness = Harness::open().await;
    let id = harness.uploaded("0").await;
    let mut events = Events::open(&harness, &format!("/api/v1/videos/{id}/events")).await;
    events.next().await.unwrap();
    let began = Instant::now();
    for n in 1..=50 {
        rename(&harness, &id, &n.to_string()).await;
    }
    let mut sent = 0;
    loop {
        sent += 1;
        if events.next().await.unwrap().1["title"] == "50" {
            break;
        }
    }
    // Four a second, and one at each end.
    let most = began.elapsed().as_millis() / 250 + 2;
    assert!(sent <= most, "{sent} events for 50 changes");
}

#[tokio::test]
async fn a_listener_that_lags_gets_the_documents_again() {
    let harness = Harness::open().await;
    let id = harness.uploaded("First").await;
    let mut events = Events::open(&harness, "/api/v1/events").await;
    // More signals than the store keeps, about a video that is none, and the one that counts before it. The
    // stream's task cannot run in between, as nothing here waits.
    let noise = store::VideoId::random();
    harness.store.signals.publish(store::Signal::Changed(id.clone()));
    for _ in 0..5000 {
        harness.store.signals.publish(store::Signal::Changed(noise.clone()));
    }
    loop {
        let (name, document) = events.next().await.unwrap();
        if name == "video" {
            assert_eq!(document["id"], id.as_str());
            break;
        }
    }
}

#[tokio::test]
async fn the_shutdown_ends_the_streams() {
    let harness = Harness::open().await;
    let mut events = Events::open(&harness, "/api/v1/events").await;
    harness.shutdown.cancel();
    assert_eq!(events.next().await, None);
}
