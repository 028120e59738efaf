//! Private videos of a running server, through an edge elsewhere: tickets, share links, and what ends them.

use std::{
    fs,
    process::Command,
    time::{Duration, SystemTime},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use server::ticket::{Keys, Scope};

use crate::harness::{
    Answer, Clip, Http, PASSWORD, Program, Server, clipcut, cookie, finish, free_address, invite, sign_up,
    until,
};

const KEYS: &str = "1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const SEGMENT: &str = "240p/0.m4s";

/// A server with accounts and the edge in front of it, a person who is signed in, and their video.
struct Scene {
    server: Server,
    edge: Http,
    _edge: Program,
    cookie: String,
    id: String,
    _home: tempfile::TempDir,
}

impl Scene {
    async fn open() -> Self {
        Self::open_with(&[]).await
    }

    async fn open_with(settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = home.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (secret, keys) = (file("secret", "only the tests of the program know this"), file("keys", KEYS));
        let address = free_address();
        let shared = [("CLIPCUT_EDGE_SECRET", secret.as_str()), ("CLIPCUT_TICKET_KEYS", keys.as_str())];
        let own =
            [("CLIPCUT_ACCOUNTS", "on"), ("CLIPCUT_CAPTIONS", "off"), ("CLIPCUT_EDGES", address.as_str())];
        let server = Server::start(&home.path().join("data"), &[own.as_slice(), &shared, settings].concat());
        let mut command: Command = clipcut(home.path());
        command.args(["edge", "--listen", &address, "--origin", &server.url]).envs(shared);
        let edge = Program::start(&mut command);
        edge.wait_for_log("serving http://");
        let cookie = cookie(&sign_up(&server.http, "anna@example.org").await.unwrap());
        let bytes = tokio::fs::read(Clip::Short.file()).await.unwrap();
        let upload =
            server.http.request("POST", "/api/v1/videos?title=Ours").header("Cookie", &cookie).body(bytes);
        let id = server.http.ask(upload).await.json()["id"].as_str().unwrap().to_owned();
        let http = Http::new(&format!("http://{address}"));
        let scene = Self { server, edge: http, _edge: edge, cookie, id, _home: home };
        until("the video to be ready", async || {
            let document = scene.owner("GET", &scene.video(), &Value::Null).await.json();
            (document["state"] == "ready").then_some(())
        })
        .await;
        scene
    }

    /// Asks as the owner.
    async fn owner(&self, method: &str, path: &str, document: &Value) -> Answer {
        let http = &self.server.http;
        http.ask(http.request(method, path).header("Cookie", &self.cookie).json(document)).await
    }

    fn video(&self) -> String {
        format!("/api/v1/videos/{}", self.id)
    }

    async fn set_visibility(&self, visibility: &str) {
        let edited = self.owner("PATCH", &self.video(), &json!({ "visibility": visibility })).await;
        assert_eq!(edited.json()["visibility"], visibility, "{edited:?}");
    }

    /// Returns the address of the segment below a document's playlist.
    fn segment(document: &Value) -> String {
        document["playback"]["hls"]
            .as_str()
            .unwrap_or_else(|| panic!("{document}"))
            .replace("master.m3u8", SEGMENT)
    }

    fn with_ticket(&self, video: &str, expires: SystemTime) -> String {
        let ticket = Keys::read(KEYS).unwrap().mint(&Scope::video(video).unwrap(), expires);
        format!("/t/{}/v/{}/{SEGMENT}", ticket.text(), self.id)
    }

    /// Both ways to the video: the server, with its edge inside, and the edge elsewhere.
    fn ways(&self) -> [&Http; 2] {
        [&self.server.http, &self.edge]
    }
}

async fn status(http: &Http, path: &str) -> u16 {
    http.get(path).await.status.as_u16()
}

#[tokio::test]
async fn a_hot_segment_of_a_private_video_is_403_without_a_right_ticket() {
    let scene = Scene::open().await;
    let plain = format!("/v/{}/{SEGMENT}", scene.id);
    for http in scene.ways() {
        assert_eq!((status(http, &plain).await, status(http, &plain).await), (200, 200));
    }
    scene.set_visibility("private").await;
    for http in scene.ways() {
        until("what is stored to be closed", async || (status(http, &plain).await == 403).then_some(()))
            .await;
    }
    let document = scene.owner("GET", &scene.video(), &Value::Null).await.json();
    let ticketed = Scene::segment(&document);
    let in_an_hour = SystemTime::now() + Duration::from_hours(1);
    for http in scene.ways() {
        let answer = http.get(&ticketed).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert!(answer.headers.get("clipcut-tickets-from").is_none(), "{answer:?}");
        for file in ["master.m3u8", "240p/media.m3u8", "240p/init.mp4", "poster.jpg", "manifest.mpd"] {
            assert_eq!(status(http, &ticketed.replace(SEGMENT, file)).await, 200, "{file}");
            assert_eq!(status(http, &plain.replace(SEGMENT, file)).await, 403, "{file}");
        }
        for (path, code) in [
            (plain.clone(), "ticket_bad_signature"),
            (scene.with_ticket("0123456789abcdef", in_an_hour), "ticket_wrong_video"),
            (scene.with_ticket(&scene.id, SystemTime::now() - Duration::from_secs(1)), "ticket_expired"),
            // Right in all but that it was made, or could have been, while the video was public.
            (scene.with_ticket(&scene.id, in_an_hour), "ticket_expired"),
        ] {
            let answer = http.get(&path).await;
            assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (403, code), "{path}");
        }
        assert_eq!(status(http, &ticketed).await, 200);
    }
    // Its document and its events are nobody's either, and lists do not show it.
    for http in scene.ways() {
        for path in
            [scene.video(), format!("{}/events", scene.video()), format!("{}/captions", scene.video())]
        {
            assert_eq!(http.get(&path).await.problem(), "unknown_video", "{path}");
        }
        assert_eq!(http.get("/api/v1/videos").await.json()["videos"], json!([]));
    }
    assert_eq!(
        scene.owner("GET", "/api/v1/videos?owner=me", &Value::Null).await.json()["videos"][0]["id"],
        scene.id
    );
    scene.set_visibility("public").await;
    for http in scene.ways() {
        until("it to be open again", async || (status(http, &plain).await == 200).then_some(())).await;
    }
}

