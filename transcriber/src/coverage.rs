//! The speech of a window that has no words: gaps between its sentences, and sentences stretched over the speech of
//! others. Counts in frames.

use std::ops::Range;

use crate::{cues, mel::FRAMES_PER_SECOND, mel::HOP, vad::Speech};

// Less speech than this is a breath, or the detector's idea of where a word ends.
const LEAST_GAP: u64 = 70;
// The model's times are this far off now and then.
const TOLERANCE: u64 = 30;
// Gaps with a shorter pause between them are one.
const SAME_GAP: u64 = 100;
// Columns of text in a second of speech: slow readers have ten, and the text of one sentence over four has three.
const LEAST_COLUMNS: u64 = 7;
const USUAL_COLUMNS: u64 = 13;
const LEAST_STRETCH: u64 = 250;
// Frames that the model's times and the detector's are apart now and then …
const MOMENT: u64 = 20;
// … and where the speech goes on beyond the sentence, which is another's then.
const LONG_MOMENT: u64 = 45;

/// Returns the frames of `speech` that lie in `within`.
pub(crate) fn frames(speech: &[Speech], within: &Range<u64>) -> Vec<Range<u64>> {
    let spans = speech.iter().map(|span| {
        (span.start / HOP as u64).max(within.start)..span.end.div_ceil(HOP as u64).min(within.end)
    });
    spans.filter(|span| span.start < span.end).collect()
}

/// Returns the speech in `window` that none of the `sentences` covers, in order.
pub(crate) fn gaps(speech: &[Speech], window: &Range<u64>, sentences: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut gaps: Vec<(Range<u64>, u64)> = Vec::new();
    for mut span in frames(speech, window) {
        for sentence in sentences {
            let covered = sentence.start.saturating_sub(TOLERANCE)..sentence.end + TOLERANCE;
            if covered.end <= span.start || span.end <= covered.start {
                continue;
            }
            add(&mut gaps, span.start..covered.start.max(span.start), sentences);
            span.start = covered.end.min(span.end);
        }
        add(&mut gaps, span, sentences);
    }
    gaps.into_iter().filter(|(_, speech)| *speech >= LEAST_GAP).map(|(gap, _)| gap).collect()
}

/// Takes the times of a sentence that begins or ends in silence from the detector: the model is wrong there. An end a moment
/// into the next speech is the end of the speech before it, and a start a moment before the end of other speech is the
/// start of the speech behind it.
pub(crate) fn clamp(speech: &[Speech], sentence: Range<u64>) -> (u64, u64) {
    let Range { start, end } = sentence;
    let spans = frames(speech, &(0..u64::MAX));
    let overlap = |span: &Range<u64>| span.end.min(end).saturating_sub(span.start.max(start));
    let within: Vec<&Range<u64>> = spans.iter().filter(|span| overlap(span) > 0).collect();
    // Alone, even a moment is all that there is of the sentence.
    let most = within.iter().map(|span| overlap(span)).max().unwrap_or_default();
    let counts = |span: &&&Range<u64>| {
        let goes_beyond = span.start + MOMENT <= start || end + MOMENT <= span.end;
        overlap(span) >= most.min(if goes_beyond { LONG_MOMENT } else { MOMENT })
    };
    let (Some(first), Some(last)) = (within.iter().find(counts), within.iter().rev().find(counts)) else {
        return (start, end);
    };
    let ends = end.min(last.end);
    // A first token that names a time just behind an onset means the onset.
    let begins = if start < first.start + MOMENT { first.start } else { start };
    (begins.min(ends - 1), ends)
}

fn add(gaps: &mut Vec<(Range<u64>, u64)>, part: Range<u64>, sentences: &[Range<u64>]) {
    if part.is_empty() {
        return;
    }
    let length = part.end - part.start;
    match gaps.last_mut() {
        Some((gap, speech))
            if part.start.saturating_sub(gap.end) < SAME_GAP
                && !sentences.iter().any(|sentence| (gap.end..part.start).contains(&sentence.start)) =>
        {
            gap.end = part.end;
            *speech += length;
        }
        _ => gaps.push((part, length)),
    }
}

