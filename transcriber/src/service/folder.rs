//! The folder of sounds that are being transcribed: each process has its own, and clears away leftovers of killed ones.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use tempfile::TempDir;

// Held as long as the process lives; the system lets go of it when it is killed.
const LOCK: &str = "lock";

/// A folder of this process, deleted when dropped.
#[derive(Debug)]
pub(super) struct Folder {
    own: TempDir,
    _lock: File,
}

impl Folder {
    /// Makes one below `all`, and deletes those there that nobody holds any more.
    pub(super) fn below(all: &Path) -> io::Result<Self> {
        fs::create_dir_all(all)?;
        for entry in fs::read_dir(all)?.flatten() {
            let left = File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
            if left {
                fs::remove_dir_all(entry.path())?;
            }
        }
        let own = TempDir::new_in(all)?;
        // Locked before it has the name that others look for.
        let unseen = own.path().join("unseen");
        let lock = File::create(&unseen)?;
        lock.lock()?;
        fs::rename(unseen, own.path().join(LOCK))?;
        Ok(Self { own, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.own.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_processs_folder_is_cleared_and_a_living_ones_is_not() {
        let all = tempfile::tempdir().unwrap();
        let left = all.path().join("left");
        fs::create_dir(&left).unwrap();
        fs::write(left.join(LOCK), "").unwrap();
        fs::write(left.join("sound"), "la").unwrap();
        let living = Folder::below(all.path()).unwrap();
        let second = Folder::below(all.path()).unwrap();
        assert!(!left.exists());
        assert!(living.path().join(LOCK).exists() && second.path().join(LOCK).exists());
        drop((living, second));
        assert_eq!(fs::read_dir(all.path()).unwrap().count(), 0);
    }
}
