//! The encoding of a person's file: detected, and decoded to text.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Decodes `bytes`: by its byte order mark, as UTF-8 where it is valid, as UTF-16 where every other byte is zero,
/// and otherwise by what its letters look like. Line ends and content stay as they are; a byte order mark goes.
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let (encoding, bom) = Encoding::for_bom(bytes).unwrap_or_else(|| (guess(bytes), 0));
    encoding.decode_without_bom_handling(&bytes[bom..]).0
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    // Before UTF-8: as that, UTF-16's zeros are valid.
    let zeros = |parity| bytes.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // Latin letters have a zero in every other byte, and a text of other scripts has blanks, digits and line ends of
    // them.
    if even.max(odd) * 4 > bytes.len() && even.max(odd) > 4 * even.min(odd) {
        return if even > odd { UTF_16BE } else { UTF_16LE };
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Allow)
}

#[cfg(test)]
mod tests {
    use encoding_rs::{GBK, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};

    use super::*;

    #[test]
    fn a_file_reads_the_same_in_every_encoding_it_may_be_saved_in() {
        let check = |encoding: &'static Encoding, text: &str| {
            let (bytes, _, failed) = encoding.encode(text);
            assert!(!failed, "{}", encoding.name());
            assert_eq!(decode(&bytes), text, "{}", encoding.name());
        };
        let german = "Die Straße führt über die Brücke, wo früher Gärten lagen. „Schön!“ sagte er.";
        check(UTF_8, german);
        check(WINDOWS_1252, german);
        check(WINDOWS_1251, "Съешь же ещё этих мягких французских булок, да выпей чаю.");
        check(SHIFT_JIS, "これは字幕のテストです。私たちは映画を見ています。");
        check(GBK, "这是一个字幕测试。我们正在看电影。");
    }

    #[test]
    fn utf_16_is_read_with_its_mark_and_without() {
        let text = "1\r\n00:00:01,000 --> 00:00:02,000\r\nHëllo\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode(&little), text);
        assert_eq!(decode(&big), text);
        assert_eq!(decode(&[&[0xff, 0xfe], little.as_slice()].concat()), text);
        assert_eq!(decode(&[&[0xfe, 0xff], big.as_slice()].concat()), text);
        assert_eq!(decode(&[&[0xef, 0xbb, 0xbf], text.as_bytes()].concat()), text);
    }
}
