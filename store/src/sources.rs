//! Sources for programs that read files, such as ffmpeg: the file itself where there is one, else a loopback URL that
//! answers ranges out of GridFS, so that no job waits for a copy of the whole.
//!
//! The address is guarded by a secret path, answers for this one source, and goes when the source is dropped. A
//! program's error about a file that it lost in the middle is no verdict on the file: `failure` has the real cause.

mod loopback;

use std::path::PathBuf;

pub use loopback::LoopbackSource;

use crate::{Blobs, Error, Result, VideoId};

/// A source, for as long as it is held.
#[derive(Debug)]
pub enum Source {
    /// A file of this machine.
    File(PathBuf),
    /// An address on this machine.
    Loopback(LoopbackSource),
}

impl Source {
    /// Returns why the source could not be read to where it was wanted, where that was not its own fault.
    pub fn failure(&self) -> Option<Error> {
        match self {
            Self::File(_) => None,
            Self::Loopback(source) => source.failure(),
        }
    }
}

impl Blobs {
    /// Opens the source of a video for programs that read files.
    pub async fn source(&self, id: &VideoId) -> Result<Source> {
        if let Ok(file) = self.file(&id.source()) {
            return Ok(Source::File(file));
        }
        let opened = self.open_object(&id.source()).await?.ok_or_else(|| Error::Gone(id.clone()))?;
        Ok(Source::Loopback(LoopbackSource::start(opened).await?))
    }
}
