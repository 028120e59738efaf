//! Files that were joined byte by byte, such as by `cat`, in containers whose demuxer stops or starts again where the
//! second begins. Finds where each begins by the first bytes of its container; leaves reading them to `probe`, their
//! one timeline to `whole`.

mod adts;
mod signatures;

use std::ops::Range;

use self::signatures::Signature;
use crate::{Result, index, source::Bytes};

/// A file of more parts counts as one, of which what cannot be read is noted.
pub(crate) const MOST_PARTS: usize = 256;
/// A fragmented film of twelve hours has two boxes a second.
const MOST_BOXES: usize = 200_000;
/// Read at once in search of a signature.
const CHUNK: u64 = 1 << 20;
/// The headers of an Ogg file's streams, each in a page of its own, lie within this.
const OGG_HEADERS: u64 = 4096;

/// Tables are repeated each tenth of a second, and no stream of ours carries more in that time.
const TABLES: u64 = 1 << 20;
/// The start of a program stream's pack (ISO/IEC 13818-1 §2.5.3.4).
const PACK: [u8; 4] = [0, 0, 1, 0xba];

/// Returns the files that a source was joined from; none where it is a single one, or of too many. They are looked for
/// from `from` on.
pub(crate) async fn parts(source: Bytes<'_>, container: &str, from: u64) -> Result<Vec<Range<u64>>> {
    let is = |wanted: &str| container.split(',').any(|name| name == wanted);
    let starts = if is("mov") {
        file_types(source).await?
    } else if is("avi") {
        riffs(source).await?
    } else if is("aac") {
        adts::rates(source).await?
    } else {
        let wanted: Vec<Signature> = container.split(',').flat_map(signatures::of).copied().collect();
        let starts = find(source, &wanted, from).await?;
        if is("ogg") { first_pages(starts) } else { starts }
    };
    Ok(between(&starts, source.len().await?))
}

/// Returns the files that a source was joined from whose whole no demuxer opens: its container is known by its first bytes.
pub(crate) async fn parts_of_unread(source: Bytes<'_>) -> Result<Vec<Range<u64>>> {
    match signatures::container(&source.read_at(0..signatures::HEAD).await?) {
        Some(container) => parts(source, container, 0).await,
        None => Ok(Vec::new()),
    }
}

/// Returns the parts of a stream that was joined at `seams`, in containers that have no header of their own: each begins
/// with the tables that its first packet needs.
pub(crate) async fn parts_at(source: Bytes<'_>, container: &str, seams: &[u64]) -> Result<Vec<Range<u64>>> {
    let mut starts = Vec::new();
    for seam in seams {
        let from = seam.saturating_sub(TABLES);
        let before = source.read_at(from..*seam + 4).await?;
        let place = match container {
            "mpegts" => tables(&before),
            "mpeg" => before.windows(PACK.len()).rposition(|bytes| bytes == PACK),
            _ => return Ok(Vec::new()),
        };
        starts.push(place.map_or(*seam, |place| from + place as u64));
    }
    Ok(between(&starts, source.len().await?))
}

/// Returns the ranges that starts part a file into; the first file's own may be among them.
fn between(starts: &[u64], len: u64) -> Vec<Range<u64>> {
    let starts: Vec<u64> = starts.iter().copied().filter(|start| *start > 0).collect();
    if starts.is_empty() || starts.len() >= MOST_PARTS {
        return Vec::new();
    }
    let ends = starts.iter().copied().chain([len]);
    std::iter::once(0).chain(starts.iter().copied()).zip(ends).map(|(start, end)| start..end).collect()
}

/// Returns where the last program association table begins (ISO/IEC 13818-1 §2.4.4.4), in bytes that end four behind a
/// packet's start.
fn tables(bytes: &[u8]) -> Option<usize> {
    let end = bytes.len().checked_sub(4)?;
    // Plain packets, those of Blu-ray with a time before each, and those with parity behind each.
    [188, 192, 204].into_iter().find_map(|size| {
        let starts = (1..).map_while(|n| end.checked_sub(n * size));
        let mut packets = starts.take_while(|at| bytes[*at] == 0x47);
        // Packet 0, and a section begins in it.
        packets.find(|at| bytes[*at + 1] & 0x5f == 0x40 && bytes[*at + 2] == 0)
    })
}

/// Returns where MP4's and MOV's first box stands, which is the file's own type (ISO/IEC 14496-12 §4.3.1), and where a file
/// of another container begins behind the last box.
async fn file_types(source: Bytes<'_>) -> Result<Vec<u64>> {
    let len = source.len().await?;
    let (mut at, mut starts) = (0, Vec::new());
    for _ in 0..MOST_BOXES {
        let head = source.read_at(at..at + signatures::HEAD).await?;
        let begins_file = signatures::begins_file(&head);
        if begins_file {
            starts.push(at);
        }
        // Behind the last whole box is an end that was cut off, or no box.
        let Some((kind, body)) = index::body(&head, at, len) else { break };
        if begins_file && &kind != b"ftyp" {
            break;
        }
        at = body.end;
    }
    Ok(starts)
}

/// Returns where AVI's first chunk stands, and where a file of another container begins behind the last; a long file goes
/// on in chunks of another type (`OpenDML` §2).
async fn riffs(source: Bytes<'_>) -> Result<Vec<u64>> {
    let (mut at, mut starts) = (0, Vec::new());
    for _ in 0..MOST_BOXES {
        let head = source.read_at(at..at + signatures::HEAD).await?;
        if signatures::begins_file(&head) {
            starts.push(at);
        }
        let Some((b"RIFF", rest)) = head.split_first_chunk() else { break };
        let Some((size, kind)) = rest.split_first_chunk() else { break };
        if !matches!(kind.first_chunk(), Some(b"AVI " | b"AVIX")) {
            break;
        }
        // Chunks begin at even places.
        at += 8 + u64::from(u32::from_le_bytes(*size)).next_multiple_of(2);
    }
    Ok(starts)
}

