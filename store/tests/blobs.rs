//! The promises of blobs in a folder and in GridFS.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{process::Stdio, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use mongodb::{
    Client, Database,
    bson::{DateTime, Document, doc},
};
use store::Blobs;
use tempfile::TempDir;
use testbed::Mongodb;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

const MIB: usize = 1024 * 1024;
// The chunks that GridFS cuts media and sources into.
const MEDIA_CHUNK: usize = 15 * MIB;
const SOURCE_CHUNK: usize = 2 * MIB;

/// Both places, each of its own.
async fn places() -> Vec<(&'static str, Blobs, TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let files = Blobs::in_folder(folder.path()).await.unwrap();
    let gridfs = Blobs::in_gridfs(&Mongodb::shared().database()).await.unwrap();
    vec![("files", files, folder), ("gridfs", gridfs, tempfile::tempdir().unwrap())]
}

/// GridFS, and the database behind it.
async fn gridfs() -> (Blobs, Database, String) {
    let url = Mongodb::shared().database();
    let blobs = Blobs::in_gridfs(&url).await.unwrap();
    (blobs, Client::with_uri_str(&url).await.unwrap().default_database().unwrap(), url)
}

/// Bytes that differ wherever one looks.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n ^ (n >> 8) ^ (n >> 16)) as u8).collect()
}

async fn read(blobs: &Blobs, key: &str, from: usize, to: usize) -> Vec<u8> {
    let blob = blobs.open_blob(key).await.unwrap().unwrap();
    let pieces: Vec<_> = blob.read_range(from as u64..to as u64).await.unwrap().try_collect().await.unwrap();
    pieces.concat()
}

async fn count(database: &Database, collection: &str) -> u64 {
    database.collection::<Document>(collection).count_documents(doc! {}).await.unwrap()
}

#[tokio::test]
async fn a_blob_is_whole_or_absent_and_is_replaced_at_once() {
    for (place, blobs, _folder) in places().await {
        assert!(blobs.read("a/b").await.unwrap().is_none(), "{place}");
        blobs.put("a/b", b"one").await.unwrap();
        let opened = blobs.open_blob("a/b").await.unwrap().unwrap();
        blobs.put("a/b", b"other").await.unwrap();
        let tag = blobs.open_blob("a/b").await.unwrap().unwrap().tag;
        assert_ne!(opened.tag, tag, "{place}");
        // A reader that opened the old revision reads it to its end.
        let old: Vec<_> = opened.read_range(1..3).await.unwrap().try_collect().await.unwrap();
        assert_eq!(old.concat(), b"ne", "{place}");
        assert_eq!(blobs.read("a/b").await.unwrap().unwrap(), &b"other"[..], "{place}");
        blobs.put("a/empty", b"").await.unwrap();
        assert_eq!(blobs.read("a/empty").await.unwrap().unwrap(), &b""[..], "{place}");
    }
}

#[tokio::test]
async fn what_was_published_once_stays() {
    for (place, blobs, _folder) in places().await {
        assert!(blobs.put_new("v/1", b"first").await.unwrap(), "{place}");
        assert!(!blobs.put_new("v/1", b"second").await.unwrap(), "{place}");
        assert_eq!(blobs.read("v/1").await.unwrap().unwrap(), &b"first"[..], "{place}");
        blobs.put("v/1", b"third").await.unwrap();
        assert!(!blobs.put_new("v/1", b"fourth").await.unwrap(), "{place}");
        assert_eq!(blobs.read("v/1").await.unwrap().unwrap(), &b"third"[..], "{place}");
    }
}

#[tokio::test]
async fn of_many_that_publish_the_same_name_one_does() {
    for (place, blobs, _folder) in places().await {
        let writers = (0..8_u8).map(|n| {
            let blobs = blobs.clone();
            tokio::spawn(async move { blobs.put_new("v/1", &[n; 100]).await.unwrap().then_some(n) })
        });
        let won: Vec<u8> =
            futures::future::try_join_all(writers).await.unwrap().into_iter().flatten().collect();
        assert_eq!(won.len(), 1, "{place}");
        assert_eq!(blobs.read("v/1").await.unwrap().unwrap().to_vec(), [won[0]; 100], "{place}");
    }
}

#[tokio::test]
async fn a_name_that_is_replaced_again_and_again_never_shows_a_gap_or_a_mix() {
    for (place, blobs, _folder) in places().await {
        blobs.put("v/list", &[0; 1000]).await.unwrap();
        let writers = (0..2_u8).map(|writer| {
            let blobs = blobs.clone();
            tokio::spawn(async move {
                for n in 0..10 {
                    blobs.put("v/list", &[writer * 10 + n; 1000]).await.unwrap();
                }
            })
        });
        let mut writers = std::pin::pin!(futures::future::try_join_all(writers));
        let mut seen = 0;
        while futures::poll!(&mut writers).is_pending() {
            let now = blobs.read("v/list").await.unwrap().unwrap();
            assert!(now.len() == 1000 && now.iter().all(|byte| *byte == now[0]), "{place}");
            seen += 1;
        }
        assert!(seen > 0, "{place}");
    }
}

