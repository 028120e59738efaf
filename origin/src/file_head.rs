//! The head of an uploaded file: its first bytes, by which a document, a picture or a program is known before gigabytes
//! of it are read. Files of unknown kind are ffmpeg's to judge. The page has the same list, in
//! `web/src/features/upload/file-head.ts`.

/// The bytes that decide. A text is known as such only once it fills them: a shorter one costs nothing to take, and
/// ffmpeg refuses it.
const BYTES: usize = 4096;

/// A format by its magic bytes; `at` is their place in the file.
struct Signature {
    kind: &'static str,
    at: usize,
    bytes: &'static [u8],
}

const fn signature(kind: &'static str, at: usize, bytes: &'static [u8]) -> Signature {
    Signature { kind, at, bytes }
}

const SIGNATURES: &[Signature] = &[
    signature("a PDF document", 0, b"%PDF-"),
    signature("a ZIP archive or an office document", 0, b"PK\x03\x04"),
    signature("a ZIP archive or an office document", 0, b"PK\x05\x06"),
    signature("an office document", 0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    signature("a RAR archive", 0, b"Rar!"),
    signature("a 7-Zip archive", 0, b"7z\xbc\xaf\x27\x1c"),
    signature("a gzip archive", 0, b"\x1f\x8b"),
    signature("a bzip2 archive", 0, b"BZh"),
    signature("an XZ archive", 0, b"\xfd7zXZ\0"),
    signature("a Zstandard archive", 0, b"\x28\xb5\x2f\xfd"),
    signature("a tar archive", 257, b"ustar"),
    signature("a program", 0, b"\x7fELF"),
    signature("a program", 0, b"MZ"),
    signature("a program", 0, b"\xcf\xfa\xed\xfe"),
    signature("a program", 0, b"\xca\xfe\xba\xbe"),
    signature("a program", 0, b"\0asm"),
    signature("a database", 0, b"SQLite format 3\0"),
    signature("a font", 0, b"OTTO"),
    signature("a font", 0, b"wOF"),
    signature("a picture", 0, b"\x89PNG\r\n\x1a\n"),
    signature("a picture", 0, b"\xff\xd8\xff"),
    signature("a picture", 0, b"GIF8"),
    signature("a picture", 0, b"II*\0"),
    signature("a picture", 0, b"MM\0*"),
    signature("a picture", 0, b"8BPS"),
    signature("a picture", 8, b"WEBP"),
    // The reserved bytes of a bitmap's header; "BM" alone is too little to go by.
    signature("a picture", 6, b"\0\0\0\0\x36\0\0\0\x28\0\0\0"),
    signature("a picture", 0, b"\0\0\0\x0cJXL \r\n\x87\n"),
    // ISO/IEC 23008-12: brands of still pictures in the container that MP4 has too.
    signature("a picture", 4, b"ftypheic"),
    signature("a picture", 4, b"ftypmif1"),
    signature("a picture", 4, b"ftypavif"),
];

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
        let known =
            SIGNATURES.iter().find(|s| self.0.get(s.at..).is_some_and(|rest| rest.starts_with(s.bytes)));
        let text = self.0.len() == BYTES && self.0.iter().all(|byte| is_of_text(*byte));
        known.map(|signature| signature.kind).or(text.then_some("a text"))
    }
}

// Every container that holds media has a NUL or another control character in its first bytes.
fn is_of_text(byte: u8) -> bool {
    byte >= 0x20 || (0x09..=0x0d).contains(&byte)
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
            (b"\0\0\0\x18ftypheic\0\0\0\0", "a picture"),
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
        let mut media = FileHead::default();
        assert_eq!(media.add(&[b'x'; BYTES - 1]), None);
        assert_eq!(media.add(b"\0"), None);
        // Behind the head anything may stand.
        assert_eq!(media.add(b"%PDF-"), None);
    }
}
