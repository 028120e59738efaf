//! A source that grows: its chunks before it is visible, written by one after another, and each under
//! the fence of its writer, so that the server itself refuses a writer that lost the upload.

use bytes::Bytes;
use mongodb::bson::{Bson, DateTime, Document, doc};

use super::{
    bucket::{Bucket, answered, free},
    document::{Chunk, Digest, File, Metadata, binary, sha256_of},
};
use crate::{Error, Result, VideoId};

// Two writers of the same chunk at once, one of which gets a duplicate key and tries again.
const MOST_TRIES: usize = 8;

/// A source that grows.
#[derive(Clone, Debug)]
pub(crate) struct Growing {
    bucket: Bucket,
    video: VideoId,
    id: Bson,
    fence: i64,
}

impl Growing {
    // Small enough to seek in, large enough that the round trip to the server does not count.
    pub(crate) const CHUNK_BYTES: usize = 2 * 1024 * 1024;

    /// Returns the source of an upload in `bucket`, for the holder of its `fence`.
    pub(super) fn new(bucket: Bucket, video: &VideoId, fence: i64) -> Self {
        Self { bucket, video: video.clone(), id: id(video), fence }
    }

    /// Notes that bytes are about to come.
    pub(crate) async fn begin(&self) -> Result<()> {
        self.bucket.note(&self.id).await
    }

    /// Writes chunk `number`, in place of what was there, behind chunks that have the digest `before`.
    pub(crate) async fn write(&self, number: u64, bytes: &[u8], before: Digest) -> Result<Digest> {
        let sha256 = sha256_of(Bytes::copy_from_slice(bytes)).await?;
        let digest = before.then(sha256);
        // `n` is an Int32 in the GridFS specification, which reaches 4 PiB at this size of chunks.
        let place = doc! { "files_id": &self.id, "n": number as i32, "fence": { "$lte": self.fence } };
        let chunk = doc! { "$set": {
            "data": binary(bytes),
            "sha256": binary(sha256),
            "digest": binary(digest.bytes()),
            "fence": self.fence,
        } };
        for _ in 0..MOST_TRIES {
            let written = self.bucket.chunks.update_one(place.clone(), chunk.clone()).upsert(true);
            // Where a chunk has a higher fence, none is found, and another of its number is refused.
            if free(answered(written).await)? {
                return Ok(digest);
            }
            if self.highest_fence(number).await? > self.fence {
                break;
            }
        }
        Err(Error::TakenOver(self.video.clone()))
    }

    /// Returns the digest of all chunks before `number`.
    pub(crate) async fn digest_before(&self, number: u64) -> Result<Digest> {
        let Some(last) = number.checked_sub(1) else { return Ok(Digest::default()) };
        let fields = doc! { "digest": 1 };
        let found = self.find(last, fields).await?;
        let digest = found.as_ref().and_then(|chunk| chunk.get_binary_generic("digest").ok());
        let digest = digest.and_then(|bytes| Digest::of(bytes));
        digest.ok_or_else(|| self.damaged(last, "has no digest"))
    }

    /// Returns the first `len` bytes of chunk `number`.
    pub(crate) async fn start_of(&self, number: u64, len: usize) -> Result<Vec<u8>> {
        if len == 0 {
            return Ok(Vec::new());
        }
        let find = self.bucket.chunks.find_one(doc! { "files_id": &self.id, "n": number as i32 });
        let found = answered(find).await?.ok_or_else(|| self.damaged(number, "is not there"))?;
        let chunk = Chunk::check(found).await?.filter(|chunk| chunk.data.len() >= len);
        // A chunk may be longer than the offset: bytes that were written and never acknowledged are cut off here.
        let chunk = chunk.ok_or_else(|| self.damaged(number, "is not what was written"))?;
        Ok(chunk.data[..len].to_vec())
    }

    /// Makes the source visible, `length` bytes long. Again is fine.
    pub(crate) async fn show(&self, length: u64, digest: Digest) -> Result<()> {
        let file = File {
            id: self.id.clone(),
            length: length as i64,
            chunk_size: Self::CHUNK_BYTES as i32,
            upload_date: DateTime::now(),
            filename: self.video.source(),
            metadata: Metadata { digest: digest.hex(), revision: 0 },
        };
        // The `_id` is the video's, so a second `show` meets a duplicate key, which counts as done.
        self.bucket.show(&file).await?;
        self.bucket.forget(&self.id).await
    }

    /// Returns whether the source is there for everybody.
    pub(crate) async fn is_visible(&self) -> Result<bool> {
        self.bucket.is_visible(&self.id).await
    }

    /// Deletes all chunks.
    pub(crate) async fn discard(&self) -> Result<()> {
        self.bucket.note(&self.id).await?;
        self.bucket.drop_chunks(&self.id).await
    }

    async fn highest_fence(&self, number: u64) -> Result<i64> {
        let found = self.find(number, doc! { "fence": 1 }).await?;
        Ok(found.and_then(|chunk| chunk.get_i64("fence").ok()).unwrap_or_default())
    }

    async fn find(&self, number: u64, fields: Document) -> Result<Option<Document>> {
        let chunks = self.bucket.chunks.clone_with_type::<Document>();
        let place = doc! { "files_id": &self.id, "n": number as i32 };
        answered(chunks.find_one(place).projection(fields)).await
    }

    fn damaged(&self, number: u64, problem: &str) -> Error {
        self.bucket.damaged(&self.video.source(), &format!("chunk {number} {problem}"))
    }
}

pub(super) fn id(video: &VideoId) -> Bson {
    // The specification allows any type of `_id`; the video's own finds chunks whose document does not exist yet.
    Bson::String(video.to_string())
}
