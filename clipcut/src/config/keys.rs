//! The keys of tickets that a process alone makes for itself, once for its library.

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result};
use base64::{Engine, prelude::BASE64_STANDARD};

/// Writes a key into the file at `path`, readable by the server alone, unless there is one already.
pub(super) fn make(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let cannot = || format!("cannot write {}", path.display());
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let line = format!("1 {}\n", BASE64_STANDARD.encode(rand::random::<[u8; 32]>()));
            file.write_all(line.as_bytes()).with_context(cannot)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error).with_context(cannot),
    }
}
