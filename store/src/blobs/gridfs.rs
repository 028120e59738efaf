//! Blobs in MongoDB's GridFS, as its specification lays them out, so that any driver reads them. Two
//! buckets: sources in chunks of a size to seek in, media in one chunk each. Needs neither transactions nor change
//! streams.
//!
//! A write leaves a note, then its chunks, then the document that makes it visible. A writer that is killed leaves
//! the note, by which `sweep` finds the chunks. A blob is replaced by a later revision of the same name: the newest
//! counts, so no reader ever sees a gap or a mix, and the one before stays a while for readers that have it open.

mod bucket;
mod document;
mod growing;
mod read;
mod sweep;

use std::{collections::HashSet, time::Duration};

use futures::{TryStreamExt, stream};
use mongodb::{
    Client, Database,
    bson::{Bson, DateTime, doc, oid::ObjectId},
    options::{ClientOptions, ReadConcern, WriteConcern},
};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use super::key::{Attributes, check};
use crate::{Error, Result, VideoId};
use bucket::{AT_ONCE, Bucket, NAMES_AT_ONCE, after};
pub(crate) use document::Digest;
use document::{File, Metadata};
pub(crate) use growing::Growing;
pub(crate) use read::Opened;
use sweep::NOBODYS;

// MongoDB takes documents of up to 16 MiB; a segment of six seconds at 20 Mbit/s fits.
const MEDIA_CHUNK_BYTES: usize = 15 * 1024 * 1024;

const SOURCES: &str = "sources/";
// The driver's own default, half a minute, is longer than a player waits.
const FIND_SERVER: Duration = Duration::from_secs(5);
// A write that takes longer gives up before it becomes visible: the sweep may take it for dead at an hour.
const MOST_WRITE_TIME: Duration = Duration::from_mins(10);
// A try fails only when another writer's revision became visible first; sixteen times in a row is a fault and no race.
const MOST_TRIES: usize = 16;
// A start together with the server's own, as in `docker compose up`, is no failure.
const MOST_CONNECT_TIME: Duration = Duration::from_secs(30);

/// Blobs in GridFS.
#[derive(Clone, Debug)]
pub(crate) struct GridFs {
    media: Bucket,
    sources: Bucket,
    damages: Counter,
}

impl GridFs {
    /// Returns the database that `url` names; nothing is connected yet.
    async fn database(url: &str) -> Result<Database> {
        let mut options = ClientOptions::parse(url).await?;
        options.server_selection_timeout.get_or_insert(FIND_SERVER);
        options.connect_timeout.get_or_insert(FIND_SERVER);
        // The name appears in `db.currentOp()` and in the server's log, beside each slow operation.
        options.app_name.get_or_insert_with(|| "clipcut".to_owned());
        // Acknowledged writes outlive the loss of any one server. A URL with a write concern of its own is obeyed.
        options.write_concern.get_or_insert_with(WriteConcern::majority);
        options.read_concern.get_or_insert_with(ReadConcern::majority);
        let name = options.default_database.clone().unwrap_or_else(|| "clipcut".to_owned());
        Ok(Client::with_options(options)?.database(&name))
    }

    /// Returns the server's version.
    pub(crate) async fn version(url: &str) -> Result<String> {
        let info = Self::database(url).await?.run_command(doc! { "buildInfo": 1 }).await?;
        Ok(info.get_str("version").unwrap_or("unknown").to_owned())
    }

