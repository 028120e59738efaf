//! The keys of blobs, and the attributes that every blob has.

use std::{io, pin::Pin, time::SystemTime};

use bytes::Bytes;
use futures::Stream;

use crate::{Error, Result};

/// Bytes of a blob as they are read.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// The attributes of an opened blob.
pub(super) struct Attributes {
    pub(super) len: u64,
    pub(super) tag: String,
    pub(super) modified: SystemTime,
}

/// Refuses a key that is not a path of plain names.
pub(super) fn check(key: &str) -> Result<()> {
    let plain = |name: &str| {
        // No name begins with a dot: `..` would leave the folder, and `.staging` is not for readers. Letters beyond
        // ASCII would meet file systems that normalise them, where two keys are one file.
        !name.is_empty()
            && !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    if key.split('/').all(plain) {
        Ok(())
    } else {
        Err(Error::io("open", key, io::Error::from(io::ErrorKind::InvalidFilename)))
    }
}
