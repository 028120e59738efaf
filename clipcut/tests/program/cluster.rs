//! A library on a cluster's servers: its tables made by `clipcut migrate`, served by `clipcut serve`, and away for a while.

use testbed::{Mongodb, Postgres, Redis};

use crate::harness::{Clip, Cluster, Server, clipcut, count_frames, finish, until};

#[tokio::test]
async fn a_video_is_uploaded_and_encoded_and_outlives_the_server_and_its_folder() {
    let home = tempfile::tempdir().unwrap();
    let cluster = Cluster::shared();
    let refused =
        finish(clipcut(home.path()).args(["serve", "--listen", "127.0.0.1:0"]).envs(cluster.settings()));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("run `clipcut migrate`"), "{refused:?}");
    let migrated = cluster.migrate(home.path());
    assert!(migrated.stdout.contains("up to date, by "), "{migrated:?}");
    assert_eq!(cluster.migrate(home.path()).stdout, "the tables are up to date\n");

    let mut server = Server::start(&home.path().join("first"), &cluster.settings());
    let sent =
        finish(clipcut(home.path()).arg("upload").arg(Clip::Short.file()).args(["--server", &server.url]));
    assert_eq!(sent.code, Some(0), "{sent:?}");
    let id = sent.stdout.trim().rsplit('/').next().unwrap().to_owned();
    server.program.kill();

    let server = Server::start(&home.path().join("second"), &cluster.settings());
    assert_eq!(server.show(&id).await["state"], "ready");
    let master = server.http.url(&format!("/v/{id}/master.m3u8"));
    assert!(count_frames(&master).iter().all(|frames| *frames == Clip::Short.frames()));
    for data in ["first", "second"] {
        assert!(!home.path().join(data).join("clipcut.sqlite").exists());
        assert!(!home.path().join(data).join("blobs").exists());
    }
}

#[tokio::test]
async fn while_the_database_is_away_clients_get_retry_after() {
    let home = tempfile::tempdir().unwrap();
    let database = Postgres::start();
    let cluster = Cluster::on(&database, Mongodb::shared(), Redis::shared());
    assert_eq!(cluster.migrate(home.path()).code, Some(0));
    let server = Server::start(&home.path().join("data"), &cluster.settings());
    assert_eq!(server.http.get("/api/v1/videos").await.status, 200);
    database.server().kill();
    let away = server.http.get("/api/v1/videos").await;
    assert_eq!((away.status.as_u16(), away.problem().as_str()), (503, "store_away"));
    assert_eq!(away.header("retry-after"), "2");
    database.restart();
    until("the library to be back", async || {
        (server.http.get("/api/v1/videos").await.status == 200).then_some(())
    })
    .await;
}

#[test]
fn a_cluster_is_named_whole_and_no_password_is_printed() {
    let home = tempfile::tempdir().unwrap();
    let run = |command: &str, settings: &[(&str, &str)]| {
        finish(clipcut(home.path()).arg(command).envs(settings.iter().copied()))
    };
    let without = run("migrate", &[]);
    assert!(without.stderr.contains("CLIPCUT_POSTGRES"), "{without:?}");
    let redis = ("CLIPCUT_REDIS", "redis://:s3cret@redis.example");
    let part = run("serve", &[redis]);
    assert!(part.stderr.contains("redis names a cluster's server, which needs postgres and mongodb too"));
    let settings = [
        redis,
        ("CLIPCUT_POSTGRES", "postgres://clip:s3cret@db.example/cut"),
        ("CLIPCUT_MONGODB", "mongodb://clip:s3cret@blobs.example/cut"),
    ];
    let printed = run("config", &settings).stdout;
    for name in ["redis.example", "db.example", "blobs.example"] {
        assert!(printed.contains(name), "{name}: {printed}");
    }
    assert!(!printed.contains("s3cret"), "{printed}");
}

#[test]
fn the_doctor_checks_each_server_over_tls_where_its_address_asks_for_it() {
    let home = tempfile::tempdir().unwrap();
    let [ours, another] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap());
    let (certificate, key) = (ours.cert.pem(), ours.signing_key.serialize_pem());
    let pem = certificate.clone() + &key;
    let (postgres, mongodb, redis) =
        (Postgres::start(), Mongodb::start_private(&pem), Redis::start_private(&pem));
    postgres.take_tls(&certificate, &key);
    let file = |name: &str, text: &str| {
        let file = home.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let (database, blobs) = (postgres.database(), mongodb.database());
    let run = |command: &str, trusted: &str| {
        let settings = [
            ("CLIPCUT_POSTGRES", format!("{database}?sslmode=verify-full&sslrootcert={trusted}")),
            ("CLIPCUT_MONGODB", format!("{blobs}?tls=true&tlsCAFile={trusted}")),
            ("CLIPCUT_REDIS", redis.url().to_owned()),
            ("SSL_CERT_FILE", trusted.to_owned()),
            ("CLIPCUT_LISTEN", "127.0.0.1:0".to_owned()),
        ];
        finish(clipcut(home.path()).arg(command).envs(settings))
    };
    let (trusted, other) = (file("ours.pem", &certificate), file("another.pem", &another.cert.pem()));
    let early = run("doctor", &trusted).stdout;
    assert!(early.contains("BAD   PostgreSQL: ") && early.contains("mend: clipcut migrate"), "{early}");
    assert_eq!(run("migrate", &trusted).code, Some(0));
    let good = run("doctor", &trusted);
    assert_eq!(good.code, Some(0), "{good:?}");
    let bad = run("doctor", &other);
    assert_eq!(bad.code, Some(1), "{bad:?}");
    for server in ["PostgreSQL", "MongoDB", "Redis"] {
        assert!(good.stdout.contains(&format!("ok    {server} ")), "{good:?}");
        assert!(bad.stdout.contains(&format!("BAD   {server}: ")), "{bad:?}");
    }
    assert!(bad.stdout.matches("certificate").count() >= 3, "{bad:?}");
}

#[test]
fn a_database_whose_name_does_not_resolve_is_said_to_be_that() {
    let home = tempfile::tempdir().unwrap();
    let settings = [("CLIPCUT_POSTGRES", "postgres://clipcut:secret@database.invalid/clipcut")];
    let cluster = Cluster::shared();
    let doctor = finish(clipcut(home.path()).arg("doctor").envs(cluster.settings()).envs(settings));
    assert!(doctor.stdout.contains("BAD   PostgreSQL: ") && doctor.stdout.contains("lookup"), "{doctor:?}");
    assert!(!doctor.stdout.contains("secret"), "{doctor:?}");
}
