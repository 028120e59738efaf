//! The offer of a hub for a model: its commit, its licence, and the files of one precision with their sizes and checksums.

use std::{fmt, fs, path::Path};

use futures::StreamExt;
use reqwest::Client;
use serde::Deserialize;
use sha1::{Digest, Sha1};

use super::{
    Pull,
    download::{failed, refused},
};
use crate::{
    Error, Result,
    model::folder::{SETTINGS, hex, sha256},
};

// Some hundred bytes a file; the hub's largest repositories have some ten thousand files.
const MAX_LISTING_BYTES: usize = 16 << 20;
// Files with Git's own checksum are settings, and settings are small.
const MAX_GIT_BYTES: u64 = 64 << 20;

/// The files of a pull, and what they come under.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The folder's name: the repository's last part.
    pub name: String,
    /// The commit.
    pub revision: String,
    /// The licence's name, if the repository states one.
    pub licence: Option<String>,
    /// The files of the precision, and its settings.
    pub files: Vec<OfferedFile>,
}

/// A file of the hub.
#[derive(Clone, Debug)]
pub struct OfferedFile {
    /// Its path in the repository.
    pub name: String,
    /// Its length, if the hub lists it.
    pub bytes: Option<u64>,
    /// Its checksum, if the hub lists it.
    pub checksum: Option<Checksum>,
}

/// A checksum in hexadecimal digits, of the kind that the hub has of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-256, of large files.
    Sha256(String),
    /// Git's name of the contents, which is a SHA-1, of small ones.
    Git(String),
}

impl Checksum {
    fn digits(&self) -> &str {
        let (Self::Sha256(digits) | Self::Git(digits)) = self;
        digits
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(digits) => write!(f, "SHA-256 {digits}"),
            Self::Git(digits) => write!(f, "Git {digits}"),
        }
    }
}

impl Offer {
    /// Returns the bytes of all files, as far as the hub lists them.
    pub fn bytes(&self) -> u64 {
        self.files.iter().filter_map(|file| file.bytes).sum()
    }
}

impl OfferedFile {
    /// Returns the SHA-256 of the file `came`, if it is the offered one.
    pub(super) fn verify(&self, came: &Path) -> Result<Option<String>> {
        let bytes = fs::metadata(came)?.len();
        let found = sha256(came)?;
        let is_offered = match &self.checksum {
            Some(Checksum::Sha256(expected)) => *expected == found,
            Some(Checksum::Git(expected)) => {
                bytes <= MAX_GIT_BYTES && *expected == git_name(&fs::read(came)?)
            }
            None => true,
        };
        Ok((is_offered && self.bytes.is_none_or(|expected| expected == bytes)).then_some(found))
    }
}

/// Returns Git's name of a file's contents: the SHA-1 of a header and the bytes.
fn git_name(bytes: &[u8]) -> String {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hex(&hash.finalize())
}

#[derive(Deserialize)]
struct Listing {
    sha: String,
    siblings: Vec<Sibling>,
    #[serde(rename = "cardData")]
    card: Option<Card>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Deserialize)]
struct Card {
    /// A name, or several.
    license: Option<serde_json::Value>,
    license_name: Option<String>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob: Option<String>,
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
}

/// Asks a hub for a model.
pub async fn list(client: &Client, pull: &Pull<'_>) -> Result<Offer> {
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
    let url =
        // Without `blobs=true` the hub lists names, but no sizes and hashes.
        format!("{}/api/models/{}/revision/{}?blobs=true", pull.endpoint, pull.repository, pull.revision);
    let listing = read(client, &url).await?;
    // The commit becomes a part of a folder's name, too.
    if !is_hex(&listing.sha) {
        return Err(Error::Request(format!("{url} names no commit")));
    }
    Ok(Offer {
        name: name.to_owned(),
        files: wanted(&listing, pull)?,
        licence: licence(&listing),
        revision: listing.sha,
    })
}

async fn read(client: &Client, url: &str) -> Result<Listing> {
    let answer = client.get(url).send().await.map_err(|e| failed(url, &e))?;
    if !answer.status().is_success() {
        return Err(refused(url, answer.status()));
    }
    let (mut json, mut body) = (Vec::new(), answer.bytes_stream());
    while let Some(bytes) = body.next().await {
        json.extend_from_slice(&bytes.map_err(|e| failed(url, &e))?);
        if json.len() > MAX_LISTING_BYTES {
            return Err(Error::Request(format!("{url} is longer than {MAX_LISTING_BYTES} bytes")));
        }
    }
    serde_json::from_slice(&json)
        .map_err(|e| Error::Request(format!("{url} is not the listing of a model: {e}")))
}

