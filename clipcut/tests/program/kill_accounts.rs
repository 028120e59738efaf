//! Servers and commands that are killed at any moment of a sign-up, a deletion and a hand-over: nothing is half done.

use std::{path::Path, process::Stdio, time::Duration};

use rand::{RngExt, rngs::StdRng};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Http, PASSWORD, Server, clipcut, cookie, finish, invite, seeded, sign_up, until};

const SETTINGS: [(&str, &str); 3] =
    [("CLIPCUT_ACCOUNTS", "on"), ("CLIPCUT_SIGN_UP", "invitation"), ("CLIPCUT_CAPTIONS", "off")];
const ROUNDS: usize = 5;

async fn sign_in(http: &Http, name: &str) -> Option<String> {
    let session = json!({ "email": name, "password": PASSWORD });
    let answer = http.ask(http.request("POST", "/api/v1/session").json(&session)).await;
    (answer.status == StatusCode::OK)
        .then(|| answer.header("set-cookie").split(';').next().unwrap().to_owned())
}

/// Begins an upload, a video of the person, and returns its id.
async fn begin(http: &Http, cookie: &str) -> String {
    let upload = http.tus("POST", "/api/v1/uploads").header("Upload-Length", 5).header("Cookie", cookie);
    http.ask(upload).await.header("location").rsplit('/').next().unwrap().to_owned()
}

/// Returns the name of a video's owner, as the administrator sees it; `None` where there is no such video.
async fn owner(http: &Http, cookie: &str, video: &str) -> Option<Value> {
    let request = http.request("GET", &format!("/api/v1/videos/{video}")).header("Cookie", cookie);
    let answer = http.ask(request).await;
    (answer.status == StatusCode::OK).then(|| answer.json()["owner"]["name"].clone())
}

fn moment(random: &mut StdRng) -> Duration {
    Duration::from_millis(random.random_range(0..600))
}

/// Kills the server at some moment of a request, and starts it again.
async fn killed_during(server: Server, random: &mut StdRng, request: impl Future) -> Server {
    let Server { mut program, data, .. } = server;
    let wait = moment(random);
    tokio::select! {
        _ = async { tokio::join!(request, std::future::pending::<()>()) } => {}
        () = tokio::time::sleep(wait) => {}
    }
    program.kill();
    Server::start(&data, &SETTINGS)
}

#[tokio::test]
async fn a_kill_at_any_moment_leaves_no_half_of_a_sign_up_a_deletion_or_a_hand_over() {
    let home = tempfile::tempdir().unwrap();
    let mut random = seeded();
    let mut server = Server::start(&home.path().join("data"), &SETTINGS);
    let admin = cookie(&sign_up(&server.http, "admin@example.org").await.unwrap());
    for round in 0..ROUNDS {
        let name = format!("signer{round}@example.org");
        let http = server.http.clone();
        server = killed_during(server, &mut random, invite(&http, &admin, &name)).await;
        // Either all of it is there, or the address is free.
        let there = sign_in(&server.http, &name).await.is_some();
        assert!(there || invite(&server.http, &admin, &name).await.is_some(), "{name}");

        let name = format!("leaver{round}@example.org");
        let cookie = cookie(&invite(&server.http, &admin, &name).await.unwrap());
        let video = begin(&server.http, &cookie).await;
        let http = server.http.clone();
        let deletion = json!({ "current_password": PASSWORD, "videos": "delete" });
        let delete = http.request("DELETE", "/api/v1/account").header("Cookie", &cookie).json(&deletion);
        server = killed_during(server, &mut random, Http::try_ask(delete)).await;
        if sign_in(&server.http, &name).await.is_some() {
            assert_eq!(owner(&server.http, &admin, &video).await, Some(json!(name)));
        } else {
            until("the rest of the deletion", async || {
                owner(&server.http, &admin, &video).await.is_none().then_some(())
            })
            .await;
        }
    }
    for round in 0..ROUNDS {
        let name = format!("giver{round}@example.org");
        let cookie = cookie(&invite(&server.http, &admin, &name).await.unwrap());
        let videos = [begin(&server.http, &cookie).await, begin(&server.http, &cookie).await];
        hand_over(&server.data, &name, moment(&mut random) / 4);
        // Either nothing has changed, or the account is gone and both videos are the heir's.
        let expected =
            if sign_in(&server.http, &name).await.is_some() { name } else { "admin@example.org".to_owned() };
        for video in &videos {
            assert_eq!(owner(&server.http, &admin, video).await, Some(json!(expected)), "{videos:?}");
        }
    }
}

/// Removes an account in favour of the administrator, and kills the command after a while.
fn hand_over(data: &Path, name: &str, wait: Duration) {
    let mut command = clipcut(data.parent().unwrap());
    command.args(["user", "remove", "--videos-to", "admin@example.org", name]);
    let mut child = command.env("CLIPCUT_DATA", data).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(wait);
    child.kill().unwrap();
    child.wait().unwrap();
    // The database is whole: the next command reads it.
    let listed = finish(clipcut(data.parent().unwrap()).args(["user", "list"]).env("CLIPCUT_DATA", data));
    assert_eq!(listed.code, Some(0), "{listed:?}");
}
