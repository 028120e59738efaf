//! The words of a segment with their times: their own, or their share of the segment's characters.

use std::time::Duration;

use captions::Spoken;

/// A word and its times.
#[derive(Debug, PartialEq)]
pub(super) struct Timed<'a> {
    pub(super) word: &'a str,
    pub(super) start: Duration,
    pub(super) end: Duration,
}

/// Returns a segment's words.
pub(super) fn of(spoken: &Spoken) -> Vec<Timed<'_>> {
    if !spoken.words.is_empty() {
        let timed = spoken.words.iter();
        return timed.map(|word| Timed { word: &word.word, start: word.start, end: word.end }).collect();
    }
    let words: Vec<&str> = spoken.text.split_whitespace().collect();
    let all: usize = words.iter().map(|word| word.chars().count()).sum();
    let length = spoken.end.saturating_sub(spoken.start);
    let at = |characters: usize| spoken.start + length.mul_f64(characters as f64 / all.max(1) as f64);
    let mut before = 0;
    let timed = words.into_iter().map(|word| {
        let start = before;
        before += word.chars().count();
        Timed { word, start: at(start), end: at(before) }
    });
    timed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_its_share_of_the_segment() {
        let spoken = Spoken {
            start: Duration::from_secs(2),
            end: Duration::from_secs(4),
            text: "abc d".into(),
            tokens: vec![],
            avg_logprob: 0.0,
            compression_ratio: 1.0,
            no_speech_prob: 0.0,
            temperature: 0.0,
            words: vec![],
        };
        let (start, end) = (Duration::from_secs(2), Duration::from_millis(3500));
        let timed = of(&spoken);
        assert_eq!(timed[0], Timed { word: "abc", start, end });
        assert_eq!(timed[1], Timed { word: "d", start: end, end: Duration::from_secs(4) });
    }
}
