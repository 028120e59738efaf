//! Files that were joined byte by byte, such as by `cat`, in containers whose demuxer stops or starts again where the
//! second begins. Finds where each begins by the first bytes of its container; leaves reading them to `probe`, their
//! one timeline to `whole`.

mod adts;
mod boxes;
mod partitions;
mod search;
mod signatures;

use std::ops::Range;

use crate::{Result, source::Bytes};

/// A file of more parts counts as one, of which what cannot be read is noted.
pub(crate) const MOST_PARTS: usize = 256;
/// Read at once in search of a signature.
const CHUNK: u64 = 1 << 20;

/// The end of a program stream, in which at least one pack lies.
const PACKS: u64 = 16 << 10;
/// Tables are repeated each tenth of a second, and no stream of ours carries more in that time.
const TABLES: u64 = 1 << 20;
/// The start of a program stream's pack (ISO/IEC 13818-1 §2.5.3.4).
const PACK: [u8; 4] = [0, 0, 1, 0xba];

/// One of the files that a source was joined from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where it lies in the source.
    pub(crate) bytes: Range<u64>,
    /// Bytes of the file before that it needs in front: the initialization, where fragments begin again without one.
    pub(crate) head: Option<Range<u64>>,
    /// Its container is another than the first one's.
    pub(crate) other: bool,
}

/// The beginning of a file within a source.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Start {
    at: u64,
    /// As ffprobe calls it.
    container: &'static str,
    /// As in [`Place`].
    head: Option<Range<u64>>,
}

impl Start {
    fn of(at: u64, container: &'static str) -> Self {
        Self { at, container, head: None }
    }
}

/// Returns the files that a source was joined from; none where it is a single one, or of too many. They are looked for
/// from `from` on. Joined streams of containers without a header of their own are one file: `parts_at` parts these.
pub(crate) async fn parts(source: Bytes<'_>, container: &str, from: u64) -> Result<Vec<Place>> {
    let is = |wanted: &str| container.split(',').any(|name| name == wanted);
    let starts = if is("mov") {
        boxes::starts(source).await?
    } else if is("avi") {
        boxes::riffs(source).await?
    } else if is("aac") {
        adts::rates(source).await?.into_iter().map(|at| Start::of(at, "aac")).collect()
    } else if is("mxf") {
        partitions::starts(source).await?
    } else if is("mpegts") || is("mpeg") {
        // Their demuxers take what they find in another file for packets, however far it goes.
        let searched = from == 0 || !ends_as_it_begins(source, container).await?;
        let starts = if searched { search::starts(source, 0).await? } else { Vec::new() };
        if starts.iter().any(|start| !is(start.container)) { starts } else { Vec::new() }
    } else {
        search::starts(source, from).await?
    };
    let places = between(starts, source.len().await?, &is);
    Ok(places)
}

/// Returns whether a container's own structure, which states its length, fills a source to its end.
pub(crate) async fn is_filled(source: Bytes<'_>, container: &str) -> Result<bool> {
    Ok((container.starts_with("mov,") || container == "avi") && boxes::fill(source, container).await?)
}

/// Returns the files that a source was joined from whose whole no demuxer opens: its container is known by its first bytes.
pub(crate) async fn parts_of_unread(source: Bytes<'_>) -> Result<Vec<Place>> {
    match signatures::container(&source.read_at(0..signatures::HEAD).await?) {
        Some(container) => parts(source, container, 0).await,
        None => Ok(Vec::new()),
    }
}

/// A search for the place at which a part's first packet begins, in the bytes in front of a seam.
type FirstPacket = fn(&[u8]) -> Option<usize>;

/// Returns the parts of a stream that was joined at `seams`, in containers that have no header of their own: each begins
/// with the tables that its first packet needs.
pub(crate) async fn parts_at(source: Bytes<'_>, container: &str, seams: &[u64]) -> Result<Vec<Place>> {
    let (name, first): (_, FirstPacket) =
        if container == "mpegts" { ("mpegts", tables) } else { ("mpeg", pack) };
    let mut starts = Vec::new();
    for seam in seams {
        let from = seam.saturating_sub(TABLES);
        let before = source.read_at(from..*seam + 4).await?;
        starts.push(Start::of(first(&before).map_or(*seam, |place| from + place as u64), name));
    }
    Ok(between(starts, source.len().await?, &|other| other == name))
}

