//! Writes the sound and the sentences of the truth test for `reference/truth.py`.
//!
//! Usage: talk SEED SECONDS FOLDER. Writes FOLDER/talk.f32 (16 kHz, mono) and FOLDER/talk.json.

#![expect(clippy::unwrap_used, dead_code, reason = "the tests' harness, of which a part is used")]

#[path = "../tests/transcriber/harness.rs"]
mod harness;

use std::path::PathBuf;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, seconds, folder] = arguments.as_slice() else { panic!("usage: talk SEED SECONDS FOLDER") };
    let talk = harness::talk(seed.parse().unwrap(), seconds.parse().unwrap());
    let samples: Vec<u8> = talk.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let sentences: Vec<_> = talk.sentences.iter().map(|sentence| (sentence.start, &sentence.text)).collect();
    let folder = PathBuf::from(folder);
    std::fs::write(folder.join("talk.f32"), samples).unwrap();
    std::fs::write(folder.join("talk.json"), serde_json::to_vec(&sentences).unwrap()).unwrap();
}
