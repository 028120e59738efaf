//! The bytes of incomplete uploads in a cluster: chunks of the source that they become. The origin that gets a request
//! takes a lease on the upload, in SQL, and writes under the fence that rose with it; the offset, in
//! SQL too, moves once the chunks before it are kept. Bytes past the offset are never read, and overwritten.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use crate::{
    Error, Result, UploadLease, UploadLeases, VideoId,
    blobs::{Digest, GridFs, Growing},
};

// Long enough for a breath of the database, short enough that a client of a dead origin goes on in seconds.
const LEASE: Duration = Duration::from_secs(10);
// Three renewals fit into a lease, so that a lost answer or two lose no upload.
const RENEWAL: Duration = Duration::from_secs(3);
// A gigabit fills sixty chunks a second; an update of the row for each would leave PostgreSQL sixty dead tuples. A crash
// costs the client a second of sending.
const STORE_EVERY: Duration = Duration::from_secs(1);

/// Uploads that every origin can go on with.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    gridfs: GridFs,
    leases: UploadLeases,
}

/// The right to append to one upload, as long as its lease is ours.
#[derive(Debug)]
pub(crate) struct Append {
    held: Held,
    source: Growing,
    /// The chunk that is being filled, what it has, and the digest of all before it.
    number: u64,
    tail: Vec<u8>,
    before: Digest,
    /// The digest with the tail, once that is written.
    whole: Option<Digest>,
    /// Appended bytes count only when they are verified.
    verify: bool,
    stored_at: Instant,
}

/// A lease that is renewed as long as this lives.
#[derive(Debug)]
struct Held {
    leases: UploadLeases,
    lease: UploadLease,
    released: bool,
    _renewal: AbortOnDropHandle<()>,
}

impl Shared {
    pub(crate) fn new(gridfs: GridFs, leases: UploadLeases) -> Self {
        Self { gridfs, leases }
    }

    pub(crate) async fn append(&self, id: &VideoId, verify: bool) -> Result<Option<Append>> {
        let Some(lease) = self.leases.acquire(id, LEASE).await? else { return Ok(None) };
        let stored = lease.stored;
        let source = self.gridfs.growing(id, lease.fence);
        let held = Held::keep(self.leases.clone(), lease);
        // The note comes before the first chunk, so a crash in between leaves a note
        // without chunks, never chunks without one.
        if stored == 0 {
            source.begin().await?;
        }
        let mut append = Append {
            held,
            source,
            number: 0,
            tail: Vec::new(),
            before: Digest::default(),
            whole: None,
            verify,
            stored_at: Instant::now(),
        };
        append.seek(stored).await?;
        Ok(Some(append))
    }

    pub(crate) async fn remove(&self, id: &VideoId) -> Result<()> {
        self.gridfs.discard(id).await
    }

    /// Returns the uploads that were begun, or deleted, so long ago that what is left of them may be nobody's.
    pub(crate) async fn old(&self) -> Result<Vec<VideoId>> {
        self.gridfs.old_sources().await
    }

    /// Deletes the bytes of an upload that has no row any more.
    pub(crate) async fn sweep(&self, id: &VideoId) -> Result<()> {
        self.gridfs.sweep_source(id).await
    }
}

impl Append {
    pub(crate) fn offset(&self) -> u64 {
        self.number * Growing::CHUNK_BYTES as u64 + self.tail.len() as u64
    }

    pub(crate) async fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let room = Growing::CHUNK_BYTES - self.tail.len();
            let (fits, rest) = bytes.split_at(room.min(bytes.len()));
            self.tail.extend_from_slice(fits);
            self.whole = None;
            bytes = rest;
            if self.tail.len() == Growing::CHUNK_BYTES {
                self.before = self.source.write(self.number, &self.tail, self.before).await?;
                self.number += 1;
                self.tail.clear();
                // tus 1.0.0, Checksum: a chunk that fails its verification must not update the upload's offset.
                if !self.verify && self.stored_at.elapsed() >= STORE_EVERY {
                    self.store_offset().await?;
                }
            }
        }
        Ok(())
    }

    pub(crate) async fn sync(&mut self) -> Result<u64> {
        // A tail that has not grown since the last sync is in the database already.
        if !self.tail.is_empty() && self.whole.is_none() {
            self.whole = Some(self.source.write(self.number, &self.tail, self.before).await?);
        }
        if !self.verify {
            self.store_offset().await?;
        }
        Ok(self.offset())
    }

    pub(crate) async fn verified(&mut self) -> Result<()> {
        self.verify = false;
        self.sync().await.map(drop)
    }

    pub(crate) async fn cut(&mut self, offset: u64) -> Result<()> {
        self.seek(offset).await?;
        self.store_offset().await
    }

    pub(crate) async fn become_source(&mut self) -> Result<()> {
        // The lease is ours after this, so all bytes are.
        self.verified().await?;
        let digest = self.whole.unwrap_or(self.before);
        self.source.show(self.offset(), digest).await
    }

    pub(crate) async fn close(mut self) -> Result<()> {
        self.held.released = true;
        self.held.leases.release(&self.held.lease).await
    }

    pub(crate) fn id(&self) -> &VideoId {
        &self.held.lease.id
    }

    /// Goes to where the next byte is to be `offset`.
    async fn seek(&mut self, offset: u64) -> Result<()> {
        let size = Growing::CHUNK_BYTES as u64;
        (self.number, self.whole) = (offset / size, None);
        self.before = self.source.digest_before(self.number).await?;
        self.tail = self.source.start_of(self.number, (offset % size) as usize).await?;
        Ok(())
    }

    /// Moves the offset in SQL to what is written, while the lease is ours.
    async fn store_offset(&mut self) -> Result<()> {
        let offset = self.offset();
        let Held { leases, lease, .. } = &mut self.held;
        // Lease and offset are one statement: between a check and a write of its own,
        // another origin could take the upload over.
        if leases.store_up_to(lease, offset, LEASE).await? {
            self.stored_at = Instant::now();
            return Ok(());
        }
        let id = lease.id.clone();
        // The update matched no row, which has two causes: the upload is another origin's now, or it is finished or deleted.
        if leases.upload_exists(&id).await? {
            return Err(Error::TakenOver(id));
        }
        if !self.source.is_visible().await? {
            // Deleted, and with it the chunks that there were then.
            self.source.discard().await?;
        }
        Err(Error::Gone(id))
    }
}

impl Held {
    fn keep(leases: UploadLeases, lease: UploadLease) -> Self {
        let renewal = tokio::spawn(renew(leases.clone(), lease.clone()));
        Self { leases, lease, released: false, _renewal: AbortOnDropHandle::new(renewal) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Past the runtime's end nothing can be sent any more, and the lease runs out by itself.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if self.released {
            return;
        }
        // A request that was dropped in its middle; its client comes back soon.
        let (leases, lease) = (self.leases.clone(), self.lease.clone());
        runtime.spawn(async move {
            if let Err(error) = leases.release(&lease).await {
                tracing::debug!(%error, "an upload's lease runs out by itself");
            }
        });
    }
}

async fn renew(leases: UploadLeases, lease: UploadLease) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        match leases.renew(&lease, LEASE).await {
            Ok(true) => {}
            // The lease is gone for good; the writer finds out at its next `store_offset`.
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, upload = %lease.id, "cannot renew an upload's lease"),
        }
    }
}