/// Returns the places that starts part a file into; the first file's own may be among them.
fn between(starts: Vec<Start>, len: u64, is_first: &dyn Fn(&str) -> bool) -> Vec<Place> {
    let starts: Vec<Start> = starts.into_iter().filter(|start| start.at > 0).collect();
    if starts.is_empty() || starts.len() >= MOST_PARTS {
        return Vec::new();
    }
    let ends = starts.iter().skip(1).map(|start| start.at).chain([len]);
    let first = Place { bytes: 0..starts[0].at, head: None, other: false };
    let rest = starts.iter().zip(ends).map(|(start, end)| Place {
        bytes: start.at..end,
        head: start.head.clone(),
        other: !is_first(start.container),
    });
    std::iter::once(first).chain(rest).collect()
}

/// Returns whether the last part of a stream is of the stream that its first part is of.
async fn ends_as_it_begins(source: Bytes<'_>, container: &str) -> Result<bool> {
    let len = source.len().await?;
    if container == "mpeg" {
        return Ok(pack(&source.read_at(len.saturating_sub(PACKS)..len).await?).is_some());
    }
    let some = 2 * signatures::AROUND as u64;
    let end = len.saturating_sub(some);
    let (first, last) = (source.read_at(0..some).await?, source.read_at(end..len).await?);
    let phase = |bytes: &[u8], from: u64| {
        let (size, at) = signatures::packets(bytes)?;
        Some((size, (from + at as u64) % size as u64))
    };
    let (begins, ends) = (phase(&first, 0), phase(&last, end));
    Ok(begins.is_some() && begins == ends)
}

/// Returns where the last pack begins.
fn pack(bytes: &[u8]) -> Option<usize> {
    bytes.windows(PACK.len()).rposition(|bytes| bytes == PACK)
}

/// Returns where the last program association table begins (ISO/IEC 13818-1 §2.4.4.4), in bytes that end four behind a
/// packet's start.
fn tables(bytes: &[u8]) -> Option<usize> {
    let end = bytes.len().checked_sub(4)?;
    signatures::PACKETS.into_iter().find_map(|size| {
        let starts = (1..).map_while(|n| end.checked_sub(n * size));
        let mut packets = starts.take_while(|at| bytes[*at] == signatures::SYNC);
        // Packet 0, and a section begins in it.
        packets.find(|at| bytes[*at + 1] & 0x5f == 0x40 && bytes[*at + 2] == 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(container: &str, bytes: &[u8], expected: &[Range<u64>]) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("source");
        std::fs::write(&file, bytes).unwrap();
        let parts = parts(Bytes::File(&file), container, 0).await.unwrap();
        assert_eq!(places(parts), expected, "{container}");
    }

    fn places(parts: Vec<Place>) -> Vec<Range<u64>> {
        parts.into_iter().map(|part| part.bytes).collect()
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
        check("mp3", &[b"frames".as_slice(), flash].concat(), &[0..6, 6..30]).await;
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
        assert_eq!(places(parts), [0..4 * 188, 4 * 188..7 * 188]);
        std::fs::write(&file, [0, 0, 1, 0xba, 7, 7, 0, 0, 1, 0xba, 7, 0, 0, 1, 0xe0, 7]).unwrap();
        let parts = parts_at(Bytes::File(&file), "mpeg", &[11]).await.unwrap();
        assert_eq!(places(parts), [0..6, 6..16]);
    }

    #[tokio::test]
    async fn streams_side_by_side_are_one_file() {
        let page = [b"OggS\0\x02".as_slice(), &[0; 60]].concat();
        let file = [page.repeat(2), vec![7; 9000]].concat();
        check("ogg", &file, &[]).await;
        check("ogg", &file.repeat(2), &[0..9132, 9132..18264]).await;
    }
}
