//! The document of the API: it has what the table of access has, the server gives it to anybody.

use std::collections::BTreeSet;

use accounts::access::{TABLE, Who};

use crate::harness::{Described, Server};

/// Returns an operation as the table of access has it: HEAD goes as GET, and one row is all files of playback.
fn as_in_the_table(path: &str, method: &str) -> (String, String) {
    let path = if path.starts_with("/v/") { "/v/{*file}" } else { path };
    let method = if method == "head" { "GET".to_owned() } else { method.to_ascii_uppercase() };
    (method, path.to_owned())
}

#[test]
fn the_document_has_every_endpoint_of_the_table_of_access_and_no_other() {
    let document = Described::read();
    let described: BTreeSet<_> =
        document.operations().iter().map(|(path, method, _)| as_in_the_table(path, method)).collect();
    let table: BTreeSet<_> = TABLE.iter().map(|one| (one.method.to_string(), one.path.to_owned())).collect();
    let missing: Vec<_> = table.difference(&described).collect();
    assert!(
        missing.is_empty(),
        "describe these by #[utoipa::path] at their handlers, and list those in the crate's openapi.rs: {missing:?}"
    );
    let unknown: Vec<_> = described.difference(&table).collect();
    assert!(unknown.is_empty(), "the table of access has no {unknown:?}");
}

#[test]
fn edges_tell_the_paths_of_accounts_from_those_of_origins() {
    let document = Described::read();
    let own = accounts::openapi::document();
    for (path, ..) in document.operations() {
        // Whoever may watch a video is asked below the video.
        let expected = own.paths.paths.contains_key(path) && !path.starts_with("/api/v1/videos/");
        assert_eq!(accounts::is_below_paths(path), expected, "{path}");
    }
    assert!(!accounts::is_below_paths("/api/v1/sessions") && !accounts::is_below_paths("/v1/session"));
}

#[test]
fn every_operation_says_who_may_use_it_and_how_it_refuses() {
    let document = Described::read();
    let mut names = BTreeSet::new();
    for (path, method, operation) in document.operations() {
        let what = format!("{method} {path}");
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name.to_owned()), "{name} is {what} and another one");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{what}");
        let row = as_in_the_table(path, method);
        let endpoint = TABLE.iter().find(|one| (one.method.to_string(), one.path.to_owned()) == row).unwrap();
        let strangers = matches!(endpoint.who, Who::Anyone | Who::Audience | Who::Viewer | Who::Player);
        let ways = operation["security"].as_array().unwrap();
        assert_eq!(ways.iter().any(|way| way == &serde_json::json!({})), strangers, "{what}");
        for (status, answer) in operation["responses"].as_object().unwrap() {
            assert!(!answer["description"].as_str().unwrap().is_empty(), "{what}: {status}");
            let kinds = answer["content"].as_object();
            let is_problem = kinds.is_some_and(|kinds| kinds.contains_key("application/problem+json"));
            // OpenAI's protocol has refusals of its own.
            let is_refusal = is_problem || (path.starts_with("/v1/") && kinds.is_some());
            assert!(
                if status.starts_with(['4', '5']) { is_refusal } else { !is_problem },
                "{what}: {status}"
            );
        }
    }
    assert!(names.len() > 70, "{}", names.len());
}

#[test]
fn every_reference_of_the_document_has_its_schema() {
    let document = Described::read();
    let text = document.0.to_string();
    let schemas = document.0["components"]["schemas"].as_object().unwrap();
    let named = text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap());
    let named: BTreeSet<&str> = named.collect();
    let missing: Vec<_> = named.iter().filter(|name| !schemas.contains_key(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(named.len() > 40, "{}", named.len());
}

#[tokio::test]
async fn anybody_gets_the_document_and_the_page_over_it() {
    for accounts in ["on", "off"] {
        let home = tempfile::tempdir().unwrap();
        let server = Server::start(&home.path().join("data"), &[("CLIPCUT_ACCOUNTS", accounts)]);
        let answer = server.http.get("/api/openapi.json").await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
        assert!(answer.json() == Described::read().0);
        let known =
            server.http.request("GET", "/api/openapi.json").header("If-None-Match", answer.header("etag"));
        assert_eq!(server.http.ask(known).await.status, 304);
        let page = server.http.get("/api/docs").await;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html"));
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert!(page.text().contains("/assets/api-docs-"), "{page:?}");
    }
}
