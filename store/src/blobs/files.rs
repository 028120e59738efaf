//! Blobs on a file system: staged, synced, then named at once.

use std::{
    collections::HashSet,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use futures::TryStreamExt;
use tokio::{
    fs,
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
};
use tokio_util::io::ReaderStream;

use super::key::{Attributes, ByteStream, check};
use crate::{Error, Result};

// Large enough that a segment takes a handful of reads, small enough for a thousand viewers at once.
const READ_BYTES: usize = 128 * 1024;

/// Blobs in a folder.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    root: Arc<PathBuf>,
    staged: Arc<AtomicU64>,
}

/// An opened file.
#[derive(Debug)]
pub(crate) struct Opened {
    key: String,
    file: fs::File,
}

impl Files {
    /// Opens the folder `root`, created when absent, and drops what a killed writer left in it.
    pub(crate) async fn open(root: &Path) -> Result<Self> {
        let staging = root.join(STAGING);
        // A staged file has no name yet that a row or a reader knows, so nothing can miss it.
        match fs::remove_dir_all(&staging).await {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("clear", staging.display().to_string(), e));
            }
            _ => {}
        }
        fs::create_dir_all(&staging)
            .await
            .map_err(|e| Error::io("create", staging.display().to_string(), e))?;
        Ok(Self { root: Arc::new(root.to_owned()), staged: Arc::default() })
    }

    /// Publishes `bytes` under `key`, in place of what was there.
    pub(crate) async fn put(&self, key: &str, bytes: &[u8]) -> Result<()> {
        let staged = self.stage(key, bytes).await?;
        // rename(2) replaces in one step: a reader opens the old file or the new one, never none and never half.
        self.place(key, move |path| std::fs::rename(&staged, path)).await
    }

    /// Publishes `bytes` under `key` unless something is there already, which then stays.
    /// Returns whether it was published.
    pub(crate) async fn put_new(&self, key: &str, bytes: &[u8]) -> Result<bool> {
        let staged = self.stage(key, bytes).await?;
        let link = move |path: &Path| {
            // A link, unlike a rename, refuses to replace.
            let linked = std::fs::hard_link(&staged, path);
            std::fs::remove_file(&staged)?;
            match linked {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                linked => linked.map(|()| true),
            }
        };
        self.place(key, link).await
    }

    /// Publishes the file at `from`, on the same file system, under `key` by moving it.
    pub(crate) async fn adopt(&self, from: &Path, key: &str) -> Result<()> {
        let from = from.to_owned();
        self.place(key, move |path| std::fs::rename(&from, path)).await
    }

    /// Lets `key` stand for the file at `target`, which is neither copied nor moved.
    pub(crate) async fn link(&self, target: &Path, key: &str) -> Result<()> {
        let target = target.to_owned();
        self.place(key, move |path| std::os::unix::fs::symlink(&target, path)).await
    }

    /// Opens the blob `key`.
    pub(super) async fn open_blob(&self, key: &str) -> Result<Option<(Attributes, Opened)>> {
        let path = self.path(key)?;
        let file = match fs::File::open(&path).await {
            Ok(file) => file,
            Err(e) if is_absent(&e) => return Ok(None),
            Err(e) => return Err(Error::io("open", key, e)),
        };
        let meta = file.metadata().await.map_err(|e| Error::io("open", key, e))?;
        // Linux opens a folder, too, and fails at the first read (EISDIR), when the response has begun.
        if !meta.is_file() {
            return Ok(None);
        }
        let modified = meta.modified().map_err(|e| Error::io("open", key, e))?;
        let nanos = modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
        // The tag has nanoseconds, where nginx's has seconds: a playlist may be
        // written twice in a second at the same length.
        let tag = format!("{:x}-{nanos:x}", meta.len());
        let opened = Opened { key: key.to_owned(), file };
        Ok(Some((Attributes { len: meta.len(), tag, modified }, opened)))
    }

    /// Returns those of `keys` that are there.
    pub(super) async fn existing(&self, keys: &[String]) -> Result<HashSet<String>> {
        let mut existing = HashSet::new();
        for key in keys {
            match fs::metadata(self.path(key)?).await {
                Ok(meta) if meta.is_file() => drop(existing.insert(key.clone())),
                Ok(_) => {}
                Err(e) if is_absent(&e) => {}
                Err(e) => return Err(Error::io("look for", key, e)),
            }
        }
        Ok(existing)
    }

    /// Returns where the blob lies as a file, for programs that read files.
    pub(crate) fn file(&self, key: &str) -> Result<PathBuf> {
        self.path(key)
    }

    /// Returns the names directly below `folder`, sorted.
    pub(crate) async fn children(&self, folder: &str) -> Result<Vec<String>> {
        let path = self.path(folder)?;
        let mut entries = match fs::read_dir(&path).await {
            Ok(entries) => entries,
            Err(e) if is_absent(&e) => return Ok(Vec::new()),
            Err(e) => return Err(Error::io("list", folder, e)),
        };
        let mut names = Vec::new();
        while let Some(entry) = entries.next_entry().await.map_err(|e| Error::io("list", folder, e))? {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// Deletes the blob `key`, or all blobs below it. Nothing there is fine.
    pub(crate) async fn delete_all(&self, key: &str) -> Result<()> {
        let path = self.path(key)?;
        // Links are not followed: a linked source is a person's own file, and only the link is to be deleted.
        let gone = match fs::symlink_metadata(&path).await {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(&path).await,
            Ok(_) => fs::remove_file(&path).await,
            Err(e) => Err(e),
        };
        match gone {
            Err(e) if !is_absent(&e) => Err(Error::io("delete", key, e)),
            _ => Ok(()),
        }
    }

    /// Returns the bytes free to this process where the blobs lie.
    pub(crate) fn free_bytes(&self) -> Result<u64> {
        let stat = rustix::fs::statvfs(self.root.as_path())
            .map_err(|e| Error::io("measure", self.root.display().to_string(), e.into()))?;
        // `f_bavail` and not `f_bfree`: file systems such as ext4 reserve blocks for root, which this process cannot use.
        Ok(stat.f_bavail * stat.f_frsize)
    }

    /// Gives something its name by `name` and makes sure that a power cut does not take the name away.
    async fn place<T: Send + 'static>(
        &self,
        key: &str,
        name: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (path, root) = (self.path(key)?, self.root.clone());
        let place = move || {
            let new = path.parent().is_some_and(|folder| !folder.exists());
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let named = name(&path)?;
            // A name is safe once its folder is synced, and a new folder's own name once the one above is.
            for folder in path.ancestors().skip(1) {
                std::fs::File::open(folder)?.sync_all()?;
                if !new || folder == root.as_path() {
                    break;
                }
            }
            Ok(named)
        };
        // A sync may take seconds on a busy disk, in which a worker thread of tokio's would answer no viewer.
        let placed = tokio::task::spawn_blocking(place).await.unwrap_or_else(|e| Err(io::Error::other(e)));
        placed.map_err(|e| Error::io("publish", key, e))
    }

    async fn stage(&self, key: &str, bytes: &[u8]) -> Result<PathBuf> {
        let number = self.staged.fetch_add(1, Ordering::Relaxed);
        let staged = self.root.join(STAGING).join(number.to_string());
        let written = async {
            let mut file = fs::File::create(&staged).await?;
            file.write_all(bytes).await?;
            // tokio's file returns before its thread has written; the flush waits for that, and returns its error.
            file.flush().await?;
            // Without this a power cut may leave the name without the bytes.
            file.sync_data().await
        };
        if let Err(e) = written.await {
            // On a full disk these bytes are needed now, and not when the next start clears the folder.
            let _ = fs::remove_file(&staged).await;
            return Err(Error::io("write", key, e));
        }
        Ok(staged)
    }

    fn path(&self, key: &str) -> Result<PathBuf> {
        check(key)?;
        Ok(self.root.join(key))
    }
}

// A name that no key can have.
const STAGING: &str = ".staging";

impl Opened {
    /// Reads the bytes of `range`, which lies inside `0..len`.
    pub(crate) async fn read_range(mut self, range: Range<u64>) -> Result<ByteStream> {
        // Each call on tokio's files is a task of the blocking pool; a read from the start saves one.
        if range.start > 0 {
            self.file
                .seek(io::SeekFrom::Start(range.start))
                .await
                .map_err(|e| Error::io("read", &self.key, e))?;
        }
        let key = self.key;
        let part = self.file.take(range.end - range.start);
        Ok(Box::pin(
            ReaderStream::with_capacity(part, READ_BYTES).map_err(move |e| Error::io("read", &key, e)),
        ))
    }
}

fn is_absent(e: &io::Error) -> bool {
    // A URL may go on below a segment's name (ENOTDIR), which is as absent as any other name.
    matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
