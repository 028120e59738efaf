//! The place of the index in MP4 and MOV files. Leaves reading it to `samples`.

use std::ops::Range;

use crate::{Result, source::Bytes};

// Cameras and encoders write fewer than ten; a fragmented file has thousands.
const MOST_BOXES: usize = 64;
pub(crate) const LONG_HEADER: u64 = 16;
/// A description stands before the tables of its track's samples.
const DESCRIPTIONS: u64 = 1 << 20;

/// Returns where the body of the one `moov` box lies, if the file is whole and has nothing beside it that says what is in
/// it (ISO/IEC 14496-12 §8.2.1, §8.1.1).
pub(crate) async fn movie(source: Bytes<'_>) -> Result<Option<Range<u64>>> {
    let (len, mut at, mut movie) = (source.len().await?, 0, None);
    for _ in 0..MOST_BOXES {
        if at == len {
            return Ok(movie);
        }
        let start = source.read_at(at..at + LONG_HEADER).await?;
        let Some((kind, body)) = body(&start, at, len) else { return Ok(None) };
        at = body.end;
        match &kind {
            b"moov" if movie.is_none() => movie = Some(body),
            b"mdat" | b"ftyp" | b"free" | b"skip" | b"wide" | b"pdin" | b"uuid" | b"meta" | b"udta"
            | b"prft" => {}
            // Fragments (`moof`) have packets that no table of `moov` lists, and boxes unknown to us may have, too.
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Returns whether a file of boxes ends within one, and the index is not among those before it.
pub(crate) async fn is_cut_off(source: Bytes<'_>) -> Result<bool> {
    let (len, mut at) = (source.len().await?, 0);
    for n in 0..MOST_BOXES {
        let start = source.read_at(at..at + LONG_HEADER).await?;
        let Some(kind) = start.get(4..8) else { return Ok(n > 0) };
        let is_known = matches!(kind, b"mdat" | b"ftyp" | b"free" | b"skip" | b"wide" | b"uuid" | b"moov");
        if !is_known || (n == 0 && !matches!(kind, b"ftyp" | b"mdat" | b"wide")) {
            return Ok(false);
        }
        match body(&start, at, len) {
            Some((kind, _)) if &kind == b"moov" => return Ok(false),
            Some((_, body)) => at = body.end,
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// Returns whether a track's samples are encrypted (ISO/IEC 14496-12 §8.12).
pub(crate) async fn is_encrypted(source: Bytes<'_>) -> Result<bool> {
    let (len, mut at) = (source.len().await?, 0);
    for _ in 0..MOST_BOXES {
        let start = source.read_at(at..at + LONG_HEADER).await?;
        let Some((kind, body)) = body(&start, at, len) else { return Ok(false) };
        if &kind == b"moov" {
            let index = source.read_at(body.start..body.end.min(body.start + DESCRIPTIONS)).await?;
            return Ok(describes_encryption(&index));
        }
        at = body.end;
    }
    Ok(false)
}

/// Returns whether a sample description's first entry (§8.5.2) is one of encrypted samples.
fn describes_encryption(index: &[u8]) -> bool {
    index.windows(4).enumerate().filter(|(_, kind)| kind == b"stsd").any(|(at, _)| {
        // Version, flags, count and size stand between.
        matches!(index.get(at + 16..at + 20), Some(b"encv" | b"enca"))
    })
}

/// Reads a box's header, which begins at `at` (§4.2). Returns its type and where its body lies.
pub(crate) fn body(header: &[u8], at: u64, file_len: u64) -> Option<([u8; 4], Range<u64>)> {
    let (size, rest) = header.split_first_chunk()?;
    let (kind, rest) = rest.split_first_chunk()?;
    let (header_len, len) = match u32::from_be_bytes(*size) {
        // It goes to the end of the file.
        0 => (8, file_len - at),
        1 => (LONG_HEADER, u64::from_be_bytes(*rest.first_chunk()?)),
        size => (8, u64::from(size)),
    };
    let end = at.checked_add(len).filter(|end| *end <= file_len && len >= header_len)?;
    Some((*kind, at + header_len..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_has_a_type_and_a_body() {
        let check = |header: &[u8], expected: Option<Range<u64>>| {
            let expected = expected.map(|body| (*b"mdat", body));
            assert_eq!(body(header, 100, 1000), expected, "{header:?}");
        };
        check(b"\0\0\0\x10mdat", Some(108..116));
        check(b"\0\0\0\x08mdat", Some(108..108));
        check(b"\0\0\0\0mdat", Some(108..1000));
        check(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x20", Some(116..132));
        // Longer than the file, shorter than itself, and cut off.
        check(b"\0\0\x10\0mdat", None);
        check(b"\xff\xff\xff\xffmdat", None);
        check(b"\0\0\0\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff", None);
        check(b"\0\0\0\x07mdat", None);
        check(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x0f", None);
        check(b"\0\0\0\x01mdat\0", None);
        check(b"\0\0\0", None);
    }

    #[tokio::test]
    async fn a_file_that_ends_before_its_index_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("source");
        let check = async |bytes: &[u8], expected: bool| {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(is_cut_off(Bytes::File(&file)).await.unwrap(), expected, "{bytes:?}");
        };
        let begin = b"\0\0\0\x10ftypisom\0\0\0\0";
        check(&[begin.as_slice(), b"\0\0\x10\0mdat and so on"].concat(), true).await;
        check(&[begin.as_slice(), b"\0\0\0\x0cmdatword", b"\0\0\x10\0moov and"].concat(), true).await;
        check(&[begin.as_slice(), b"\0\0\0\x0cmdatword"].concat(), true).await;
        check(&[begin.as_slice(), b"\0\0\0\x08moov\0\0\x10\0mdat and"].concat(), false).await;
        check(begin, true).await;
        check(b"\0\0\x10\0mdat", true).await;
        check(b"\0\0\x10\0else and so on", false).await;
        check(b"GIF89a", false).await;
        check(b"", false).await;
    }
}
