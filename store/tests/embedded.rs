//! The store of one machine: what every store promises, and what a restart puts right.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;

use std::time::Duration;

use contract::{LEASE, later, uploaded, video};
use sqlx::{AssertSqlSafe, Row};
use store::{Error, JobKind, State, Store, Timestamp, VideoId};
use tempfile::TempDir;

async fn store() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Store::embedded(folder.path()).await.unwrap(), folder)
}

#[tokio::test]
async fn bytes_whose_checksum_never_came_are_dropped_also_by_a_restart() {
    let (store, folder) = store().await;
    let id = store.uploads.begin(&video("v"), Some(10), later()).await.unwrap().id;
    let mut append = store.uploads.append(&id, true).await.unwrap().unwrap();
    append.write(b"good").await.unwrap();
    store.uploads.verified(&mut append).await.unwrap();
    drop(append);
    for _ in 0..2 {
        let mut append = store.uploads.append(&id, true).await.unwrap().unwrap();
        assert_eq!(append.offset(), 4);
        append.write(b"bad").await.unwrap();
        append.sync().await.unwrap();
        assert_eq!(store.uploads.offset(&id).await.unwrap(), 4);
    }
    drop(store);
    let store = Store::embedded(folder.path()).await.unwrap();
    assert_eq!(store.uploads.append(&id, false).await.unwrap().unwrap().offset(), 4);
}

#[tokio::test]
async fn tables_of_a_newer_program_are_worked_on() {
    let (store, folder) = store().await;
    drop(store);
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("clipcut.sqlite"));
    let newer = sqlx::SqlitePool::connect_with(file).await.unwrap();
    sqlx::raw_sql(contract::OF_TOMORROW).execute(&newer).await.unwrap();
    newer.close().await;
    let store = Store::embedded(folder.path()).await.unwrap();
    contract::uploaded(&store, "v").await;
    contract::claims_and_finishes(&store).await;
}

#[tokio::test]
async fn two_processes_never_share_a_folder() {
    let (store, folder) = store().await;
    assert!(matches!(Store::embedded(folder.path()).await, Err(Error::InUse(_))));
    drop(store);
    Store::embedded(folder.path()).await.unwrap();
}

#[tokio::test]
async fn a_restart_frees_leases_and_sweeps_what_belongs_to_nobody() {
    let (store, folder) = store().await;
    let id = uploaded(&store, "v").await;
    store.jobs.claim(&[JobKind::Prepare], "dead", LEASE).await.unwrap().unwrap();
    let orphan = VideoId::random();
    store.blobs.put(&format!("{}/master.m3u8", orphan.folder()), b"x").await.unwrap();
    drop(store);
    let store = Store::embedded(folder.path()).await.unwrap();
    assert!(store.jobs.claim(&[JobKind::Prepare], "alive", LEASE).await.unwrap().is_some());
    assert!(store.blobs.read(&format!("{}/master.m3u8", orphan.folder())).await.unwrap().is_none());
    assert!(store.blobs.read(&id.source()).await.unwrap().is_some());
}

#[tokio::test]
async fn an_upload_with_all_its_bytes_is_finished_by_a_restart() {
    let (store, folder) = store().await;
    let id = store.uploads.begin(&video("v"), Some(5), later()).await.unwrap().id;
    let mut append = store.uploads.append(&id, false).await.unwrap().unwrap();
    append.write(b"bytes").await.unwrap();
    append.sync().await.unwrap();
    drop((append, store));
    let store = Store::embedded(folder.path()).await.unwrap();
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().state, State::Uploaded);
    assert_eq!(store.blobs.read(&id.source()).await.unwrap().unwrap(), &b"bytes"[..]);
    assert!(store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_database_that_another_process_holds_is_unavailable_and_not_broken() {
    let (store, folder) = store().await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("clipcut.sqlite"));
    let backup = sqlx::sqlite::SqlitePool::connect_with(file).await.unwrap();
    let held = backup.begin_with("begin immediate").await.unwrap();
    let refused = store.uploads.begin(&video("v"), Some(1), later()).await.unwrap_err();
    assert!(matches!(refused, Error::Unavailable { .. }), "{refused}");
    drop(held);
    store.uploads.begin(&video("v"), Some(1), later()).await.unwrap();
}