/// Picks the files of one precision, with the weights that a network keeps beside itself.
fn wanted(listing: &Listing, pull: &Pull<'_>) -> Result<Vec<OfferedFile>> {
    let suffix = if pull.precision.is_empty() { String::new() } else { format!("_{}", pull.precision) };
    let networks = ["encoder_model", "decoder_model_merged"].map(|name| format!("onnx/{name}{suffix}.onnx"));
    let find = |name: &str| listing.siblings.iter().find(|file| file.rfilename == name);
    let mut files = Vec::new();
    for name in SETTINGS.map(str::to_owned).into_iter().chain(networks) {
        let Some(file) = find(&name) else {
            return Err(Error::Request(format!("{} has no {name}", pull.repository)));
        };
        files.push(offered(file));
        // ONNX keeps weights beyond protobuf's 2 GiB in a file beside the network's.
        files.extend(find(&format!("{name}_data")).map(offered));
    }
    let odd = files.iter().find(|file| file.checksum.as_ref().is_some_and(|sum| !is_hex(sum.digits())));
    if let Some(OfferedFile { name, .. }) = odd {
        return Err(Error::Request(format!(
            "the hub's listing of {} has no checksum of {name}",
            pull.repository
        )));
    }
    Ok(files)
}

/// Checksums and commits are shown and name folders.
fn is_hex(digits: &str) -> bool {
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit())
}

fn offered(file: &Sibling) -> OfferedFile {
    let checksum = match (&file.lfs, &file.blob) {
        (Some(lfs), _) => Some(Checksum::Sha256(lfs.sha256.clone())),
        // The name that Git has of an LFS file is that of its pointer.
        (None, Some(blob)) => Some(Checksum::Git(blob.clone())),
        (None, None) => None,
    };
    OfferedFile { name: file.rfilename.clone(), bytes: file.size, checksum }
}

/// Returns the licence of the model's card, else that of the hub's tags. Anything is a name there, so it is cut to what a
/// line holds.
fn licence(listing: &Listing) -> Option<String> {
    let of_card = listing.card.as_ref().and_then(|card| match (&card.license_name, &card.license) {
        // `license: other` has its name beside it.
        (Some(name), _) | (None, Some(serde_json::Value::String(name))) => Some(name.clone()),
        (None, Some(serde_json::Value::Array(names))) => {
            Some(names.iter().filter_map(|name| name.as_str()).collect::<Vec<_>>().join(", "))
        }
        _ => None,
    });
    let of_tags = || listing.tags.iter().find_map(|tag| tag.strip_prefix("license:")).map(str::to_owned);
    let named = of_card.filter(|name| !name.trim().is_empty()).or_else(of_tags)?;
    Some(named.chars().filter(|c| !c.is_control()).take(80).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_licence_is_that_of_the_card_or_of_the_tags() {
        let check = |json: serde_json::Value, expected: Option<&str>| {
            let mut whole = serde_json::json!({ "sha": "0f", "siblings": [] });
            whole.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
            let listing: Listing = serde_json::from_value(whole).unwrap();
            assert_eq!(licence(&listing).as_deref(), expected, "{json}");
        };
        check(serde_json::json!({}), None);
        check(
            serde_json::json!({ "cardData": { "license": "mit" }, "tags": ["license:apache-2.0"] }),
            Some("mit"),
        );
        check(serde_json::json!({ "tags": ["onnx", "license:apache-2.0"] }), Some("apache-2.0"));
        check(serde_json::json!({ "cardData": { "license": ["mit", "bsd"] } }), Some("mit, bsd"));
        check(
            serde_json::json!({ "cardData": { "license": "other", "license_name": "ours\u{1b}[2J" } }),
            Some("ours[2J"),
        );
    }

    #[test]
    fn small_files_have_gits_name() {
        // As `printf hello | git hash-object --stdin` has it.
        assert_eq!(git_name(b"hello"), "b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0");
    }
}
