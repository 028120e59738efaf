//! The times of a sentence's words: by the times of its tokens, else, where pauses lie within, by its
//! share of the characters. Words lie within their sentence, outside of its pauses, one behind the other. Leaves the
//! tokens' times to `align`, and sentences without pauses to `cues`.

use std::ops::Range;

use captions::Word;

use crate::{
    Result, cues,
    mel::{HOP, time},
    tokens::Vocabulary,
    vad::Speech,
};

/// A sentence's tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimedTokens<'a> {
    pub(crate) ids: &'a [u32],
    /// One for each.
    pub(crate) probabilities: &'a [f32],
    /// Frames of the sound at which each begins; none where the model does not show it.
    pub(crate) starts: &'a [u64],
    /// The frames in which it is spoken, with long pauses between; never none.
    pub(crate) stretches: &'a [Range<u64>],
}

/// Returns the words of a sentence, as cues break its `text`.
pub(crate) fn of(vocabulary: &Vocabulary, text: &str, tokens: TimedTokens<'_>) -> Result<Vec<Word>> {
    if tokens.starts.is_empty() && tokens.stretches.len() == 1 {
        return Ok(vec![]);
    }
    let mut written = Vec::new();
    for count in 1..=tokens.ids.len() {
        let text = vocabulary.text(&tokens.ids[..count])?;
        // A character may lie across tokens; it is written by its last one.
        let whole = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        written.push(whole.chars().filter(|c| !c.is_whitespace()).count());
    }
    let all = written.last().copied().unwrap_or_default();
    let writes = |character: usize| written.partition_point(|count| *count <= character);
    // When the sentence has come to a character.
    let at = |character: usize| match tokens.starts.get(writes(character)) {
        Some(start) if character < all => *start,
        _ => share(tokens.stretches, character as f64 / all.max(1) as f64),
    };
    let mut words: Vec<Word> = Vec::new();
    let (mut latest, mut passed) = (tokens.stretches[0].start, 0);
    for word in cues::words(text) {
        let from = passed;
        passed += word.chars().count();
        let Some(probabilities) = tokens.probabilities.get(writes(from)..=writes(passed - 1)) else {
            return Ok(vec![]);
        };
        let probability = probabilities.iter().sum::<f32>() / probabilities.len() as f32;
        let begins = if from == 0 { tokens.stretches[0].start } else { at(from) };
        let (start, end) = outside_pauses(begins.max(latest), at(passed).max(latest), tokens.stretches);
        words.push(Word { start: time(start), end: time(end), word, probability });
        latest = end;
    }
    Ok(words)
}

/// Returns the stretches in which a `sentence` is spoken, with pauses between that no cue may lie over.
pub(crate) fn stretches(speech: &[Speech], sentence: Range<u64>) -> Vec<Range<u64>> {
    let mut stretches: Vec<Range<u64>> = vec![];
    for speech in speech {
        let start = (speech.start / HOP as u64).max(sentence.start);
        let end = speech.end.div_ceil(HOP as u64).min(sentence.end);
        match stretches.last_mut() {
            _ if start >= end => {}
            Some(last) if time(start.saturating_sub(last.end)) < cues::PAUSE => last.end = end,
            _ => stretches.push(start..end),
        }
    }
    // The detector is not asked where the sentence begins and ends.
    if let Some(first) = stretches.first_mut() {
        first.start = sentence.start;
    }
    match stretches.last_mut() {
        Some(last) => last.end = sentence.end,
        None => stretches.push(sentence),
    }
    stretches
}

/// Returns when a `share` of all speech is over.
fn share(stretches: &[Range<u64>], share: f64) -> u64 {
    let all: u64 = stretches.iter().map(|stretch| stretch.end - stretch.start).sum();
    let mut left = (all as f64 * share).round() as u64;
    for stretch in stretches {
        let length = stretch.end - stretch.start;
        if left <= length {
            return stretch.start + left;
        }
        left -= length;
    }
    stretches[stretches.len() - 1].end
}

/// Puts a word into the stretch that is nearest to its middle.
fn outside_pauses(start: u64, end: u64, stretches: &[Range<u64>]) -> (u64, u64) {
    let middle = u64::midpoint(start, end.max(start));
    let away =
        |stretch: &&Range<u64>| stretch.start.saturating_sub(middle).max(middle.saturating_sub(stretch.end));
    let Some(nearest) = stretches.iter().min_by_key(away) else { return (start, end) };
    let within = |frame: u64| frame.clamp(nearest.start, nearest.end);
    (within(start), within(end.max(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_spoken_in_stretches_between_its_long_pauses() {
        let speech = |spans: &[(u64, u64)]| -> Vec<Speech> {
            spans.iter().map(|(s, e)| Speech { start: s * HOP as u64, end: e * HOP as u64 }).collect()
        };
        let check = |spans: &[(u64, u64)], expected: &[(u64, u64)]| {
            let found: Vec<_> =
                stretches(&speech(spans), 100..900).iter().map(|s| (s.start, s.end)).collect();
            assert_eq!(found, expected, "{spans:?}");
        };
        check(&[], &[(100, 900)]);
        check(&[(0, 50), (110, 300), (330, 850), (950, 990)], &[(100, 900)]);
        check(&[(0, 50), (110, 300), (400, 850), (950, 990)], &[(100, 300), (400, 900)]);
        check(&[(110, 300), (401, 500), (620, 950)], &[(100, 300), (401, 500), (620, 900)]);
    }

    #[test]
    fn a_share_counts_speech_without_pauses() {
        let spoken = [100..200, 500..700];
        let found = [0.0, 0.25, 1.0 / 3.0, 0.5, 1.0].map(|part| share(&spoken, part));
        assert_eq!(found, [100, 175, 200, 550, 700]);
    }

    #[test]
    fn a_word_lies_in_one_stretch() {
        let spoken = [100..200, 500..700];
        let check = |start, end, expected| assert_eq!(outside_pauses(start, end, &spoken), expected);
        check(120, 180, (120, 180));
        // More of it before the pause, more behind it, all within it.
        check(150, 300, (150, 200));
        check(190, 600, (500, 600));
        check(220, 300, (200, 200));
        check(400, 480, (500, 500));
        check(650, 900, (650, 700));
    }
}
