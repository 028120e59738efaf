//! Webhooks: made by people, sent to a receiver of the test, tried again, and never to an address that is not public.

use std::{collections::BTreeSet, time::Duration};

use accounts::{
    Accounts, Config,
    webhooks::{Allowed, Config as Webhooks},
};
use serde_json::{Value, json};
use store::{NewVideo, Timestamp, UserId};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    harness::{Client, Site, config},
    receiver::Receiver,
};

const ALL: [&str; 6] =
    ["video.uploaded", "video.playable", "video.ready", "video.failed", "captions.ready", "video.deleted"];

/// A configuration that lets this machine through, with no pause before the one attempt more.
fn local() -> Config {
    let webhooks = Webhooks {
        allowed: Allowed::parse(["127.0.0.1"]).unwrap(),
        pauses: vec![Duration::ZERO],
        timeout: Duration::from_secs(5),
    };
    Config { webhooks, sign_up: accounts::SignUp::Open, ..config() }
}

/// Sends what is due until it is dropped.
fn delivering(accounts: &Accounts) -> DropGuard {
    let stop = CancellationToken::new();
    let (accounts, stopped) = (accounts.clone(), stop.clone());
    tokio::spawn(async move { accounts.deliver(stopped).await });
    stop.drop_guard()
}

async fn webhook(client: &Client<'_>, wanted: Value) -> Value {
    let answer = client.ask("POST", "/api/v1/webhooks", &wanted).await;
    answer.is(201);
    answer.json()
}

/// Has a video uploaded by the person of a browser.
async fn upload(site: &Site, client: &Client<'_>) -> String {
    let owner = client.get("/api/v1/account").await.json()["id"].as_str().unwrap().to_owned();
    let new = NewVideo {
        title: "Title".into(),
        description: String::new(),
        source_name: "clip.mp4".into(),
        owner: Some(UserId::from(owner)),
    };
    let end = Timestamp::now() + Duration::from_hours(1);
    let upload = site.store.uploads.begin(&new, Some(5), end).await.unwrap();
    let mut append = site.store.uploads.append(&upload.id, false).await.unwrap().unwrap();
    append.write(b"bytes").await.unwrap();
    site.store.uploads.finish(append).await.unwrap();
    upload.id.to_string()
}

fn path(webhook: &Value) -> String {
    format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap())
}

/// Returns the newest delivery of a webhook once it is in this state.
async fn newest(client: &Client<'_>, webhook: &Value, state: &str) -> Value {
    loop {
        let log = client.get(&format!("{}/deliveries", path(webhook))).await.json();
        let newest = &log["deliveries"][0];
        if newest["state"] == state {
            return newest.clone();
        }
    }
}

#[tokio::test]
async fn what_happens_is_sent_signed_and_stands_in_the_log() {
    let site = Site::open(local()).await;
    let browser = site.administrator().await;
    let mut receiver = Receiver::start(&[]).await;
    let made = webhook(&browser, json!({ "url": receiver.url("/hook?a=b"), "events": ALL })).await;
    let secret = made["secret"].as_str().unwrap();
    let listed = browser.get("/api/v1/webhooks").await.json();
    assert_eq!((&listed["webhooks"][0]["id"], &listed["webhooks"][0]["secret"]), (&made["id"], &Value::Null));
    let _delivering = delivering(&site.accounts);
    let video = upload(&site, &browser).await;
    let sent = receiver.next().await;
    sent.is_signed_by(secret);
    assert_eq!((sent.path.as_str(), sent.field("content-type")), ("/hook", "application/json"));
    let body = sent.json();
    assert_eq!(
        (&body["type"], &body["data"]),
        (&json!("video.uploaded"), &json!({ "id": video, "title": "Title" }))
    );
    let logged = newest(&browser, &made, "delivered").await;
    assert_eq!(
        (&logged["status"], &logged["attempts"], &logged["problem"]),
        (&json!(204), &json!(1), &Value::Null)
    );
    assert_eq!(logged["id"], sent.field("webhook-id"));
    site.store.delete(&video.parse().unwrap()).await.unwrap();
    assert_eq!(receiver.next().await.json()["type"], "video.deleted");
}

#[tokio::test]
async fn a_refused_delivery_is_tried_again_and_then_by_hand_with_the_same_id() {
    let site = Site::open(local()).await;
    let browser = site.administrator().await;
    let mut receiver = Receiver::start(&[500, 503]).await;
    let made = webhook(&browser, json!({ "url": receiver.url("/"), "events": ["video.uploaded"] })).await;
    let _delivering = delivering(&site.accounts);
    upload(&site, &browser).await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.field("webhook-id"), second.field("webhook-id"));
    let failed = newest(&browser, &made, "failed").await;
    assert_eq!(
        (&failed["status"], &failed["attempts"], &failed["next"]),
        (&json!(503), &json!(2), &Value::Null)
    );
    assert!(failed["problem"].as_str().unwrap().contains("503"), "{failed}");
    let again = format!("{}/deliveries/{}/retry", path(&made), failed["id"].as_str().unwrap());
    receiver.answer_next(200);
    browser.ask("POST", &again, &json!({})).await.is(202);
    assert_eq!(receiver.next().await.field("webhook-id"), first.field("webhook-id"));
    newest(&browser, &made, "delivered").await;
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_target_that_is_gone_is_switched_off() {
    let site = Site::open(local()).await;
    let browser = site.administrator().await;
    let mut receiver = Receiver::start(&[302, 410]).await;
    let made = webhook(&browser, json!({ "url": receiver.url("/one"), "events": ["video.uploaded"] })).await;
    let _delivering = delivering(&site.accounts);
    upload(&site, &browser).await;
    let gone = newest(&browser, &made, "failed").await;
    assert_eq!((&gone["status"], &gone["attempts"]), (&json!(410), &json!(2)));
    let paths: Vec<String> = receiver.rest().into_iter().map(|received| received.path).collect();
    assert_eq!(paths, ["/one", "/one"]);
    let off = browser.get("/api/v1/webhooks").await.json();
    assert_eq!(off["webhooks"][0]["active"], false);
    let on = browser.ask("PATCH", &path(&made), &json!({ "active": true, "events": ["video.ready"] })).await;
    assert_eq!((&on.json()["active"], &on.json()["events"]), (&json!(true), &json!(["video.ready"])));
}

