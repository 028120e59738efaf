//! The text of a cue: plain lines, and the italic, bold and underlined parts of them. Leaves each format's escapes and
//! markup to the format.

use std::{fmt, ops::Range};

use serde::{Deserialize, Serialize};

/// Lines of text, none of them blank, without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Text {
    plain: String,
    spans: Vec<Span>,
}

/// A styled part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    style: Style,
    /// Counted in characters, line breaks included.
    range: Range<usize>,
}

/// A style that WebVTT, SubRip and `SubStation` Alpha all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Style {
    Italic,
    Bold,
    Underline,
}

/// The styles of one character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Styles(u8);

impl Style {
    pub(crate) const ALL: [Self; 3] = [Self::Italic, Self::Bold, Self::Underline];

    /// Returns the letter by which markup and the stored form name the style.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Italic => 'i',
            Self::Bold => 'b',
            Self::Underline => 'u',
        }
    }
}

impl Styles {
    pub(crate) fn with(self, style: Style) -> Self {
        Self(self.0 | (1 << style as u8))
    }

    pub(crate) fn without(self, style: Style) -> Self {
        Self(self.0 & !(1 << style as u8))
    }

    pub(crate) fn has(self, style: Style) -> bool {
        self.0 & (1 << style as u8) != 0
    }
}

/// Returns whether a character may stand in text; XML 1.0 §2.2 allows two fewer than Unicode's non-controls.
fn is_text(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// Returns whether a character breaks a line; Unicode's own line ends do so as well as ours.
fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

impl Text {
    /// Cleans `written`: lines are trimmed, blank ones and control characters left out. A blank line would end
    /// the cue in every format.
    pub fn new(written: &str) -> Self {
        let letters: Vec<_> = written.chars().map(|c| (c, Styles::default())).collect();
        Self::styled(&letters)
    }

    /// Cleans characters with their styles, as [`Self::new`] does.
    pub(crate) fn styled(letters: &[(char, Styles)]) -> Self {
        let mut clean: Vec<(char, Styles)> = Vec::with_capacity(letters.len());
        for line in letters.split(|(c, _)| is_break(*c)) {
            let visible = line.iter().map(|&(c, styles)| (if c == '\t' { ' ' } else { c }, styles));
            let visible: Vec<_> = visible.filter(|(c, _)| is_text(*c)).collect();
            let Some(first) = visible.iter().position(|(c, _)| !c.is_whitespace()) else { continue };
            let last = visible.iter().rposition(|(c, _)| !c.is_whitespace()).unwrap_or(first);
            if let Some(&(_, styles)) = clean.last() {
                // The break has the styles of the line before, so that one over two lines stays one part.
                clean.push(('\n', styles));
            }
            clean.extend_from_slice(&visible[first..=last]);
        }
        let spans = Style::ALL.iter().flat_map(|&style| spans_of(style, &clean)).collect();
        Self { plain: clean.iter().map(|(c, _)| c).collect(), spans }
    }

    /// Adds the styles that [`Self::styles`] wrote; parts that lie outside of the text are left out.
    #[must_use]
    pub fn with_styles(mut self, styles: &str) -> Self {
        let length = self.plain.chars().count();
        let spans = styles.split_whitespace().filter_map(|part| {
            let style = Style::ALL.into_iter().find(|style| part.starts_with(style.letter()))?;
            let (start, end) = part[1..].split_once('-')?;
            let range = start.parse().ok()?..end.parse().ok()?;
            (range.start < range.end && range.end <= length).then_some(Span { style, range })
        });
        self.spans = spans.collect();
        self
    }

    /// Returns the styled parts as text, such as `i0-5 b7-9`: the style's letter, the first character and the one
    /// behind the last. Empty for text without styles.
    pub fn styles(&self) -> String {
        let parts = self.spans.iter();
        let parts =
            parts.map(|Span { style, range }| format!("{}{}-{}", style.letter(), range.start, range.end));
        parts.collect::<Vec<_>>().join(" ")
    }

    /// Returns the lines, first to last.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.plain.lines()
    }

    /// Returns the text with its lines separated by `\n`.
    pub fn as_str(&self) -> &str {
        &self.plain
    }

    /// Returns whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// Returns the text in one line.
    pub fn in_one_line(&self) -> String {
        self.plain.replace('\n', " ")
    }

    /// Renders the lines with `<i>`, `<b>` and `<u>`, each character as `escape` writes it. Tags close at the end of
    /// their line, for some players read each line on its own.
    pub(crate) fn marked_up(&self, escape: impl Fn(char, &mut String)) -> Vec<String> {
        let mut at = 0;
        let mut lines = Vec::new();
        for line in self.plain.lines() {
            let (mut out, mut open) = (String::new(), Styles::default());
            for c in line.chars() {
                open = change(&mut out, open, self.styles_at(at));
                escape(c, &mut out);
                at += 1;
            }
            change(&mut out, open, Styles::default());
            lines.push(out);
            // The line break.
            at += 1;
        }
        lines
    }

    fn styles_at(&self, at: usize) -> Styles {
        let spans = self.spans.iter().filter(|span| span.range.contains(&at));
        spans.fold(Styles::default(), |styles, span| styles.with(span.style))
    }
}

/// Closes and opens tags where the styles change, and returns the new ones. All close before any opens, so that tags
/// nest whatever the styles are.
fn change(out: &mut String, from: Styles, to: Styles) -> Styles {
    if from != to {
        for style in Style::ALL.into_iter().rev().filter(|style| from.has(*style)) {
            *out += &format!("</{}>", style.letter());
        }
        for style in Style::ALL.into_iter().filter(|style| to.has(*style)) {
            *out += &format!("<{}>", style.letter());
        }
    }
    to
}

fn spans_of(style: Style, letters: &[(char, Styles)]) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = None;
    for (at, has) in letters.iter().map(|(_, styles)| styles.has(style)).chain([false]).enumerate() {
        match (start, has) {
            (None, true) => start = Some(at),
            (Some(first), false) => {
                spans.push(Span { style, range: first..at });
                start = None;
            }
            _ => {}
        }
    }
    spans
}

impl From<String> for Text {
    fn from(written: String) -> Self {
        Self::new(&written)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.plain
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_no_blank_lines_and_no_control_characters() {
        let check = |written: &str, clean: &str| assert_eq!(Text::new(written).as_str(), clean);
        check("one\r\n\r\n  two\u{0} \n", "one\ntwo");
        check("\ta\u{2028}b\t", "a\nb");
        check("what\u{FFFF} XML\u{FFFE} forbids", "what XML forbids");
        check(" \n ", "");
    }

    #[test]
    fn styles_are_stored_beside_the_text_and_read_back() {
        let italic = Styles::default().with(Style::Italic);
        let letters: Vec<_> =
            " Hé llo".chars().map(|c| (c, if c == 'o' { Styles::default() } else { italic })).collect();
        let text = Text::styled(&letters);
        assert_eq!((text.as_str(), text.styles().as_str()), ("Hé llo", "i0-5"));
        assert_eq!(Text::new("Hé llo").with_styles("i0-5"), text);
        assert_eq!(Text::new("a").with_styles("i0-9 x b b1-0 u-1-1 i0-").styles(), "");
    }
}