#[tokio::test]
async fn no_statement_of_a_list_reads_a_whole_table() {
    let (store, folder) = store().await;
    let statements = contract::statements::of_lists(&store).await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("clipcut.sqlite"));
    let beside = sqlx::sqlite::SqlitePool::connect_with(file).await.unwrap();
    let scans = async |statement: &str| -> Vec<String> {
        let explain = AssertSqlSafe(format!("explain query plan {statement}"));
        let plan = sqlx::query(explain).fetch_all(&beside).await.unwrap();
        reads_all(&plan.iter().map(|step| step.get("detail")).collect::<Vec<String>>())
    };
    for statement in &statements {
        assert_eq!(scans(statement).await, [""; 0], "{statement}");
    }
    // The sight is sharp: this one has no index.
    assert_eq!(scans("select id from videos where title = 'a'").await, ["SCAN videos"]);
    assert_eq!(scans("select id from users u where name = $1 order by id").await.len(), 1);
}

#[tokio::test]
async fn a_word_that_old_videos_alone_have_is_found_behind_all_newer_ones() {
    let (store, folder) = store().await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("clipcut.sqlite"));
    let beside = sqlx::sqlite::SqlitePool::connect_with(file).await.unwrap();
    sqlx::raw_sql(include_str!("contract/old_words.sql")).execute(&beside).await.unwrap();
    contract::search::finds_old_words(&store).await;
}

/// Returns the steps of `SQLite`'s plan that go through a table from its beginning.
fn reads_all(plan: &[String]) -> Vec<String> {
    let scanned = |step: &String| {
        let rest = step.strip_prefix("SCAN ")?;
        rest.split_whitespace().next().map(|name| (name.to_owned(), rest.to_owned()))
    };
    // The rows of a part of the statement, of an argument and of the index of words are those that were asked for.
    let is_part = |name: &str| {
        let made = ["CO-ROUTINE", "MATERIALIZE"].map(|way| format!("{way} {name}"));
        name.starts_with("(subquery") || name == "json_each" || plan.iter().any(|step| made.contains(step))
    };
    let is_table = |step: &&String| {
        scanned(step).is_some_and(|(name, rest)| {
            !is_part(&name) && !rest.contains("VIRTUAL TABLE INDEX") && rest != "CONSTANT ROW"
        })
    };
    plan.iter().filter(is_table).cloned().collect()
}

#[tokio::test]
async fn marks_of_views_name_nobody_and_go_with_their_day() {
    let (store, folder) = store().await;
    let id = uploaded(&store, "v").await;
    let day = |n: u64| Timestamp(0) + Duration::from_hours(24 * n);
    for n in [20_000, 20_001] {
        assert!(store.views.count(&id, "network 203.0.113.9", day(n)).await.unwrap());
    }
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("clipcut.sqlite"));
    let beside = sqlx::sqlite::SqlitePool::connect_with(file).await.unwrap();
    let marks = sqlx::query("select day, mark from view_marks").fetch_all(&beside).await.unwrap();
    let marks: Vec<(i64, String)> = marks.iter().map(|row| (row.get(0), row.get(1))).collect();
    let keys = sqlx::query("select day from view_keys").fetch_all(&beside).await.unwrap();
    assert_eq!((marks.len(), marks[0].0, keys.len()), (1, 20_001, 1));
    assert!(marks[0].1.len() == 32 && marks[0].1.bytes().all(|byte| byte.is_ascii_hexdigit()), "{marks:?}");
}

#[tokio::test]
async fn the_service_of_what_has_no_jobs_is_forgotten_within_two_hours() {
    let (store, folder) = store().await;
    let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("clipcut.sqlite"));
    let beside = sqlx::sqlite::SqlitePool::connect_with(file).await.unwrap();
    let names = async || {
        let rows = sqlx::query("select name from service where part_of is not null order by length(name)");
        let rows = rows.fetch_all(&beside).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    let id = uploaded(&store, "v").await;
    assert_eq!(names().await, ["owner:", id.as_str()]);
    let after = |hours| Timestamp::now() + Duration::from_hours(hours);
    store.sweep_expired(after(2)).await.unwrap();
    assert_eq!(names().await, ["owner:", id.as_str()], "its job waits");
    contract::claims_and_finishes(&store).await;
    store.sweep_expired(Timestamp::now()).await.unwrap();
    assert_eq!(names().await, ["owner:", id.as_str()], "it was served a moment ago");
    for left in [vec!["owner:"], vec![]] {
        store.sweep_expired(after(2)).await.unwrap();
        assert_eq!(names().await, left);
    }
}
