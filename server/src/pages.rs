//! In charge of large bodies that are sent many times: they lie in files without a name, in memory, from which the
//! kernel sends them without a copy (`sendfile`). To everybody else they are bytes like others; the socket knows
//! them by their address.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::fd::AsFd,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use bytes::Bytes;
use memmap2::{MmapMut, MmapOptions};
use rustix::{
    fs::{FallocateFlags, MemfdFlags, SealFlags, fallocate, fcntl_add_seals, memfd_create, sendfile},
    process::{Resource, getrlimit},
};

/// From here on a copy costs more than a second system call.
const LEAST: usize = 16 * 1024;
/// The kernel's own bound on the mappings of a process is 65,530.
const MOST_FILES: u64 = 16 * 1024;

static SHEETS: RwLock<BTreeMap<usize, Arc<Sheet>>> = RwLock::new(BTreeMap::new());

/// A file and its bytes in our memory, which nobody writes to once it is here.
#[derive(Debug)]
struct Sheet {
    file: File,
    map: MmapMut,
}

/// The owner of a sheet's bytes; when it goes, the sheet is not found any more.
struct Pages(Arc<Sheet>);

/// Where bytes lie in a file.
#[derive(Debug)]
pub(crate) struct Place {
    sheet: Arc<Sheet>,
    offset: u64,
    len: usize,
}

/// Puts parts of `len` bytes together, each dropped as it is copied, so that hardly more than the whole is in
/// memory at any time. From 16 kB on the whole lies in a file, while the process may have more of them: a quarter
/// of its limit is for these.
pub fn join(parts: impl IntoIterator<Item = Bytes>, len: usize) -> Bytes {
    if len >= LEAST
        && let Some(mut sheet) = Sheet::new(len)
    {
        let mut at = 0;
        for part in parts {
            sheet.map[at..at + part.len()].copy_from_slice(&part);
            at += part.len();
        }
        return Bytes::from_owner(Pages::new(sheet));
    }
    let mut whole = Vec::with_capacity(len);
    for part in parts {
        whole.extend_from_slice(&part);
    }
    whole.into()
}

/// Returns where `bytes` lie, if they lie in a file and are worth its while.
pub(crate) fn find(bytes: &[u8]) -> Option<Place> {
    if bytes.len() < LEAST {
        return None;
    }
    let address = bytes.as_ptr().addr();
    let sheets = SHEETS.read().unwrap_or_else(PoisonError::into_inner);
    let (start, sheet) = sheets.range(..=address).next_back()?;
    let offset = address - start;
    let inside = offset + bytes.len() <= sheet.map.len();
    inside.then(|| Place { sheet: sheet.clone(), offset: offset as u64, len: bytes.len() })
}

impl Place {
    /// Sends as much as `socket` takes.
    pub(crate) fn send_to(&self, socket: impl AsFd) -> io::Result<usize> {
        Ok(sendfile(socket, &self.sheet.file, Some(&mut { self.offset }), self.len)?)
    }
}

impl Sheet {
    fn new(len: usize) -> Option<Self> {
        let files = SHEETS.read().unwrap_or_else(PoisonError::into_inner).len() as u64;
        if files >= most_files() {
            return None;
        }
        let made = make(len);
        // Without one the body lies where others do, and costs a copy more.
        made.inspect_err(|error| tracing::debug!(%error, len, "no file in memory")).ok()
    }
}

fn most_files() -> u64 {
    static MOST: OnceLock<u64> = OnceLock::new();
    *MOST.get_or_init(|| getrlimit(Resource::Nofile).current.map_or(MOST_FILES, |n| MOST_FILES.min(n / 4)))
}

#[expect(unsafe_code, reason = "a mapped file is only as safe as what others may do to the file")]
fn make(len: usize) -> io::Result<Sheet> {
    let file = File::from(memfd_create("body", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    // All of its memory now: later there is no way to say that there is none.
    fallocate(&file, FallocateFlags::empty(), 0, len as u64)?;
    fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
    // SAFETY: the file has no name, its descriptor never leaves this process or this module, and it cannot shrink.
    let map = unsafe { MmapOptions::new().len(len).populate().map_mut(&file)? };
    Ok(Sheet { file, map })
}

impl Pages {
    fn new(sheet: Sheet) -> Self {
        let sheet = Arc::new(sheet);
        let mut sheets = SHEETS.write().unwrap_or_else(PoisonError::into_inner);
        sheets.insert(sheet.map.as_ptr().addr(), sheet.clone());
        Self(sheet)
    }
}

impl AsRef<[u8]> for Pages {
    fn as_ref(&self) -> &[u8] {
        &self.0.map
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // What is being sent right now keeps the sheet, and its address, until it is sent.
        let mut sheets = SHEETS.write().unwrap_or_else(PoisonError::into_inner);
        sheets.remove(&self.0.map.as_ptr().addr());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_together_in_order_whatever_their_size() {
        for size in [0, 1, 1000, LEAST, 100 * LEAST] {
            let parts = [vec![1; size], vec![2; size / 2], vec![3; 7]];
            let whole = join(parts.iter().cloned().map(Bytes::from), size + size / 2 + 7);
            assert_eq!(whole, parts.concat());
        }
    }

    #[test]
    fn bytes_in_pages_are_found_by_any_part_and_not_after_they_are_gone() {
        let whole = join([vec![7; 3 * LEAST].into()], 3 * LEAST);
        let place = find(&whole[100..LEAST + 100]).unwrap();
        assert_eq!((place.offset, place.len), (100, LEAST));
        assert!(find(&whole[..LEAST - 1]).is_none(), "too little to be worth it");
        assert!(find(&vec![7; LEAST]).is_none(), "of another's");
        let kept = whole.slice(2 * LEAST..);
        drop(whole);
        assert!(find(&kept).is_some(), "a slice keeps all");
        let address = kept.as_ptr().addr();
        drop(kept);
        // The place holds the address, so it is nobody else's yet.
        assert!(!SHEETS.read().unwrap().contains_key(&(address - 2 * LEAST)));
        drop(place);
    }
}
