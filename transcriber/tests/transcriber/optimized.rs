//! Optimized networks beside the published ones: written once, kept with both hashes, made anew when either changes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use transcriber::{
    model::{
        Loading, Model,
        device::Device,
        folder::{Folder, sha256},
        optimized::{State, optimize},
    },
    runtime::Runtime,
};

use crate::{folder::copy, harness::demo};

#[derive(Deserialize)]
struct Record {
    published_sha256: String,
    optimized_sha256: Option<String>,
}

fn load(folder: &Path) -> Model {
    let runtime = Runtime::load(None).unwrap();
    Model::load(runtime, Loading { folder, precision: "quantized", threads: 1, device: Device::Cpu }).unwrap()
}

/// Returns the decoder's state, and the published file.
fn decoder(folder: &Path) -> (PathBuf, State) {
    optimize(&Folder::open(folder, "quantized").unwrap()).unwrap().pop().unwrap()
}

fn written(state: &State) -> &Path {
    let State::Written(file) = state else { panic!("{state:?} is not written") };
    file
}

#[test]
fn the_first_use_optimizes_and_keeps_both_hashes() {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    let published = load(folder.path()).sha256;
    let (file, state) = decoder(folder.path());
    let State::Ready(optimized) = state else { panic!("{state:?} was not there already") };
    let json = fs::read(optimized.with_extension("optimized.json")).unwrap();
    let record: Record = serde_json::from_slice(&json).unwrap();
    assert_eq!(record.published_sha256, sha256(&file).unwrap());
    assert_eq!(record.optimized_sha256, Some(sha256(&optimized).unwrap()));
    // The model's own hash is that of the published files, whatever processor it runs on.
    assert_eq!(load(folder.path()).sha256, published);
}

#[test]
fn a_changed_published_file_makes_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    let (published, state) = decoder(folder.path());
    let first = sha256(written(&state)).unwrap();
    let original = fs::read(&published).unwrap();
    // The plain network has no product to rewrite.
    fs::copy(demo().join("onnx/decoder_model_merged.onnx"), &published).unwrap();
    assert_eq!(decoder(folder.path()).1, State::AsPublished);
    fs::write(&published, original).unwrap();
    assert_eq!(sha256(written(&decoder(folder.path()).1)).unwrap(), first);
}

#[test]
fn a_damaged_optimized_file_is_written_again() {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    let (_, state) = decoder(folder.path());
    let file = written(&state);
    let whole = fs::read(file).unwrap();
    fs::write(file, &whole[..whole.len() / 2]).unwrap();
    load(folder.path());
    assert!(fs::read(file).unwrap() == whole);
}

#[test]
fn a_folder_that_cannot_be_written_is_used_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    let (_, state) = decoder(folder.path());
    let file = written(&state);
    fs::remove_file(file).unwrap();
    // A folder of this name refuses the file, for every user.
    fs::create_dir_all(file.join("in-the-way")).unwrap();
    load(folder.path());
    let refused = optimize(&Folder::open(folder.path(), "quantized").unwrap()).unwrap_err().to_string();
    assert!(refused.contains(file.to_str().unwrap()) && refused.contains("cannot be written"), "{refused}");
}
