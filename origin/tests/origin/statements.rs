//! The number of statements behind a page of videos, a batch of events and a published segment: it does not grow with the
//! videos, nor with those who wait.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use store::Failure;
use tokio::task::JoinSet;
use tower::ServiceExt;
use tracing::{Dispatch, Event, Subscriber, instrument::WithSubscriber};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use crate::{
    harness::Harness,
    playback::{SHORT, publish},
};

/// Counts the statements that run within a future.
#[derive(Clone, Default)]
struct Count(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Count {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("store::sql") {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Count {
    async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        work.with_subscriber(tracing_subscriber::registry().with(self.clone())).await
    }

    fn now(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

async fn counted<T>(work: impl Future<Output = T>) -> (T, usize) {
    let count = Count::default();
    (count.during(work).await, count.now())
}

/// Returns how many videos an answer has, and how many statements it took.
async fn page(harness: &Harness, path: &str) -> (usize, usize) {
    // Without a socket: the request is answered in this task, and its statements are seen.
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let answer = async {
        let response = harness.origin.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()
    };
    let (answer, statements) = counted(answer).await;
    let listed = answer["videos"].as_array().or(answer["results"].as_array()).unwrap();
    (listed.len(), statements)
}

/// Makes videos in every state that asks for more than its row.
async fn fill(harness: &Harness) {
    for _ in 0..12 {
        let id = harness.planned(2).await;
        harness.put(&id, "poster.jpg", "jpeg").await;
    }
    for n in 0..30 {
        harness.uploaded(&format!("Planned {n}")).await;
    }
    let failed = harness.planned(1).await;
    harness.fail(&failed, &Failure { code: "not_media".into(), message: "No.".into() }).await;
    for _ in 0..8 {
        harness.begun("Planned").await;
    }
}

#[tokio::test]
async fn a_page_of_fifty_videos_takes_as_many_statements_as_a_page_of_one() {
    let harness = Harness::open().await;
    fill(&harness).await;
    for (path, most) in [("/api/v1/videos", 50), ("/api/v1/search?q=planned", 50)] {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (one, few) = page(&harness, &format!("{path}{separator}limit=1")).await;
        let (all, many) = page(&harness, &format!("{path}{separator}limit={most}")).await;
        assert_eq!((one, all), (1, most), "{path}");
        assert_eq!(many, few, "{path}");
        assert!((2..=9).contains(&many), "{path}: {many}");
    }
    // A search that is not full of titles looks through two more places, each by one statement.
    harness.begun("Once").await;
    let (one, statements) = page(&harness, "/api/v1/search?q=once&limit=50").await;
    assert!(one == 1 && statements <= 11, "{one}: {statements}");
}

#[tokio::test]
async fn a_batch_of_events_takes_as_many_statements_as_one() {
    let harness = Harness::open().await;
    let request = Request::builder().uri("/api/v1/events").body(Body::empty()).unwrap();
    let mut events = harness.origin.router().oneshot(request).await.unwrap().into_body();
    fill(&harness).await;
    let read = async {
        let mut text = String::new();
        while text.matches("event: video").count() < 50 {
            let frame = events.frame().await.unwrap().unwrap();
            text.push_str(&String::from_utf8_lossy(frame.data_ref().unwrap()));
        }
    };
    let ((), statements) = counted(read).await;
    // The first change goes out at once, and all others together.
    assert_eq!(statements % 2, 0, "{statements}");
    assert!(statements <= 18, "{statements}");
}

/// Returns how many statements the publication of a segment takes while some wait for it and some for another.
async fn cost_of_a_segment(for_it: usize, for_others: usize) -> usize {
    let harness = Harness::open().await;
    let id = harness.planned(3).await;
    let count = Count::default();
    let counting = Dispatch::new(tracing_subscriber::registry().with(count.clone()));
    // Tasks: of futures that nobody polls, one that has been given the pool's connection keeps it from the publication.
    let mut waiting = JoinSet::new();
    for number in [vec![0; for_it], vec![1; for_others]].concat() {
        let request = Request::builder().uri(format!("/v/{id}/720p/{number}.m4s")).body(Body::empty());
        let answer = harness.origin.router().oneshot(request.unwrap());
        let status = async move { (number, answer.await.unwrap().status().as_u16()) };
        waiting.spawn(status.with_subscriber(counting.clone()));
    }
    let publication = async {
        // All have asked once none asks for a while.
        let (mut before, mut quiet) = (0, 0);
        while quiet < 5 {
            tokio::time::sleep(SHORT).await;
            quiet = if count.now() == before { quiet + 1 } else { 0 };
            before = count.now();
        }
        assert!(waiting.try_join_next().is_none(), "before it is there");
        publish(&harness, &id, "720p", 0).await;
        for _ in 0..for_it {
            assert_eq!(waiting.join_next().await.unwrap().unwrap(), (0, 200));
        }
        count.now() - before
    };
    let cost = publication.with_subscriber(counting.clone()).await;
    assert_eq!(waiting.len(), for_others, "others were answered");
    cost
}

#[tokio::test]
async fn a_segment_costs_as_many_statements_whoever_waits() {
    let alone = Box::pin(cost_of_a_segment(0, 0)).await;
    assert!(alone > 0, "none is seen");
    assert_eq!(Box::pin(cost_of_a_segment(1000, 100)).await, alone);
}