#[tokio::test]
async fn shares_open_a_private_video_until_they_are_revoked() {
    let scene = Scene::open_with(&[("CLIPCUT_SIGN_UP", "invitation")]).await;
    scene.set_visibility("private").await;
    check_link(&scene).await;
    check_person(&scene).await;
}

async fn check_link(scene: &Scene) {
    let shares = format!("{}/shares", scene.video());
    let share = scene.owner("POST", &shares, &json!({ "expires": "2999-01-01T00:00:00Z" })).await.json();
    let query = share["link"].as_str().unwrap().split_once('?').unwrap().1.to_owned();
    assert_eq!(scene.owner("GET", &shares, &Value::Null).await.json()["shares"], json!([share]));
    let link = format!("{}?{query}", scene.video());
    let mut ticketed = String::new();
    for http in scene.ways() {
        let document = http.get(&link).await.json();
        assert_eq!((&document["title"], &document["may_edit"]), (&json!("Ours"), &json!(false)));
        ticketed = Scene::segment(&document);
        assert_eq!(status(http, &ticketed).await, 200);
        // It opens this video, to be watched, and nothing else.
        let edit = http.request("PATCH", &link).json(&json!({ "title": "Theirs" }));
        assert_eq!(http.ask(edit).await.problem(), "sign_in_required");
        assert_eq!(http.get(&link.replace("share=", "share=0")).await.problem(), "unknown_video");
    }
    let revoked =
        scene.owner("DELETE", &format!("{shares}/{}", share["id"].as_str().unwrap()), &Value::Null).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{revoked:?}");
    for http in scene.ways() {
        assert_eq!(http.get(&link).await.problem(), "unknown_video");
        until("its tickets to be void", async || (status(http, &ticketed).await == 403).then_some(())).await;
    }
    let document = scene.owner("GET", &scene.video(), &Value::Null).await.json();
    for http in scene.ways() {
        assert_eq!(status(http, &Scene::segment(&document)).await, 200);
    }
}

