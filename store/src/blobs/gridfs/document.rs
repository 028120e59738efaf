//! The documents that GridFS is made of, and their digests.

use std::time::Duration;

use bytes::Bytes;
use mongodb::bson::{Binary, Bson, DateTime, RawDocumentBuf, oid::ObjectId, spec::BinarySubtype};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// The document by which a blob is there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct File {
    #[serde(rename = "_id")]
    pub(super) id: Bson,
    // The GridFS specification's types: Int64 for the length, Int32 for the chunk size.
    pub(super) length: i64,
    #[serde(rename = "chunkSize")]
    pub(super) chunk_size: i32,
    #[serde(rename = "uploadDate")]
    pub(super) upload_date: DateTime,
    pub(super) filename: String,
    pub(super) metadata: Metadata,
}

/// The part of a file's document that GridFS leaves to its users.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Metadata {
    /// [`Digest::hex`] of all chunks.
    // The specification gave up GridFS' own `md5` and leaves digests to `metadata`.
    pub(super) digest: String,
    /// The highest of a name is the blob; the others are its past.
    pub(super) revision: i64,
}

/// A piece of a blob.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NewChunk {
    #[serde(rename = "_id")]
    pub(super) id: ObjectId,
    pub(super) files_id: Bson,
    pub(super) n: i32,
    pub(super) data: Binary,
    /// Of `data`.
    pub(super) sha256: Binary,
}

/// A piece of a blob as it came, compared with its digest.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) data: Bytes,
    pub(super) sha256: [u8; 32],
}

/// A note that bytes are being written or deleted, by which they are found when that breaks off.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Note {
    #[serde(rename = "_id")]
    pub(super) id: Bson,
    pub(super) at: DateTime,
}

/// The digest of chunks in their order: that of one chunk is the SHA-256 of its bytes; each further one is hashed
/// behind the digest so far. So a process that has only the last chunk can carry it on, wherever the ones before lie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest(Option<[u8; 32]>);

impl Digest {
    pub(super) fn then(self, sha256: [u8; 32]) -> Self {
        let Some(before) = self.0 else { return Self(Some(sha256)) };
        Self(Some(Sha256::new().chain_update(before).chain_update(sha256).finalize().into()))
    }

    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        Some(Self(Some(bytes.try_into().ok()?)))
    }

    pub(super) fn bytes(self) -> [u8; 32] {
        // No chunk at all: the digest of no bytes.
        self.0.unwrap_or_else(|| Sha256::digest([]).into())
    }

    pub(super) fn hex(self) -> String {
        self.bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Chunk {
    /// Reads a chunk's document without copying its bytes, and compares them with their digest.
    pub(super) async fn check(document: RawDocumentBuf) -> Result<Option<Self>> {
        let Ok(data) = document.get_binary("data") else { return Ok(None) };
        let Ok(stored) = document.get_binary("sha256") else { return Ok(None) };
        let Ok(sha256) = <[u8; 32]>::try_from(stored.bytes) else { return Ok(None) };
        let start = data.bytes.as_ptr().addr() - document.as_bytes().as_ptr().addr();
        let end = start + data.bytes.len();
        let data = Bytes::from(document.into_bytes()).slice(start..end);
        let found = sha256_of(data.clone()).await?;
        Ok((found == sha256).then_some(Self { data, sha256 }))
    }
}

/// Hashes where it does not keep others from being answered.
pub(super) async fn sha256_of(bytes: Bytes) -> Result<[u8; 32]> {
    // A few milliseconds a chunk are too many for a thread that answers everybody; a few microseconds are not.
    const AT_ONCE_BYTES: usize = 16 * 1024;
    if bytes.len() <= AT_ONCE_BYTES {
        return Ok(Sha256::digest(&bytes).into());
    }
    let hashed = tokio::task::spawn_blocking(move || Sha256::digest(&bytes).into()).await;
    hashed.map_err(|e| Error::io("hash", "a chunk", std::io::Error::other(e)))
}

pub(super) fn binary(bytes: impl Into<Vec<u8>>) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.into() }
}

pub(super) fn ago(span: Duration) -> DateTime {
    DateTime::from_millis(DateTime::now().timestamp_millis() - span.as_millis() as i64)
}
