//! MXF: a file states where its footer lies, behind which another one may begin. Its demuxer reads packets of all, and
//! times by the index of the last.

use super::{Start, search, signatures};
use crate::{Result, source::Bytes};

/// A partition's pack with its key and length, as far as it is read (SMPTE ST 377-1 §7.1).
const PACK: u64 = 64;
/// The keys of packs begin alike; the next byte is the partition's kind.
const KEY: [u8; 13] = *b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01";
const FOOTER: u8 = 4;
/// Versions, the grid's size, and where this partition and the one before it lie.
const BEFORE_FOOTER: usize = 2 + 2 + 4 + 8 + 8;

/// Returns where each file's header partition stands.
pub(super) async fn starts(source: Bytes<'_>) -> Result<Vec<Start>> {
    let first = source.read_at(0..PACK).await?;
    if signatures::container(&first) != Some("mxf") {
        // A run-in stands before the first.
        return Ok(Vec::new());
    }
    // A file that is still written has no footer.
    let footer = footer(&first).unwrap_or_default();
    let pack = source.read_at(footer..footer + PACK).await?;
    let is_there = pack.starts_with(&KEY) && pack.get(KEY.len()) == Some(&FOOTER);
    search::starts(source, if is_there { footer } else { 1 }).await
}

/// Reads from a partition's pack where the footer lies.
fn footer(pack: &[u8]) -> Option<u64> {
    // The length is one byte, or the count of those behind it (SMPTE ST 336 §5).
    let length = *pack.get(16)?;
    let more = if length < 0x80 { 0 } else { usize::from(length & 0x7f) };
    let rest = pack.get(17 + more + BEFORE_FOOTER..)?;
    Some(u64::from_be_bytes(*rest.first_chunk()?))
}
