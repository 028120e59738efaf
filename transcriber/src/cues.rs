//! Cues that people can read, after Netflix's and the BBC's guides: two lines of 42 characters, one to seven seconds,
//! 20 characters a second where the speech allows it, broken where a reader would pause. Cues are in order and never
//! overlap, whatever times the sentences have.

use std::time::Duration;

use captions::{Cue, Spoken};

mod abbreviations;
mod layout;
mod order;
mod units;

use abbreviations::ends_sentence;
pub use layout::LINES;
use layout::lines;
pub use units::LINE;
pub(crate) use units::width;
use units::{Unit, units};

/// The longest that a cue is shown.
pub const LONGEST: Duration = Duration::from_secs(7);
/// The shortest, where the next cue leaves room.
pub const SHORTEST: Duration = Duration::from_secs(1);
/// A cue that would be shorter than this is joined with its neighbour.
pub const TOO_SHORT: Duration = Duration::from_millis(800);
/// Characters that are read in a second.
pub const READING_SPEED: u32 = 20;
/// Between two cues: two frames of 25 a second.
pub const GAP: Duration = Duration::from_millis(80);
/// The longest that a cue outstays its speech.
pub const OVERSTAY: Duration = Duration::from_secs(1);
/// A pause within a sentence that ends a cue: viewers take it for an end too.
pub const PAUSE: Duration = Duration::from_millis(400);
/// The longest group of segments that is laid out as one sentence, so that live captions need not wait for its end.
const LONGEST_GROUP: Duration = Duration::from_secs(20);

/// Lays out sentences. Cues are named by their number; the first ones stay as they are when more sentences follow.
pub fn lay_out(spoken: &[Spoken]) -> Vec<Cue> {
    cues_of(&groups(&order::put(spoken, Duration::ZERO)))
}

/// Lays out sentences window by window. A cue's end depends on the next one's begin, and a sentence may go on in the next
/// segment, so the last group of segments is held back until the next is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    held: Vec<Spoken>,
}

impl Draft {
    /// Goes on behind the segments that an earlier draft held.
    pub fn holding(held: Vec<Spoken>) -> Self {
        Self { held }
    }

    /// Returns the segments that are held back.
    pub fn held(&self) -> &[Spoken] {
        &self.held
    }

    /// Takes the next sentences. Returns the cues that are final now.
    pub fn push(&mut self, spoken: &[Spoken]) -> Vec<Cue> {
        let floor = self.held.last().map_or(Duration::ZERO, |last| last.end);
        let mut segments = std::mem::take(&mut self.held);
        segments.extend(order::put(spoken, floor));
        let groups = groups(&segments);
        let mut cues = cues_of(&groups);
        let Some(open) = groups.last() else { return vec![] };
        cues.truncate(cues.len() - pieces(&open.units).len());
        self.held = segments.split_off(segments.len() - open.segments);
        cues
    }

    /// Returns the last cues.
    pub fn finish(self) -> Vec<Cue> {
        lay_out(&self.held)
    }
}

/// Returns the words of a text, as cues are made of them.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> {
    units(text).into_iter().map(|unit| unit.text)
}

/// Segments that are laid out together.
struct Group {
    segments: usize,
    units: Vec<Unit>,
}

impl Group {
    /// Returns whether the next segment belongs to it: the model ends segments within sentences too, and a cue that has
    /// no room to be read is better a part of the next one.
    fn takes(&self, next: &[Unit]) -> bool {
        let (Some(first), Some(last), Some(next)) = (self.units.first(), self.units.last(), next.first())
        else {
            return true;
        };
        let pause = next.start.saturating_sub(last.end);
        let length = next.start.saturating_sub(first.start);
        let goes_on = !ends_sentence(&last.text, Some(&next.text));
        let no_room = length < TOO_SHORT + GAP;
        pause < PAUSE && length < LONGEST_GROUP && (goes_on || no_room)
    }
}

fn groups(segments: &[Spoken]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for segment in segments {
        let units = timed(segment);
        match groups.last_mut() {
            Some(group) if group.takes(&units) => {
                group.segments += 1;
                units::append(&mut group.units, units);
            }
            _ => groups.push(Group { segments: 1, units }),
        }
    }
    groups
}

