//! The bytes of incomplete uploads on one machine: files that only grow. The offset of an upload is the
//! size of its file and is kept nowhere else, so it cannot disagree with what is stored.

use std::{
    collections::HashSet,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::fs;

use crate::{Error, Result, VideoId};

// Frames from the network are gathered to writes of this size.
const WRITE_BYTES: usize = 512 * 1024;

/// The folder of uploads that are not complete.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: Arc<PathBuf>,
    busy: Arc<Mutex<HashSet<VideoId>>>,
}

/// The right to append to one upload; only one exists at a time.
#[derive(Debug)]
pub(crate) struct Append {
    path: PathBuf,
    offset: u64,
    pending: Vec<u8>,
    // Absent only after a call was dropped in its middle; nothing more can be written then.
    open: Option<Open>,
    id: VideoId,
}

// Travels into the blocking pool with each write, so that the claim outlives a caller who goes away:
// the next one finds the file at rest.
#[derive(Debug)]
struct Open {
    file: File,
    _claim: Claim,
}

#[derive(Debug)]
struct Claim {
    id: VideoId,
    busy: Arc<Mutex<HashSet<VideoId>>>,
}

impl Folder {
    pub(crate) async fn open(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).await.map_err(|e| Error::io("create", root.display().to_string(), e))?;
        Ok(Self { root: Arc::new(root.to_owned()), busy: Arc::default() })
    }

    pub(crate) fn path(&self, id: &VideoId) -> PathBuf {
        self.root.join(id.as_str())
    }

    /// Returns how many bytes of the upload are stored.
    pub(crate) async fn len(&self, id: &VideoId) -> Result<u64> {
        match fs::metadata(self.path(id)).await {
            Ok(meta) => Ok(meta.len()),
            // The file is made by the first append: an upload that was only created has a row and no file.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(0),
            Err(e) => Err(failed("measure", id, e)),
        }
    }

    /// Returns the right to append to the upload, or `None` while somebody else has it.
    pub(crate) async fn append(&self, id: &VideoId) -> Result<Option<Append>> {
        if !locked(&self.busy).insert(id.clone()) {
            return Ok(None);
        }
        let claim = Claim { id: id.clone(), busy: self.busy.clone() };
        let path = self.path(id);
        let opened = async {
            // O_APPEND lets the kernel find the end, so a wrong offset of ours could not leave a hole of zeros.
            let file = fs::OpenOptions::new().append(true).create(true).open(&path).await?;
            let offset = file.metadata().await?.len();
            if offset == 0 {
                // A new file outlives a power cut once its folder is synced.
                fs::File::open(self.root.as_path()).await?.sync_all().await?;
            }
            Ok((file.into_std().await, offset))
        };
        let (file, offset) = opened.await.map_err(|e| failed("open", id, e))?;
        Ok(Some(Append {
            path,
            offset,
            pending: Vec::new(),
            open: Some(Open { file, _claim: claim }),
            id: id.clone(),
        }))
    }

    pub(crate) async fn truncate(&self, id: &VideoId, len: u64) -> Result<()> {
        let cut = async {
            let file = fs::OpenOptions::new().write(true).open(self.path(id)).await?;
            // `set_len` beyond the end would add zeros, which would count as uploaded.
            if file.metadata().await?.len() > len { file.set_len(len).await } else { Ok(()) }
        };
        match cut.await {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed("shorten", id, e)),
            _ => Ok(()),
        }
    }

    pub(crate) async fn remove(&self, id: &VideoId) -> Result<()> {
        match fs::remove_file(self.path(id)).await {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failed("delete", id, e)),
            _ => Ok(()),
        }
    }

    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        let listed = async {
            let mut entries = fs::read_dir(self.root.as_path()).await?;
            let mut names = Vec::new();
            while let Some(entry) = entries.next_entry().await? {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
            Ok(names)
        };
        listed.await.map_err(|e| Error::io("list", self.root.display().to_string(), e))
    }
}

impl Append {
    /// Returns where the next byte goes: the bytes written so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset + self.pending.len() as u64
    }

    /// Appends `bytes`.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() < WRITE_BYTES {
            return Ok(());
        }
        self.write_pending().await
    }

    /// Makes sure that all bytes written are on the disk. Returns the offset.
    pub(crate) async fn sync(&mut self) -> Result<u64> {
        self.write_pending().await?;
        // fdatasync(2) writes the size along, which is the only attribute that an upload is resumed by.
        self.on_file(|file| file.sync_data()).await.map_err(|e| failed("write", &self.id, e))?;
        Ok(self.offset)
    }

    /// Drops all bytes from `offset` on.
    pub(crate) async fn cut(&mut self, offset: u64) -> Result<()> {
        self.pending.clear();
        self.on_file(move |file| file.set_len(offset)).await.map_err(|e| failed("shorten", &self.id, e))?;
        self.offset = offset;
        Ok(())
    }

    pub(crate) fn id(&self) -> &VideoId {
        &self.id
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    async fn write_pending(&mut self) -> Result<()> {
        // The buffer is taken before the write: after a failure the size on disk decides, and a
        // second try would append the bytes twice.
        let bytes = std::mem::take(&mut self.pending);
        let (wrote, len) = self
            .on_file(move |file| {
                let wrote = file.write_all(&bytes);
                // A full disk may take part of a write; what it took counts.
                Ok((wrote, file.metadata()?.len()))
            })
            .await
            .map_err(|e| failed("write", &self.id, e))?;
        self.offset = len;
        wrote.map_err(|e| failed("write", &self.id, e))
    }

    async fn on_file<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut File) -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let mut open = self.open.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
        let task = tokio::task::spawn_blocking(move || {
            let done = work(&mut open.file);
            (done, open)
        });
        let (done, open) = task.await.map_err(std::io::Error::other)?;
        self.open = Some(open);
        done
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        locked(&self.busy).remove(&self.id);
    }
}

fn failed(action: &'static str, id: &VideoId, cause: std::io::Error) -> Error {
    Error::io(action, format!("upload {id}"), cause)
}

fn locked(busy: &Mutex<HashSet<VideoId>>) -> std::sync::MutexGuard<'_, HashSet<VideoId>> {
    // A panic elsewhere cannot leave a set of ids half changed, so poison is ignored.
    busy.lock().unwrap_or_else(PoisonError::into_inner)
}
