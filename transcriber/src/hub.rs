//! Models from a hub that speaks as huggingface.co does. A model is written whole or not at all:
//! into a folder beside its own, resumed where a pull broke off, checked, then renamed into place with a lock file.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use reqwest::Client;
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    model::folder::{Hashes, sha256},
};

mod download;
mod offer;

use download::{Download, fetch};
pub use offer::{Checksum, Offer, OfferedFile, list};

/// The lock file's name in a model's folder.
pub const LOCK: &str = "clipcut-model.json";

/// The model to pull.
#[derive(Clone, Debug)]
pub struct Pull<'a> {
    /// The hub, such as `https://huggingface.co`.
    pub endpoint: &'a str,
    /// The repository, such as `onnx-community/whisper-tiny`.
    pub repository: &'a str,
    /// Branch, tag or commit; mostly `main`.
    pub revision: &'a str,
    /// Which of its networks: `""` is f32.
    pub precision: &'a str,
    /// The folder of all models.
    pub models: &'a Path,
}

/// The contents of a model's folder when it was pulled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Where from.
    pub repository: String,
    /// The commit.
    pub revision: String,
    /// The licence that the hub states.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// SHA-256 of each file, by its name.
    pub files: BTreeMap<String, String>,
}

/// How far a pull is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Done with …
    pub done: u64,
    /// … of these, as far as the hub lists them.
    pub all: u64,
}

/// Brings what a hub offers; returns the model's folder. A second call after a broken one goes on where that stopped, and
/// files that are here already are checked and kept.
pub async fn pull(
    client: &Client,
    pull: &Pull<'_>,
    offer: &Offer,
    mut report: impl FnMut(Progress),
) -> Result<PathBuf> {
    let folder = pull.models.join(&offer.name);
    let staging = staging(pull, offer);
    let mut progress = Progress { done: 0, all: offer.bytes() };
    let mut lock = Lock {
        repository: pull.repository.into(),
        revision: offer.revision.clone(),
        licence: offer.licence.clone(),
        files: kept(&folder, &staging, pull, offer)?,
    };
    for file in &offer.files {
        let to = staging.join(&file.name);
        fs::create_dir_all(to.parent().unwrap_or(&staging))?;
        // The URL names the commit and not the branch: a push between two files would mix two models.
        let url = format!("{}/{}/resolve/{}/{}", pull.endpoint, pull.repository, offer.revision, file.name);
        let download = Download { url: &url, bytes: file.bytes, to: &to };
        fetch(client, download, &mut |bytes| {
            progress.done += bytes;
            report(progress);
        })
        .await?;
        let (came, offered) = (to.clone(), file.clone());
        let Some(hash) = blocking(move || offered.verify(&came)).await? else {
            fs::remove_file(&to)?;
            let problem = "did not come as the hub announced it; it is removed, pull again".into();
            return Err(Error::Model { file: to, problem });
        };
        lock.files.insert(file.name.clone(), hash);
    }
    let text = serde_json::to_string_pretty(&lock).map_err(std::io::Error::from)?;
    fs::write(staging.join(LOCK), text + "\n")?;
    put_in_place(&staging, &folder)
}

/// Takes the files of `folder` along that are of the offered commit: those that are offered need not come again, and
/// those of other precisions stay. Returns the hashes of the latter.
fn kept(folder: &Path, staging: &Path, pull: &Pull<'_>, offer: &Offer) -> Result<BTreeMap<String, String>> {
    // A lock that cannot be read is that of a damaged folder, of which nothing is kept.
    let Ok(Some(lock)) = lock_of(folder) else { return Ok(BTreeMap::new()) };
    let mut others = BTreeMap::new();
    if lock.revision != offer.revision || lock.repository != pull.repository {
        return Ok(others);
    }
    for (name, hash) in lock.files {
        let (from, to) = (folder.join(&name), staging.join(&name));
        let offered = offer.files.iter().find(|file| file.name == name);
        // The rest of a file that is shorter than offered would be written into the folder, by the link.
        let whole = |bytes: u64| fs::metadata(&from).is_ok_and(|meta| meta.len() == bytes);
        let fits = offered.is_none_or(|file| file.bytes.is_some_and(whole));
        if to.exists() || !fits || sha256(&from).ok().as_ref() != Some(&hash) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(staging))?;
        // Some file systems have no hard links.
        fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop))?;
        if offered.is_none() {
            others.insert(name, hash);
        }
    }
    Ok(others)
}

/// Returns the folder that a pull fills. Another commit's, or another precision's, half files are not resumed as its own.
fn staging(pull: &Pull<'_>, offer: &Offer) -> PathBuf {
    let commit: String = offer.revision.chars().take(12).collect();
    let precision = if pull.precision.is_empty() { "f32" } else { pull.precision };
    pull.models.join(format!(".{}.{commit}.{precision}.part", offer.name))
}

/// Returns the lock of a model's folder, if it has one.
pub fn lock_of(folder: &Path) -> Result<Option<Lock>> {
    let file = folder.join(LOCK);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::Model { file, problem: e.to_string() }),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|e| Error::Model { file, problem: e.to_string() })
}

/// Compares a folder with its lock. Returns the commit that it is, if it has a lock.
pub fn check(folder: &Path, hashes: &mut Hashes) -> Result<Option<String>> {
    let Some(lock) = lock_of(folder)? else { return Ok(None) };
    for (name, expected) in &lock.files {
        let file = folder.join(name);
        if hashes.of(&file)? != *expected {
            let problem =
                "is not what was pulled: its SHA-256 has changed; `clipcut model pull` brings it again"
                    .into();
            return Err(Error::Model { file, problem });
        }
    }
    Ok(Some(lock.revision))
}

/// Renames the whole folder into place; an older one goes first aside, then away.
fn put_in_place(staging: &Path, folder: &Path) -> Result<PathBuf> {
    let aside = staging.with_extension("old");
    // rename(2) does not replace a folder that has files.
    if folder.exists() {
        fs::rename(folder, &aside)?;
    }
    fs::rename(staging, folder)?;
    if aside.exists() {
        fs::remove_dir_all(&aside)?;
    }
    Ok(folder.to_owned())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::Io(std::io::Error::other(e)))?
}
