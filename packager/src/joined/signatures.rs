//! The first bytes of containers, by which a file that follows another is found.

/// The first bytes of a file; `None` for one that differs.
pub(super) type Signature = &'static [Option<u8>];

const FLV: Signature = &signature(b"FLV\x01?\0\0\0\x09\0\0\0\0");
// The header object, and behind its size and count of objects two reserved bytes (ASF §3.1).
const ASF: Signature =
    &signature(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c????????????\x01\x02");
const WAVE: Signature = &signature(b"RIFF????WAVEfmt ");
const AVI: Signature = &signature(b"RIFF????AVI ");
// A stream's first page: flagged so, and without a granule position (RFC 3533 §6).
const OGG: Signature = &signature(b"OggS\0\x02\0\0\0\0\0\0\0\0");
// A stream information block is 34 bytes long (RFC 9639 §8.2).
const FLAC: Signature = &signature(b"fLaC\0\0\0\x22");
// EBML's header and its version, which stands first (RFC 8794 §11.2.1), behind a size of eight bytes or of one.
const EBML: Signature = &signature(b"\x1a\x45\xdf\xa3\x01???????\x42\x86\x81\x01");
const EBML_SHORT: Signature = &signature(b"\x1a\x45\xdf\xa3?\x42\x86\x81\x01");
// The header partition's pack, open or closed, complete or not (SMPTE ST 377-1 §7.1).
const MXF: Signature = &signature(b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02\x01\x01\x02?\0");
// A file's own type (ISO/IEC 14496-12 §4.3.1).
const MP4: Signature = &signature(b"\0\0\0?ftyp");
// A pack of MPEG-2 or of MPEG-1, and the system header (ISO/IEC 13818-1 §2.5.3.3).
const PROGRAM_STREAM: Signature = &signature(b"\0\0\x01\xba??????????\0\0\x01\xbb");
const PROGRAM_STREAM_1: Signature = &signature(b"\0\0\x01\xba????????\0\0\x01\xbb");

/// All of them, and the containers' names, as ffprobe calls them.
const ALL: [(&str, Signature); 12] = [
    ("flv", FLV),
    ("asf", ASF),
    ("wav", WAVE),
    ("avi", AVI),
    ("ogg", OGG),
    ("flac", FLAC),
    ("matroska", EBML),
    ("matroska", EBML_SHORT),
    ("mxf", MXF),
    ("mov", MP4),
    ("mpeg", PROGRAM_STREAM),
    ("mpeg", PROGRAM_STREAM_1),
];

/// Bytes in which every container shows itself.
pub(super) const HEAD: u64 = 2 * PACKETS[0] as u64 + 1;
/// Transport packets begin with a sync byte (ISO/IEC 13818-1 §2.4.3.2).
pub(super) const SYNC: u8 = 0x47;
/// The distances between them: plain packets, those of Blu-ray with a time before each, and those with parity behind each.
pub(super) const PACKETS: [usize; 3] = [188, 192, 204];
/// Sync bytes in a row that are no chance.
const IN_A_ROW: usize = 6;
/// Bytes on either side of a place that show whether it lies in a transport packet.
pub(super) const AROUND: usize = IN_A_ROW * PACKETS[2];

/// The first bytes of signatures, by which most places are passed over.
const FIRST: [bool; 256] = {
    let mut first = [false; 256];
    let mut n = 0;
    while n < ALL.len() {
        if let Some(byte) = ALL[n].1[0] {
            first[byte as usize] = true;
        }
        n += 1;
    }
    first[SYNC as usize] = true;
    first
};

/// Replaces question marks by bytes of any value: no signature has one.
const fn signature<const N: usize>(text: &[u8; N]) -> [Option<u8>; N] {
    let mut signature = [None; N];
    let mut n = 0;
    while n < N {
        if text[n] != b'?' {
            signature[n] = Some(text[n]);
        }
        n += 1;
    }
    signature
}

/// Returns the container of a file by its first bytes, where a second one may begin within.
pub(super) fn container(bytes: &[u8]) -> Option<&'static str> {
    ALL.iter().find(|(_, first)| begins(bytes, first)).map(|(name, _)| *name)
}

/// Returns the container of a file that begins at a place, and not within a transport packet.
pub(super) fn at(bytes: &[u8], place: usize) -> Option<&'static str> {
    let rest = &bytes[place..];
    if !FIRST[usize::from(*rest.first()?)] {
        return None;
    }
    let container = if begins_transport(rest) { "mpegts" } else { container(rest)? };
    (!is_within_packets(bytes, place)).then_some(container)
}

