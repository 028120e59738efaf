//! The store of a cluster: what every store promises, on PostgreSQL, and what its server may do to it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;

use contract::{later, video};
use store::{Error, Store};
use tempfile::TempDir;
use testbed::Postgres;

async fn store() -> (Store, TempDir) {
    open(&Postgres::shared().database()).await
}

async fn open(url: &str) -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    store::migrate(url).await.unwrap();
    (Store::on_postgres(url, folder.path()).await.unwrap(), folder)
}

#[tokio::test]
async fn tables_are_made_by_the_command_and_by_nobody_else() {
    let url = Postgres::shared().database();
    let folder = tempfile::tempdir().unwrap();
    let opened = Store::on_postgres(&url, folder.path()).await;
    assert!(matches!(opened, Err(Error::OlderTables)));
    let both = tokio::try_join!(store::migrate(&url), store::migrate(&url)).unwrap();
    assert!(both.0 + both.1 >= 3, "{both:?}");
    assert_eq!(store::migrate(&url).await.unwrap(), 0);
    Store::on_postgres(&url, folder.path()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_address_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let opened = Store::on_postgres("mysql://elsewhere/clipcut", folder.path()).await;
    assert!(matches!(opened, Err(Error::Address { .. })));
}

#[tokio::test]
async fn a_database_that_was_killed_is_away_and_then_as_before() {
    let server = Postgres::start();
    let (store, _folder) = open(&server.database()).await;
    let id = store.uploads.begin(&video("v"), None, later()).await.unwrap().id;
    server.server().kill();
    assert!(matches!(store.videos.get(&id).await, Err(Error::Away { .. })));
    assert!(matches!(store.uploads.begin(&video("w"), None, later()).await, Err(Error::Away { .. })));
    server.restart();
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().title, "v");
    assert_eq!(store.videos.count().await.unwrap(), 1);
}

#[tokio::test]
async fn a_database_that_is_frozen_is_away_in_bounded_time() {
    let server = Postgres::start();
    let (store, _folder) = open(&server.database()).await;
    let id = store.uploads.begin(&video("v"), None, later()).await.unwrap().id;
    server.server().freeze();
    assert!(matches!(store.videos.get(&id).await, Err(Error::Away { .. })));
    server.server().thaw();
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().title, "v");
}
