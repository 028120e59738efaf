//! The store of a cluster: what every store promises, on PostgreSQL, GridFS and Redis, and what a server that is away
//! does to it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;

use contract::{later, video};
use mongodb::bson::{DateTime, Document, doc};
use sqlx::{AssertSqlSafe, Connection, Row};
use store::{Cluster, Error, Store, Timestamp};
use testbed::{Mongodb, Postgres, Redis};

/// A store on tables and a bucket that nobody else uses. It needs no folder to stay alive.
async fn store() -> (Store, ()) {
    (open(&Postgres::shared().database()).await, ())
}

async fn open(postgres: &str) -> Store {
    store::migrate(postgres).await.unwrap();
    Store::cluster(&with(postgres)).await.unwrap()
}

fn with(postgres: &str) -> Cluster {
    Cluster {
        postgres: postgres.to_owned(),
        mongodb: Mongodb::shared().database(),
        redis: Redis::shared().url().to_owned(),
    }
}

#[tokio::test]
async fn tables_are_made_by_the_command_and_by_nobody_else() {
    let url = Postgres::shared().database();
    assert!(matches!(Store::cluster(&with(&url)).await, Err(Error::OlderTables)));
    let both = tokio::try_join!(store::migrate(&url), store::migrate(&url)).unwrap();
    assert!(both.0 + both.1 >= 3, "{both:?}");
    assert_eq!(store::migrate(&url).await.unwrap(), 0);
    Store::cluster(&with(&url)).await.unwrap();
}

#[tokio::test]
async fn tables_of_a_newer_program_are_worked_on() {
    let url = Postgres::shared().database();
    store::migrate(&url).await.unwrap();
    let newer = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::raw_sql(contract::OF_TOMORROW).execute(&newer).await.unwrap();
    let store = Store::cluster(&with(&url)).await.unwrap();
    contract::uploaded(&store, "v").await;
    contract::claims_and_finishes(&store).await;
    assert_eq!(store::migrate(&url).await.unwrap(), 0);
    // Older ones are not: what this program writes has no place there.
    sqlx::raw_sql("delete from _sqlx_migrations where version = 6").execute(&newer).await.unwrap();
    assert!(matches!(Store::cluster(&with(&url)).await, Err(Error::OlderTables)));
}

#[tokio::test]
async fn what_comes_behind_a_deletion_is_swept_and_a_video_that_stayed_is_not() {
    let postgres = Postgres::shared().database();
    store::migrate(&postgres).await.unwrap();
    let at = with(&postgres);
    let store = Store::cluster(&at).await.unwrap();
    let [deleted, stayed] =
        [contract::uploaded(&store, "deleted").await, contract::uploaded(&store, "stayed").await];
    let late = format!("{}/360p/1.m4s", deleted.folder());
    let kept = format!("{}/360p/1.m4s", stayed.folder());
    store.blobs.put(&kept, b"segment").await.unwrap();
    assert!(store.delete(&deleted).await.unwrap());
    // A packager that did not know of it.
    store.blobs.put(&late, b"segment").await.unwrap();
    store.sweep_expired(Timestamp::now()).await.unwrap();
    assert!(store.blobs.read(&late).await.unwrap().is_some());

    let notes = mongodb::Client::with_uri_str(&at.mongodb).await.unwrap();
    let notes = notes.default_database().unwrap().collection::<Document>("media.notes");
    let hours_ago = DateTime::from_millis(DateTime::now().timestamp_millis() - 7_200_000);
    notes.update_many(doc! {}, doc! { "$set": { "at": hours_ago } }).await.unwrap();
    // A deletion that was killed before it took the row.
    notes.insert_one(doc! { "_id": stayed.to_string(), "at": hours_ago }).await.unwrap();
    store.sweep_expired(Timestamp::now()).await.unwrap();
    assert!(store.blobs.read(&late).await.unwrap().is_none());
    assert!(store.blobs.read(&kept).await.unwrap().is_some());
    assert_eq!(notes.count_documents(doc! {}).await.unwrap(), 0);
}

#[tokio::test]
async fn an_invalid_address_is_refused_at_once() {
    let opened = Store::cluster(&with("mysql://elsewhere/clipcut")).await;
    assert!(matches!(opened, Err(Error::Address { .. })));
}

