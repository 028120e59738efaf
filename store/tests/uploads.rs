//! Uploads in a cluster: begun at one origin, gone on with at another, and never by two at once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use mongodb::{
    Client,
    bson::{Document, doc},
};
use store::{Cluster, Error, JobKind, NewVideo, State, Store, Timestamp, VideoId};
use testbed::{Mongodb, Postgres, Redis};

// The chunks that a source is cut into.
const CHUNK: usize = 2 * 1024 * 1024;
const LEASE: Duration = Duration::from_mins(1);

/// Two origins of one cluster.
async fn origins() -> (Store, Store, Cluster) {
    let at = Cluster {
        postgres: Postgres::shared().database(),
        mongodb: Mongodb::shared().database(),
        redis: Redis::shared().url().to_owned(),
    };
    store::migrate(&at.postgres).await.unwrap();
    (Store::cluster(&at).await.unwrap(), Store::cluster(&at).await.unwrap(), at)
}

async fn begun(store: &Store, length: usize) -> VideoId {
    let video = NewVideo {
        title: "v".into(),
        description: String::new(),
        source_name: "clip.mp4".into(),
        owner: None,
    };
    let later = Timestamp::now() + Duration::from_hours(1);
    store.uploads.begin(&video, Some(length as u64), later).await.unwrap().id
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}

#[tokio::test]
async fn an_upload_goes_on_at_another_origin_to_the_same_bytes() {
    let (one, other, _) = origins().await;
    let all = bytes(2 * CHUNK + 1000);
    let id = begun(&one, all.len()).await;
    // Cuts inside of a chunk, at its border and behind it; and each origin in its turn.
    let cuts = [0, 10, CHUNK, CHUNK + 1, 2 * CHUNK + 1, all.len()];
    for (n, cut) in cuts.windows(2).enumerate() {
        let store = if n % 2 == 0 { &one } else { &other };
        assert_eq!(store.uploads.offset(&id).await.unwrap(), cut[0] as u64);
        let mut append = store.uploads.append(&id, false).await.unwrap().unwrap();
        assert_eq!(append.offset(), cut[0] as u64);
        append.write(&all[cut[0]..cut[1]]).await.unwrap();
        append.sync().await.unwrap();
        if cut[1] == all.len() {
            store.uploads.finish(append).await.unwrap();
        } else {
            append.close().await.unwrap();
        }
    }
    // Read whole, chunk by chunk and against the digest of all.
    assert!(one.blobs.read(&id.source()).await.unwrap().unwrap() == all);
    assert!(other.uploads.get(&id).await.unwrap().is_none());
    assert_eq!(other.videos.get(&id).await.unwrap().unwrap().state, State::Uploaded);
    assert!(one.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn only_one_origin_appends_at_a_time() {
    let (one, other, _) = origins().await;
    let id = begun(&one, 10).await;
    let append = one.uploads.append(&id, false).await.unwrap().unwrap();
    assert!(other.uploads.append(&id, false).await.unwrap().is_none());
    append.close().await.unwrap();
    assert!(other.uploads.append(&id, false).await.unwrap().is_some());
}

#[tokio::test]
async fn an_origin_that_was_overtaken_writes_nothing_more() {
    let (one, other, at) = origins().await;
    let id = begun(&one, 2 * CHUNK).await;
    let mut slow = one.uploads.append(&id, false).await.unwrap().unwrap();
    slow.write(b"slow").await.unwrap();
    // As after a pause that was longer than the lease.
    let left = one.uploads.leases.acquire(&id, Duration::ZERO).await.unwrap();
    assert!(left.is_none());
    let status = std::process::Command::new("psql")
        .args(["-qXc", "update uploads set lease_until = 0", &at.postgres])
        .status();
    assert!(status.unwrap().success());
    let mut quick = other.uploads.append(&id, false).await.unwrap().unwrap();
    quick.write(b"quick").await.unwrap();
    quick.sync().await.unwrap();

    let refused = slow.sync().await.err().unwrap();
    assert!(matches!(refused, Error::TakenOver(_)), "{refused}");
    assert_eq!(other.uploads.offset(&id).await.unwrap(), 5);
    quick.write(&vec![7; 2 * CHUNK - 5]).await.unwrap();
    other.uploads.finish(quick).await.unwrap();
    let source = one.blobs.read(&id.source()).await.unwrap().unwrap();
    assert!(source.starts_with(b"quick") && source.len() == 2 * CHUNK);
}

#[tokio::test]
async fn bytes_whose_checksum_never_came_do_not_count() {
    let (one, other, _) = origins().await;
    let id = begun(&one, 100).await;
    let mut append = one.uploads.append(&id, true).await.unwrap().unwrap();
    append.write(b"good").await.unwrap();
    one.uploads.verified(&mut append).await.unwrap();
    append.close().await.unwrap();
    let mut append = other.uploads.append(&id, true).await.unwrap().unwrap();
    append.write(b"bad").await.unwrap();
    append.sync().await.unwrap();
    append.close().await.unwrap();
    assert_eq!(one.uploads.offset(&id).await.unwrap(), 4);
    assert_eq!(one.uploads.append(&id, false).await.unwrap().unwrap().offset(), 4);
}

#[tokio::test]
async fn what_is_deleted_takes_its_chunks_along() {
    let (one, other, at) = origins().await;
    let id = begun(&one, 100).await;
    let mut append = one.uploads.append(&id, false).await.unwrap().unwrap();
    append.write(b"some").await.unwrap();
    append.sync().await.unwrap();
    assert!(other.delete(&id).await.unwrap());
    append.write(b"more").await.unwrap();
    assert!(matches!(append.sync().await, Err(Error::Gone(_))));
    let database = Client::with_uri_str(&at.mongodb).await.unwrap().default_database().unwrap();
    let chunks = database.collection::<Document>("sources.chunks");
    assert_eq!(chunks.count_documents(doc! {}).await.unwrap(), 0);
}
