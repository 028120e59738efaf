//! The bytes of uploads that are not complete: files that grow on one machine, chunks of the source to
//! come in a cluster. One appends at a time, wherever it is.

mod folder;
mod shared;

use std::path::Path;

use crate::{Blobs, Result, VideoId};
pub(crate) use folder::Folder;
pub(crate) use shared::Shared;

/// Where the bytes come in.
#[derive(Clone, Debug)]
pub(crate) enum Incoming {
    /// On one machine.
    Folder(Folder),
    /// In a cluster.
    Shared(Shared),
    /// This process takes no uploads.
    Absent,
}

/// The right to append to one upload; only one exists at a time.
#[derive(Debug)]
pub struct Append(Kind);

#[derive(Debug)]
enum Kind {
    File(folder::Append),
    Chunks(Box<shared::Append>),
}

impl Incoming {
    pub(crate) async fn in_folder(root: &Path) -> Result<Self> {
        Ok(Self::Folder(Folder::open(root).await?))
    }

    /// Returns the right to append to the upload, or `None` while another request has it.
    ///
    /// With `verify`, appended bytes count only after [`Append::verified`].
    pub(crate) async fn append(&self, id: &VideoId, verify: bool) -> Result<Option<Append>> {
        Ok(match self {
            Self::Folder(folder) => folder.append(id).await?.map(|append| Append(Kind::File(append))),
            Self::Shared(shared) => {
                shared.append(id, verify).await?.map(|append| Append(Kind::Chunks(Box::new(append))))
            }
            Self::Absent => None,
        })
    }

    pub(crate) async fn remove(&self, id: &VideoId) -> Result<()> {
        match self {
            Self::Folder(folder) => folder.remove(id).await,
            Self::Shared(shared) => shared.remove(id).await,
            Self::Absent => Ok(()),
        }
    }
}

impl Append {
    /// Returns where the next byte goes: the bytes written so far.
    pub fn offset(&self) -> u64 {
        match &self.0 {
            Kind::File(file) => file.offset(),
            Kind::Chunks(chunks) => chunks.offset(),
        }
    }

    /// Appends `bytes`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.0 {
            Kind::File(file) => file.write(bytes).await,
            Kind::Chunks(chunks) => chunks.write(bytes).await,
        }
    }

    /// Makes all bytes written durable. Returns the offset.
    pub async fn sync(&mut self) -> Result<u64> {
        match &mut self.0 {
            Kind::File(file) => file.sync().await,
            Kind::Chunks(chunks) => chunks.sync().await,
        }
    }

    /// Drops all bytes from `offset` on.
    pub async fn cut(&mut self, offset: u64) -> Result<()> {
        match &mut self.0 {
            Kind::File(file) => file.cut(offset).await,
            Kind::Chunks(chunks) => chunks.cut(offset).await,
        }
    }

    /// Gives the right back, for the next request to find it free.
    pub async fn close(self) -> Result<()> {
        match self.0 {
            // The drop of the file's claim is its release.
            Kind::File(_) => Ok(()),
            Kind::Chunks(chunks) => chunks.close().await,
        }
    }

    /// Returns the upload's id.
    pub fn id(&self) -> &VideoId {
        match &self.0 {
            Kind::File(file) => file.id(),
            Kind::Chunks(chunks) => chunks.id(),
        }
    }

    /// Keeps the bytes appended so far, also if they were to be verified.
    pub(crate) async fn verified(&mut self) -> Result<()> {
        match &mut self.0 {
            // The mark that makes these bytes unverified is a column, which `Uploads::verified` clears after this.
            Kind::File(file) => file.sync().await.map(drop),
            Kind::Chunks(chunks) => chunks.verified().await,
        }
    }

    /// Makes all bytes the source of the video.
    pub(crate) async fn become_source(&mut self, blobs: &Blobs) -> Result<()> {
        match &mut self.0 {
            Kind::File(file) => {
                // The sync comes before the rename: a name that outlives a power cut
                // without its bytes would be a damaged source.
                file.sync().await?;
                blobs.adopt(file.path(), &file.id().source()).await
            }
            Kind::Chunks(chunks) => chunks.become_source().await,
        }
    }
}
