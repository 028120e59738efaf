//! The roles of a cluster, each a process of its own: one video's way through all of them, and the start, readiness and
//! shutdown of each.

use std::fs;

use bytes::Bytes;
use futures::stream;
use reqwest::StatusCode;
use testbed::{Mongodb, Postgres, Redis};

use crate::harness::{
    Clip, Cluster, DEMO_MODEL, Http, Role, clipcut, count_frames, finish, free_address, published, until,
};

const ROLES: [&str; 4] = ["origin", "packager", "transcriber", "accounts"];

/// Returns the setting of accounts with which a role starts: that of accounts needs them, and others then need keys of tickets.
fn on_for(role: &str) -> &'static str {
    if role == "accounts" { "on" } else { "off" }
}

async fn state(http: &Http, id: &str) -> String {
    http.get(&format!("/api/v1/videos/{id}")).await.json()["state"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_video_goes_its_way_through_all_roles() {
    let home = tempfile::tempdir().unwrap();
    let (home, cluster) = (home.path(), Cluster::shared());
    cluster.migrate(home);
    let secret = home.join("secret");
    fs::write(&secret, "only the tests of the program know this").unwrap();
    let (secret, address) = (secret.to_str().unwrap(), free_address());
    let announcing = [("CLIPCUT_EDGES", address.as_str()), ("CLIPCUT_EDGE_SECRET", secret)];
    let origins = [cluster.start(home, "origin", &announcing), cluster.start(home, "origin", &announcing)];
    let runs = [("CLIPCUT_RUN_SEGMENTS", "1")];
    let _packagers = [cluster.start(home, "packager", &runs), cluster.start(home, "packager", &runs)];
    let _transcriber = cluster.start(home, "transcriber", &DEMO_MODEL);
    let edge = Role::start(
        clipcut(home)
            .args(["edge", "--listen", &address, "--origin", &origins[0].url, "--origin", &origins[1].url])
            .env("CLIPCUT_EDGE_SECRET", secret),
    );

    let clip = Clip::Spoken.file();
    let bytes = Bytes::from(fs::read(clip).unwrap());
    let half = bytes.len() / 2;
    let [first, second] = origins.each_ref().map(|origin| &origin.http);
    let first_admin = origins[0].program.admin();
    let upload = first.create_upload(bytes.len() as u64).await;
    let id = upload.rsplit('/').next().unwrap().to_owned();
    let piece = |part: std::ops::Range<usize>| stream::iter([Ok(bytes.slice(part))]);
    let sent = first.ask(first.append(&upload, 0, piece(0..half))).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{sent:?}");
    assert_eq!(second.offset(&upload).await, half as u64);
    let sent = second.ask(second.append(&upload, half as u64, piece(half..bytes.len()))).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT, "{sent:?}");
    let kept = cluster.store().await.blobs.read(&format!("sources/{id}")).await.unwrap().unwrap();
    assert!(kept == bytes, "the source is not the file");

    until("the video to be ready", async || (state(&edge.http, &id).await == "ready").then_some(())).await;
    // Not by the master playlist: it may list captions already, of which ffprobe warns.
    for rendition in ["360p", "240p"] {
        let media = edge.http.url(&format!("/v/{id}/{rendition}/media.m3u8"));
        assert_eq!(count_frames(&media), [Clip::Spoken.frames()]);
    }
    let document = second.get(&format!("/api/v1/videos/{id}")).await.json();
    assert_eq!(published(&document, None), 3 * Clip::Spoken.segments(), "{document}");

    let captions = format!("/v/{id}/captions/en.txt");
    let captions_text = until("the captions to be whole", async || {
        let document = edge.http.get(&format!("/api/v1/videos/{id}/captions")).await.json();
        (document["captions"][0]["state"] == "done").then_some(())?;
        Some(edge.http.get(&captions).await)
    })
    .await;
    let alone = finish(
        clipcut(home).arg("transcribe").arg(clip).args(["--format", "txt", "-o", "alone"]).envs(DEMO_MODEL),
    );
    assert_eq!(alone.code, Some(0), "{alone:?}");
    assert_eq!(captions_text.text(), fs::read_to_string(home.join("alone/spoken.txt")).unwrap());
    until("the captions to be listed", async || {
        edge.http.get(&format!("/v/{id}/master.m3u8")).await.text().contains("TYPE=SUBTITLES").then_some(())
    })
    .await;

    let request = serde_json::json!({ "language": "tlh" });
    let machine = second.request("POST", &format!("/api/v1/videos/{id}/captions/machine"));
    let refused = second.ask(machine.json(&request)).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (400, "unknown_language"));
    for method in ["GET", "POST"] {
        let refused = edge.http.ask(edge.http.request(method, "/v1/audio/transcriptions")).await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (404, "no_transcriber"));
    }

    let damages = async || {
        let metrics = first_admin.get("/metrics").await.text();
        let line = metrics.lines().find(|line| line.starts_with("clipcut_store_damages_total ")).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    };
    assert_eq!(damages().await, "0");
    cluster.damage(&format!("videos/{id}/240p/1.m4s")).await;
    let refused = first.get(&format!("/v/{id}/240p/1.m4s")).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (500, "internal_error"), "{refused:?}");
    assert_eq!(damages().await, "1");

    let segment = format!("/v/{id}/240p/0.m4s");
    assert_eq!(edge.http.get(&segment).await.status, StatusCode::OK);
    let deleted = first.ask(first.request("DELETE", &format!("/api/v1/videos/{id}"))).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
    until("the edge to forget it", async || {
        (edge.http.get(&segment).await.status == StatusCode::NOT_FOUND).then_some(())
    })
    .await;
}

