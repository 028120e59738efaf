use serde_json::json;
use store::{Cue, NewTrack};

use crate::harness::Harness;

async fn captioned(harness: &Harness, title: &str, words: &[&str]) {
    let id = harness.uploaded(title).await;
    let cues: Vec<Cue> = (2..)
        .step_by(5)
        .zip(words)
        .map(|(second, text)| Cue {
            start_ms: second * 1000 + 250,
            end_ms: second * 1000 + 2250,
            text: (*text).to_owned(),
            ..Cue::default()
        })
        .collect();
    let track = NewTrack { language: "en", label: None, cues: &cues };
    harness.store.captions.add(&id, &track).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_word_that_is_said_is_found_with_its_moments() {
    let harness = Harness::open().await;
    captioned(&harness, "A walk", &["Here are the dunes.", "<b>Dunes</b> again", "The sea"]).await;
    harness.uploaded("Dünen & dunes").await;
    let answer = harness.get("/api/v1/search?q=dunes").await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let found = answer.json();
    assert_eq!(found["results"][0]["video"]["title"], "Dünen & dunes");
    assert_eq!((&found["results"][0]["place"], &found["results"][0]["hits"]), (&json!("title"), &json!([])));
    assert_eq!(found["results"][1]["video"]["title"], "A walk");
    assert_eq!(
        found["results"][1]["hits"],
        json!([
            { "language": "en", "start_seconds": 2.25, "end_seconds": 4.25, "text": "Here are the dunes." },
            { "language": "en", "start_seconds": 7.25, "end_seconds": 9.25, "text": "<b>Dunes</b> again" },
        ])
    );
    assert_eq!((&found["results"][1]["hits_total"], &found["next"]), (&json!(2), &json!(null)));
}

#[tokio::test]
async fn results_are_paged() {
    let harness = Harness::open().await;
    for n in 0..3 {
        harness.uploaded(&format!("Dunes {n}")).await;
    }
    let first = harness.get("/api/v1/search?q=dunes&limit=2").await.json();
    assert_eq!(first["results"][1]["video"]["title"], "Dunes 1");
    let cursor = first["next"].as_str().unwrap();
    let second = harness.get(&format!("/api/v1/search?q=dunes&limit=2&cursor={cursor}")).await.json();
    assert_eq!((&second["results"][0]["video"]["title"], &second["next"]), (&json!("Dunes 0"), &json!(null)));
}

#[tokio::test]
async fn searches_that_cannot_be_are_refused_and_odd_ones_find_nothing() {
    let harness = Harness::open().await;
    harness.get("/api/v1/search").await.is_problem(400, "invalid_query");
    harness.get("/api/v1/search?q=a&limit=51").await.is_problem(400, "invalid_limit");
    harness.get("/api/v1/search?q=a&limit=0").await.is_problem(400, "invalid_limit");
    harness.get("/api/v1/search?q=a&cursor=speech-1").await.is_problem(400, "invalid_cursor");
    let long = format!("/api/v1/search?q={}", "a".repeat(501));
    harness.get(&long).await.is_problem(400, "query_too_long");
    for q in ["", "%20", "%22", "%00", "a%27%20or%201", "%2a", "NOT%20x", "%7b%7d", "%ff"] {
        let answer = harness.get(&format!("/api/v1/search?q={q}")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["results"]), (200, &json!([])), "{q}");
    }
}