    /// Connects, and makes the indexes where they are not there yet.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let database = Self::database(url).await?;
        let damages = Counter::default();
        let gridfs = Self {
            media: Bucket::new(&database, "media", MEDIA_CHUNK_BYTES, damages.clone()),
            sources: Bucket::new(&database, "sources", Growing::CHUNK_BYTES, damages.clone()),
            damages,
        };
        let began = Instant::now();
        loop {
            // Each start makes the indexes: MongoDB answers at once where they exist, and any process may be the first.
            match gridfs.make_indexes().await {
                Err(e @ Error::Unavailable { .. }) if began.elapsed() < MOST_CONNECT_TIME => {
                    tracing::warn!(error = %e, "waiting for MongoDB");
                    tokio::time::sleep(Duration::from_millis(rand::random_range(200..1000))).await;
                }
                made => return made.map(|()| gridfs),
            }
        }
    }

    pub(crate) async fn ping(&self) -> Result<()> {
        self.media.ping().await
    }

    /// Returns the count of blobs that were read and are not what was written.
    pub(crate) fn damages(&self) -> Counter {
        self.damages.clone()
    }

    async fn make_indexes(&self) -> Result<()> {
        self.media.make_indexes().await?;
        self.sources.make_indexes().await
    }

    pub(crate) async fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        check(key)?;
        let bucket = self.bucket(key);
        let mut file = self.write(bucket, key, bytes).await?;
        for _ in 0..MOST_TRIES {
            let newest = bucket.newest(key).await?;
            file.metadata.revision = newest.map_or(0, |newest| newest.metadata.revision + 1);
            // Another writer may have been faster; ours then replaces what it wrote.
            if bucket.show(&file).await? {
                bucket.forget(&file.id).await?;
                // Readers of the revision before have it open; past ones go with a later write,
                // once their readers have had ten minutes.
                return self.drop_replaced(bucket, key).await;
            }
        }
        bucket.drop_bytes(&file.id).await?;
        Err(Error::Unavailable { what: "MongoDB", cause: format!("too many writers of {key} at once") })
    }

    pub(crate) async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        check(key)?;
        let bucket = self.bucket(key);
        // A run that starts again finds most segments published; looking first saves writing megabytes to lose the race.
        if bucket.newest(key).await?.is_some() {
            return Ok(false);
        }
        let file = self.write(bucket, key, bytes).await?;
        // The index of names and revisions lets one writer in.
        if bucket.show(&file).await? {
            bucket.forget(&file.id).await?;
            return Ok(true);
        }
        bucket.drop_bytes(&file.id).await?;
        Ok(false)
    }

    pub(super) async fn open_blob(&self, key: &str) -> Result<Option<(Attributes, Opened)>> {
        check(key)?;
        let bucket = self.bucket(key);
        Ok(bucket.newest(key).await?.map(|file| {
            let attributes = Attributes {
                len: file.length as u64,
                // Half of a SHA-256 still makes no two contents alike, and keeps the header short.
                tag: file.metadata.digest[..32].to_owned(),
                modified: file.upload_date.to_system_time(),
            };
            (attributes, Opened::new(bucket.clone(), file))
        }))
    }

    pub(super) async fn existing(&self, keys: &[String]) -> Result<HashSet<String>> {
        for key in keys {
            check(key)?;
        }
        // All are of the first one's bucket.
        let Some(first) = keys.first() else { return Ok(HashSet::new()) };
        self.bucket(first).existing(keys).await
    }

    pub(crate) async fn children(&self, folder: &str) -> Result<Vec<String>> {
        check(folder)?;
        let bucket = self.bucket(&format!("{folder}/"));
        let mut names: Vec<String> = Vec::new();
        let mut from = format!("{folder}/");
        let end = after(folder);
        loop {
            let batch = bucket.names(&from, &end).await?;
            for name in &batch {
                let child = name[folder.len() + 1..].split('/').next().unwrap_or_default();
                if names.last().is_none_or(|last| last != child) {
                    names.push(child.to_owned());
                }
            }
            let Some(last) = batch.last().filter(|_| batch.len() == NAMES_AT_ONCE) else { break };
            // All that lies below the last child is jumped over.
            let child = names.last().map_or("", String::as_str);
            let path = format!("{folder}/{child}");
            // U+0001 comes before every character that a key may have, so no name lies between the last and this.
            from = if last.len() > path.len() { after(&path) } else { format!("{last}\u{1}") };
        }
        // `a.b` comes before `a/b` by name and behind it by child, so a child may come twice.
        names.sort();
        names.dedup();
        Ok(names)
    }

    pub(crate) async fn delete_all(&self, key: &str) -> Result<()> {
        check(key)?;
        let bucket = self.bucket(key);
        bucket.delete_named(key).await?;
        // `sources` without its slash falls to the media bucket, while all that lies below is in the other.
        if key == SOURCES.trim_end_matches('/') {
            return self.sources.delete_below(key).await;
        }
        bucket.delete_below(key).await
    }

    /// Writes the bytes of a blob that nobody sees yet.
    async fn write(&self, bucket: &Bucket, key: &str, bytes: &[u8]) -> Result<File> {
        let began = Instant::now();
        let id = Bson::ObjectId(ObjectId::new());
        bucket.note(&id).await?;
        let mut digest = Digest::default();
        for (n, part) in bytes.chunks(bucket.chunk_bytes).enumerate() {
            digest = digest.then(bucket.write_chunk(&id, n as i32, part).await?);
        }
        if began.elapsed() > MOST_WRITE_TIME {
            return Err(Error::Unavailable {
                what: "MongoDB",
                cause: format!("it took too long to write {key}"),
            });
        }
        Ok(File {
            id,
            length: bytes.len() as i64,
            chunk_size: bucket.chunk_bytes as i32,
            upload_date: DateTime::now(),
            filename: key.to_owned(),
            metadata: Metadata { digest: digest.hex(), revision: 0 },
        })
    }

    /// Drops revisions whose readers have had their time.
    async fn drop_replaced(&self, bucket: &Bucket, key: &str) -> Result<()> {
        let replaced = bucket.replaced(key).await?;
        stream::iter(replaced.into_iter().map(Ok))
            .try_for_each_concurrent(AT_ONCE, |id| async move { bucket.delete(&id).await })
            .await
    }

    fn bucket(&self, key: &str) -> &Bucket {
        if key.starts_with(SOURCES) { &self.sources } else { &self.media }
    }
}