#[tokio::test]
async fn people_sign_in_by_servers_of_accounts_alone_without_blobs_and_without_an_origin() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    // Attempts are counted by address, and those of other tests come from the same one.
    let redis = Redis::start();
    let cluster = Cluster::on(Postgres::shared(), Mongodb::shared(), &redis);
    cluster.migrate(home);
    let keys = home.join("keys");
    fs::write(&keys, "1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
    let settings = [("CLIPCUT_ACCOUNTS", "on"), ("CLIPCUT_TICKET_KEYS", keys.to_str().unwrap())];
    let mut origin = cluster.start(home, "origin", &settings);
    let mut command = clipcut(home);
    command.arg("accounts").env("CLIPCUT_LISTEN", "127.0.0.1:0").envs(settings).envs(cluster.settings());
    let mut accounts = Role::start(command.env_remove("CLIPCUT_MONGODB"));
    let edge = Role::start(
        clipcut(home)
            .args(["edge", "--listen", "127.0.0.1:0", "--origin", &origin.url])
            .envs(settings)
            .env("CLIPCUT_EDGE_ACCOUNTS", &accounts.url),
    );
    let person = serde_json::json!({ "name": "Anna", "email": "anna@example.org", "password": "correct horse battery" });
    let made = edge.http.ask(edge.http.request("POST", "/api/v1/users").json(&person)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let cookie = made.header("set-cookie").split(';').next().unwrap().to_owned();
    let ask =
        async |http: &Http, path: &str| http.ask(http.request("GET", path).header("Cookie", &cookie)).await;
    // Each knows the session, and an origin answers all where the edge has no servers of accounts.
    for http in [&edge.http, &accounts.http, &origin.http] {
        assert_eq!(ask(http, "/api/v1/account").await.json()["email"], "anna@example.org");
    }
    assert_eq!(ask(&edge.http, "/api/v1/jobs").await.status, StatusCode::OK);
    assert_eq!(ask(&accounts.http, "/api/v1/jobs").await.problem(), "unknown_path");
    assert_eq!(accounts.http.get("/readyz").await.status, StatusCode::OK);

    origin.program.kill();
    let session = serde_json::json!({ "email": "anna@example.org", "password": "correct horse battery" });
    let signed_in = edge.http.ask(edge.http.request("POST", "/api/v1/session").json(&session)).await;
    assert_eq!(signed_in.status, StatusCode::OK, "{signed_in:?}");
    assert!(ask(&edge.http, "/api/v1/jobs").await.status.is_server_error());
    accounts.program.terminate();
    assert_eq!(accounts.program.wait().code(), Some(0), "{}", accounts.program.log());
}

#[test]
fn a_role_needs_a_cluster_whose_tables_are_those_of_its_version() {
    let home = tempfile::tempdir().unwrap();
    let (home, cluster) = (home.path(), Cluster::shared());
    let run = |role: &str| {
        let ended = finish(
            clipcut(home)
                .arg(role)
                .env("CLIPCUT_LISTEN", "127.0.0.1:0")
                .env("CLIPCUT_ACCOUNTS", on_for(role))
                .envs(cluster.settings()),
        );
        assert_eq!(ended.code, Some(1), "{ended:?}");
        ended.stderr
    };
    for role in ROLES {
        let stderr = run(role);
        assert!(stderr.contains("not up to date; run `clipcut migrate`"), "{role}: {stderr}");
    }
    cluster.migrate(home);
    cluster.ask(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (99999999999999, 'of tomorrow', true, '', 0)",
    );
    // Tables of a newer one: while a cluster is upgraded, the version before works on beside it.
    for role in ROLES {
        let role = cluster.start(home, role, &[("CLIPCUT_ACCOUNTS", on_for(role))]);
        role.program.terminate();
    }
    for role in ["origin", "packager"] {
        let stderr = finish(clipcut(home).arg(role)).stderr;
        assert!(stderr.contains("postgres, mongodb and redis"), "{role}: {stderr}");
    }
}

#[tokio::test]
async fn a_role_is_ready_while_it_reaches_its_databases() {
    let home = tempfile::tempdir().unwrap();
    let (postgres, mongodb, redis) = (Postgres::start(), Mongodb::start(), Redis::start());
    let cluster = Cluster::on(&postgres, &mongodb, &redis);
    cluster.migrate(home.path());
    let roles = ["origin", "packager"].map(|role| cluster.start(home.path(), role, &[]));
    let all_answer = async |status: u16| {
        for role in &roles {
            until(&format!("/readyz to answer {status}"), async || {
                (role.http.get("/readyz").await.status == status).then_some(())
            })
            .await;
            assert_eq!(role.http.get("/healthz").await.status, 200);
            assert_eq!(role.program.admin().get("/readyz").await.status, status);
            assert!(role.program.admin().get("/metrics").await.text().contains("clipcut_jobs{"));
        }
    };
    all_answer(200).await;
    // Without Redis every process polls SQL.
    redis.server().kill();
    all_answer(200).await;
    mongodb.server().freeze();
    all_answer(503).await;
    mongodb.server().thaw();
    all_answer(200).await;
    postgres.server().kill();
    all_answer(503).await;
    let away = roles[0].http.get("/api/v1/videos").await;
    assert_eq!((away.status.as_u16(), away.problem().as_str()), (503, "store_away"), "{away:?}");
    assert_eq!(away.header("retry-after"), "2");
    postgres.restart();
    all_answer(200).await;
}

#[tokio::test]
async fn a_packager_that_is_stopped_gives_its_jobs_back() {
    let home = tempfile::tempdir().unwrap();
    let (home, cluster) = (home.path(), Cluster::shared());
    cluster.migrate(home);
    let origin = cluster.start(home, "origin", &[]);
    let mut packager = cluster.start(home, "packager", &[]);
    let upload = origin.http.create_upload(fs::metadata(Clip::Long.file()).unwrap().len()).await;
    let bytes = Bytes::from(fs::read(Clip::Long.file()).unwrap());
    origin.http.ask(origin.http.append(&upload, 0, stream::iter([Ok(bytes)]))).await;
    let id = upload.rsplit('/').next().unwrap();
    until("the encode to begin", async || {
        let document = origin.http.get(&format!("/api/v1/videos/{id}")).await.json();
        (published(&document, Some("video")) > 0).then_some(())
    })
    .await;
    packager.program.terminate();
    assert_eq!(packager.program.wait().code(), Some(0), "{}", packager.program.log());
    assert_eq!(cluster.ask("select count(*) from jobs where attempts > 0"), "0");
    assert_eq!(cluster.ask("select count(*) from jobs where lease_owner is not null"), "0");
    let _next = cluster.start(home, "packager", &[]);
    until("the video to be ready", async || (state(&origin.http, id).await == "ready").then_some(())).await;
}