async fn check_person(scene: &Scene) {
    let (_, cookie) = bob(scene).await;
    let bob =
        async |http: &Http, path: &str| http.ask(http.request("GET", path).header("Cookie", &cookie)).await;
    let people = format!("{}/people", scene.video());
    for (wanted, code) in [
        (json!({}), "invalid_document"),
        (json!({ "email": "bob@example.org", "user": "x" }), "invalid_document"),
        (json!({ "email": "bob" }), "invalid_email"),
        (json!({ "user": "0123456789abcdef" }), "unknown_user"),
    ] {
        assert_eq!(scene.owner("POST", &people, &wanted).await.problem(), code, "{wanted}");
    }
    for http in scene.ways() {
        assert_eq!(bob(http, &scene.video()).await.problem(), "unknown_video");
        assert_eq!(bob(http, "/api/v1/videos").await.json()["videos"], json!([]));
    }
    let entry = scene.owner("POST", &people, &json!({ "email": "BOB@example.org" })).await.json();
    let nobody = scene.owner("POST", &people, &json!({ "email": "nobody@example.org" })).await.json();
    // Both look alike: nobody learns whether an address has an account.
    assert_eq!((&entry["user"], &nobody["user"]), (&Value::Null, &Value::Null));
    assert_eq!(scene.owner("GET", &people, &Value::Null).await.json()["people"], json!([nobody, entry]));
    let mut ticketed = String::new();
    for http in scene.ways() {
        let document = bob(http, &scene.video()).await.json();
        assert_eq!((&document["shared_with_me"], &document["may_edit"]), (&json!(true), &json!(false)));
        ticketed = Scene::segment(&document);
        assert_eq!(status(http, &ticketed).await, 200);
        for list in ["/api/v1/videos", "/api/v1/videos?shared=me"] {
            assert_eq!(bob(http, list).await.json()["videos"][0]["id"], scene.id, "{list}");
        }
        assert_eq!(bob(http, "/api/v1/videos?owner=me").await.json()["videos"], json!([]));
        assert_eq!(bob(http, "/api/v1/search?q=ours").await.json()["results"][0]["video"]["id"], scene.id);
        assert_eq!(bob(http, &people).await.problem(), "not_yours");
        assert_eq!(http.get(&scene.video()).await.problem(), "unknown_video");
    }
    let end = format!("{people}/{}", entry["id"].as_str().unwrap());
    assert_eq!(scene.owner("DELETE", &end, &Value::Null).await.status, StatusCode::NO_CONTENT);
    for http in scene.ways() {
        assert_eq!(bob(http, &scene.video()).await.problem(), "unknown_video");
        assert_eq!(bob(http, "/api/v1/videos?shared=me").await.json()["videos"], json!([]));
        until("his tickets to be void", async || (status(http, &ticketed).await == 403).then_some(())).await;
    }
    assert_eq!(scene.owner("DELETE", &end, &Value::Null).await.problem(), "unknown_person");
}

/// Signs Bob up. Returns his id and his cookie.
async fn bob(scene: &Scene) -> (String, String) {
    let made = invite(&scene.server.http, &scene.cookie, "bob@example.org").await.unwrap();
    (made.json()["user"]["id"].as_str().unwrap().to_owned(), cookie(&made))
}

/// Disables somebody who plays the video, and checks that they stop and its owner goes on.
async fn check_disabled(scene: &Scene, (id, cookie): (String, String)) {
    let http = &scene.server.http;
    let document = http.ask(http.request("GET", &scene.video()).header("Cookie", &cookie)).await.json();
    let ticketed = Scene::segment(&document);
    for http in scene.ways() {
        // Twice: the second one is stored.
        assert_eq!((status(http, &ticketed).await, status(http, &ticketed).await), (200, 200));
    }
    let disabled = scene.owner("PATCH", &format!("/api/v1/users/{id}"), &json!({ "disabled": true })).await;
    assert_eq!(disabled.status, StatusCode::OK, "{disabled:?}");
    for http in scene.ways() {
        until("his tickets to be void", async || (status(http, &ticketed).await == 403).then_some(())).await;
    }
    let document = scene.owner("GET", &scene.video(), &Value::Null).await.json();
    for http in scene.ways() {
        assert_eq!(status(http, &Scene::segment(&document)).await, 200);
    }
}

#[tokio::test]
async fn a_disabled_persons_playback_ends_at_every_edge() {
    let scene = Scene::open_with(&[("CLIPCUT_SIGN_UP", "invitation")]).await;
    scene.set_visibility("private").await;
    let bob = bob(&scene).await;
    let shared = scene.owner("POST", &format!("{}/people", scene.video()), &json!({ "user": bob.0 })).await;
    assert_eq!(shared.status, StatusCode::CREATED, "{shared:?}");
    check_disabled(&scene, bob).await;
}