/// Returns whether transport packets begin with their tables (ISO/IEC 13818-1 §2.4.4.3, EN 300 468 §5.1.3).
fn begins_transport(bytes: &[u8]) -> bool {
    let is_table = matches!(bytes, [SYNC, flags, 0 | 0x11, ..] if flags & 0x5f == 0x40);
    is_table && PACKETS.into_iter().any(|size| is_row(bytes, 0, size))
}

/// Returns whether packets go through a place, or end before it and go on there.
fn is_within_packets(bytes: &[u8], place: usize) -> bool {
    let through = |size: usize| {
        let mut firsts = (1..=size).filter_map(|back| place.checked_sub(back));
        firsts.any(|first| bytes[first] == SYNC && is_row(bytes, first, size))
    };
    PACKETS.into_iter().any(through)
}

/// Returns whether there are sync bytes in a row from a place on.
fn is_row(bytes: &[u8], first: usize, size: usize) -> bool {
    (0..IN_A_ROW).all(|n| bytes.get(first + n * size) == Some(&SYNC))
}

/// Returns the size of transport packets, and where the first whole one begins.
pub(super) fn packets(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = |size: usize| (0..size.min(bytes.len())).find(|at| is_row(bytes, *at, size));
    PACKETS.into_iter().find_map(|size| Some((size, first(size)?)))
}

/// Returns whether bytes begin as `signature` does.
pub(super) fn begins(bytes: &[u8], signature: Signature) -> bool {
    bytes.len() >= signature.len()
        && signature.iter().zip(bytes).all(|(wanted, byte)| wanted.is_none_or(|wanted| wanted == *byte))
}

/// Returns the container of a file that begins where one may be expected.
pub(super) fn begins_file(bytes: &[u8]) -> Option<&'static str> {
    let mut syncs = bytes.iter().step_by(PACKETS[0]);
    let is_transport = bytes.len() as u64 >= HEAD && syncs.by_ref().take(3).all(|byte| *byte == SYNC);
    container(bytes).or(is_transport.then_some("mpegts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_shows_itself_by_its_first_bytes() {
        assert_eq!(begins_file(b"RIFF\x01\x02\x03\x04WAVEfmt and so on"), Some("wav"));
        assert_eq!(begins_file(b"\0\0\0\x20ftypisom"), Some("mov"));
        assert_eq!(container(b"RIFF"), None);
        assert_eq!(begins_file(b"RIFF\x01\x02\x03\x04WAVE"), None, "too short");
        assert_eq!(begins_file(b"\0\0\0\x20mdatRIFF"), None);
        let mut packets = stream(3);
        packets.truncate(HEAD as usize);
        assert_eq!(begins_file(&packets), Some("mpegts"));
        assert_eq!(begins_file(&packets[..HEAD as usize - 1]), None);
        packets[PACKETS[0]] = 0;
        assert_eq!(begins_file(&packets), None);
    }

    /// Transport packets, of which the first is a table.
    fn stream(packets: usize) -> Vec<u8> {
        let packet = |n: usize| [&[SYNC, 0x40, u8::from(n != 0)], [7; 185].as_slice()].concat();
        (0..packets).flat_map(packet).collect()
    }

    #[test]
    fn a_file_in_a_packet_begins_nothing() {
        let flv = b"FLV\x01\x05\0\0\0\x09\0\0\0\0";
        let mut packets = stream(20);
        packets[1900..][..flv.len()].copy_from_slice(flv);
        assert_eq!(at(&packets, 1900), None);
        assert_eq!(at(&[stream(10), flv.to_vec(), vec![0; 3000]].concat(), 1880), Some("flv"));
        // A packet that was cut off.
        assert_eq!(at(&[&stream(10)[..1800], flv, &[0; 3000]].concat(), 1800), Some("flv"));
        assert_eq!(at(&[vec![0; 1000], stream(10)].concat(), 1000), Some("mpegts"));
        assert_eq!(at(&[stream(10), stream(10)].concat(), 1880), None, "packets go on");
        assert_eq!(at(&[vec![0; 1000], stream(3)].concat(), 1000), None, "too few");
    }

    #[test]
    fn packets_have_a_size_and_a_place() {
        assert_eq!(packets(&[vec![7; 50], stream(10)].concat()), Some((188, 50)));
        assert_eq!(packets(&[7; 5000]), None);
    }
}