#[tokio::test]
async fn keys_cannot_leave_the_store() {
    for (place, blobs, _folder) in places().await {
        for key in ["../x", "a//b", "/etc/passwd", "a/../../b", ".staging/0", "a/.hidden", "", "a b", "a\0b"]
        {
            assert!(blobs.put(key, b"x").await.is_err(), "{place} {key:?}");
            assert!(blobs.read(key).await.is_err(), "{place} {key:?}");
        }
    }
}

#[tokio::test]
async fn a_folder_is_no_blob_and_goes_with_all_in_it_and_nothing_else() {
    for (place, blobs, _folder) in places().await {
        for key in ["a/b/c", "a/b-/c", "a/b.c", "ab/c", "sources/a"] {
            blobs.put(key, b"x").await.unwrap();
        }
        assert!(blobs.open_blob("a/b").await.unwrap().is_none(), "{place}");
        assert!(blobs.open_blob("a/b/c/d").await.unwrap().is_none(), "{place}");
        assert_eq!(blobs.children("a").await.unwrap(), ["b", "b-", "b.c"], "{place}");
        assert_eq!(blobs.children("sources").await.unwrap(), ["a"], "{place}");
        blobs.delete_all("a/b").await.unwrap();
        assert_eq!(blobs.children("a").await.unwrap(), ["b-", "b.c"], "{place}");
        blobs.delete_all("a").await.unwrap();
        assert!(blobs.read("a/b.c").await.unwrap().is_none(), "{place}");
        assert!(blobs.read("ab/c").await.unwrap().is_some(), "{place}");
        blobs.delete_all("a").await.unwrap();
    }
}

#[tokio::test]
async fn ranges_are_exact_at_every_border_of_a_chunk() {
    for (place, blobs, _folder) in places().await {
        // A source of three chunks, the last one short, and a segment in one.
        for (key, len, chunk) in
            [("sources/s", 2 * SOURCE_CHUNK + 1000, SOURCE_CHUNK), ("v/720p/1.m4s", MIB, MIB)]
        {
            let all = bytes(len);
            blobs.put(key, &all).await.unwrap();
            let around = |border: usize| {
                let (before, behind) = (border.saturating_sub(1), (border + 1).min(len));
                [(before, border), (border, behind), (before, behind)]
            };
            let borders = (0..=len.div_ceil(chunk)).map(|n| (n * chunk).min(len));
            for (from, to) in borders.flat_map(around).chain([(0, len), (1, len - 1)]).filter(|(a, b)| a < b)
            {
                let part = read(&blobs, key, from, to).await;
                assert!(part == all[from..to], "{place} {key} {from}..{to}");
            }
        }
    }
}

#[tokio::test]
async fn ten_thousand_blobs_are_listed_by_their_prefix() {
    let (blobs, database, _) = gridfs().await;
    // Documents alone: a list looks at nothing else.
    let files = database.collection::<Document>("media.files");
    let named = |n: i32| {
        let name = format!("videos/v{:02}/720p/{n}.m4s", n % 4);
        doc! { "length": 0_i64, "chunkSize": 1, "uploadDate": DateTime::now(), "filename": name,
        "metadata": { "digest": "", "revision": 0_i64 } }
    };
    for start in (0..10_000).step_by(1000) {
        files.insert_many((start..start + 1000).map(named)).await.unwrap();
    }
    assert_eq!(blobs.children("videos").await.unwrap().len(), 4);
    assert_eq!(blobs.children("videos/v03").await.unwrap(), ["720p"]);
    let segments = blobs.children("videos/v03/720p").await.unwrap();
    assert_eq!(segments.len(), 2500);
    assert!(segments.contains(&"9999.m4s".to_owned()));
}

#[tokio::test]
async fn a_flipped_bit_is_an_error_and_never_goes_out() {
    let (blobs, database, _) = gridfs().await;
    let all = bytes(2 * SOURCE_CHUNK + 10);
    blobs.put("sources/s", &all).await.unwrap();
    blobs.put("v/720p/1.m4s", &all[..1000]).await.unwrap();
    let flip = async |bucket: &str, n: i32| {
        let chunks = database.collection::<Document>(&format!("{bucket}.chunks"));
        let mut chunk = chunks.find_one(doc! { "n": n }).await.unwrap().unwrap();
        let mut data = chunk.get_binary_generic("data").unwrap().clone();
        data[7] ^= 1;
        let data =
            mongodb::bson::Binary { subtype: mongodb::bson::spec::BinarySubtype::Generic, bytes: data };
        chunk.insert("data", data);
        let id = chunk.get_object_id("_id").unwrap();
        chunks.replace_one(doc! { "_id": id }, chunk).await.unwrap();
    };
    flip("media", 0).await;
    let segment = blobs.open_blob("v/720p/1.m4s").await.unwrap().unwrap();
    // Even of a part that is right, and before the first byte.
    let refused = segment.read_range(500..600).await.err().unwrap().to_string();
    assert!(refused.contains("v/720p/1.m4s is damaged"), "{refused}");

    flip("sources", 1).await;
    let source = blobs.open_blob("sources/s").await.unwrap().unwrap();
    let mut stream = source.read_range(0..all.len() as u64).await.unwrap();
    assert!(stream.next().await.unwrap().unwrap() == all[..SOURCE_CHUNK]);
    assert!(stream.next().await.unwrap().is_err());
    assert_eq!(blobs.damages().get(), 2);
}

