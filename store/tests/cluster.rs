//! The store of a cluster: what every store promises, on PostgreSQL, GridFS and Redis, and what a server that is away
//! does to it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod contract;

use contract::{later, video};
use store::{Cluster, Error, Store};
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
async fn what_is_no_address_is_told_at_once() {
    let opened = Store::cluster(&with("mysql://elsewhere/clipcut")).await;
    assert!(matches!(opened, Err(Error::Address { .. })));
}

#[tokio::test]
async fn a_database_that_was_killed_is_away_and_then_as_before() {
    let server = Postgres::start();
    let store = open(&server.database()).await;
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
    let store = open(&server.database()).await;
    let id = store.uploads.begin(&video("v"), None, later()).await.unwrap().id;
    server.server().freeze();
    assert!(matches!(store.videos.get(&id).await, Err(Error::Away { .. })));
    server.server().thaw();
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().title, "v");
}
