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

/// Bytes in which every container shows itself.
pub(super) const HEAD: u64 = 2 * PACKET as u64 + 1;
/// Transport packets begin with a sync byte (ISO/IEC 13818-1 §2.4.3.2).
const PACKET: usize = 188;
const SYNC: u8 = 0x47;

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

/// Returns the first bytes of a file of a container, where nothing but these says that a second one begins.
pub(super) fn of(container: &str) -> &'static [Signature] {
    match container {
        "flv" => &[FLV],
        "asf" => &[ASF],
        "wav" => &[WAVE],
        "flac" => &[FLAC],
        "matroska" => &[EBML, EBML_SHORT],
        "ogg" => &[OGG],
        "mxf" => &[MXF],
        _ => &[],
    }
}

/// Returns the container of a file by its first bytes, as ffprobe calls it, where a second one may begin within.
pub(super) fn container(bytes: &[u8]) -> Option<&'static str> {
    let by_signature = ["flv", "asf", "wav", "flac", "matroska", "ogg", "mxf"];
    let boxed = [("mov", MP4), ("avi", AVI)];
    let named = by_signature.into_iter().flat_map(|name| of(name).iter().map(move |first| (name, *first)));
    named.chain(boxed).find(|(_, first)| begins(bytes, first)).map(|(name, _)| name)
}

/// Returns whether bytes begin as `signature` does.
pub(super) fn begins(bytes: &[u8], signature: Signature) -> bool {
    bytes.len() >= signature.len()
        && signature.iter().zip(bytes).all(|(wanted, byte)| wanted.is_none_or(|wanted| wanted == *byte))
}

/// Returns whether a file of any container begins.
pub(super) fn begins_file(bytes: &[u8]) -> bool {
    let all = [FLV, ASF, WAVE, AVI, OGG, FLAC, EBML, EBML_SHORT, MXF, MP4, PROGRAM_STREAM, PROGRAM_STREAM_1];
    let syncs = bytes.iter().step_by(PACKET);
    all.into_iter().any(|signature| begins(bytes, signature))
        || bytes.len() as u64 >= HEAD && syncs.take(3).all(|byte| *byte == SYNC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_shows_itself_by_its_first_bytes() {
        assert!(begins_file(b"RIFF\x01\x02\x03\x04WAVEfmt and so on"));
        assert!(begins_file(b"\0\0\0\x20ftypisom"));
        assert_eq!(container(b"\0\0\0\x20ftypisom"), Some("mov"));
        assert_eq!(container(b"RIFF\x01\x02\x03\x04WAVEfmt and so on"), Some("wav"));
        assert_eq!(container(b"RIFF"), None);
        assert!(!begins_file(b"RIFF\x01\x02\x03\x04WAVE"), "too short");
        assert!(!begins_file(b"\0\0\0\x20mdatRIFF"));
        let mut packets = vec![0; HEAD as usize];
        (packets[0], packets[PACKET], packets[2 * PACKET]) = (SYNC, SYNC, SYNC);
        assert!(begins_file(&packets));
        assert!(!begins_file(&packets[..HEAD as usize - 1]));
        packets[PACKET] = 0;
        assert!(!begins_file(&packets));
    }
}