fn cues_of(groups: &[Group]) -> Vec<Cue> {
    let mut cues: Vec<Cue> = Vec::new();
    for piece in groups.iter().flat_map(|group| pieces(&group.units)) {
        let (first, last) = (&piece[0], &piece[piece.len() - 1]);
        let id = (cues.len() + 1).to_string();
        cues.push(Cue::new(id, first.start, last.end, &lines(piece)));
    }
    give_time(&mut cues);
    cues
}

/// Gives the words of a sentence their times: their own, or their share of its characters.
fn timed(sentence: &Spoken) -> Vec<Unit> {
    let mut units = units(&sentence.text);
    if sentence.words.len() == units.len() {
        for (unit, word) in units.iter_mut().zip(&sentence.words) {
            (unit.start, unit.end) = (word.start, word.end);
        }
    } else {
        // A space, or a word's pause, counts as one character.
        let total: usize = units.iter().map(|unit| width(&unit.text) + 1).sum();
        let length = sentence.end.saturating_sub(sentence.start);
        let mut passed = 0;
        for unit in &mut units {
            unit.start = sentence.start + length.mul_f64(passed as f64 / total as f64);
            passed += width(&unit.text) + 1;
            unit.end = sentence.start + length.mul_f64(passed as f64 / total as f64);
        }
    }
    order::apart(&mut units, sentence.start..sentence.end);
    units
}

/// Cuts a group in as few cues as it needs, each near its share, at the best places.
fn pieces(units: &[Unit]) -> Vec<&[Unit]> {
    let mut lengths = Vec::new();
    for stretch in units.chunk_by(|before, after| after.start.saturating_sub(before.end) < PAUSE) {
        let mut rest = stretch;
        while !rest.is_empty() {
            let cut = cut(rest);
            lengths.push(cut);
            rest = &rest[cut..];
        }
    }
    join_short(units, &mut lengths);
    let mut rest = units;
    let mut pieces = Vec::new();
    for length in lengths {
        let (piece, behind) = rest.split_at(length);
        pieces.push(piece);
        rest = behind;
    }
    pieces
}

/// Joins cues that have no room to be read with the one behind, where both fit in one.
fn join_short(units: &[Unit], lengths: &mut Vec<usize>) {
    let (mut n, mut from) = (0, 0);
    while n + 1 < lengths.len() {
        let (length, both) = (lengths[n], lengths[n] + lengths[n + 1]);
        let next = units[from + length].start;
        let last_is_short = n + 2 == lengths.len()
            && units[from + both - 1].end.saturating_sub(next) < TOO_SHORT
            && next.saturating_sub(units[from + length - 1].end) < PAUSE;
        let short = next.saturating_sub(units[from].start) < TOO_SHORT + GAP || last_is_short;
        if short && fits(&units[from..from + both]) {
            lengths[n] = both;
            lengths.remove(n + 1);
        } else {
            from += length;
            n += 1;
        }
    }
}

fn fits(units: &[Unit]) -> bool {
    units[units.len() - 1].end.saturating_sub(units[0].start) <= LONGEST && layout::fits(units)
}

/// Returns how many units the next cue takes.
fn cut(rest: &[Unit]) -> usize {
    if fits(rest) {
        return rest.len();
    }
    let most = (1..=rest.len()).take_while(|n| fits(&rest[..*n])).last().unwrap_or(1);
    // Halves rather than a full cue and a lone word.
    let total: usize = rest.iter().map(|unit| width(&unit.text) + 1).sum();
    let full: usize = rest[..most].iter().map(|unit| width(&unit.text) + 1).sum();
    let share = total / total.div_ceil(full.max(1)).max(1);
    let mut passed = 0;
    let cost = |n: usize, passed: usize| {
        let off = passed.abs_diff(share) as f64 / share.max(1) as f64;
        off + layout::break_cost(&rest[n - 1].text, rest.get(n).map(|unit| unit.text.as_str()))
    };
    let mut best = (most, f64::INFINITY);
    for n in 1..=most {
        passed += width(&rest[n - 1].text) + 1;
        let cost = cost(n, passed);
        // Among equals the later break wins: fuller cues change less often under the eye.
        if cost <= best.1 {
            best = (n, cost);
        }
    }
    best.0
}

