//! Signing in and out, sessions, foreign pages and limits.

use std::time::Duration;

use accounts::{Accounts, Config, Hashing, SignUp};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Site, config};

#[tokio::test]
async fn a_wrong_password_an_unknown_address_and_a_disabled_account_have_one_answer() {
    let site = Site::open(Config { sign_up: SignUp::Open, ..config() }).await;
    let admin = site.administrator().await;
    let user = site.browser().sign_up("b@example.org", None).await;
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    admin.ask("PATCH", &path, &json!({ "disabled": true })).await.is(200);
    let mut bodies = Vec::new();
    for (email, password) in [
        ("admin@example.org", "a wrong password"),
        ("nobody@example.org", PASSWORD),
        ("b@example.org", PASSWORD),
        ("no address", PASSWORD),
        ("admin@example.org", &"x".repeat(1000)),
    ] {
        let answer = site.browser().sign_in(email, password).await;
        answer.is_problem(401, "wrong_credentials");
        assert_eq!(answer.header("set-cookie"), "");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn a_session_is_new_at_each_sign_in_and_ends_when_it_is_ended() {
    let site = Site::open(config()).await;
    let first = site.administrator().await;
    let mut second = site.browser();
    second.set("user-agent", "a phone");
    second.sign_in("ADMIN@example.org", PASSWORD).await.is(200);
    let before = second.fields.clone();
    second.sign_in("admin@example.org", PASSWORD).await.is(200);
    assert_ne!(second.fields, before);
    let mut old = site.browser();
    old.fields = before;
    old.get("/api/v1/account").await.is_problem(401, "sign_in_required");

    let sessions = second.get("/api/v1/account/sessions").await.json()["sessions"].clone();
    let sessions = sessions.as_array().unwrap();
    let current: Vec<&Value> = sessions.iter().filter(|one| one["current"] == true).collect();
    assert_eq!((sessions.len(), current.len(), &current[0]["user_agent"]), (2, 1, &json!("a phone")));
    let other = sessions.iter().find(|one| one["current"] == false).unwrap()["id"].as_str().unwrap();
    second.ask("DELETE", &format!("/api/v1/account/sessions/{other}"), &Value::Null).await.is(204);
    first.get("/api/v1/account").await.is_problem(401, "sign_in_required");

    let out = second.ask("DELETE", "/api/v1/session", &Value::Null).await;
    out.is(204);
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{out:?}");
    second.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    assert_eq!(second.get("/api/v1/session").await.json()["user"], Value::Null);
}

#[tokio::test]
async fn a_session_ends_after_its_rest_and_at_its_end() {
    for (idle, lifetime) in
        [(Duration::ZERO, Duration::from_hours(1)), (Duration::from_hours(1), Duration::ZERO)]
    {
        let site = Site::open(Config { idle, lifetime, ..config() }).await;
        let browser = site.administrator().await;
        browser.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    }
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_and_acts_for_nobody() {
    let site = Site::open(config()).await;
    let mut browser = site.administrator().await;
    browser.set("sec-fetch-site", "cross-site");
    browser
        .ask("PATCH", "/api/v1/account", &json!({ "name": "Eve" }))
        .await
        .is_problem(403, "foreign_origin");
    let credentials = json!({ "email": "admin@example.org", "password": PASSWORD });
    browser.ask("POST", "/api/v1/session", &credentials).await.is_problem(403, "foreign_origin");
    browser.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    browser.set("sec-fetch-site", "same-origin");
    browser.get("/api/v1/account").await.is(200);
}

#[tokio::test]
async fn a_document_that_a_form_can_send_is_refused() {
    let site = Site::open(config()).await;
    let mut browser = site.administrator().await;
    browser.set("content-type", "text/plain");
    let answer = browser.ask("PATCH", "/api/v1/account", &json!({ "name": "Eve" })).await;
    answer.is_problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn attempts_slow_down_by_account_and_by_address() {
    let site = Site::open(Config { attempts_of_account: 2, ..config() }).await;
    site.administrator().await;
    for email in ["admin@example.org", "nobody@example.org"] {
        for _ in 0..2 {
            site.browser().sign_in(email, "a wrong password").await.is(401);
        }
        let refused = site.browser().sign_in(email, PASSWORD).await;
        refused.is_problem(429, "too_many_attempts");
        let seconds: u64 = refused.header("retry-after").parse().unwrap();
        assert!((1..=61).contains(&seconds), "{seconds}");
    }
    let site = Site::open(Config { attempts_of_address: 3, ..config() }).await;
    for n in 0..3 {
        site.browser().sign_in(&format!("{n}@example.org"), "a wrong password").await.is(401);
    }
    site.browser().sign_in("another@example.org", PASSWORD).await.is_problem(429, "too_many_attempts");
}

#[tokio::test]
async fn a_sign_in_makes_a_weak_hash_strong() {
    let site = Site::open(config()).await;
    site.administrator().await;
    let stored = async || site.store.accounts.users.list().await.unwrap()[0].password.clone();
    let weak = stored().await;
    let stronger = Config { hashing: Hashing { memory_kib: 128, passes: 1 }, ..config() };
    let strong = Site::over(site.store.clone(), Accounts::new(site.store.clone(), stronger)).await;
    strong.browser().sign_in("admin@example.org", PASSWORD).await.is(200);
    let now = stored().await;
    assert!(weak.contains("m=64") && now.contains("m=128"), "{weak} {now}");
    site.browser().sign_in("admin@example.org", PASSWORD).await.is(200);
    assert_eq!(stored().await, now);
}

#[tokio::test]
async fn over_a_line_that_others_read_nobody_signs_in() {
    let site = Site::open(config()).await;
    let mut browser = site.browser();
    browser.set("host", "192.168.1.5:8080");
    let new = json!({ "name": "A", "email": "a@example.org", "password": PASSWORD });
    browser.ask("POST", "/api/v1/users", &new).await.is_problem(403, "insecure_line");
    assert!(!site.store.accounts.users.any().await.unwrap());
}
