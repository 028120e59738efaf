//! Tokens: made once, used as far as their scopes go, and ended.

use serde_json::{Value, json};

use crate::harness::{Site, config};

#[tokio::test]
async fn a_token_is_shown_once_and_ends_when_it_is_removed() {
    let site = Site::open(config()).await;
    let browser = site.administrator().await;
    let wanted = json!({ "name": "laptop", "scopes": ["upload", "read", "read"] });
    let made = browser.ask("POST", "/api/v1/account/tokens", &wanted).await;
    made.is(201);
    let made = made.json();
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["scopes"], json!(["read", "upload"]));
    assert!(token.starts_with("clipcut_"), "{token}");
    let listed = browser.get("/api/v1/account/tokens").await.json();
    assert_eq!((&listed["tokens"][0]["id"], &listed["tokens"][0]["last_used"]), (&made["id"], &Value::Null));
    assert!(!listed.to_string().contains(token));

    let mut program = site.browser();
    program.set("authorization", &format!("bearer {token}"));
    assert_eq!(program.get("/api/v1/account").await.json()["email"], "admin@example.org");
    assert_ne!(browser.get("/api/v1/account/tokens").await.json()["tokens"][0]["last_used"], Value::Null);
    // Endpoints that could make it stronger need a person.
    for (method, path) in [
        ("GET", "/api/v1/account/tokens"),
        ("POST", "/api/v1/account/tokens"),
        ("PUT", "/api/v1/account/password"),
        ("PATCH", "/api/v1/account"),
        ("GET", "/api/v1/users"),
    ] {
        program.ask(method, path, &wanted).await.is_problem(403, "session_required");
    }
    let path = format!("/api/v1/account/tokens/{}", made["id"].as_str().unwrap());
    browser.ask("DELETE", &path, &Value::Null).await.is(204);
    let refused = program.get("/api/v1/account").await;
    refused.is_problem(401, "invalid_token");
    assert!(refused.header("www-authenticate").starts_with("Bearer"), "{refused:?}");
}

#[tokio::test]
async fn a_token_does_what_its_scopes_name_until_its_end() {
    let site = Site::open(config()).await;
    let browser = site.administrator().await;
    let add = async |wanted: Value| browser.ask("POST", "/api/v1/account/tokens", &wanted).await;
    let made = add(json!({ "name": "t", "scopes": ["upload"] })).await.json();
    let mut program = site.browser();
    program.set("authorization", &format!("Bearer {}", made["token"].as_str().unwrap()));
    program.get("/api/v1/account").await.is_problem(403, "insufficient_scope");
    add(json!({ "name": "t", "scopes": [] })).await.is_problem(422, "no_scope");
    add(json!({ "name": "t", "scopes": ["all"] })).await.is_problem(400, "invalid_document");
    add(json!({ "name": "t", "scopes": ["read"], "expires": "2001-01-01T00:00:00Z" }))
        .await
        .is_problem(400, "invalid_document");
    let ends = add(json!({ "name": "t", "scopes": ["read"], "expires": "2999-01-01T00:00:00Z" })).await;
    assert_eq!(ends.json()["expires"], "2999-01-01T00:00:00Z");
    for nonsense in
        ["Bearer", "Bearer clipcut_x", "Basic YTpi", &format!("Bearer clipcut_{}", "0".repeat(64))]
    {
        program.set("authorization", nonsense);
        program.get("/api/v1/session").await.is_problem(401, "invalid_token");
    }
}