/// Lengthens cues that are too short to be read into the silence behind them, and keeps them apart.
fn give_time(cues: &mut [Cue]) {
    for n in 0..cues.len() {
        let next = cues.get(n + 1).map(|cue| cue.start);
        let cue = &mut cues[n];
        let characters = cue.text.lines().map(width).sum::<usize>() as u32;
        let needed = (Duration::from_secs(1) * characters / READING_SPEED).clamp(SHORTEST, LONGEST);
        let wanted = (cue.start + needed).max(cue.end).min(cue.end + OVERSTAY).min(cue.start + LONGEST);
        let room = next.map_or(wanted, |next| next.saturating_sub(GAP));
        // A next cue that comes at once leaves at least a moment.
        cue.end = wanted.min(room).max(cue.start + Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start: u64, end: u64, text: &str) -> Spoken {
        Spoken {
            start: Duration::from_millis(start),
            end: Duration::from_millis(end),
            text: text.into(),
            tokens: vec![],
            avg_logprob: -0.1,
            compression_ratio: 1.0,
            no_speech_prob: 0.0,
            temperature: 0.0,
            words: vec![],
        }
    }

    #[test]
    fn sentences_are_cut_where_a_reader_would_pause() {
        let long = "On Monday morning, before the market opened, the old farmer walked across the bridge to the village, because the station had lost the heavy basket that his mother sent.";
        let cues = lay_out(&[
            segment(0, 1500, "Hello and welcome to this lesson."),
            segment(1500, 4000, "The teacher painted seven green bottles in the garden."),
            segment(5000, 15_000, long),
            segment(16_000, 16_300, "Stop!"),
        ]);
        insta::assert_snapshot!(captions::subrip::render(&cues));
    }

    #[test]
    fn a_pause_within_a_sentence_ends_a_cue() {
        let word = |word: &str, start: u64, end: u64| captions::Word {
            start: Duration::from_millis(start),
            end: Duration::from_millis(end),
            word: word.into(),
            probability: 1.0,
        };
        let mut sentence = segment(0, 5000, "One. Two three.");
        sentence.words = vec![word("One.", 0, 500), word("Two", 2000, 2300), word("three.", 3300, 5000)];
        let cues = lay_out(&[sentence]);
        let shown: Vec<_> =
            cues.iter().map(|cue| (cue.text.as_str(), cue.start.as_millis(), cue.end.as_millis())).collect();
        assert_eq!(shown, [("One.", 0, 1000), ("Two", 2000, 3000), ("three.", 3300, 5000)]);
    }

    #[test]
    fn text_without_spaces_is_cut_too() {
        let text = "これは字幕のテストです。私たちは映画を見ています。明日は図書館で本を読みます。今日はとても静かな夜です。";
        let cues = lay_out(&[segment(0, 9000, text)]);
        assert!(cues.len() >= 2);
        for line in cues.iter().flat_map(|cue| cue.text.lines()) {
            assert!(width(line) <= LINE, "{line}");
        }
        let joined: String = cues.iter().flat_map(|cue| cue.text.lines()).collect();
        assert_eq!(joined, text);
    }

    proptest::proptest! {
        #[test]
        fn every_cue_keeps_to_the_guides(
            sentences in proptest::collection::vec(("[a-z]{1,50}( [a-z,.]{1,12}){0,40}", 20u64..20_000, 0u64..3000), 1..6),
        ) {
            let mut spoken = Vec::new();
            let mut at = 0;
            for (text, length, pause) in &sentences {
                spoken.push(segment(at, at + length, text));
                at += length + pause;
            }
            let cues = lay_out(&spoken);
            let mut draft = Draft::default();
            let mut drafted: Vec<Cue> = spoken.chunks(2).flat_map(|window| draft.push(window)).collect();
            drafted.extend(draft.finish());
            let shown = |cues: &[Cue]| -> Vec<_> { cues.iter().map(|c| (c.start, c.end, c.text.clone())).collect() };
            proptest::prop_assert_eq!(shown(&drafted), shown(&cues));
            let words = |text: &str| text.split_whitespace().collect::<String>();
            let all: String = cues.iter().map(|cue| words(cue.text.as_str())).collect();
            proptest::prop_assert_eq!(all, words(&spoken.iter().map(|s| s.text.clone()).collect::<String>()));
            for cue in &cues {
                proptest::prop_assert!(cue.text.lines().count() <= LINES);
                proptest::prop_assert!(cue.text.lines().all(|line| width(line) <= LINE), "{}", cue.text);
                proptest::prop_assert!(cue.start < cue.end && cue.end <= cue.start + LONGEST);
            }
            for pair in cues.windows(2) {
                proptest::prop_assert!(pair[0].end <= pair[1].start.max(pair[0].start + Duration::from_millis(1)));
            }
        }
    }
}
