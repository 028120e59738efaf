//! The dimensions of a picture, read from its head, so that one that is no picture or far too large is refused before a
//! packager decodes it. Leaves all else that may be wrong with it to the decoder.

/// The size of a picture in pixels, before any rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dimensions {
    pub(super) width: u32,
    pub(super) height: u32,
}

impl Dimensions {
    /// Reads those of a JPEG, PNG or WebP file; `None` for any other.
    pub(super) fn read(file: &[u8]) -> Option<Self> {
        match file {
            [0xff, 0xd8, segments @ ..] => jpeg(segments),
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', chunks @ ..] => png(chunks),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', chunks @ ..] => webp(chunks),
            _ => None,
        }
    }
}

/// ITU-T T.81 §B.2.2: the frame header behind any other segments.
fn jpeg(mut file: &[u8]) -> Option<Dimensions> {
    loop {
        let (marker, rest) = match file {
            // Fill bytes may stand before a marker.
            [0xff, 0xff, ..] => {
                file = &file[1..];
                continue;
            }
            [0xff, marker, rest @ ..] => (*marker, rest),
            _ => return None,
        };
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        // 0xc4, 0xc8 and 0xcc are no frames: Huffman tables, an extension, and arithmetic conditioning.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            // Behind the length and the precision, the lines come before the samples of a line.
            let side =
                |at: usize| rest.get(at..)?.first_chunk().map(|two| u32::from(u16::from_be_bytes(*two)));
            return Some(Dimensions { height: side(3)?, width: side(5)? });
        }
        // The picture itself begins, or ends, without a frame header.
        if matches!(marker, 0xd9 | 0xda) {
            return None;
        }
        file = rest.get(length..)?;
    }
}

/// PNG §11.2.2: the first chunk is IHDR.
fn png(chunks: &[u8]) -> Option<Dimensions> {
    let header = chunks.strip_prefix(b"\0\0\0\x0dIHDR")?;
    let side = |at: usize| header.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four));
    Some(Dimensions { width: side(0)?, height: side(4)? })
}

/// RFC 9649 §2.5 to §2.7: the first chunk has the size, in one of three forms.
fn webp(chunks: &[u8]) -> Option<Dimensions> {
    let (kind, data) = (chunks.get(..4)?, chunks.get(8..)?);
    match kind {
        b"VP8 " => {
            // The upper two bits of each side are a scale, which decoders leave to players (RFC 6386 §9.1).
            let frame = data.get(3..)?.strip_prefix(&[0x9d, 0x01, 0x2a])?;
            let side =
                |at: usize| frame.get(at..)?.first_chunk().map(|two| u16::from_le_bytes(*two) & 0x3fff);
            Some(Dimensions { width: side(0)?.into(), height: side(2)?.into() })
        }
        b"VP8L" => {
            let bits = u32::from_le_bytes(*data.strip_prefix(&[0x2f])?.first_chunk()?);
            Some(Dimensions { width: (bits & 0x3fff) + 1, height: (bits >> 14 & 0x3fff) + 1 })
        }
        b"VP8X" => {
            let side = |at: usize| match data.get(at..at + 3)? {
                [low, middle, high] => Some(u32::from_le_bytes([*low, *middle, *high, 0]) + 1),
                _ => None,
            };
            Some(Dimensions { width: side(4)?, height: side(7)? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(file: &[u8], expected: Option<(u32, u32)>) {
        let expected = expected.map(|(width, height)| Dimensions { width, height });
        assert_eq!(Dimensions::read(file), expected, "{file:?}");
    }

    #[test]
    fn the_head_of_each_format_has_the_size() {
        check(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x06\x40\0\0\x03\x84\x08", Some((1600, 900)));
        check(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIDAT\0\0\x06\x40\0\0\x03\x84\x08", None);
        // A JPEG with a thumbnail's segment in front, and fill bytes.
        let jpeg = b"\xff\xd8\xff\xe1\0\x06abcd\xff\xff\xc4\0\x02\xff\xc2\0\x11\x08\x03\x84\x06\x40\x03";
        check(jpeg, Some((1600, 900)));
        check(b"\xff\xd8\xff\xda\0\x02", None);
        check(b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\x30\x01\0\x9d\x01\x2a\x40\x06\x84\x03", Some((1600, 900)));
        check(b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\x3f\xc6\xe0\0", Some((1600, 900)));
        check(b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\x10\0\0\0\x3f\x06\0\x83\x03\0", Some((1600, 900)));
        check(b"GIF89a\x40\x06\x84\x03", None);
        check(b"", None);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(start in 0_usize..4, rest in any::<Vec<u8>>()) {
            let heads: [&[u8]; 4] = [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8", b""];
            let _ = Dimensions::read(&[heads[start], &rest].concat());
        }
    }
}
