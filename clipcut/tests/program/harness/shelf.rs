//! A snapshot of the segments on disk: the hash of each and its modification time.

use std::{collections::BTreeMap, path::Path, time::SystemTime};

use super::sha256;

/// By name: the modification time and the hash of the content.
#[derive(Default)]
pub(crate) struct Shelf(BTreeMap<String, (SystemTime, String)>);

impl Shelf {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for rendition in std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
            for file in std::fs::read_dir(&rendition).into_iter().flatten().map(|entry| entry.unwrap().path())
            {
                let name = file.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                if file.extension().is_some_and(|extension| extension == "m4s") || name.ends_with("/init.mp4")
                {
                    let modified = file.metadata().unwrap().modified().unwrap();
                    files.insert(name, (modified, sha256(&std::fs::read(&file).unwrap())));
                }
            }
        }
        Self(files)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the segment `name`, such as `360p/3.m4s`, is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Compares with the files in `folder` now: none is gone, none was written again.
    pub(crate) fn check_still_stands(&self, folder: &Path) {
        let now = Self::of(folder);
        for (name, before) in &self.0 {
            assert_eq!(Some(before), now.0.get(name), "{name} was written again");
        }
    }
}
