//! The input of an ffmpeg or ffprobe process: a file of ours, an address, or a part of either.

use std::{
    ffi::OsString,
    fmt, io,
    ops::Range,
    path::{Path, PathBuf},
};

/// Where ffmpeg reads a source from.
#[derive(Clone, PartialEq, Eq)]
pub enum Input {
    /// A file of ours.
    File(PathBuf),
    /// An address that this process serves for as long as the source is read; its path is a secret.
    Loopback {
        /// The address.
        url: String,
        /// The size of what is there, in bytes.
        len: u64,
    },
    /// Some bytes of another input, as if they were a file.
    Part {
        /// The other input.
        of: Box<Self>,
        /// Other bytes of it that come first, such as an initialization that only stands elsewhere.
        head: Option<Range<u64>>,
        /// Where they lie in it.
        bytes: Range<u64>,
    },
}

impl Input {
    /// Returns a part of this input, behind its `head` if there is one.
    #[must_use]
    pub fn part(&self, head: Option<Range<u64>>, bytes: Range<u64>) -> Self {
        Self::Part { of: Box::new(self.clone()), head, bytes }
    }

    /// Returns the size in bytes.
    pub async fn len(&self) -> io::Result<u64> {
        match self {
            Self::File(path) => Ok(tokio::fs::metadata(path).await?.len()),
            Self::Loopback { len, .. } => Ok(*len),
            Self::Part { head, bytes, .. } => {
                let head = head.as_ref().map_or(0, |head| head.end - head.start);
                Ok(head + bytes.end - bytes.start)
            }
        }
    }

    /// Returns the protocols that ffmpeg may open, for this input alone. An address needs HTTP; what the source itself names is never
    /// opened, for no demuxer on the list opens anything else.
    pub(crate) fn protocols(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Loopback { .. } => "http,tcp",
            Self::Part { of, head, .. } => match (of.protocols(), head) {
                ("file", None) => "subfile,file",
                ("file", Some(_)) => "concat,subfile,file",
                (_, None) => "subfile,http,tcp",
                (_, Some(_)) => "concat,subfile,http,tcp",
            },
        }
    }

    /// Returns the address that ffmpeg opens. Its prefix keeps a path from being read as an option or as another
    /// protocol.
    pub(crate) fn address(&self) -> OsString {
        match self {
            Self::File(path) => {
                let mut address = OsString::from("file:");
                address.push(path);
                address
            }
            Self::Loopback { url, .. } => url.into(),
            Self::Part { of, head: None, bytes } => of.address_of(bytes),
            // The bar parts addresses; no path or secret of ours has one.
            Self::Part { of, head: Some(head), bytes } => {
                let mut address = OsString::from("concat:");
                address.push(of.address_of(head));
                address.push("|");
                address.push(of.address_of(bytes));
                address
            }
        }
    }

    fn address_of(&self, bytes: &Range<u64>) -> OsString {
        let mut address = OsString::from(format!("subfile,,start,{},end,{},,:", bytes.start, bytes.end));
        address.push(self.address());
        address
    }
}

impl From<&Path> for Input {
    fn from(path: &Path) -> Self {
        Self::File(path.to_owned())
    }
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

// Secrets stay out of logs.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Loopback { len, .. } => write!(f, "a source of {len} bytes"),
            Self::Part { of, head: None, bytes } => write!(f, "bytes {bytes:?} of {of:?}"),
            Self::Part { of, head: Some(head), bytes } => {
                write!(f, "bytes {head:?} and {bytes:?} of {of:?}")
            }
        }
    }
}