#[tokio::test]
async fn chunks_that_changed_places_are_an_error() {
    let (blobs, database, _) = gridfs().await;
    let all = bytes(3 * SOURCE_CHUNK);
    blobs.put("sources/s", &all).await.unwrap();
    let chunks = database.collection::<Document>("sources.chunks");
    for (from, to) in [(0, 9), (1, 0), (9, 1)] {
        chunks.update_one(doc! { "n": from }, doc! { "$set": { "n": to } }).await.unwrap();
    }
    let source = blobs.open_blob("sources/s").await.unwrap().unwrap();
    let read: Vec<_> = source.read_range(0..all.len() as u64).await.unwrap().collect().await;
    assert!(read.last().unwrap().is_err());
}

#[tokio::test]
async fn deleting_leaves_no_chunk_and_no_note() {
    let (blobs, database, _) = gridfs().await;
    stream::iter(0..20)
        .for_each_concurrent(4, |n| {
            let blobs = blobs.clone();
            async move { blobs.put(&format!("v/{n}"), b"bytes").await.unwrap() }
        })
        .await;
    blobs.put("v/1", b"again").await.unwrap();
    assert_eq!(count(&database, "media.notes").await, 0);
    blobs.delete_all("v").await.unwrap();
    for collection in ["media.files", "media.chunks", "media.notes"] {
        assert_eq!(count(&database, collection).await, 0, "{collection}");
    }
}

#[tokio::test]
async fn a_killed_writer_leaves_nothing_to_see_and_a_sweep_takes_the_rest() {
    // The writer is this test in a process of its own.
    const WRITE_TO: &str = "CLIPCUT_TEST_WRITE_TO";
    // Many chunks: it must be at it still when the first of them is seen.
    let large = bytes(7 * MEDIA_CHUNK + 1000);
    if let Ok(url) = std::env::var(WRITE_TO) {
        let blobs = Blobs::in_gridfs(&url).await.unwrap();
        println!("writes");
        blobs.put("v/large", &large).await.unwrap();
        return;
    }
    let (blobs, database, url) = gridfs().await;
    let mut writer = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_writer_leaves_nothing_to_see_and_a_sweep_takes_the_rest", "--nocapture"])
        .env(WRITE_TO, &url)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    while !lines.next_line().await.unwrap().unwrap().contains("writes") {}
    while count(&database, "media.chunks").await == 0 {
        tokio::task::yield_now().await;
    }
    writer.kill().await.unwrap();

    assert!(blobs.open_blob("v/large").await.unwrap().is_none());
    assert!(blobs.children("v").await.unwrap().is_empty());
    let there = count(&database, "media.chunks").await;
    assert!(there < 8, "it was killed in the middle");
    // The server may still be at the chunk that it sent last. The next writer waits for it, or keeps it out.
    let chunks = database.collection::<Document>("media.chunks");
    let first = chunks.find_one(doc! {}).projection(doc! { "files_id": 1 }).await.unwrap().unwrap();
    let _ = chunks.insert_one(doc! { "files_id": first.get("files_id"), "n": there as i32 }).await;
    assert_eq!(count(&database, "media.chunks").await, there + 1);
    // Fresh, it may be of a writer that is at it; an hour later it is nobody's.
    assert_eq!(blobs.sweep_unfinished().await.unwrap(), 0);
    let hours_ago = DateTime::from_millis(DateTime::now().timestamp_millis() - 7_200_000);
    let notes = database.collection::<Document>("media.notes");
    notes.update_many(doc! {}, doc! { "$set": { "at": hours_ago } }).await.unwrap();
    assert_eq!(blobs.sweep_unfinished().await.unwrap(), 1);
    assert_eq!(count(&database, "media.chunks").await, 0);
    assert_eq!(count(&database, "media.notes").await, 0);
}

#[tokio::test]
async fn a_server_that_is_away_is_reported_and_found_again() {
    let mongodb = Mongodb::start();
    let url = format!("{}?serverSelectionTimeoutMS=300", mongodb.database());
    let blobs = Blobs::in_gridfs(&url).await.unwrap();
    blobs.put("v/1", b"bytes").await.unwrap();
    mongodb.server().kill();
    for _ in 0..2 {
        assert!(matches!(blobs.read("v/1").await, Err(store::Error::Unavailable { .. })));
        assert!(matches!(blobs.put("v/2", b"x").await, Err(store::Error::Unavailable { .. })));
    }
    mongodb.server().start();
    let read = async || blobs.read("v/1").await;
    let found = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            match read().await {
                Ok(found) => return found,
                Err(store::Error::Unavailable { .. }) => tokio::task::yield_now().await,
                Err(e) => panic!("{e}"),
            }
        }
    });
    assert_eq!(found.await.unwrap().unwrap(), &b"bytes"[..]);
}
