//! Idempotency keys: a request that is sent again is done once.

use serde_json::json;
use store::{UserId, accounts::Repeatable};

use crate::harness::{Client, Site, config};

const TOKENS: &str = "/api/v1/account/tokens";
const KEY: &str = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"";

async fn tokens(browser: &Client<'_>) -> usize {
    browser.get(TOKENS).await.json()["tokens"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_ones_answer_and_creates_nothing_more() {
    let site = Site::open(config()).await;
    let mut browser = site.administrator().await;
    browser.set("idempotency-key", KEY);
    let wanted = json!({ "name": "laptop", "scopes": ["read"] });
    let first = browser.ask("POST", TOKENS, &wanted).await;
    first.is(201);
    assert_eq!(first.header("idempotency-replayed"), "");
    for key in [KEY, KEY.trim_matches('"')] {
        browser.set("idempotency-key", key);
        let again = browser.ask("POST", TOKENS, &wanted).await;
        again.is(201);
        assert_eq!((again.header("idempotency-replayed"), &again.body), ("?1", &first.body));
        assert_eq!(again.header("content-type"), "application/json");
    }
    assert_eq!(tokens(&browser).await, 1);
    // The same key with another body, and another key with the same.
    let other = json!({ "name": "desk", "scopes": ["read"] });
    browser.ask("POST", TOKENS, &other).await.is_problem(422, "idempotency_key_reused");
    browser.set("idempotency-key", "\"another\"");
    browser.ask("POST", TOKENS, &wanted).await.is(201);
    assert_eq!(tokens(&browser).await, 2);
}

#[tokio::test]
async fn a_key_is_of_one_endpoint_and_one_person_and_its_answer_of_one_session() {
    let site = Site::open(accounts::Config { sign_up: accounts::SignUp::Open, ..config() }).await;
    let mut first = site.administrator().await;
    first.set("idempotency-key", KEY);
    first.ask("POST", TOKENS, &json!({ "name": "t", "scopes": ["read"] })).await.is(201);
    first.ask("POST", "/api/v1/invitations", &json!({})).await.is(201);
    let mut second = site.browser();
    second.sign_up("other@example.org", None).await;
    second.set("idempotency-key", KEY);
    let made = second.ask("POST", TOKENS, &json!({ "name": "t", "scopes": ["read"] })).await;
    made.is(201);
    assert_eq!(made.header("idempotency-replayed"), "");
    let mut elsewhere = site.browser();
    elsewhere.sign_in("admin@example.org", crate::harness::PASSWORD).await;
    elsewhere.set("idempotency-key", KEY);
    let refused = elsewhere.ask("POST", TOKENS, &json!({ "name": "t", "scopes": ["read"] })).await;
    refused.is_problem(422, "idempotency_key_reused");
}

#[tokio::test]
async fn what_was_refused_may_be_tried_again_with_its_key() {
    let site = Site::open(config()).await;
    let mut browser = site.administrator().await;
    browser.set("idempotency-key", KEY);
    let wanted = json!({ "name": "", "scopes": ["read"] });
    for _ in 0..2 {
        browser.ask("POST", TOKENS, &wanted).await.is_problem(422, "invalid_name");
    }
    browser.ask("POST", TOKENS, &json!({ "name": "t", "scopes": ["read"] })).await.is(201);
    for invalid in ["", "\"\"", "\"a\"b\"", &"x".repeat(256)] {
        browser.set("idempotency-key", invalid);
        browser.ask("POST", TOKENS, &wanted).await.is_problem(400, "invalid_idempotency_key");
    }
}

#[tokio::test]
async fn while_the_first_request_runs_its_repetition_is_409() {
    let site = Site::open(config()).await;
    let mut browser = site.administrator().await;
    browser.set("idempotency-key", KEY);
    let body = json!({ "name": "t", "scopes": ["read"] });
    browser.ask("POST", TOKENS, &body).await.is(201);
    // As a request that has begun leaves it.
    let user = UserId::from(browser.get("/api/v1/account").await.json()["id"].as_str().unwrap().to_owned());
    let fingerprint = fingerprint(&body.to_string());
    let running = Repeatable { user, endpoint: format!("POST {TOKENS}"), key: hash("running"), fingerprint };
    site.store.accounts.idempotency.begin(&running).await.unwrap();
    browser.set("idempotency-key", "\"running\"");
    let refused = browser.ask("POST", TOKENS, &body).await;
    refused.is_problem(409, "request_running");
    assert_eq!(refused.header("retry-after"), "1");
    site.store.accounts.idempotency.release(&running).await.unwrap();
    browser.ask("POST", TOKENS, &body).await.is(201);
}

/// Returns the fingerprint of a document without a query.
fn fingerprint(body: &str) -> String {
    hash(&format!("\napplication/json\n{body}"))
}

fn hash(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn no_answer_can_be_read_in_the_table() {
    let site = Site::open(config()).await;
    let mut browser = site.administrator().await;
    browser.set("idempotency-key", KEY);
    let body = json!({ "name": "t", "scopes": ["read"] });
    let made = browser.ask("POST", TOKENS, &body).await.json();
    let user = UserId::from(browser.get("/api/v1/account").await.json()["id"].as_str().unwrap().to_owned());
    let endpoint = format!("POST {TOKENS}");
    let key = hash(KEY.trim_matches('"'));
    let kept = Repeatable { user, endpoint, key, fingerprint: fingerprint(&body.to_string()) };
    let begun = site.store.accounts.idempotency.begin(&kept).await.unwrap();
    let store::accounts::Begun::Answered(sealed) = begun else { panic!("{begun:?}") };
    for readable in ["laptop", "clipcut_", made["token"].as_str().unwrap()] {
        assert!(!sealed.contains(readable), "{sealed}");
    }
}
