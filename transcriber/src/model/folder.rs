//! A model's folder: its files, whether they are whole, and their hashes.

use std::{
    collections::HashMap,
    io::Read,
    path::{Path, PathBuf},
};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The files beside the networks, in the layout of `onnx-community/whisper-*`.
pub const SETTINGS: [&str; 4] =
    ["config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json"];
// Whisper's largest tokenizer has three million bytes.
const MAX_SETTING_BYTES: u64 = 64 << 20;

/// A folder with a model.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    precision: String,
}

impl Folder {
    /// Finds the model's files. `precision` is the suffix of the networks' names without its underscore, such as
    /// `quantized`; empty is f32.
    pub fn open(path: &Path, precision: &str) -> Result<Self> {
        let folder = Self { path: path.to_owned(), precision: precision.to_owned() };
        // A folder with neither is no model, which a pull mends; with one of them a single file is missing.
        if !folder.file("config.json").is_file() && !path.join("onnx").is_dir() {
            return Err(Error::NoModel { folder: path.to_owned() });
        }
        for file in
            SETTINGS.map(|name| folder.file(name)).into_iter().chain([folder.encoder(), folder.decoder()])
        {
            if !file.is_file() {
                return Err(Error::Model { file, problem: folder.missing() });
            }
        }
        Ok(folder)
    }

    /// Returns the model's name: that of its folder.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Returns the path of a file.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the encoder's file.
    pub fn encoder(&self) -> PathBuf {
        self.network("encoder_model")
    }

    /// Returns the decoder's file.
    pub fn decoder(&self) -> PathBuf {
        self.network("decoder_model_merged")
    }

    /// Returns SHA-256 over the names and the contents of all files that decide the model's words.
    pub fn sha256(&self, hashes: &mut Hashes) -> Result<String> {
        let mut all = Sha256::new();
        for file in SETTINGS.map(|name| self.file(name)).into_iter().chain([self.encoder(), self.decoder()]) {
            let name = file.strip_prefix(&self.path).unwrap_or(&file).to_string_lossy().into_owned();
            all.update(format!("{} {name}\n", hashes.of(&file)?));
        }
        Ok(hex(&all.finalize()))
    }

    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>> {
        let file = self.file(name);
        let failed = |e: std::io::Error| Error::Model { file: file.clone(), problem: e.to_string() };
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(&file).map_err(failed)?;
        opened.take(MAX_SETTING_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_SETTING_BYTES {
            return Err(Error::Model { file, problem: format!("larger than {MAX_SETTING_BYTES} bytes") });
        }
        Ok(bytes)
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        serde_json::from_slice(&self.read(name)?).map_err(|e| Error::Model {
            file: self.file(name),
            problem: format!("not the JSON of a Whisper model: {e}"),
        })
    }

    fn network(&self, name: &str) -> PathBuf {
        let suffix = if self.precision.is_empty() { String::new() } else { format!("_{}", self.precision) };
        self.path.join("onnx").join(format!("{name}{suffix}.onnx"))
    }

    /// Names the precisions that are there, for the error about a missing one.
    fn missing(&self) -> String {
        let names = std::fs::read_dir(self.path.join("onnx")).into_iter().flatten().flatten();
        let mut there: Vec<String> = names
            .filter_map(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                let precision = name.strip_prefix("decoder_model_merged")?.strip_suffix(".onnx")?;
                Some(format!("\"{}\"", precision.strip_prefix('_').unwrap_or("f32")))
            })
            .collect();
        there.sort();
        if there.is_empty() {
            return "this file of the model is missing; `clipcut model pull` brings the whole".into();
        }
        format!("this file of the model is missing; of the precisions there are {}", there.join(", "))
    }
}

/// The SHA-256 of files, each read once.
#[derive(Debug, Default)]
pub struct Hashes(HashMap<PathBuf, String>);

impl Hashes {
    /// Returns a file's SHA-256 in hexadecimal digits.
    pub fn of(&mut self, file: &Path) -> Result<String> {
        if let Some(known) = self.0.get(file) {
            return Ok(known.clone());
        }
        let hash = sha256(file)?;
        self.0.insert(file.to_owned(), hash.clone());
        Ok(hash)
    }
}

/// Returns the SHA-256 of bytes in hexadecimal digits.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Returns a file's SHA-256 in hexadecimal digits.
pub fn sha256(file: &Path) -> Result<String> {
    let failed = |e: std::io::Error| Error::Model { file: file.to_owned(), problem: e.to_string() };
    let mut opened = std::fs::File::open(file).map_err(failed)?;
    let (mut hash, mut bytes) = (Sha256::new(), vec![0; 1 << 18]);
    loop {
        let length = opened.read(&mut bytes).map_err(failed)?;
        if length == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&bytes[..length]);
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
