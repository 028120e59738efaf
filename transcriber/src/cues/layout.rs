//! The places where a text is broken: into units that stay whole, and at the places where a reader pauses.

use std::time::Duration;

use super::abbreviations::ends_sentence;

/// Columns in a line.
pub const LINE: usize = 42;
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

/// A word, or a piece of a text that has no spaces.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unit {
    pub(crate) text: String,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

/// Returns the columns that a text takes; East Asian characters take two.
pub(crate) fn width(text: &str) -> usize {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

fn is_wide(c: char) -> bool {
    // After UAX #11 (East Asian Width): CJK, Hangul and fullwidth forms; emoji are too rare in speech to count.
    matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}')
}

/// Splits a text in its words; a text without spaces, and words wider than a line, in their characters.
pub(crate) fn units(text: &str) -> Vec<Unit> {
    let unit = |text: String| Unit { text, start: Duration::ZERO, end: Duration::ZERO };
    let mut units = Vec::new();
    for word in text.split_whitespace() {
        if word.chars().any(is_wide) || width(word) > LINE {
            units.extend(word.chars().map(|c| unit(c.to_string())));
        } else {
            units.push(unit(word.to_owned()));
        }
    }
    units
}

/// Joins units as they were: with spaces between words, without between characters of one.
fn joined(units: &[&str]) -> String {
    let mut out = String::new();
    for unit in units {
        if out.chars().last().is_some_and(|last| spaced(last, unit)) {
            out.push(' ');
        }
        out += unit;
    }
    out
}

// Single characters that are wide need none.
fn spaced(last: char, next: &str) -> bool {
    !(is_wide(last) || next.chars().next().is_some_and(is_wide))
}

/// Returns whether the units stand in a cue's lines.
pub(crate) fn fits(units: &[Unit]) -> bool {
    let text: Vec<&str> = units.iter().map(|unit| unit.text.as_str()).collect();
    let all = joined(&text);
    // The space at the break takes no column, hence one more.
    width(&all) <= LINE || (width(&all) <= LINE * LINES + 1 && line_break(&text).is_some())
}

/// Puts units in one line or in two, balanced ones.
pub(crate) fn lines(units: &[&str]) -> String {
    let all = joined(units);
    if width(&all) <= LINE {
        return all;
    }
    match line_break(units) {
        Some(at) => format!("{}\n{}", joined(&units[..at]), joined(&units[at..])),
        None => all,
    }
}

fn line_break(units: &[&str]) -> Option<usize> {
    let mut best = None;
    for at in 1..units.len() {
        let (upper, lower) = (width(&joined(&units[..at])), width(&joined(&units[at..])));
        if upper > LINE || lower > LINE {
            continue;
        }
        let uneven = upper.abs_diff(lower) as f64 / LINE as f64;
        let cost = uneven + break_cost(units[at - 1], units.get(at).copied());
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
