//! Finding programs, and of not being root where a server refuses to run as root.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// Returns where the program `name` is, on the PATH or in one of `folders`.
pub(crate) fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = env::split_paths(&path).chain(folders.iter().cloned());
    places.find_map(|folder| Some(folder.join(name)).filter(|file| file.is_file()))
}

/// Returns the words that run `program` as the user `postgres` when we are root, else as ourselves.
pub(crate) fn unprivileged(program: &Path) -> Vec<OsString> {
    let words: &[&str] = if rustix::process::geteuid().is_root() {
        &["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
    } else {
        &[]
    };
    words.iter().map(OsString::from).chain([program.into()]).collect()
}

/// Writes a certificate and its key into one file of `folder`.
pub(crate) fn private(folder: &Path, pem: &str) -> PathBuf {
    let file = folder.join("tls.pem");
    fs::write(&file, pem).expect("the folder is ours");
    file
}

/// Runs `command` to its end.
///
/// # Panics
/// Panics when it fails, with its output.
pub(crate) fn run(command: &[impl AsRef<OsStr>]) {
    let shown = || command.iter().map(|word| word.as_ref().to_string_lossy()).collect::<Vec<_>>().join(" ");
    let output = Command::new(&command[0]).args(&command[1..]).output();
    let output = output.unwrap_or_else(|e| panic!("cannot run {}: {e}; try scripts/install test", shown()));
    assert!(output.status.success(), "{}: {}", shown(), String::from_utf8_lossy(&output.stderr));
}

/// Prints which server the tests run on. Past the test runner's capture, which shows nothing of tests that pass.
pub(crate) fn announce(what: &str) {
    let _ = writeln!(std::io::stderr(), "testbed: {what}");
}
