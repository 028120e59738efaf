//! The head of an uploaded file: its first bytes, by which a document, a picture or a program is known before gigabytes
//! of it are read. Files of unknown kind are ffmpeg's to judge.

use std::sync::LazyLock;

use serde::Deserialize;

/// The bytes that decide. A text is known as such only once it fills them: a shorter one costs nothing to take, and
/// ffmpeg refuses it.
const BYTES: usize = 4096;

/// A format by its magic bytes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    /// Its name, for people.
    kind: String,
    /// Where in the file the bytes stand.
    at: usize,
    /// The bytes, a character each: `\u00d0` is 0xd0.
    bytes: String,
}

impl Signature {
    fn is_in(&self, head: &[u8]) -> bool {
        let behind = head.get(self.at..).unwrap_or_default();
        let expected = self.bytes.chars().map(u32::from);
        behind.len() >= expected.clone().count()
            && expected.zip(behind).all(|(expected, byte)| expected == u32::from(*byte))
    }
}

// The page reads the same file, so that it refuses what the server would.
static SIGNATURES: LazyLock<Vec<Signature>> = LazyLock::new(|| {
    let list = include_str!("../../web/src/features/upload/file-signatures.json");
    serde_json::from_str(list).expect("the list is part of the program, and tested")
});

/// The head of a file that is being received.
#[derive(Debug, Default)]
pub(crate) struct FileHead(Vec<u8>);

impl FileHead {
    /// Adds the next bytes, and returns the kind of a file that is neither a video nor a sound as soon as they show it.
    pub(crate) fn add(&mut self, piece: &[u8]) -> Option<&'static str> {
        let room = BYTES - self.0.len();
        if room == 0 {
            return None;
        }
        self.0.extend_from_slice(&piece[..piece.len().min(room)]);
        let known = SIGNATURES.iter().find(|signature| signature.is_in(&self.0));
        let text = self.0.len() == BYTES && is_text(&self.0);
        known.map(|signature| signature.kind.as_str()).or(text.then_some("a text"))
    }
}

// Every container that holds media has a NUL or another control character in its first bytes.
fn is_text(head: &[u8]) -> bool {
    head.iter().all(|byte| is_of_text((*byte).into())) || is_utf16(head)
}

fn is_of_text(unit: u16) -> bool {
    unit >= 0x20 || (0x09..=0x0d).contains(&unit)
}

// As Windows calls it "Unicode": a byte order mark, and then mostly Latin characters, whose upper byte is 0.
fn is_utf16(head: &[u8]) -> bool {
    let read = match head {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return false,
    };
    let units: Vec<u16> = head[2..].chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
    let latin = units.iter().filter(|unit| **unit < 0x100).count();
    latin * 2 > units.len() && units.into_iter().all(is_of_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Option<&'static str> {
        FileHead::default().add(bytes)
    }

    #[test]
    fn documents_pictures_and_programs_are_known_by_their_first_bytes() {
        for (bytes, known) in [
            (&b"%PDF-1.7\n"[..], "a PDF document"),
            (b"PK\x03\x04\x14\0", "a ZIP archive or an office document"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "an office document"),
            (b"\x1f\x8b\x08\0", "a gzip archive"),
            (b"\x7fELF\x02\x01", "a program"),
            (b"MZ\x90\0", "a program"),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "a picture"),
            (b"BM\x36\0\x01\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "a picture"),
            (b"BM\x8a\0\x01\0\0\0\0\0\x8a\0\0\0|\0\0\0", "a picture"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "a picture"),
            (b"!<arch>\ndebian-binary", "a package"),
        ] {
            assert_eq!(kind(bytes), Some(known), "{}", bytes.escape_ascii());
        }
        let tar = [&[0; 257][..], b"ustar\x0000"].concat();
        assert_eq!(kind(&tar), Some("a tar archive"));
    }

    #[test]
    fn what_may_be_media_is_left_to_ffmpeg() {
        for bytes in [
            &b""[..],
            b"\0\0\0\x20ftypisom\0\0\x02\0",
            b"\0\0\0\x14ftypqt  \0\0\0\0",
            b"\x1aE\xdf\xa3\x01\0\0\0",
            b"RIFF\x10\0\0\0WAVEfmt ",
            b"RIFF\x10\0\0\0AVI LIST",
            b"ID3\x04\0\0\0\0\0\x23TIT2",
            b"\xff\xfb\x90\x64\0\0",
            b"\xff\xf1\x50\x80",
            b"G@\0\x10\0\0\xb0\r",
            b"\0\0\x01\xba\x44\0",
            b"OggS\0\x02\0\0",
            b"FLV\x01\x05\0\0\0\t",
            b"fLaC\0\0\0\x22",
            b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
            b"\x06\x0e\x2b\x34\x02\x05\x01\x01",
            b"#EXTM3U\n",
        ] {
            assert_eq!(kind(bytes), None, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn the_pieces_of_a_head_may_be_of_any_size() {
        let mut pdf = FileHead::default();
        let kinds: Vec<_> = b"%PDF-1".chunks(1).map(|byte| pdf.add(byte)).collect();
        assert_eq!(kinds, [None, None, None, None, Some("a PDF document"), Some("a PDF document")]);

        let mut text = FileHead::default();
        assert_eq!(text.add(&[b'x'; BYTES - 1]), None);
        assert_eq!(text.add(b"\r\n"), Some("a text"));
        let utf16 = [b"\xff\xfe".to_vec(), b"W\0".repeat(BYTES / 2)].concat();
        assert_eq!(kind(&utf16), Some("a text"));
        let layer_one = [b"\xff\xfe\x90\x64".to_vec(), b"\x12\xab".repeat(BYTES / 2)].concat();
        assert_eq!(kind(&layer_one), None, "MPEG audio with the bytes of a byte order mark");
        let mut media = FileHead::default();
        assert_eq!(media.add(&[b'x'; BYTES - 1]), None);
        assert_eq!(media.add(b"\0"), None);
        // Behind the head anything may stand.
        assert_eq!(media.add(b"%PDF-"), None);
    }
}
