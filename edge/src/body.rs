//! The memory of bodies: large ones get pages of their own. `memory` decides which of them stay.

use bytes::Bytes;
use memmap2::MmapMut;

use crate::held::HeldBytes;

// From here on an allocator's rounding and the holes that objects of all sizes leave between each other cost more
// than a page table does.
const OWN_PAGES: usize = 128 * 1024;

/// Puts parts together, each dropped as it is copied, so that hardly more than the whole is in memory at any time.
pub(crate) fn join(parts: impl IntoIterator<Item = Bytes>, len: usize, held: &HeldBytes) -> Bytes {
    if len >= OWN_PAGES
        && let Ok(mut pages) = MmapMut::map_anon(len)
    {
        let mut at = 0;
        for part in parts {
            pages[at..at + part.len()].copy_from_slice(&part);
            at += part.len();
        }
        // Freed as one, whatever lies around it: what goes from the cache goes from the process.
        return held.hold(pages);
    }
    let mut whole = Vec::with_capacity(len);
    for part in parts {
        whole.extend_from_slice(&part);
    }
    held.hold(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_together_in_order_whatever_their_size() {
        for size in [0, 1, 1000, OWN_PAGES] {
            let parts = [vec![1; size], vec![2; size / 2], vec![3; 7]];
            let whole =
                join(parts.iter().cloned().map(Bytes::from), size + size / 2 + 7, &HeldBytes::default());
            assert_eq!(whole, parts.concat());
        }
    }
}
