//! In charge of one cue: when it is shown and what it says. Its text is plain; what a format needs escaped is the
//! format's affair.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::clock;

/// Words on the screen for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// Names the cue within its track; stays the same however often the track is written. May be empty.
    pub id: String,
    /// When it appears, in whole milliseconds.
    #[serde(with = "clock::seconds")]
    pub start: Duration,
    /// When it goes, in whole milliseconds; later than `start`.
    #[serde(with = "clock::seconds")]
    pub end: Duration,
    /// Where it stands, as WebVTT's cue settings; mostly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub settings: String,
    /// What it says.
    pub text: Text,
}

/// Plain text of one or more lines, none of them blank, without control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Text(String);

impl Cue {
    /// Returns a cue whose times are cut to whole milliseconds, the finest that caption formats know.
    pub fn new(id: impl Into<String>, start: Duration, end: Duration, text: &str) -> Self {
        Self {
            id: id.into(),
            start: clock::whole_millis(start),
            end: clock::whole_millis(end),
            settings: String::new(),
            text: Text::new(text),
        }
    }

    /// Returns whether any of the cue is shown in `[start, end)`.
    pub fn is_shown_in(&self, start: Duration, end: Duration) -> bool {
        self.start < end && self.end > start
    }
}

/// Returns whether a character may stand in text; XML 1.0 §2.2 allows two fewer than Unicode's non-controls.
fn is_text(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

impl Text {
    /// Cleans `written`: lines are trimmed, blank ones and control characters left out. A blank line would end
    /// the cue in every format.
    pub fn new(written: &str) -> Self {
        // Unicode's own line ends break a line as well as ours do.
        let lines = written.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).map(|line| {
            let visible: String =
                line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| is_text(*c)).collect();
            visible.trim().to_owned()
        });
        Self(lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
    }

    /// Returns the lines, first to last.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.lines()
    }

    /// Returns the text with its lines parted by `\n`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the text in one line.
    pub fn in_one_line(&self) -> String {
        self.0.replace('\n', " ")
    }
}

impl From<String> for Text {
    fn from(written: String) -> Self {
        Self::new(&written)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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
}
