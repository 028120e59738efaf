//! The documents: every file and test that they name exists, so that a rename cannot leave them behind.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns every file below `folder` with this ending, but for build outputs.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            if !["target", "node_modules"].contains(&name.as_str()) && !name.starts_with('.') {
                found.extend(files(&path, ending));
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// Returns the paths that a name stands for: `a/{b,c}.rs` is two.
fn expand(name: &str) -> Vec<String> {
    let Some((before, rest)) = name.split_once('{') else { return vec![name.to_owned()] };
    let (inner, after) = rest.split_once('}').unwrap();
    inner.split(',').map(|part| format!("{before}{part}{after}")).collect()
}

/// Returns the words of a document that stand between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2))
}

#[test]
fn documents_name_files_and_tests_that_exist() {
    let root = root();
    let code: String = files(&root, ".rs").iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let mut documents =
        vec![root.join("ARCHITECTURE.md"), root.join("README.md"), root.join("CONTRIBUTING.md")];
    documents.extend(files(&root.join("docs"), ".md"));
    let (mut missing, mut paths, mut tests) = (Vec::new(), 0, 0);
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for name in quoted(&text).filter(|name| !name.contains(char::is_whitespace)) {
            let is_path = name.contains('/') && !name.starts_with(['/', '.']) && name.contains(".rs");
            // Names of metrics are long, too.
            let is_test = !name.starts_with("clipcut_")
                && name.matches('_').count() >= 4
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if is_path {
                paths += 1;
                let absent = expand(name).into_iter().filter(|path| !root.join(path).exists());
                missing.extend(absent.map(|path| format!("{}: {path}", document.display())));
            }
            if is_test {
                tests += 1;
                if !code.contains(&format!("fn {name}(")) {
                    missing.push(format!("{}: {name}", document.display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "documents name what is gone:\n{}", missing.join("\n"));
    assert!(paths > 20 && tests > 20, "{paths} paths and {tests} tests were found");
}
