//! Nothing of a source is lost, shifted or shown twice, whatever its clock, its frames or its streams do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broadcast;
mod captions;
mod clock;
mod colours;
mod containers;
mod entries;
mod failures;
mod formats;
mod gaps;
#[path = "../harness/mod.rs"]
mod harness;
mod joined;
mod losses;
mod numbered;
mod rates;
mod recorders;

use std::path::{Path, PathBuf};

const X264: &str = "-c:v libx264 -preset ultrafast -g 50 -bf 2 -pix_fmt yuv420p -c:a aac";

/// Writes files one behind the other.
fn joined(folder: &Path, name: &str, parts: &[&PathBuf]) -> PathBuf {
    let bytes: Vec<Vec<u8>> = parts.iter().map(|part| std::fs::read(part).unwrap()).collect();
    let file = folder.join(name);
    std::fs::write(&file, bytes.concat()).unwrap();
    file
}

/// Joins files on one clock, packet by packet.
fn concatenated(folder: &Path, name: &str, parts: &[PathBuf]) -> PathBuf {
    let list: String = parts.iter().map(|part| format!("file '{}'\n", part.display())).collect();
    let playlist = folder.join("parts.txt");
    std::fs::write(&playlist, list).unwrap();
    harness::make(folder, name, &format!("-f concat -safe 0 -i {} -map 0 -c copy", playlist.display()))
}
