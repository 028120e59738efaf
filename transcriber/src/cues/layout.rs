//! The lines of a cue, and the places where a text is broken: where a reader pauses. Leaves what stays whole to `units`.

use super::{
    abbreviations::ends_sentence,
    units::{LINE, Unit, joined, width},
};

/// Lines in a cue.
pub const LINES: usize = 2;

// Words that lean on the next one; in English, since other languages fall back to even lines.
const LEANING: &[&str] = &[
    "a", "an", "the", "my", "your", "his", "her", "its", "our", "their", "this", "that", "these", "those",
    "of", "to", "in", "on", "at", "by", "for", "from", "with", "into", "under", "near", "behind", "between",
    "across", "and", "or", "but", "very", "not", "is", "are", "was", "were", "will", "can",
];
// Words that begin a clause.
const BEGINNING: &[&str] = &[
    "and", "or", "but", "because", "when", "where", "while", "which", "who", "that", "if", "before", "after",
    "then",
];

/// Returns whether the units stand in a cue's lines.
pub(crate) fn fits(units: &[Unit]) -> bool {
    let all = width(&joined(units));
    // The space at the break takes no column, hence one more.
    all <= LINE || (all <= LINE * LINES + 1 && line_break(units).is_some())
}

/// Puts units in one line or in two, balanced ones.
pub(crate) fn lines(units: &[Unit]) -> String {
    let all = joined(units);
    if width(&all) <= LINE {
        return all;
    }
    match line_break(units) {
        Some(at) => format!("{}\n{}", joined(&units[..at]), joined(&units[at..])),
        None => all,
    }
}

fn line_break(units: &[Unit]) -> Option<usize> {
    let mut best = None;
    for at in 1..units.len() {
        let (upper, lower) = (width(&joined(&units[..at])), width(&joined(&units[at..])));
        if upper > LINE || lower > LINE {
            continue;
        }
        let uneven = upper.abs_diff(lower) as f64 / LINE as f64;
        let cost = uneven + break_cost(&units[at - 1].text, units.get(at).map(|unit| unit.text.as_str()));
        if best.is_none_or(|(_, least)| cost < least) {
            best = Some((at, cost));
        }
    }
    best.map(|(at, _)| at)
}

/// Returns how badly a text is broken behind `before`: −1 at a sentence's end to 1 behind an article.
pub(crate) fn break_cost(before: &str, after: Option<&str>) -> f64 {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    if ends_sentence(before, after) {
        return -1.0;
    }
    match before.chars().last() {
        // A stop that ends no sentence belongs to a title or an initial: its name follows.
        Some('.') => return 1.0,
        Some(',' | ';' | ':' | '–' | '—' | '、' | '，') => return -0.5,
        _ => {}
    }
    if LEANING.contains(&bare(before).as_str()) {
        return 1.0;
    }
    if after.is_some_and(|after| BEGINNING.contains(&bare(after).as_str())) { -0.25 } else { 0.0 }
}