/// Uploads, whose sources grow.
impl GridFs {
    /// Returns the source of an upload, for the holder of its `fence`.
    pub(crate) fn growing(&self, video: &VideoId, fence: i64) -> Growing {
        Growing::new(self.sources.clone(), video, fence)
    }

    /// Deletes the chunks of an upload. A writer that does not know of it yet may still leave some, so the note stays.
    pub(crate) async fn discard(&self, video: &VideoId) -> Result<()> {
        // The fence guards writes alone; a deletion takes the chunks of every holder.
        self.growing(video, 0).discard().await
    }

    /// Returns the sources of which there is an old note.
    pub(crate) async fn old_sources(&self) -> Result<Vec<VideoId>> {
        self.sources.noted_videos(NOBODYS).await
    }

    /// Deletes what is left of an upload that is over.
    pub(crate) async fn sweep_source(&self, video: &VideoId) -> Result<()> {
        // A crash right after `show` leaves a note beside a whole source: only the note may go.
        if self.sources.is_visible(&growing::id(video)).await? {
            return self.sources.forget(&growing::id(video)).await;
        }
        tracing::warn!(%video, "swept what an upload left");
        self.sources.drop_bytes(&growing::id(video)).await
    }
}

/// Deletions, which outlive a kill.
impl GridFs {
    /// Deletes media that never became visible. Returns how many there were.
    pub(crate) async fn sweep(&self) -> Result<u64> {
        sweep::sweep(&self.media, NOBODYS).await
    }

    /// Notes that a video's media is about to be deleted. The note stays until [`Self::forget_deleted`], for a writer
    /// that does not know of it yet may still leave some.
    pub(crate) async fn note_deleted(&self, video: &VideoId) -> Result<()> {
        self.media.note(&Bson::String(video.to_string())).await
    }

    /// Returns the videos of which there is an old note.
    pub(crate) async fn deleted(&self) -> Result<Vec<VideoId>> {
        self.media.noted_videos(NOBODYS).await
    }

    /// Takes the note of a video back.
    pub(crate) async fn forget_deleted(&self, video: &VideoId) -> Result<()> {
        self.media.forget(&Bson::String(video.to_string())).await
    }
}
