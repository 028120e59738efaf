//! The bytes of a source, in a file or behind a loopback address: read in places, without ffmpeg.

use std::{io, ops::Range, path::Path};

use store::LoopbackSource;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::Result;

/// The bytes of a source.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bytes<'a> {
    File(&'a Path),
    Loopback(&'a LoopbackSource),
}

impl Bytes<'_> {
    /// Returns the size of the source in bytes.
    pub(crate) async fn len(self) -> Result<u64> {
        match self {
            Self::File(path) => Ok(tokio::fs::metadata(path).await?.len()),
            Self::Loopback(source) => Ok(source.len()),
        }
    }

    /// Returns the bytes of `range`, as far as the source goes.
    pub(crate) async fn read_at(self, range: Range<u64>) -> Result<Vec<u8>> {
        match self {
            Self::File(path) => Ok(read_file(path, range).await?),
            Self::Loopback(source) => Ok(source.read_at(range).await?.to_vec()),
        }
    }
}

async fn read_file(path: &Path, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(io::SeekFrom::Start(range.start)).await?;
    let mut bytes = Vec::new();
    file.take(range.end - range.start).read_to_end(&mut bytes).await?;
    Ok(bytes)
}
