//! Streams of events and uploads, which run by a session or a token and end with it, on one machine and at every origin and edge of
//! a cluster.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use testbed::{Mongodb, Postgres, Redis};
use tokio::sync::mpsc;

use crate::harness::{
    Clip, Cluster, Http, PASSWORD, Role, Server, clipcut, cookie, free_address, invite, sign_up, until,
};

const ON: [(&str, &str); 3] =
    [("CLIPCUT_ACCOUNTS", "on"), ("CLIPCUT_SIGN_UP", "invitation"), ("CLIPCUT_CAPTIONS", "off")];
const KEYS: &str = "1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const BOB: &str = "bob@example.org";

/// Makes the first account, and that of Bob. Returns his session's cookie.
async fn bob(http: &Http) -> String {
    let anna = sign_up(http, "anna@example.org").await.unwrap();
    cookie(&invite(http, &cookie(&anna), BOB).await.unwrap())
}

async fn sign_in(http: &Http, password: &str) -> String {
    let session = json!({ "email": BOB, "password": password });
    let signed_in = http.ask(http.request("POST", "/api/v1/session").json(&session)).await;
    assert_eq!(signed_in.status, StatusCode::OK, "{signed_in:?}");
    signed_in.header("set-cookie").split(';').next().unwrap().to_owned()
}

/// Opens the stream of all videos' events.
async fn events(http: &Http, (field, value): (&str, &str)) -> Response {
    let events = http.request("GET", "/api/v1/events").header(field, value).send().await.unwrap();
    assert_eq!(events.status(), StatusCode::OK);
    events
}

/// Reads a stream to its end.
async fn end(mut events: Response) -> String {
    let mut seen = Vec::new();
    while let Some(chunk) = events.chunk().await.unwrap() {
        seen.extend(chunk);
    }
    String::from_utf8(seen).unwrap()
}

/// Runs `clipcut user` with a password on its standard input.
fn user(command: &mut Command, args: &[&str]) {
    let mut child = command.arg("user").args(args).stdin(Stdio::piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(child.wait().unwrap().success());
}

async fn ask(http: &Http, cookie: &str, [method, path]: [&str; 2], document: &Value) -> Value {
    let answer = http.ask(http.request(method, path).header("Cookie", cookie).json(document)).await;
    assert!(answer.status.is_success(), "{method} {path}: {answer:?}");
    if answer.body.is_empty() { Value::Null } else { answer.json() }
}

/// Returns the ids of the sessions that are not the one that asks.
async fn others(http: &Http, cookie: &str) -> Vec<String> {
    let listed = ask(http, cookie, ["GET", "/api/v1/account/sessions"], &Value::Null).await;
    let others = listed["sessions"].as_array().unwrap().iter().filter(|session| session["current"] == false);
    others.map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_stream_of_events_ends_with_the_session_or_token_that_opened_it_and_no_other() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &ON);
    let http = &server.http;
    let kept = bob(http).await;
    let stays = events(http, ("Cookie", &kept)).await;

    let other = sign_in(http, PASSWORD).await;
    let stream = events(http, ("Cookie", &other)).await;
    let [id] = others(http, &kept).await.try_into().unwrap();
    ask(http, &kept, ["DELETE", &format!("/api/v1/account/sessions/{id}")], &Value::Null).await;
    end(stream).await;

    // In another tab of the same browser.
    let other = sign_in(http, PASSWORD).await;
    let stream = events(http, ("Cookie", &other)).await;
    ask(http, &other, ["DELETE", "/api/v1/session"], &Value::Null).await;
    end(stream).await;

    let other = sign_in(http, PASSWORD).await;
    let stream = events(http, ("Cookie", &other)).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "another password" });
    ask(http, &kept, ["PUT", "/api/v1/account/password"], &change).await;
    end(stream).await;

    let wanted = json!({ "name": "program", "scopes": ["read"] });
    let token = ask(http, &kept, ["POST", "/api/v1/account/tokens"], &wanted).await;
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    let stream = events(http, ("Authorization", &bearer)).await;
    let path = format!("/api/v1/account/tokens/{}", token["id"].as_str().unwrap());
    ask(http, &kept, ["DELETE", &path], &Value::Null).await;
    end(stream).await;

    // Through all of that, one has gone on; and it ends at a terminal.
    let stranger = http.request("GET", "/api/v1/events").send().await.unwrap();
    user(clipcut(home.path()).env("CLIPCUT_DATA", &server.data), &["reset-password", BOB]);
    end(stays).await;
    let other = sign_in(http, PASSWORD).await;
    let stream = events(http, ("Cookie", &other)).await;
    // A person without a video, of whom no video says anything.
    user(clipcut(home.path()).env("CLIPCUT_DATA", &server.data), &["disable", BOB]);
    end(stream).await;
    drop(stranger);
}

#[tokio::test]
async fn a_token_that_ends_by_its_time_ends_its_stream() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &ON);
    let http = &server.http;
    let cookie = bob(http).await;
    let expires = (store::Timestamp::now() + std::time::Duration::from_secs(2)).rfc3339();
    let wanted = json!({ "name": "program", "scopes": ["read"], "expires": expires });
    let token = ask(http, &cookie, ["POST", "/api/v1/account/tokens"], &wanted).await;
    let bearer = format!("Bearer {}", token["token"].as_str().unwrap());
    end(events(http, ("Authorization", &bearer)).await).await;
}

