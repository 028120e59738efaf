//! In charge of when each word of a sentence is said, by the times of its tokens. Words lie within their sentence, one behind
//! the other, whatever the tokens' times are. Leaves those to `align`.

use std::ops::Range;

use captions::Word;

use crate::{Result, cues, listen::time, tokens::Vocabulary};

/// A sentence's tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    pub(crate) ids: &'a [u32],
    /// One for each.
    pub(crate) probabilities: &'a [f32],
    /// Frames of the sound at which each begins.
    pub(crate) starts: &'a [u64],
}

/// Returns the words of a `text` that is said within `frames`, as cues break it.
pub(crate) fn of(
    vocabulary: &Vocabulary,
    text: &str,
    said: Said<'_>,
    frames: &Range<u64>,
) -> Result<Vec<Word>> {
    // The model does not show where it listens.
    if said.starts.is_empty() {
        return Ok(vec![]);
    }
    let mut written = Vec::new();
    for count in 1..=said.ids.len() {
        let text = vocabulary.text(&said.ids[..count])?;
        // A character may lie across tokens; it is written by its last one.
        let whole = text.trim_end_matches(char::REPLACEMENT_CHARACTER);
        written.push(whole.chars().filter(|c| !c.is_whitespace()).count());
    }
    let writes = |character: usize| written.partition_point(|count| *count <= character);
    let mut words: Vec<Word> = Vec::new();
    let (mut at, mut passed) = (frames.start, 0);
    for word in cues::words(text) {
        let first = writes(passed);
        passed += word.chars().count();
        let last = writes(passed - 1);
        let Some(probabilities) = said.probabilities.get(first..=last) else { return Ok(vec![]) };
        let probability = probabilities.iter().sum::<f32>() / probabilities.len() as f32;
        let next = if Some(&passed) == written.last() { None } else { said.starts.get(writes(passed)) };
        let end = next.map_or(frames.end, |next| (*next).clamp(at, frames.end));
        words.push(Word { start: time(at), end: time(end), word, probability });
        at = end;
    }
    Ok(words)
}
