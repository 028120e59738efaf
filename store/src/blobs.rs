//! Blobs: whole or absent, never half. A key is a path of plain names. Leaves storage to `files` and `gridfs`.

mod files;
mod gridfs;
mod key;

use std::{
    collections::HashSet,
    io,
    ops::Range,
    path::{Path, PathBuf},
    time::SystemTime,
};

use bytes::Bytes;
use futures::TryStreamExt;
use prometheus_client::metrics::counter::Counter;

use crate::{Error, Result, VideoId, metrics::StoreMetrics};
use files::Files;
pub(crate) use gridfs::{Digest, GridFs, Growing, Opened};
use key::Attributes;
pub use key::ByteStream;

/// Blobs, wherever this deployment keeps them.
#[derive(Clone, Debug)]
pub struct Blobs {
    backend: Backend,
    metrics: StoreMetrics,
}

// An enum and no trait: nothing outside of the store adds a third.
#[derive(Clone, Debug)]
enum Backend {
    Files(Files),
    GridFs(GridFs),
    /// This process has nothing to do with media.
    Absent,
}

/// An opened blob. It can be read to its end even when it is replaced meanwhile.
#[derive(Debug)]
pub struct Blob {
    /// Size in bytes.
    pub len: u64,
    /// Changes whenever the content does; made of letters, digits and dashes, fit for an entity tag.
    pub tag: String,
    /// When it was published.
    pub modified: SystemTime,
    body: Body,
}

#[derive(Debug)]
enum Body {
    File(files::Opened),
    Object(gridfs::Opened),
}

impl Blobs {
    fn on(backend: Backend) -> Self {
        Self { backend, metrics: StoreMetrics::default() }
    }

    /// Returns the counts of the store that these blobs belong to.
    pub(crate) fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// Opens the folder `root`, created when absent, and drops what a killed writer left in it.
    pub async fn in_folder(root: &Path) -> Result<Self> {
        Ok(Self::on(Backend::Files(Files::open(root).await?)))
    }

    /// Keeps blobs in the database of a MongoDB server that `url` names.
    pub async fn in_gridfs(url: &str) -> Result<Self> {
        Ok(Self::on(Backend::GridFs(GridFs::connect(url).await?)))
    }

    /// Returns blobs of which there are none, for a process that has nothing to do with media.
    pub(crate) fn absent() -> Self {
        Self::on(Backend::Absent)
    }

    /// Returns whether this process has nothing to do with media.
    pub(crate) fn are_absent(&self) -> bool {
        matches!(self.backend, Backend::Absent)
    }

