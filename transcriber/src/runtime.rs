//! ONNX Runtime's library: where it is looked for, and loading it once. A library that is missing or
//! too old is an error, never a crash.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use ort::environment::Environment;

use crate::{Error, Result};

// Where distributions and their administrators put libraries.
const SYSTEM: [&str; 7] = [
    "/usr/local/lib",
    "/usr/lib",
    "/usr/lib64",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/opt/onnxruntime/lib",
    "/opt/homebrew/lib",
];
// From `target/debug/deps` up to `target`, where `make` puts it.
const FOLDERS_ABOVE: usize = 3;

/// The loaded library.
#[derive(Debug)]
pub struct Runtime {
    /// Its file.
    pub path: PathBuf,
    pub(crate) environment: Environment,
}

impl Runtime {
    /// Loads the library, or returns the one that is loaded: a process has one for its life.
    ///
    /// Looks, in this order, at `configured`, `ORT_DYLIB_PATH`, beside the program and in a folder
    /// `onnxruntime` there or above, in the system's folders.
    pub fn load(configured: Option<&Path>) -> Result<&'static Self> {
        static LOADED: OnceLock<Runtime> = OnceLock::new();
        if let Some(loaded) = LOADED.get() {
            return Ok(loaded);
        }
        let path = find(configured)?;
        let unusable = |cause: String| Error::Runtime { path: path.clone(), cause };
        // It checks the version before it touches anything else of the library.
        let builder = ort::init_from(&path).map_err(|e| unusable(e.to_string()))?;
        // ONNX Runtime's builds for Windows report their use unless that is switched off.
        let environment = builder.with_telemetry(false).build().map_err(|e| unusable(e.to_string()))?;
        Ok(LOADED.get_or_init(|| Self { path, environment }))
    }

    /// Returns the library's version, such as `1.32.0`, or the commit that it was built from.
    pub fn version(&self) -> String {
        version(&self.path.canonicalize().unwrap_or_else(|_| self.path.clone()), ort::info())
    }
}

/// Reads the version from the library's file name; without one there, from the library's build info,
/// "ORT Build Info: git-branch=rel-1.32.0, git-commit-id=7d1c…, build type=Release", where packages' branch is `HEAD`.
fn version(file: &Path, build_info: &str) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_end_matches(".dylib");
    if number.contains('.') {
        return number.to_owned();
    }
    let after = |key| build_info.split_once(key).and_then(|(_, rest)| rest.split([',', ' ']).next());
    match (after("git-branch=rel-"), after("git-commit-id=")) {
        (Some(release), _) => release.to_owned(),
        (None, Some(commit)) => format!("of commit {commit}"),
        (None, None) => build_info.to_owned(),
    }
}

fn find(configured: Option<&Path>) -> Result<PathBuf> {
    let variable = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    // A path that was configured is used or is an error, never passed over.
    if let Some(named) = configured.map(Path::to_owned).or(variable) {
        return library_at(named);
    }
    let folders = folders();
    folders.iter().find_map(|folder| library_in(folder)).ok_or_else(|| {
        let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        Error::NoRuntime { looked: looked.join(", ") }
    })
}

fn library_at(named: PathBuf) -> Result<PathBuf> {
    if named.is_dir() {
        return library_in(&named).ok_or_else(|| Error::NoRuntime { looked: named.display().to_string() });
    }
    if named.is_file() {
        return Ok(named);
    }
    Err(Error::Runtime { path: named, cause: "there is no such file".into() })
}

fn folders() -> Vec<PathBuf> {
    let program = std::env::current_exe().unwrap_or_default();
    let above = program.ancestors().skip(1).take(FOLDERS_ABOVE);
    let beside = above.enumerate().flat_map(|(n, folder)| {
        let itself = (n == 0).then(|| folder.to_owned());
        itself.into_iter().chain([folder.join("onnxruntime")])
    });
    beside.chain(SYSTEM.map(PathBuf::from)).collect()
}

/// Returns the library in a folder; the highest name when there are several.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    entries.filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_library)).max()
}

fn is_library(name: &str) -> bool {
    let numbered = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.');
    let linux = name.strip_prefix("libonnxruntime.so").is_some_and(numbered);
    let mac =
        name.strip_prefix("libonnxruntime").and_then(|rest| rest.strip_suffix("dylib")).is_some_and(numbered);
    linux || mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_name_or_in_the_build_info() {
        let check = |file: &str, build_info: &str, expected: &str| {
            assert_eq!(version(Path::new(file), build_info), expected, "{file}: {build_info}");
        };
        check("/a/libonnxruntime.so.1.32.0", "git-branch=HEAD, git-commit-id=7d1c", "1.32.0");
        check("/a/libonnxruntime.1.32.0.dylib", "", "1.32.0");
        check("/a/libonnxruntime.so", "Info: git-branch=rel-1.32.0, git-commit-id=7d1c", "1.32.0");
        check("/a/libonnxruntime.so", "Info: git-branch=HEAD, git-commit-id=7d1c, build", "of commit 7d1c");
        check("/a/libonnxruntime.so", "who knows", "who knows");
    }

    #[test]
    fn the_library_is_known_by_its_name() {
        for name in ["libonnxruntime.so", "libonnxruntime.so.1.32.0", "libonnxruntime.1.32.0.dylib"] {
            assert!(is_library(name), "{name}");
        }
        for name in ["libonnxruntime_providers_shared.so", "libonnxruntime.so.old", "onnxruntime.py"] {
            assert!(!is_library(name), "{name}");
        }
    }
}