/// Runs `clipcut user` beside the server.
fn user(scene: &Scene, args: &[&str]) {
    let data = &scene.server.data;
    let finished = finish(clipcut(data.parent().unwrap()).arg("user").args(args).env("CLIPCUT_DATA", data));
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[tokio::test]
async fn an_account_that_is_disabled_and_removed_at_a_terminal_stops_playing_at_every_edge() {
    let scene = Scene::open_with(&[("CLIPCUT_SIGN_UP", "invitation")]).await;
    scene.set_visibility("private").await;
    let (id, cookie) = bob(&scene).await;
    let shared = scene.owner("POST", &format!("{}/people", scene.video()), &json!({ "user": id })).await;
    assert_eq!(shared.status, StatusCode::CREATED, "{shared:?}");
    let http = &scene.server.http;
    let events = http.request("GET", &format!("{}/events", scene.video())).header("Cookie", &cookie);
    let mut events = events.send().await.unwrap();
    let mut seen = events.chunk().await.unwrap().unwrap().to_vec();
    for (args, comeback) in [
        (["disable", "bob@example.org"].as_slice(), ["enable", "bob@example.org"].as_slice()),
        (["remove", "--delete-videos", "bob@example.org"].as_slice(), [].as_slice()),
    ] {
        let signed_in = json!({ "email": "bob@example.org", "password": PASSWORD });
        let signed_in = http.ask(http.request("POST", "/api/v1/session").json(&signed_in)).await;
        let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
        let document = http.ask(http.request("GET", &scene.video()).header("Cookie", &cookie)).await.json();
        let ticketed = Scene::segment(&document);
        for http in scene.ways() {
            // Twice: the second one is stored.
            assert_eq!((status(http, &ticketed).await, status(http, &ticketed).await), (200, 200));
        }
        user(&scene, args);
        for http in scene.ways() {
            until("his tickets to be void", async || (status(http, &ticketed).await == 403).then_some(()))
                .await;
        }
        if !comeback.is_empty() {
            user(&scene, comeback);
        }
    }
    // Nor do his open streams bring what comes after.
    scene.owner("PATCH", &scene.video(), &json!({ "title": "Secret" })).await;
    while let Some(chunk) = events.chunk().await.unwrap() {
        seen.extend(chunk);
    }
    assert!(!String::from_utf8(seen).unwrap().contains("Secret"));
    let document = scene.owner("GET", &scene.video(), &Value::Null).await.json();
    for http in scene.ways() {
        assert_eq!(status(http, &Scene::segment(&document)).await, 200);
    }
}

#[tokio::test]
async fn a_disabled_persons_playback_of_a_closed_sites_public_videos_ends_too() {
    let scene = Scene::open_with(&[("CLIPCUT_SIGN_UP", "invitation"), ("CLIPCUT_AUDIENCE", "people")]).await;
    let bob = bob(&scene).await;
    check_disabled(&scene, bob).await;
}

#[tokio::test]
async fn a_closed_site_plays_its_public_videos_to_people_and_to_links_that_share_them_alone() {
    let scene = Scene::open_with(&[("CLIPCUT_AUDIENCE", "people")]).await;
    let plain = format!("/v/{}/{SEGMENT}", scene.id);
    let document = scene.owner("GET", &scene.video(), &Value::Null).await.json();
    assert_eq!(document["visibility"], "public");
    let share = scene.owner("POST", &format!("{}/shares", scene.video()), &json!({})).await.json();
    let query = share["link"].as_str().unwrap().split_once('?').unwrap().1.to_owned();
    for http in scene.ways() {
        // Twice: the second one is stored at the edge.
        assert_eq!(status(http, &Scene::segment(&document)).await, 200);
        assert_eq!(status(http, &Scene::segment(&document)).await, 200);
        assert_eq!(http.get(&plain).await.problem(), "ticket_bad_signature");
        for path in ["/api/v1/videos", "/api/v1/search?q=ours", "/api/v1/events", &scene.video()] {
            assert_eq!(http.get(path).await.problem(), "sign_in_required", "{path}");
        }
        let shared = http.get(&format!("{}?{query}", scene.video())).await.json();
        assert_eq!(status(http, &Scene::segment(&shared)).await, 200);
        assert_eq!(status(http, "/").await, 200, "the page is there to sign in by");
        assert_eq!(status(http, "/api/v1/session").await, 200);
    }
}