#[tokio::test]
async fn no_delivery_reaches_an_address_that_is_not_public() {
    // Nothing is let through here.
    let site = Site::open(config()).await;
    let browser = site.administrator().await;
    let mut receiver = Receiver::start(&[]).await;
    let port = receiver.address.port();
    for url in
        [receiver.url("/"), format!("https://127.1:{port}/"), format!("https://[::ffff:127.0.0.1]:{port}/")]
    {
        let wanted = json!({ "url": url, "events": ["video.uploaded"] });
        browser.ask("POST", "/api/v1/webhooks", &wanted).await.is_problem(422, "invalid_url");
    }
    // A name is judged when it is resolved, whatever it was before.
    let url = format!("https://localhost:{port}/");
    let made = webhook(&browser, json!({ "url": url, "events": ["video.uploaded"] })).await;
    let stop = delivering(&site.accounts);
    upload(&site, &browser).await;
    let refused = loop {
        let waiting = newest(&browser, &made, "waiting").await;
        if waiting["problem"] != Value::Null {
            break waiting;
        }
    };
    assert!(refused["problem"].as_str().unwrap().contains("not on the public internet"), "{refused}");
    assert!(refused["next"].as_str().is_some() && refused["status"] == Value::Null, "{refused}");
    drop(stop);
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn a_target_that_does_not_answer_is_given_up_in_time() {
    let mut local = local();
    local.webhooks.timeout = Duration::from_millis(50);
    let site = Site::open(local).await;
    let browser = site.administrator().await;
    let receiver = Receiver::start(&[0, 0]).await;
    let made = webhook(&browser, json!({ "url": receiver.url("/"), "events": ["video.uploaded"] })).await;
    let _delivering = delivering(&site.accounts);
    upload(&site, &browser).await;
    let failed = newest(&browser, &made, "failed").await;
    assert!(failed["problem"].as_str().unwrap().contains("no answer"), "{failed}");
}

#[tokio::test]
async fn two_processes_send_each_delivery_once() {
    let site = Site::open(local()).await;
    let browser = site.administrator().await;
    let mut receiver = Receiver::start(&[]).await;
    for name in ["a", "b", "c"] {
        let url = receiver.url(&format!("/{name}"));
        webhook(&browser, json!({ "url": url, "events": ["video.uploaded"] })).await;
    }
    for _ in 0..5 {
        upload(&site, &browser).await;
    }
    let other = Accounts::new(site.store.clone(), local());
    let _delivering = (delivering(&site.accounts), delivering(&other));
    let mut ids = BTreeSet::new();
    for _ in 0..15 {
        assert!(ids.insert(receiver.next().await.field("webhook-id").to_owned()));
    }
    let made = browser.get("/api/v1/webhooks").await.json();
    for one in made["webhooks"].as_array().unwrap() {
        newest(&browser, one, "delivered").await;
    }
    assert!(receiver.rest().is_empty());
}

#[tokio::test]
async fn webhooks_are_their_persons_own_and_those_of_all_videos_an_administrators() {
    let site = Site::open(local()).await;
    let administrator = site.administrator().await;
    let mut user = site.browser();
    user.sign_up("user@example.org", None).await;
    let receiver = Receiver::start(&[]).await;
    let wanted = |more: Value| {
        let mut wanted = json!({ "url": receiver.url("/"), "events": ["video.ready"] });
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wanted
    };
    let all = wanted(json!({ "videos": "all" }));
    user.ask("POST", "/api/v1/webhooks", &all).await.is_problem(403, "administrators_only");
    let theirs = webhook(&administrator, all).await;
    assert_eq!(theirs["videos"], "all");
    for (method, more) in [("PATCH", ""), ("DELETE", ""), ("GET", "/deliveries")] {
        let path = format!("{}{more}", path(&theirs));
        user.ask(method, &path, &json!({})).await.is_problem(404, "unknown_webhook");
    }
    let retry = format!("{}/deliveries/x/retry", path(&theirs));
    user.ask("POST", &retry, &json!({})).await.is_problem(404, "unknown_delivery");
    let add = async |wanted: Value| user.ask("POST", "/api/v1/webhooks", &wanted).await;
    add(wanted(json!({ "events": [] }))).await.is_problem(422, "no_event");
    add(wanted(json!({ "events": ["video.watched"] }))).await.is_problem(400, "invalid_document");
    add(wanted(json!({ "url": "example.org" }))).await.is_problem(422, "invalid_url");
    for _ in 0..20 {
        add(wanted(json!({}))).await.is(201);
    }
    add(wanted(json!({}))).await.is_problem(422, "too_many_webhooks");
    administrator.ask("DELETE", &path(&theirs), &Value::Null).await.is(204);
    assert_eq!(administrator.get("/api/v1/webhooks").await.json(), json!({ "webhooks": [] }));
}