/// A request's body that comes piece by piece, as the test sends them.
fn slow_body() -> (mpsc::Sender<Bytes>, reqwest::Body) {
    let (sender, receiver) = mpsc::channel(1);
    let pieces = futures::stream::unfold(receiver, |mut receiver: mpsc::Receiver<Bytes>| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    (sender, reqwest::Body::wrap_stream(pieces))
}

#[tokio::test]
async fn an_upload_ends_with_its_session_and_goes_on_by_another() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &ON);
    let http = &server.http;
    let kept = bob(http).await;
    let other = sign_in(http, PASSWORD).await;
    let create = http.tus("POST", "/api/v1/uploads").header("Upload-Length", 10).header("Cookie", &other);
    let upload = http.ask(create).await.header("location").to_owned();
    let (pieces, body) = slow_body();
    let append = http
        .tus("PATCH", &upload)
        .header("Content-Type", "application/offset+octet-stream")
        .header("Upload-Offset", 0)
        .header("Cookie", &other)
        .body(body);
    let appending = tokio::spawn(Http::try_ask(append));
    pieces.send(Bytes::from_static(b"hello")).await.unwrap();
    let offset = async |cookie: &str| {
        http.ask(http.tus("HEAD", &upload).header("Cookie", cookie)).await.header("upload-offset").to_owned()
    };
    let [id] = others(http, &kept).await.try_into().unwrap();
    ask(http, &kept, ["DELETE", &format!("/api/v1/account/sessions/{id}")], &Value::Null).await;
    let answer = appending.await.unwrap().unwrap();
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (401, "sign_in_required"), "{answer:?}");
    // The bytes before are there, and the person goes on with the rest.
    let stored = offset(&kept).await;
    let rest = &b"hello, you"[stored.parse().unwrap()..];
    let append = http
        .tus("PATCH", &upload)
        .header("Content-Type", "application/offset+octet-stream")
        .header("Upload-Offset", stored)
        .header("Cookie", &kept)
        .body(rest);
    assert_eq!(http.ask(append).await.status, StatusCode::NO_CONTENT);
}

/// A cluster with accounts: two origins, two edges in front of them, and a packager.
struct Site {
    cluster: Cluster,
    origins: [Role; 2],
    edges: [Role; 2],
    _packager: Role,
    _redis: Redis,
}

impl Site {
    fn start(home: &Path) -> Self {
        // Attempts are counted by address, and those of other tests come from the same one.
        let redis = Redis::start();
        let cluster = Cluster::on(Postgres::shared(), Mongodb::shared(), &redis);
        cluster.migrate(home);
        let file = |name: &str, text: &str| {
            let path = home.join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (secret, keys) = (file("secret", "only the tests of the program know this"), file("keys", KEYS));
        let shared = [("CLIPCUT_EDGE_SECRET", secret.as_str()), ("CLIPCUT_TICKET_KEYS", keys.as_str())];
        let addresses = [free_address(), free_address()];
        let edges = addresses.join(",");
        let of_origin = [&ON[..], &shared, &[("CLIPCUT_EDGES", edges.as_str())]].concat();
        let origins = [(); 2].map(|()| cluster.start(home, "origin", &of_origin));
        let packager = cluster.start(home, "packager", &[]);
        let edges = addresses.each_ref().map(|address| {
            let mut command = clipcut(home);
            command.args(["edge", "--listen", address]);
            for origin in &origins {
                command.args(["--origin", &origin.url]);
            }
            Role::start(command.envs(shared))
        });
        Self { cluster, origins, edges, _packager: packager, _redis: redis }
    }
}

#[tokio::test]
async fn a_person_who_is_disabled_at_a_terminal_is_out_at_every_origin_and_edge_of_a_cluster() {
    let home = tempfile::tempdir().unwrap();
    let site = Site::start(home.path());
    let [first, second] = site.origins.each_ref().map(|origin| &origin.http);
    let cookie = bob(first).await;
    let bytes = tokio::fs::read(Clip::Short.file()).await.unwrap();
    let upload = first.request("POST", "/api/v1/videos?title=Ours").header("Cookie", &cookie).body(bytes);
    let id = first.ask(upload).await.json()["id"].as_str().unwrap().to_owned();
    let video = format!("/api/v1/videos/{id}");
    until("the video to be ready", async || {
        let document = ask(first, &cookie, ["GET", &video], &Value::Null).await;
        (document["state"] == "ready").then_some(())
    })
    .await;
    let document = ask(first, &cookie, ["PATCH", &video], &json!({ "visibility": "private" })).await;
    let segment = document["playback"]["hls"].as_str().unwrap().replace("master.m3u8", "240p/0.m4s");
    let status = async |http: &Http| http.get(&segment).await.status.as_u16();
    let mut streams = Vec::new();
    for edge in &site.edges {
        // A purge of the change may be on its way still; then the second one is stored.
        until("the segment to be hot", async || {
            let answer = edge.http.get(&segment).await;
            (answer.status == 200 && answer.header("cache-status").contains("hit")).then_some(())
        })
        .await;
        streams.push(events(&edge.http, ("Cookie", &cookie)).await);
    }
    for origin in [first, second] {
        streams.push(events(origin, ("Cookie", &cookie)).await);
    }
    let begun = std::time::Instant::now();
    user(clipcut(home.path()).envs(site.cluster.settings()).env("CLIPCUT_ACCOUNTS", "on"), &["disable", BOB]);
    let disabled = begun.elapsed();
    for edge in &site.edges {
        until("the ticket to be void", async || (status(&edge.http).await == 403).then_some(())).await;
    }
    let void = begun.elapsed();
    for stream in streams {
        end(stream).await;
    }
    println!(
        "disabled after {disabled:?}, tickets void after {void:?}, streams ended after {:?}",
        begun.elapsed()
    );
    for http in [first, second, &site.edges[0].http, &site.edges[1].http] {
        let refused = http.ask(http.request("GET", "/api/v1/account").header("Cookie", &cookie)).await;
        assert_eq!(refused.problem(), "sign_in_required");
    }
}