/// Returns the probable end of a sentence that is too short for the speech that it lies over, or `None` where the two fit.
pub(crate) fn probable_end(speech: &[Speech], sentence: &Range<u64>, text: &str) -> Option<u64> {
    let second = FRAMES_PER_SECOND as u64;
    let columns = cues::width(text) as u64;
    let spans = frames(speech, sentence);
    let spoken: u64 = spans.iter().map(|span| span.end - span.start).sum();
    if spoken < LEAST_STRETCH || columns * second >= LEAST_COLUMNS * spoken {
        return None;
    }
    let needed = columns * second / USUAL_COLUMNS;
    let mut passed = 0;
    for span in spans {
        passed += span.end - span.start;
        if passed >= needed {
            // At the pause behind it: no word lies across one.
            return (spoken - passed >= LEAST_GAP).then_some(span.end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![expect(clippy::single_range_in_vec_init, reason = "a list of spans may have one")]

    use super::*;

    fn speech(spans: &[(u64, u64)]) -> Vec<Speech> {
        spans.iter().map(|(s, e)| Speech { start: s * HOP as u64, end: e * HOP as u64 }).collect()
    }

    #[test]
    fn speech_without_a_sentence_is_a_gap() {
        let check = |spans: &[(u64, u64)], sentences: &[Range<u64>], expected: &[Range<u64>]| {
            assert_eq!(gaps(&speech(spans), &(0..3000), sentences), expected, "{spans:?} {sentences:?}");
        };
        check(&[(10, 400)], &[10..400], &[]);
        check(&[(10, 400)], &[], &[10..400]);
        // Within what times are off by, and a breath.
        check(&[(10, 400)], &[35..380], &[]);
        check(&[(10, 400), (900, 960)], &[10..400], &[]);
        check(&[(10, 400), (450, 800)], &[10..400], &[450..800]);
        check(&[(10, 800)], &[10..400], &[430..800]);
        check(&[(10, 800)], &[10..300, 600..800], &[330..570]);
        // One gap, for its pause is short; two, for words lie between.
        check(&[(10, 200), (250, 400)], &[], &[10..400]);
        check(&[(10, 200), (250, 300), (310, 500)], &[240..305], &[10..200, 335..500]);
        check(&[(10, 200), (400, 600)], &[], &[10..200, 400..600]);
        // Behind the window.
        check(&[(2990, 4000)], &[], &[]);
    }

    #[test]
    fn a_sentence_lies_in_its_own_speech() {
        let spans = speech(&[(100, 400), (500, 520), (600, 900)]);
        let check = |sentence: Range<u64>, expected: (u64, u64)| {
            assert_eq!(clamp(&spans, sentence.clone()), expected, "{sentence:?}");
        };
        check(100..400, (100, 400));
        check(50..450, (100, 400));
        check(110..400, (100, 400));
        check(150..400, (150, 400));
        // A moment into the next speech, and a longer one that goes on beyond.
        check(100..610, (100, 520));
        check(100..640, (100, 520));
        check(100..650, (100, 650));
        // The end of the speech before is that of another sentence; a short word of its own is not.
        check(380..900, (500, 900));
        check(360..900, (500, 900));
        check(350..900, (350, 900));
        check(495..900, (500, 900));
        // All that there is.
        check(390..450, (390, 400));
        check(410..450, (410, 450));
    }

    #[test]
    fn a_sentence_over_the_speech_of_others_ends_at_a_pause() {
        let spans = speech(&[(0, 300), (350, 700), (750, 1100)]);
        let check = |range: Range<u64>, text: &str, expected| {
            assert_eq!(probable_end(&spans, &range, text), expected, "{range:?} {text}");
        };
        // Some forty columns in ten seconds of speech.
        check(0..1100, "The birch canoe slid on smooth planks.", Some(300));
        check(0..300, "The birch canoe slid on smooth planks.", None);
        check(0..1100, &"The birch canoe slid on smooth planks. ".repeat(3), None);
        // 東京 takes two columns a character.
        check(0..700, "東京は今日とても静かな夜です明日も図書館へ行きますよ。", None);
        check(0..200, "No.", None);
    }
}
