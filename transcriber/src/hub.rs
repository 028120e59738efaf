//! Models from a hub that speaks as huggingface.co does. A model is written whole or not at all:
//! into a folder beside its own, resumed where a pull broke off, checked, then renamed into place with a lock file.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use futures::StreamExt;
use reqwest::{Client, StatusCode, header::RANGE};
use serde::{Deserialize, Serialize};

use crate::{
    Error, Result,
    model::folder::{Hashes, SETTINGS, sha256},
};

/// The lock file's name in a model's folder.
pub const LOCK: &str = "clipcut-model.json";
// The largest Whisper's plain encoder has 2.5 GB, in a file of its own.
const MAX_FILE_BYTES: u64 = 8 << 30;

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
    /// SHA-256 of each file, by its name.
    pub files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
}

/// How far a pull is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Done with …
    pub done: u64,
    /// … of these, as far as the hub lists them.
    pub all: u64,
}

/// Brings a model; returns its folder. A second call after a broken one goes on where that stopped.
pub async fn pull(client: &Client, pull: &Pull<'_>, mut report: impl FnMut(Progress)) -> Result<PathBuf> {
    let name = pull.repository.rsplit('/').next().unwrap_or_default();
    let sane = |part: &str| {
        let plain = part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        plain && !part.is_empty() && !part.starts_with('.')
    };
    // The last part becomes a folder's name: `..` would lead out of the models' folder.
    if !pull.repository.split('/').all(sane) {
        return Err(Error::Request(format!(
            "`{}` is no repository; try onnx-community/whisper-tiny",
            pull.repository
        )));
    }
    let listing = list(client, pull).await?;
    let wanted = wanted(&listing, pull)?;
    // The commit is a part of the name, so that a pull of another revision does not resume these files.
    let staging =
        pull.models.join(format!(".{name}.{}.part", listing.sha.chars().take(12).collect::<String>()));
    let mut progress = Progress { done: 0, all: wanted.iter().filter_map(|file| file.size).sum() };
    let mut lock =
        Lock { repository: pull.repository.into(), revision: listing.sha.clone(), files: BTreeMap::new() };
    for file in wanted {
        let to = staging.join(&file.rfilename);
        fs::create_dir_all(to.parent().unwrap_or(&staging))?;
        // The URL names the commit and not the branch: a push between two files would mix two models.
        let url = format!("{}/{}/resolve/{}/{}", pull.endpoint, pull.repository, listing.sha, file.rfilename);
        fetch(client, Download { url: &url, file, to: &to }, &mut |bytes| {
            progress.done += bytes;
            report(progress);
        })
        .await?;
        let found = hash(&to).await?;
        // The hub has a SHA-256 of LFS files alone; of small ones it has Git's own id, so their size must do.
        let wrong = file.lfs.as_ref().is_some_and(|lfs| lfs.sha256 != found)
            || file.size.is_some_and(|size| fs::metadata(&to).map(|meta| meta.len()).ok() != Some(size));
        if wrong {
            fs::remove_file(&to)?;
            let problem = "did not come as the hub announced it; it is removed, pull again".into();
            return Err(Error::Model { file: to, problem });
        }
        lock.files.insert(file.rfilename.clone(), found);
    }
    let text = serde_json::to_string_pretty(&lock).map_err(std::io::Error::from)?;
    fs::write(staging.join(LOCK), text + "\n")?;
    put_in_place(&staging, &pull.models.join(name))
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

async fn list(client: &Client, pull: &Pull<'_>) -> Result<Listing> {
    let url =
        // Without `blobs=true` the hub lists names, but no sizes and hashes.
        format!("{}/api/models/{}/revision/{}?blobs=true", pull.endpoint, pull.repository, pull.revision);
    let answer = client.get(&url).send().await.map_err(|e| failed(&url, &e))?;
    if !answer.status().is_success() {
        return Err(refused(&url, answer.status()));
    }
    answer.json().await.map_err(|e| failed(&url, &e))
}

/// Picks the files of one precision, with the weights that a network keeps beside itself.
fn wanted<'l>(listing: &'l Listing, pull: &Pull<'_>) -> Result<Vec<&'l Sibling>> {
    let suffix = if pull.precision.is_empty() { String::new() } else { format!("_{}", pull.precision) };
    let networks = ["encoder_model", "decoder_model_merged"].map(|name| format!("onnx/{name}{suffix}.onnx"));
    let find = |name: &str| listing.siblings.iter().find(|file| file.rfilename == name);
    let mut files = Vec::new();
    for name in SETTINGS.map(str::to_owned).into_iter().chain(networks) {
        let Some(file) = find(&name) else {
            return Err(Error::Request(format!("{} has no {name}", pull.repository)));
        };
        files.push(file);
        // ONNX keeps weights beyond protobuf's 2 GiB in a file beside the network's.
        files.extend(find(&format!("{name}_data")));
    }
    Ok(files)
}

/// A file of the hub on its way to this machine.
struct Download<'a> {
    url: &'a str,
    file: &'a Sibling,
    to: &'a Path,
}

async fn fetch(client: &Client, download: Download<'_>, report: &mut impl FnMut(u64)) -> Result<()> {
    let Download { url, file, to } = download;
    let have = fs::metadata(to).map_or(0, |meta| meta.len());
    if file.size == Some(have) {
        report(have);
        return Ok(());
    }
    let mut request = client.get(url);
    if have > 0 {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    let answer = request.send().await.map_err(|e| failed(url, &e))?;
    let goes_on = answer.status() == StatusCode::PARTIAL_CONTENT;
    if !answer.status().is_success() {
        return Err(refused(url, answer.status()));
    }
    // A server may ignore Range and answer 200 with the whole (RFC 9110 §14.2); the file then begins anew.
    let mut written = if goes_on { have } else { 0 };
    report(written);
    let mut out =
        fs::OpenOptions::new().create(true).write(true).append(goes_on).truncate(!goes_on).open(to)?;
    let mut body = answer.bytes_stream();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|e| failed(url, &e))?;
        written += bytes.len() as u64;
        if written > file.size.unwrap_or(MAX_FILE_BYTES).min(MAX_FILE_BYTES) {
            return Err(Error::Request(format!("{url} is larger than announced")));
        }
        out.write_all(&bytes)?;
        report(bytes.len() as u64);
    }
    out.sync_all()?;
    Ok(())
}

async fn hash(file: &Path) -> Result<String> {
    let file = file.to_owned();
    let hashed = tokio::task::spawn_blocking(move || sha256(&file)).await;
    hashed.map_err(|e| Error::Io(std::io::Error::other(e)))?
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

fn failed(url: &str, e: &reqwest::Error) -> Error {
    // Its own message hides the cause.
    let cause = std::error::Error::source(e).map_or_else(|| e.to_string(), ToString::to_string);
    Error::Request(format!("cannot get {url}: {cause}; run the same command again to go on"))
}

fn refused(url: &str, status: StatusCode) -> Error {
    Error::Request(format!("cannot get {url}: the hub answers {status}"))
}
