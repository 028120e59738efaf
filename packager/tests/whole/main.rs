//! Nothing of a source is lost, shifted or shown twice, whatever its clock, its frames or its streams do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clock;
mod colours;
#[path = "../harness/mod.rs"]
#[expect(dead_code, reason = "shared with tests that ask ffprobe")]
mod harness;
mod numbered;
mod rates;

use std::path::{Path, PathBuf};

const X264: &str = "-c:v libx264 -preset ultrafast -g 50 -bf 2 -pix_fmt yuv420p -c:a aac";

/// Writes files one behind the other.
fn joined(folder: &Path, name: &str, parts: &[&PathBuf]) -> PathBuf {
    let bytes: Vec<Vec<u8>> = parts.iter().map(|part| std::fs::read(part).unwrap()).collect();
    let file = folder.join(name);
    std::fs::write(&file, bytes.concat()).unwrap();
    file
}
