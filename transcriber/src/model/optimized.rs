//! Optimized networks beside the published ones: written once per processor kind, with a record of both hashes, so that
//! loading rewrites nothing. A published file that changed, or a newer optimizer, makes a new one.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use prost::Message;
use serde::{Deserialize, Serialize};

use super::{
    blocks,
    folder::{Folder, Hashes},
    lm_head, onnx,
    processor::Processor,
};
use crate::{Error, Result};

// Counts changes of the passes: files of an older number are written again.
const VERSION: u32 = 2;
// The most that a protobuf message holds; larger networks keep their weights in another file.
const MAX_NETWORK_BYTES: u64 = 2 << 30;

/// The record beside an optimized file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    optimizer: u32,
    published_sha256: String,
    /// Missing where no pass has anything to do.
    optimized_sha256: Option<String>,
}

/// A network to load.
#[derive(Debug)]
pub(super) enum Network {
    /// This file, published or optimized.
    File(PathBuf),
    /// Optimized in memory, since its file cannot be written.
    Bytes(Vec<u8>),
}

/// The part of the model that a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Encoder,
    Decoder,
}

/// The state of a published network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its optimized file was there already.
    Ready(PathBuf),
    /// Its optimized file was written now.
    Written(PathBuf),
    /// It is used as it was published: no pass gains anything.
    AsPublished,
}

/// Optimizes the networks of a folder for this processor. Returns each published file with its state.
pub fn optimize(folder: &Folder) -> Result<Vec<(PathBuf, State)>> {
    let mut hashes = Hashes::default();
    let parts = [(Part::Encoder, folder.encoder()), (Part::Decoder, folder.decoder())];
    let states = parts.into_iter().map(|(part, published)| {
        let files = Files::of(&published);
        let state = if let Some(state) = files.state(&published, &mut hashes)? {
            state
        } else {
            let bytes = rewrite(part, &published);
            files.write(&hashes.of(&published)?, bytes.as_deref()).map_err(|e| Error::Model {
                file: files.network.clone(),
                problem: format!("cannot be written: {e}"),
            })?;
            bytes.map_or(State::AsPublished, |_| State::Written(files.network.clone()))
        };
        Ok((published, state))
    });
    states.collect()
}

/// Returns the network to load, and writes its optimized file if that is missing. A folder that cannot be written, such
/// as a read-only volume, costs the rewriting at each start, and nothing else.
pub(super) fn prepare(part: Part, published: &Path, hashes: &mut Hashes) -> Result<Network> {
    let files = Files::of(published);
    match files.state(published, hashes)? {
        Some(State::Ready(file) | State::Written(file)) => return Ok(Network::File(file)),
        Some(State::AsPublished) => return Ok(Network::File(published.to_owned())),
        None => {}
    }
    let bytes = rewrite(part, published);
    let written = files.write(&hashes.of(published)?, bytes.as_deref());
    if let Err(error) = &written {
        let file = files.network.display();
        tracing::warn!(%file, %error, "the optimized network cannot be written; it is made anew at each start");
    }
    Ok(match bytes {
        None => Network::File(published.to_owned()),
        Some(_) if written.is_ok() => Network::File(files.network),
        Some(bytes) => Network::Bytes(bytes),
    })
}

/// Returns the optimized network; nothing where no pass applies.
fn rewrite(part: Part, published: &Path) -> Option<Vec<u8>> {
    if fs::metadata(published).ok()?.len() > MAX_NETWORK_BYTES {
        return None;
    }
    let mut model = onnx::read(&fs::read(published).ok()?)?;
    let changed = match (part, Processor::here()) {
        // Products of blocks were tried with VNNI alone.
        (_, Processor::Vnni) => blocks::apply(&mut model),
        (Part::Encoder, Processor::Plain) => false,
        (Part::Decoder, Processor::Plain) => lm_head::apply(&mut model),
    };
    changed.then(|| model.encode_to_vec())
}

/// The files that belong to a published one.
struct Files {
    network: PathBuf,
    record: PathBuf,
}

impl Files {
    fn of(published: &Path) -> Self {
        // Not `.onnx`: other programs that look for precisions in this folder would offer it as one.
        let network = published.with_extension(format!("{}.optimized", Processor::here().name()));
        Self { record: network.with_extension("optimized.json"), network }
    }

    /// Returns the state, if the record is of these very bytes.
    fn state(&self, published: &Path, hashes: &mut Hashes) -> Result<Option<State>> {
        let read = fs::read(&self.record).ok().and_then(|json| serde_json::from_slice::<Record>(&json).ok());
        let Some(record) = read else { return Ok(None) };
        if record.optimizer != VERSION || record.published_sha256 != hashes.of(published)? {
            return Ok(None);
        }
        let Some(sha256) = record.optimized_sha256 else { return Ok(Some(State::AsPublished)) };
        // A file that was cut short or tampered with is written again.
        let whole = self.network.is_file() && hashes.of(&self.network)? == sha256;
        Ok(whole.then(|| State::Ready(self.network.clone())))
    }

    /// Writes the network, then its record, each under a name of its own first: a killed process leaves no half file,
    /// and of two that write at once either one's bytes stand, which are equal.
    fn write(&self, published_sha256: &str, network: Option<&[u8]>) -> std::io::Result<()> {
        let folder = self.network.parent().unwrap_or(Path::new("."));
        if let Some(bytes) = network {
            put(folder, &self.network, bytes)?;
        }
        let record = Record {
            optimizer: VERSION,
            published_sha256: published_sha256.to_owned(),
            optimized_sha256: network.map(super::folder::sha256_of),
        };
        // The record comes last: a network without one is written again, a record without its network would be trusted.
        put(folder, &self.record, &serde_json::to_vec_pretty(&record)?)
    }
}

fn put(folder: &Path, file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut staged = tempfile::NamedTempFile::new_in(folder)?;
    staged.write_all(bytes)?;
    staged.as_file().sync_all()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private; another user's server reads models too.
        staged.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    staged.persist(file).map(|_| ()).map_err(|e| e.error)
}
