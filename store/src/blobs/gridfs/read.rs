//! Reads of ranges: the chunks that they touch and no others, each compared with its digest before a
//! byte of it leaves.

use std::ops::Range;

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::{
    super::key::ByteStream,
    bucket::Bucket,
    document::{Chunk, Digest, File},
};
use crate::{Error, Result};

// So that the way to the server and back is not waited for at every chunk of a long read.
const CHUNKS_AHEAD: usize = 2;

/// An opened blob.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    bucket: Bucket,
    file: File,
}

impl Opened {
    pub(super) fn new(bucket: Bucket, file: File) -> Self {
        Self { bucket, file }
    }

    pub(crate) fn len(&self) -> u64 {
        self.file.length as u64
    }

    pub(crate) fn chunk_bytes(&self) -> u64 {
        self.file.chunk_size as u64
    }

    /// Reads the whole of chunk `number`.
    pub(crate) async fn whole_chunk(&self, number: u64) -> Result<Bytes> {
        Ok(self.chunk(number, &(0..self.len())).await?.bytes)
    }

    /// Reads the bytes of `range`. The first chunk is there and right when this returns.
    pub(crate) async fn read_range(self, range: Range<u64>) -> Result<ByteStream> {
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        let size = self.file.chunk_size as u64;
        let (first, last) = (range.start / size, (range.end - 1) / size);
        let mut check = WholeCheck::new(&self, first);
        let opened = self.clone();
        // The first chunk is read before the response begins: a blob that is gone or damaged is
        // still a status then, and no broken body.
        let head = check.take(first, opened.chunk(first, &range).await?)?;
        let rest = stream::iter(first + 1..=last)
            .map(move |number| {
                let (opened, range) = (self.clone(), range.clone());
                async move { Ok((number, opened.chunk(number, &range).await?)) }
            })
            .buffered(CHUNKS_AHEAD)
            .map(move |read| read.and_then(|(number, part)| check.take(number, part)));
        Ok(stream::once(async { Ok(head) }).chain(rest).boxed())
    }

    /// Reads chunk `number`, and cuts out of it what lies in `range`.
    async fn chunk(&self, number: u64, range: &Range<u64>) -> Result<Part> {
        let Some(Chunk { data, sha256 }) = self.bucket.chunk(&self.file, number as i32).await? else {
            // Deleted while it was read, most likely; the next open finds nothing.
            let cause = format!("chunk {number} of {} is gone", self.file.filename);
            return Err(Error::io("read", &self.file.filename, std::io::Error::other(cause)));
        };
        let size = self.file.chunk_size as u64;
        let (start, length) = (number * size, self.file.length as u64);
        let expected = size.min(length.saturating_sub(start));
        if data.len() as u64 != expected {
            return Err(self.damaged(&format!("chunk {number} has {} bytes of {expected}", data.len())));
        }
        let from = range.start.saturating_sub(start);
        let to = (range.end - start).min(expected);
        Ok(Part { sha256, bytes: data.slice(from as usize..to as usize) })
    }

    fn damaged(&self, problem: &str) -> Error {
        self.bucket.damaged(&self.file.filename, problem)
    }
}

/// The part of one chunk that a range covers, and the digest of the whole chunk.
struct Part {
    sha256: [u8; 32],
    bytes: Bytes,
}

/// Compares the digests of all chunks with that of the whole, where all are read.
struct WholeCheck {
    opened: Opened,
    last: u64,
    digest: Option<Digest>,
}

impl WholeCheck {
    fn new(opened: &Opened, first: u64) -> Self {
        let last = opened.len().div_ceil(opened.file.chunk_size as u64).saturating_sub(1);
        // A range that starts later has not met the chunks before it, and cannot be compared with the whole.
        Self { opened: opened.clone(), last, digest: (first == 0).then(Digest::default) }
    }

    fn take(&mut self, number: u64, part: Part) -> Result<Bytes> {
        let Some(digest) = &mut self.digest else { return Ok(part.bytes) };
        // Chunks that changed places each pass a check of their own; only the chain finds them.
        *digest = digest.then(part.sha256);
        if number == self.last && digest.hex() != self.opened.file.metadata.digest {
            return Err(self.opened.damaged("its chunks are not those that were written"));
        }
        Ok(part.bytes)
    }
}
