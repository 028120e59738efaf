//! The segments of a decoding, between its pairs of time tokens, and how much of the window they cover.

use crate::tokens::TIME_FRAMES;

/// A stretch of a decoding between its times, which count in frames from the window's start.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The place of its first token in the decoding.
    pub(crate) from: usize,
    pub(crate) tokens: Vec<u32>,
}

/// Cuts a decoding as OpenAI's `transcribe` does. Returns the segments and the frames that are covered.
pub(crate) fn split(tokens: &[u32], first_time: u32, filled: u64) -> (Vec<Segment>, u64) {
    let frames = |token: u32| u64::from(token.saturating_sub(first_time)) * TIME_FRAMES;
    let is_time = |n: usize| tokens[n] >= first_time;
    let segment = |from: usize, to: usize| Segment {
        start: frames(tokens[from]),
        end: frames(tokens[to - 1]),
        from,
        tokens: tokens[from..to].to_vec(),
    };
    // Two times in a row are a segment's end and the next one's start.
    let mut cuts: Vec<usize> = (1..tokens.len()).filter(|n| is_time(*n) && is_time(n - 1)).collect();
    // One time at the end: no more speech behind it in this window.
    let ends_with_one = tokens.len() >= 2 && is_time(tokens.len() - 1) && !is_time(tokens.len() - 2);
    if cuts.is_empty() {
        // A last time of 0.00 does not count: OpenAI's code takes the whole window then.
        let last =
            (0..tokens.len()).rev().find(|n| is_time(*n)).map(|n| frames(tokens[n])).filter(|end| *end > 0);
        let start = tokens.first().map_or(0, |token| frames(*token));
        let end = last.filter(|end| *end > start).unwrap_or(filled).min(filled);
        let all = Segment { start, end, from: 0, tokens: tokens.to_vec() };
        return (vec![all], filled);
    }
    if ends_with_one {
        cuts.push(tokens.len());
    }
    let mut from = 0;
    let mut segments = Vec::new();
    for cut in cuts {
        segments.push(segment(from, cut));
        from = cut;
    }
    // Without an end of its own, the words behind the last pair are decoded again in the next window.
    let used = if ends_with_one { filled } else { frames(tokens[from - 1]) };
    (segments, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decoding_is_cut_at_its_pairs_of_times() {
        // Times from 100 on, 20 ms each: 2 frames.
        let check = |tokens: &[u32], expected: &[(u64, u64)], used: u64| {
            let (segments, done) = split(tokens, 100, 3000);
            let spans: Vec<(u64, u64)> =
                segments.iter().map(|segment| (segment.start, segment.end)).collect();
            assert_eq!((spans.as_slice(), done), (expected, used), "{tokens:?}");
        };
        check(&[100, 1, 2, 150], &[(0, 100)], 3000);
        check(&[100, 1, 150, 150, 2, 200], &[(0, 100), (100, 200)], 3000);
        check(&[100, 1, 150, 160, 2, 200, 200, 3], &[(0, 100), (120, 200)], 200);
        check(&[100, 1, 150, 150], &[(0, 100)], 100);
        check(&[110, 1, 2], &[(20, 3000)], 3000);
        check(&[], &[(0, 3000)], 3000);
    }
}
