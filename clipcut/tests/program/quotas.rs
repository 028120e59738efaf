//! Quotas of a running server: what is refused, by which figures, and that nothing of it stays.

use bytes::Bytes;
use futures::stream;
use reqwest::{Body, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Answer, Clip, Http, Server, until};

/// The person of the test, at a server whose people may have a thousand bytes.
struct Person<'a> {
    http: &'a Http,
    cookie: String,
}

impl Person<'_> {
    async fn ask(&self, method: &str, path: &str, document: &Value) -> Answer {
        self.http.ask(self.http.request(method, path).header("Cookie", &self.cookie).json(document)).await
    }

    /// Begins an upload of so many bytes.
    async fn begin(&self, length: u64) -> Answer {
        let request = self.http.tus("POST", "/api/v1/uploads").header("Cookie", &self.cookie);
        self.http.ask(request.header("Upload-Length", length)).await
    }

    /// Sends a file in one request.
    async fn send(&self, body: impl Into<Body>) -> Answer {
        let request = self.http.request("POST", "/api/v1/videos?title=v").header("Cookie", &self.cookie);
        self.http.ask(request.body(body)).await
    }

    async fn listed(&self) -> usize {
        let list = self.ask("GET", "/api/v1/videos?owner=me", &Value::Null).await.json();
        list["videos"].as_array().unwrap().len()
    }
}

/// A file of zeros in pieces, without a length.
fn untold(pieces: usize) -> Body {
    let piece = || Ok::<_, std::io::Error>(Bytes::from_static(&[0; 100]));
    Body::wrap_stream(stream::iter((0..pieces).map(move |_| piece())))
}

#[tokio::test]
async fn an_upload_over_the_quota_is_413_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let settings = [("CLIPCUT_ACCOUNTS", "on"), ("CLIPCUT_CAPTIONS", "off"), ("CLIPCUT_QUOTA_BYTES", "1000")];
    let server = Server::start(&home.path().join("data"), &settings);
    let new = json!({ "name": "Anna", "email": "anna@example.org", "password": "correct horse battery" });
    let made = server.http.ask(server.http.request("POST", "/api/v1/users").json(&new)).await;
    let cookie = made.header("set-cookie").split(';').next().unwrap().to_owned();
    let anna = Person { http: &server.http, cookie };
    let refused = async |answer: Answer, figures: &[&str]| {
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (StatusCode::PAYLOAD_TOO_LARGE, "quota_exceeded")
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(figures.iter().all(|figure| detail.contains(figure)), "{detail}");
    };

    refused(anna.begin(1001).await, &["0 of the 1000 bytes", "1001"]).await;
    assert_eq!(anna.begin(600).await.status, StatusCode::CREATED);
    refused(anna.begin(401).await, &["600 of the 1000 bytes", "401"]).await;
    refused(anna.send(vec![0; 401]).await, &["600 of the 1000 bytes"]).await;
    refused(anna.send(untold(5)).await, &["1000 of the 1000 bytes"]).await;
    assert_eq!(anna.listed().await, 1);
    until("what broke off to be counted no more", async || {
        let account = anna.ask("GET", "/api/v1/account", &Value::Null).await.json();
        assert_eq!(account["quota"], json!({ "bytes": 1000, "minutes": null }));
        (account["usage"]["bytes"] == 600).then_some(())
    })
    .await;

    let id = made.json()["user"]["id"].as_str().unwrap().to_owned();
    let user = format!("/api/v1/users/{id}");
    let raised = anna.ask("PATCH", &user, &json!({ "quota_bytes": 1500 })).await.json();
    assert_eq!((&raised["quota_bytes"], &raised["quota_minutes"]), (&json!(1500), &Value::Null));
    assert_eq!(anna.send(untold(4)).await.status, StatusCode::CREATED);
    assert_eq!(anna.begin(500).await.status, StatusCode::CREATED);
    let none = anna.ask("PATCH", &user, &json!({ "quota_bytes": null, "quota_minutes": 0 })).await.json();
    assert_eq!((&none["quota_bytes"], &none["quota_minutes"]), (&Value::Null, &json!(0)));
    anna.ask("PATCH", &user, &json!({ "quota_bytes": 5000 })).await;
    refused(anna.begin(1).await, &["0.0 of the 0 minutes"]).await;
    for wrong in [json!({ "quota_bytes": -1 }), json!({ "quota_minutes": "ten" })] {
        assert_eq!(anna.ask("PATCH", &user, &wrong).await.problem(), "invalid_document", "{wrong}");
    }
}

#[tokio::test]
async fn a_video_longer_than_the_minutes_that_are_left_fails_with_both_figures_and_is_tried_again_for_more() {
    let home = tempfile::tempdir().unwrap();
    let settings = [("CLIPCUT_ACCOUNTS", "on"), ("CLIPCUT_CAPTIONS", "off")];
    let server = Server::start(&home.path().join("data"), &settings);
    let new = json!({ "name": "Anna", "email": "anna@example.org", "password": "correct horse battery" });
    let made = server.http.ask(server.http.request("POST", "/api/v1/users").json(&new)).await;
    let cookie = made.header("set-cookie").split(';').next().unwrap().to_owned();
    let anna = Person { http: &server.http, cookie };
    let user = format!("/api/v1/users/{}", made.json()["user"]["id"].as_str().unwrap());
    anna.ask("PATCH", &user, &json!({ "quota_minutes": 1 })).await;
    let sent = anna.send(tokio::fs::read(Clip::Long.file()).await.unwrap()).await;
    let video = format!("/api/v1/videos/{}", sent.json()["id"].as_str().unwrap());
    let becomes = async |states: &[&str]| {
        until("the video to be looked at", async || {
            let document = anna.ask("GET", &video, &Value::Null).await.json();
            states.contains(&document["state"].as_str().unwrap()).then_some(document)
        })
        .await
    };
    let error = becomes(&["failed"]).await["error"].clone();
    assert_eq!(error["code"], "quota_exceeded", "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("1 min 2 s long") && message.contains("0.0 of the 1 minutes"), "{message}");
    anna.ask("PATCH", &user, &json!({ "quota_minutes": 2 })).await;
    assert_eq!(anna.ask("POST", &format!("{video}/retry"), &Value::Null).await.status, StatusCode::ACCEPTED);
    becomes(&["planned", "playable", "ready"]).await;
}
