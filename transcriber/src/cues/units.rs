//! The units of a text, which stay whole when it is broken into cues and lines: words, and in texts without spaces their
//! characters. Widths count in columns, of which East Asian characters take two.

use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns in a line.
pub const LINE: usize = 42;

// After JIS X 4051: what may not begin a line, besides small kana, and what may not end one.
const CLOSING: &str = "、。，．・：；？！）」』】〉》〕］｝”’…‥ー〜々ゝゞヽヾ｡､｣ﾞﾟｰ%％,.:;?!)]}»›";
const SMALL_KANA: &str = "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶｧｨｩｪｫｯｬｭｮ";
const OPENING: &str = "（「『【〈《〔［｛“‘｢([{«‹¥￥$＄";

/// A word, or a character of a text that has no spaces.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unit {
    pub(crate) text: String,
    /// Whether a space parts it from the one in front of it.
    pub(crate) spaced: bool,
    pub(crate) start: Duration,
    pub(crate) end: Duration,
}

/// Returns the columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Returns the units of a text.
pub(crate) fn units(text: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    for word in text.split_whitespace() {
        let parts = parts(word).into_iter().enumerate();
        units.extend(parts.map(|(n, part)| Unit {
            text: part.to_owned(),
            spaced: n == 0,
            start: Duration::ZERO,
            end: Duration::ZERO,
        }));
    }
    units
}

/// Puts the units of the next segment behind others. Segments come without the space between them, which only texts with
/// spaces have.
pub(crate) fn append(units: &mut Vec<Unit>, mut next: Vec<Unit>) {
    let before = units.last().and_then(|unit| unit.text.chars().last());
    if let (Some(before), Some(first)) = (before, next.first_mut()) {
        first.spaced = !(is_unspaced(before) || first.text.starts_with(is_unspaced));
    }
    units.append(&mut next);
}

/// Joins units as they were.
pub(crate) fn joined(units: &[Unit]) -> String {
    let mut text = String::new();
    for (n, unit) in units.iter().enumerate() {
        if n > 0 && unit.spaced {
            text.push(' ');
        }
        text += &unit.text;
    }
    text
}

/// Splits a word where it may be broken: beside characters of scripts without spaces, and anywhere if it is wider than a
/// line, but never within what is seen as one character.
fn parts(word: &str) -> Vec<&str> {
    let mut cuts = vec![0];
    let mut before = None;
    for (at, grapheme) in word.grapheme_indices(true) {
        if before.is_some_and(|before| is_break(before, grapheme)) {
            cuts.push(at);
        }
        before = Some(grapheme);
    }
    cuts.push(word.len());
    let mut parts = Vec::new();
    for cut in cuts.windows(2) {
        let part = &word[cut[0]..cut[1]];
        if width(part) > LINE {
            parts.extend(part.graphemes(true));
        } else {
            parts.push(part);
        }
    }
    parts
}

fn is_break(before: &str, after: &str) -> bool {
    let one_of = |set: &str, grapheme: &str| grapheme.chars().next().is_some_and(|c| set.contains(c));
    let unspaced = before.starts_with(is_unspaced) || after.starts_with(is_unspaced);
    unspaced && !one_of(OPENING, before) && !one_of(CLOSING, after) && !one_of(SMALL_KANA, after)
}

/// Returns whether a character is of a script that is written without spaces. Korean has them.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{3000}'..='\u{312f}' | '\u{31a0}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff9f}' | '\u{20000}'..='\u{3fffd}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_where_it_may_be_broken() {
        let check = |text: &str, expected: &[&str]| {
            let units = units(text);
            let found: Vec<&str> = units.iter().map(|unit| unit.text.as_str()).collect();
            assert_eq!(found, expected, "{text}");
            assert_eq!(joined(&units), text);
        };
        check("The well-known man.", &["The", "well-known", "man."]);
        // Foreign words and numbers stay whole.
        check("NASAは2024年に", &["NASA", "は", "2024", "年", "に"]);
        check("これは NASA です。", &["こ", "れ", "は", "NASA", "で", "す。"]);
        check("「はい」、行った。", &["「は", "い」、", "行っ", "た。"]);
        check("我们去（北京）。", &["我", "们", "去", "（北", "京）。"]);
        check("안녕하세요 세계", &["안녕하세요", "세계"]);
        check("สวัสดี ครับ", &["สวัสดี", "ครับ"]);
        check("مرحبا بالعالم", &["مرحبا", "بالعالم"]);
    }

    #[test]
    fn what_is_wider_than_a_line_is_broken_between_characters() {
        let thai = "น้ำ".repeat(30);
        let units = units(&thai);
        assert!(units.len() == 30 && units.iter().all(|unit| width(&unit.text) <= 2), "{units:?}");
        assert!(units.iter().all(|unit| !unit.text.starts_with(['\u{e49}', '\u{e33}'])), "{units:?}");
        assert_eq!(joined(&units), thai);
    }

    #[test]
    fn columns_are_counted_as_they_are_seen() {
        for (text, expected) in
            [("word", 4), ("字幕", 4), ("ｶﾅ", 2), ("e\u{301}", 1), ("น้ำ", 2), ("한국", 4), ("👍🏽", 2)]
        {
            assert_eq!(width(text), expected, "{text}");
        }
    }

    #[test]
    fn segments_are_parted_by_a_space_where_their_script_has_one() {
        let check = |before: &str, after: &str, expected: &str| {
            let mut all = units(before);
            append(&mut all, units(after));
            assert_eq!(joined(&all), expected);
        };
        check("One of", "them.", "One of them.");
        check("今日は", "静かです。", "今日は静かです。");
        check("저는", "갑니다", "저는 갑니다");
    }
}
