//! Sources made by ffmpeg.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Makes a source with ffmpeg; `args` end without the file's name.
pub(crate) fn make(folder: &Path, name: &str, args: &str) -> PathBuf {
    let file = folder.join(name);
    let run = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-v", "error", "-y"])
        .args(shell_words(args))
        .arg(&file)
        .output()
        .unwrap();
    assert!(run.status.success(), "{args}: {}", String::from_utf8_lossy(&run.stderr));
    file
}

fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut quoted = false;
    let mut word = String::new();
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' | '\n' if !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
