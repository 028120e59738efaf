//! Measurements of encoded renditions: sizes of published segments, and their bit rates.

use serde::{Deserialize, Serialize};

/// A published segment: its size, and where its key frames are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentFacts {
    /// Size of the segment in bytes.
    pub bytes: u64,
    /// Those that start with a key frame, in order.
    pub fragments: Vec<FragmentFacts>,
}

/// A fragment (`moof` and its `mdat`) inside a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FragmentFacts {
    /// Where its `moof` begins in the segment.
    pub offset: u64,
    /// Bytes from there to the end of its first sample, which is all that trick play reads.
    pub first_sample_bytes: u64,
}

/// The measurements of one rendition whose segments are all published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The rendition's name, as in the plan.
    pub name: String,
    /// RFC 6381, read from the real init segment, such as `avc1.64001f`.
    pub codecs: String,
    /// Every segment in order.
    pub segments: Vec<SegmentFacts>,
}

/// Returns the average bit rate of whole segments over `seconds`, in bits a second.
pub fn average_bps(segments: &[SegmentFacts], seconds: f64) -> u64 {
    let bits = segments.iter().map(|s| s.bytes * 8).sum::<u64>() as f64;
    (bits / seconds.max(f64::MIN_POSITIVE)).round() as u64
}

impl Measured {
    /// Returns the size of segment `n`; nothing past the end.
    pub(crate) fn bytes(&self, n: usize) -> u64 {
        self.segments.get(n).map_or(0, |segment| segment.bytes)
    }
}
