//! The file to upload, and the file beside it by which the next run resumes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use reqwest::Url;
use sha2::{Digest, Sha256};

/// A file to upload.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) len: u64,
    modified: std::time::SystemTime,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let absent = || format!("cannot open {}", path.display());
        let path = path.canonicalize().with_context(absent)?;
        let meta = fs::metadata(&path).with_context(absent)?;
        if !meta.is_file() || meta.len() == 0 {
            bail!("{} is not a file with something in it", path.display());
        }
        Ok(Self { len: meta.len(), modified: meta.modified()?, path })
    }
}

/// The file with the URL of an unfinished upload, so that the next run resumes it.
pub(super) struct ResumeFile(Option<PathBuf>);

impl ResumeFile {
    pub(super) fn of(source: &Source, server: &Url) -> Self {
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
        let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")));
        // A changed file gets another name: its bytes must not go on behind those of the old one.
        let print = format!("{server} {} {} {:?}", source.path.display(), source.len, source.modified);
        let name: String = Sha256::digest(print).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self(state.map(|folder| folder.join("clipcut/uploads").join(name)))
    }

    pub(super) fn read(&self) -> Option<Url> {
        fs::read_to_string(self.0.as_ref()?).ok()?.parse().ok()
    }

    pub(super) fn write(&self, upload: &Url) -> Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, upload.as_str())?)
    }

    pub(super) fn remove(&self) {
        // A file that stays is found stale by the next run: the server answers 404 for its upload.
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}
