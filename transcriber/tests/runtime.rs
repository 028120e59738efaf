//! A library that cannot be used, in a process of its own: one that has loaded a library keeps it.

use std::path::Path;

use transcriber::runtime::Runtime;

#[test]
fn a_broken_library_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("libonnxruntime.so");
    std::fs::write(&file, "no library").unwrap();
    let check = |configured: &Path, part: &str| {
        let refused = Runtime::load(Some(configured)).unwrap_err().to_string();
        assert!(refused.contains(part), "{part} in {refused}");
    };
    check(folder.path(), file.to_str().unwrap());
    check(Path::new("/nowhere/libonnxruntime.so"), "/nowhere/libonnxruntime.so: there is no such file");
}
