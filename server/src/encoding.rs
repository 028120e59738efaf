//! Content codings: the choice by `Accept-Encoding` (RFC 9110 §12.5.3), and gzip. `content` decides what is compressed.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, header};

// Below this, compressing is quicker than the hand-over to another thread.
const INLINE_BYTES: usize = 16 * 1024;

/// Decides whether a client would rather have gzip than plain bytes.
pub fn prefers_gzip(headers: &HeaderMap) -> bool {
    preferred(headers, &["gzip"]).is_some()
}

/// Returns the coding of `offered` that a client would rather have than plain bytes, and than the others offered; of
/// equals the first.
pub fn preferred(headers: &HeaderMap, offered: &[&'static str]) -> Option<&'static str> {
    let identity = weight(headers, "identity").unwrap_or(0.0);
    let rest = weight(headers, "*").unwrap_or(0.0);
    let mut best: Option<(&'static str, f32)> = None;
    for coding in offered {
        let weight = weight(headers, coding).unwrap_or(rest);
        let wanted = weight > 0.0 && weight >= identity;
        if wanted && best.is_none_or(|(_, other)| weight > other) {
            best = Some((*coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

/// Returns the weight that a client gives to a coding by its name.
fn weight(headers: &HeaderMap, coding: &str) -> Option<f32> {
    let fields = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).find_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        // §8.4.1.3: x-gzip is an alias.
        let name = if name == "x-gzip" { "gzip" } else { &name };
        (name == coding).then(|| quality(parts))
    })
}

/// A weight that cannot be read counts as none was given.
fn quality<'a>(mut parameters: impl Iterator<Item = &'a str>) -> f32 {
    parameters
        .find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")))
        .and_then(|value| value.trim().parse().ok())
        .filter(|value| (0.0..=1.0).contains(value))
        .unwrap_or(1.0)
}

/// Compresses `plain`. The same bytes give the same bytes again, so they may share an entity tag.
pub async fn gzip(plain: Bytes) -> std::io::Result<Bytes> {
    if plain.len() <= INLINE_BYTES {
        return compress(&plain);
    }
    tokio::task::spawn_blocking(move || compress(&plain)).await.map_err(std::io::Error::other)?
}

fn compress(plain: &[u8]) -> std::io::Result<Bytes> {
    // The header's time stays 0, which means "unknown".
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::default());
    encoder.write_all(plain)?;
    Ok(encoder.finish()?.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use http::HeaderValue;

    use super::*;

    fn check(accept: &str, expected: bool) {
        let value = HeaderValue::from_str(accept).unwrap();
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]);
        assert_eq!(prefers_gzip(&headers), expected, "{accept:?}");
    }

    #[test]
    fn gzip_goes_only_to_clients_that_want_it() {
        check("gzip", true);
        check("GZIP", true);
        check("x-gzip", true);
        check("gzip, deflate, br, zstd", true);
        check("gzip;q=0.1", true);
        check("br;q=1.0, gzip; q=0.8, *;q=0.1", true);
        check("*", true);
        check("gzip;q=0", false);
        check("*, gzip;q=0", false);
        check("identity", false);
        check("identity, gzip;q=0.5", false);
        check("identity;q=0.5, gzip", true);
        check("br", false);
        check("", false);
        assert!(!prefers_gzip(&HeaderMap::new()));
    }

    #[test]
    fn the_coding_is_the_heaviest_of_those_offered() {
        let check = |accept: &str, offered: &[&'static str], expected: Option<&str>| {
            let value = HeaderValue::from_str(accept).unwrap();
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]);
            assert_eq!(preferred(&headers, offered), expected, "{accept:?} of {offered:?}");
        };
        let both = &["br", "gzip"];
        check("gzip, deflate, br, zstd", both, Some("br"));
        check("gzip, deflate", both, Some("gzip"));
        check("br;q=0.5, gzip", both, Some("gzip"));
        check("BR", both, Some("br"));
        check("x-gzip", both, Some("gzip"));
        check("*", both, Some("br"));
        check("*;q=0.1, gzip;q=0", both, Some("br"));
        check("br;q=0, gzip;q=0", both, None);
        check("identity, br;q=0.5", both, None);
        check("identity;q=0.5, gzip", both, Some("gzip"));
        check("identity, gzip", both, Some("gzip"));
        check("br", &["gzip"], None);
        check("", both, None);
        assert_eq!(preferred(&HeaderMap::new(), both), None);
    }

    #[tokio::test]
    async fn compressed_text_reads_back_and_is_the_same_each_time() {
        for length in [0, 100, 2 * INLINE_BYTES] {
            let plain = Bytes::from("#EXTINF:6,\n".repeat(length / 10));
            let packed = gzip(plain.clone()).await.unwrap();
            let mut back = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back).unwrap();
            assert_eq!(back, plain);
            assert_eq!(gzip(plain).await.unwrap(), packed);
        }
    }
}