    /// Publishes `bytes` under `key`, in place of what was there.
    pub async fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        let put = async {
            match &self.backend {
                Backend::Files(files) => files.put(key, bytes).await,
                Backend::GridFs(gridfs) => gridfs.put(key, bytes).await,
                Backend::Absent => Err(absent("publish", key)),
            }
        };
        self.metrics.time("put", put).await
    }

    /// Publishes `bytes` under `key` unless something is there already, which then stays.
    /// Returns whether it was published.
    pub async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        let put = async {
            match &self.backend {
                Backend::Files(files) => files.put_new(key, bytes).await,
                Backend::GridFs(gridfs) => gridfs.put_new(key, bytes).await,
                Backend::Absent => Err(absent("publish", key)),
            }
        };
        self.metrics.time("put", put).await
    }

    /// Opens the blob `key`.
    pub async fn open_blob(&self, key: &str) -> Result<Option<Blob>> {
        let open = async {
            match &self.backend {
                Backend::Files(files) => {
                    let opened = files.open_blob(key).await?;
                    Ok(opened.map(|(attributes, file)| Blob::new(attributes, Body::File(file))))
                }
                Backend::GridFs(gridfs) => {
                    let opened = gridfs.open_blob(key).await?;
                    Ok(opened.map(|(attributes, object)| Blob::new(attributes, Body::Object(object))))
                }
                Backend::Absent => Err(absent("open", key)),
            }
        };
        self.metrics.time("open", open).await
    }

    /// Returns those of `keys` that are there, by one request for all of them. They are of one kind: sources, or media.
    pub async fn existing(&self, keys: &[String]) -> Result<HashSet<String>> {
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        let look = async {
            match &self.backend {
                Backend::Files(files) => files.existing(keys).await,
                Backend::GridFs(gridfs) => gridfs.existing(keys).await,
                Backend::Absent => Err(absent("look for", &keys[0])),
            }
        };
        self.metrics.time("open", look).await
    }

    /// Reads the blob `key` whole; for playlists and segments, not for sources.
    pub async fn read(&self, key: &str) -> Result<Option<Bytes>> {
        let Some(blob) = self.open_blob(key).await? else { return Ok(None) };
        let len = blob.len;
        let mut pieces: Vec<Bytes> = blob.read_range(0..len).await?.try_collect().await?;
        // A blob in one piece needs no copy.
        Ok(Some(if pieces.len() == 1 { pieces.remove(0) } else { pieces.concat().into() }))
    }

    /// Returns the names directly below `folder`, sorted.
    pub async fn children(&self, folder: &str) -> Result<Vec<String>> {
        match &self.backend {
            Backend::Files(files) => files.children(folder).await,
            Backend::GridFs(gridfs) => gridfs.children(folder).await,
            Backend::Absent => Err(absent("list", folder)),
        }
    }

    /// Deletes the blob `key`, or all blobs below it. Nothing there is fine.
    pub async fn delete_all(&self, key: &str) -> Result<()> {
        let delete = async {
            match &self.backend {
                Backend::Files(files) => files.delete_all(key).await,
                Backend::GridFs(gridfs) => gridfs.delete_all(key).await,
                Backend::Absent => Err(absent("delete", key)),
            }
        };
        self.metrics.time("delete", delete).await
    }

    /// Returns the bytes free to this process where the blobs lie, where that is known.
    pub fn free_bytes(&self) -> Result<Option<u64>> {
        match &self.backend {
            Backend::Files(files) => files.free_bytes().map(Some),
            // A replica set's room is its operator's to watch; a full one refuses with an error of its own.
            Backend::GridFs(_) | Backend::Absent => Ok(None),
        }
    }

    /// Opens a blob that is no file.
    pub(crate) async fn open_object(&self, key: &str) -> Result<Option<Opened>> {
        let opened = self.open_blob(key).await?;
        Ok(opened.and_then(|blob| match blob.body {
            Body::Object(opened) => Some(opened),
            Body::File(_) => None,
        }))
    }

    /// Returns where the blob lies as a file, for programs that read files; not every store has files.
    pub fn file(&self, key: &str) -> Result<PathBuf> {
        self.files("open", key)?.file(key)
    }

    /// Publishes the file at `from`, on the same file system, under `key` by moving it.
    pub(crate) async fn adopt(&self, from: &Path, key: &str) -> Result<()> {
        self.files("publish", key)?.adopt(from, key).await
    }

    /// Lets `key` stand for the file at `target`, which is neither copied nor moved.
    pub(crate) async fn link(&self, target: &Path, key: &str) -> Result<()> {
        self.files("publish", key)?.link(target, key).await
    }

    /// Returns the count of reads that met bytes which are not those that were written. A folder's bytes are its disk's
    /// to check.
    pub fn damages(&self) -> Counter {
        match &self.backend {
            Backend::Files(_) | Backend::Absent => Counter::default(),
            Backend::GridFs(gridfs) => gridfs.damages(),
        }
    }

    /// Notes that all of a video's blobs are about to be deleted, so that [`Self::deleted`] finds the rest
    /// after a kill. A folder is swept when it is opened.
    pub(crate) async fn note_deleted(&self, video: &VideoId) -> Result<()> {
        match &self.backend {
            Backend::Files(_) => Ok(()),
            Backend::GridFs(gridfs) => gridfs.note_deleted(video).await,
            Backend::Absent => Err(absent("delete", video.as_str())),
        }
    }

    /// Returns videos that were noted so long ago that nobody can be writing a blob of theirs any more.
    pub(crate) async fn deleted(&self) -> Result<Vec<VideoId>> {
        match &self.backend {
            Backend::Files(_) | Backend::Absent => Ok(Vec::new()),
            Backend::GridFs(gridfs) => gridfs.deleted().await,
        }
    }

    /// Takes the note back.
    pub(crate) async fn forget_deleted(&self, video: &VideoId) -> Result<()> {
        match &self.backend {
            Backend::Files(_) => Ok(()),
            Backend::GridFs(gridfs) => gridfs.forget_deleted(video).await,
            Backend::Absent => Err(absent("delete", video.as_str())),
        }
    }

    /// Pings the server; a folder needs none.
    pub(crate) async fn ping(&self) -> Result<()> {
        match &self.backend {
            Backend::Files(_) | Backend::Absent => Ok(()),
            Backend::GridFs(gridfs) => gridfs.ping().await,
        }
    }

    /// Deletes what writers that were killed left behind, once it is old enough to be nobody's.
    pub async fn sweep_unfinished(&self) -> Result<u64> {
        match &self.backend {
            // Opening the folder did that.
            Backend::Files(_) | Backend::Absent => Ok(0),
            Backend::GridFs(gridfs) => gridfs.sweep().await,
        }
    }

    fn files(&self, action: &'static str, key: &str) -> Result<&Files> {
        match &self.backend {
            Backend::Files(files) => Ok(files),
            Backend::GridFs(_) | Backend::Absent => Err(absent(action, key)),
        }
    }
}

fn absent(action: &'static str, key: &str) -> Error {
    Error::io(action, key, io::ErrorKind::Unsupported.into())
}

impl From<GridFs> for Blobs {
    fn from(gridfs: GridFs) -> Self {
        Self::on(Backend::GridFs(gridfs))
    }
}

impl Blob {
    fn new(Attributes { len, tag, modified }: Attributes, body: Body) -> Self {
        Self { len, tag, modified, body }
    }

    /// Reads the bytes of `range`, which lies inside `0..len`.
    pub async fn read_range(self, range: Range<u64>) -> Result<ByteStream> {
        match self.body {
            Body::File(opened) => opened.read_range(range).await,
            Body::Object(opened) => opened.read_range(range).await,
        }
    }
}