/// Returns the first page of each file: those of other streams follow it at once.
fn first_pages(pages: Vec<u64>) -> Vec<u64> {
    let mut starts: Vec<u64> = Vec::new();
    let mut latest = None;
    for page in pages {
        if latest.is_none_or(|latest| page - latest > OGG_HEADERS) {
            starts.push(page);
        }
        latest = Some(page);
    }
    starts
}

/// Returns where any of some signatures stands, but for more places than there may be parts.
async fn find(source: Bytes<'_>, signatures: &[Signature], from: u64) -> Result<Vec<u64>> {
    let Some(longest) = signatures.iter().map(|signature| signature.len()).max() else {
        return Ok(Vec::new());
    };
    let len = source.len().await?;
    let (mut at, mut found) = (from, Vec::new());
    // Ogg has a first page for each stream, so there are more places than files.
    while at < len && found.len() <= MOST_PARTS * 4 {
        let bytes = source.read_at(at..(at + CHUNK).min(len)).await?;
        // A signature may lie across two chunks, and is looked for in the second one then.
        let is_last = at + bytes.len() as u64 >= len || bytes.len() < longest;
        let searched = if is_last { bytes.len() } else { bytes.len() - longest + 1 };
        let begins = |place: &usize| {
            signatures.iter().any(|signature| signatures::begins(&bytes[*place..], signature))
        };
        found.extend((0..searched).filter(begins).map(|place| at + place as u64));
        at = if is_last { len } else { at + searched as u64 };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(container: &str, bytes: &[u8], expected: &[Range<u64>]) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("source");
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(parts(Bytes::File(&file), container, 0).await.unwrap(), expected, "{container}");
    }

    #[tokio::test]
    async fn a_second_file_begins_with_its_first_bytes() {
        let film = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x0cmoovftyp\0\0\0\x08mdat";
        check("mov,mp4", film, &[]).await;
        check("mov,mp4", &film.repeat(2), &[0..36, 36..72]).await;
        let flash = b"FLV\x01\x05\0\0\0\x09\0\0\0\0\x12 and so on";
        check("flv", flash, &[]).await;
        check("flv", &flash.repeat(3), &[0..24, 24..48, 48..72]).await;
        check("flv", b"FLV\x01\x05\0\0\0\x09\0\0\0\0FLV\x02\x05\0\0\0\x09\0\0\0\0", &[]).await;
        check("mp3", &flash.repeat(2), &[]).await;
        check("mov,mp4", &[film.as_slice(), flash].concat(), &[0..36, 36..60]).await;
        let (avi, more) = (b"RIFF\x07\0\0\0AVI film", b"RIFF\x06\0\0\0AVIXit");
        let film = [avi.as_slice(), more].concat();
        check("avi", &film, &[]).await;
        check("avi", &film.repeat(2), &[0..30, 30..60]).await;
        let long = b"\x1a\x45\xdf\xa3\x01\0\0\0\0\0\0\x23\x42\x86\x81\x01 and so on";
        let short = b"\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01 and so on";
        check("matroska,webm", &[long.as_slice(), short, long].concat(), &[0..26, 26..45, 45..71]).await;
    }

    #[tokio::test]
    async fn a_signature_is_found_across_chunks() {
        for place in [CHUNK - 20, CHUNK - 13, CHUNK - 12, CHUNK - 1, CHUNK, 2 * CHUNK - 5] {
            let mut bytes = vec![0; 3 * CHUNK as usize];
            bytes[place as usize..][..16].copy_from_slice(b"RIFF\xff\xff\xff\xffWAVEfmt ");
            check("wav", &bytes, &[0..place, place..3 * CHUNK]).await;
        }
    }

    #[tokio::test]
    async fn a_stream_is_cut_at_the_tables_before_a_seam() {
        let packet = |head: [u8; 3]| [&[0x47], head.as_slice(), &[0; 184]].concat();
        let (table, picture) = (packet([0x40, 0, 0x10]), packet([0x41, 0, 0x10]));
        let other = packet([0x50, 0, 0x10]);
        let stream = [&table, &other, &picture, &picture, &table, &other, &picture].map(Vec::clone).concat();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("source");
        std::fs::write(&file, stream).unwrap();
        let parts = parts_at(Bytes::File(&file), "mpegts", &[6 * 188]).await.unwrap();
        assert_eq!(parts, [0..4 * 188, 4 * 188..7 * 188]);
        std::fs::write(&file, [0, 0, 1, 0xba, 7, 7, 0, 0, 1, 0xba, 7, 0, 0, 1, 0xe0, 7]).unwrap();
        let parts = parts_at(Bytes::File(&file), "mpeg", &[11]).await.unwrap();
        assert_eq!(parts, [0..6, 6..16]);
        assert_eq!(parts_at(Bytes::File(&file), "matroska,webm", &[11]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn streams_side_by_side_are_one_file() {
        let page = [b"OggS\0\x02".as_slice(), &[0; 60]].concat();
        let file = [page.repeat(2), vec![7; 9000]].concat();
        check("ogg", &file, &[]).await;
        check("ogg", &file.repeat(2), &[0..9132, 9132..18264]).await;
    }
}