#[tokio::test]
async fn a_database_is_reached_over_tls_where_its_address_asks_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Postgres::start();
    let url = server.database();
    let trusting = |certificate: &str| {
        let file = folder.path().join("root.crt");
        std::fs::write(&file, certificate).unwrap();
        format!("{url}?sslmode=verify-full&sslrootcert={}", file.display())
    };
    let [ours, another] =
        [(); 2].map(|()| rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap());
    let refused = async |url: &str| match store::migrate(url).await {
        Err(Error::Sql(e)) => e.to_string(),
        other => panic!("{other:?}"),
    };
    let refusal = refused(&trusting(&ours.cert.pem())).await;
    assert!(refusal.contains("server does not support TLS"), "{refusal}");
    server.take_tls(&ours.cert.pem(), &ours.signing_key.serialize_pem());
    let refusal = refused(&trusting(&another.cert.pem())).await;
    assert!(refusal.contains("invalid peer certificate"), "{refusal}");
    let store = open(&trusting(&ours.cert.pem())).await;
    assert_eq!(store.videos.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_database_that_was_killed_is_away_and_then_as_before() {
    let server = Postgres::start();
    let store = open(&server.database()).await;
    let id = store.uploads.begin(&video("v"), None, later()).await.unwrap().id;
    server.server().kill();
    assert!(matches!(store.videos.get(&id).await, Err(Error::Unavailable { .. })));
    assert!(matches!(store.uploads.begin(&video("w"), None, later()).await, Err(Error::Unavailable { .. })));
    server.restart();
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().title, "v");
    assert_eq!(store.videos.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_database_that_is_frozen_is_away_in_bounded_time() {
    let server = Postgres::start();
    let store = open(&server.database()).await;
    let id = store.uploads.begin(&video("v"), None, later()).await.unwrap().id;
    server.server().freeze();
    assert!(matches!(store.videos.get(&id).await, Err(Error::Unavailable { .. })));
    server.server().thaw();
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().title, "v");
}

#[tokio::test]
async fn no_statement_of_a_list_reads_a_whole_table() {
    let url = Postgres::shared().database();
    let store = open(&url).await;
    let statements = contract::statements::of_lists(&store).await;
    let mut beside = sqlx::PgConnection::connect(&url).await.unwrap();
    // A plan for certain values says nothing of others, and a table that is empty in this library is read whole.
    let settings = "set enable_seqscan = off; set plan_cache_mode = force_generic_plan;";
    for script in [include_str!("contract/large_library.sql"), settings] {
        sqlx::raw_sql(script).execute(&mut beside).await.unwrap();
    }
    for statement in &statements {
        assert_eq!(scans(&mut beside, statement).await, [""; 0], "{statement}");
    }
    // The sight is sharp: this one has no index.
    assert_eq!(scans(&mut beside, "select id from videos where title = $1").await.len(), 1);
    assert_eq!(scans(&mut beside, "select id from videos order by id").await.len(), 1);
}

#[tokio::test]
async fn a_word_that_old_videos_alone_have_is_found_behind_all_newer_ones() {
    let url = Postgres::shared().database();
    let store = open(&url).await;
    let mut beside = sqlx::PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(include_str!("contract/old_words.sql")).execute(&mut beside).await.unwrap();
    contract::search::finds_old_words(&store).await;
}

/// Returns the steps of a statement's plan that go through a table, or an index, from the beginning.
async fn scans(beside: &mut sqlx::PgConnection, statement: &str) -> Vec<String> {
    let places = (1..100).take_while(|n| statement.contains(&format!("${n}"))).count();
    let nulls = vec!["null"; places].join(", ");
    let arguments = if places == 0 { String::new() } else { format!("({nulls})") };
    let prepare = format!("deallocate all; prepare explained as {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *beside).await.unwrap();
    let explain = AssertSqlSafe(format!("explain (format json) execute explained{arguments}"));
    let row = sqlx::raw_sql(explain).fetch_one(&mut *beside).await.unwrap();
    let mut found = Vec::new();
    // sqlx reads no JSON here; in this protocol it comes as text.
    let plan: String = row.get_unchecked(0);
    gather_scans(&serde_json::from_str(&plan).unwrap(), &mut found);
    found
}

fn gather_scans(plan: &serde_json::Value, found: &mut Vec<String>) {
    match plan {
        serde_json::Value::Object(node) => {
            let kind = node.get("Node Type").and_then(|kind| kind.as_str()).unwrap_or_default();
            let by_index = matches!(kind, "Index Scan" | "Index Only Scan" | "Bitmap Index Scan");
            if kind == "Seq Scan" || (by_index && !node.contains_key("Index Cond")) {
                found.push(format!("{kind} {:?} {:?}", node.get("Relation Name"), node.get("Index Name")));
            }
            node.values().for_each(|part| gather_scans(part, found));
        }
        serde_json::Value::Array(parts) => parts.iter().for_each(|part| gather_scans(part, found)),
        _ => {}
    }
}
