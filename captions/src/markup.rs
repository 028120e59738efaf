//! The markup inside cues as files have it: tags of WebVTT and HTML, character references, and `SubStation` Alpha's
//! overrides in braces, which converters leave in every format.

use crate::{
    Text,
    text::{Style, Styles},
};

/// A cue's text, and the place on the picture that its overrides asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    pub(crate) text: Text,
    /// WebVTT's cue settings for `{\an…}`; empty where the text does not ask.
    pub(crate) settings: &'static str,
}

// WebVTT's own tags (§4.2.2), and HTML's that SubRip files have and players take for granted. Of all others, such as
// `<script>`, the letters are text.
const PLAIN_TAGS: [&str; 12] =
    ["c", "v", "lang", "ruby", "rt", "font", "s", "strike", "del", "span", "p", "div"];

/// Parses a cue's text. Unknown markup is text, so that nothing a person wrote goes missing.
pub(crate) fn parse(written: &str) -> Parsed {
    let mut parser = Parser { rest: written, ..Parser::default() };
    let mut run = String::new();
    while let Some(c) = parser.rest.chars().next() {
        let taken = match c {
            '<' => parser.tag(),
            '{' => parser.overrides(),
            _ => None,
        };
        if let Some((length, token)) = taken {
            parser.push(&std::mem::take(&mut run));
            parser.apply(&token);
            parser.rest = &parser.rest[length..];
        } else {
            run.push(c);
            parser.rest = &parser.rest[c.len_utf8()..];
        }
    }
    parser.push(&run);
    Parsed { text: Text::styled(&parser.letters), settings: parser.settings }
}

/// The style of a `SubStation` Alpha line before its own overrides.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Base {
    pub(crate) styles: Styles,
    /// WebVTT's cue settings.
    pub(crate) settings: &'static str,
    /// The height that positions are counted in.
    pub(crate) height: f64,
}

/// Parses the text of a `SubStation` Alpha line, in which tags and character references are words.
pub(crate) fn parse_substation(written: &str, base: Base) -> Parsed {
    let mut parser =
        Parser { rest: written, styles: base.styles, settings: base.settings, base, ..Parser::default() };
    while let Some(c) = parser.rest.chars().next() {
        let escape = ["\\N", "\\n", "\\h"].iter().position(|escape| parser.rest.starts_with(escape));
        let (length, letter) = match (escape, parser.overrides()) {
            (Some(n), _) => (2, Some(['\n', ' ', '\u{a0}'][n])),
            (None, Some((length, token))) => {
                parser.apply(&token);
                (length, None)
            }
            // Braces without an override hold a note for translators.
            (None, None) if c == '{' && !parser.rest.starts_with("{\\") && parser.rest.contains('}') => {
                (parser.rest.find('}').map_or(1, |end| end + 1), None)
            }
            (None, None) => (c.len_utf8(), Some(c)),
        };
        parser.letters.extend(letter.filter(|_| !parser.draws).map(|letter| (letter, parser.styles)));
        parser.rest = &parser.rest[length..];
    }
    Parsed { text: Text::styled(&parser.letters), settings: parser.settings }
}

/// A piece of markup.
enum Token<'a> {
    Open(Style),
    Close(Style),
    LineBreak,
    /// A tag without an effect that we keep.
    Nothing,
    /// The inside of a pair of braces.
    Overrides(&'a str),
}

#[derive(Default)]
struct Parser<'a> {
    rest: &'a str,
    letters: Vec<(char, Styles)>,
    styles: Styles,
    settings: &'static str,
    /// Between `{\p1}` and `{\p0}` the letters are the path of a drawing.
    draws: bool,
    base: Base,
    /// A position on the picture goes before an alignment, which then only states the text's anchor.
    positioned: bool,
}

impl<'a> Parser<'a> {
    /// Adds text between two pieces of markup.
    fn push(&mut self, run: &str) {
        if !self.draws {
            // WebVTT §6.4 reads character references as HTML does: all names, and the old ones without semicolons.
            self.letters.extend(htmlize::unescape(run).chars().map(|c| (c, self.styles)));
        }
    }

    fn apply(&mut self, token: &Token<'_>) {
        match token {
            Token::Open(style) => self.styles = self.styles.with(*style),
            Token::Close(style) => self.styles = self.styles.without(*style),
            Token::LineBreak => self.letters.push(('\n', self.styles)),
            Token::Nothing => {}
            Token::Overrides(inside) => inside.split('\\').for_each(|code| self.override_by(code.trim())),
        }
    }

    /// Reads the known tag at the front, and returns its length.
    fn tag(&self) -> Option<(usize, Token<'a>)> {
        let rest = self.rest;
        let end = rest.find('>')?;
        let inside = &rest[1..end];
        let closes = inside.starts_with('/');
        let inside = inside.trim_start_matches('/');
        let name = inside.split(['.', ' ', '\t', '\n', '/']).next().unwrap_or_default().to_ascii_lowercase();
        let style = match name.as_str() {
            "i" | "em" => Some(Style::Italic),
            "b" | "strong" => Some(Style::Bold),
            "u" | "ins" => Some(Style::Underline),
            _ => None,
        };
        let token = match (style, closes) {
            (Some(style), false) => Token::Open(style),
            (Some(style), true) => Token::Close(style),
            (None, _) if name == "br" => Token::LineBreak,
            (None, _) if PLAIN_TAGS.contains(&name.as_str()) || is_time(inside) => Token::Nothing,
            _ => return None,
        };
        Some((end + 1, token))
    }

    /// Reads the overrides at the front, such as `{\an8\i1}`, and returns their length.
    fn overrides(&self) -> Option<(usize, Token<'a>)> {
        let inside = self.rest.strip_prefix("{\\")?;
        let end = inside.find('}')?;
        Some((end + 3, Token::Overrides(&inside[..end])))
    }

    fn override_by(&mut self, code: &str) {
        if let Some(place) = code.strip_prefix("pos(").or_else(|| code.strip_prefix("move(")) {
            let y = place.split(',').nth(1).and_then(|y| y.trim_end_matches(')').trim().parse::<f64>().ok());
            if let Some(y) = y.filter(|_| self.base.height > 0.0) {
                self.settings = third(y / self.base.height);
                self.positioned = true;
            }
            return;
        }
        let legacy = || code.strip_prefix('a').filter(|n| n.parse::<u8>().is_ok()).map(keypad);
        if let Some(place) = code.strip_prefix("an").or_else(legacy) {
            if !self.positioned {
                self.settings = placed(place);
            }
            return;
        }
        let Some(name) = code.chars().next() else { return };
        // Alone, or with a style's name, whose own styles are not looked up.
        if name == 'r' {
            return self.styles = self.base.styles;
        }
        // `\b700` is a weight; anything but digits belongs to a longer name, such as `\pos` or `\iclip`.
        let digits = &code[name.len_utf8()..];
        let Some(value) = digits.parse::<u32>().ok().or_else(|| digits.is_empty().then_some(0)) else {
            return;
        };
        let style = match name {
            'i' => Style::Italic,
            'b' => Style::Bold,
            'u' => Style::Underline,
            'p' => return self.draws = value > 0,
            _ => return,
        };
        // Without a number it is what the line's style has.
        let on = if digits.is_empty() { self.base.styles.has(style) } else { value > 0 };
        self.styles = if on { self.styles.with(style) } else { self.styles.without(style) };
    }
}

/// Returns WebVTT's settings for a place on `SubStation`'s grid, which is numbered like a keypad. The place at the
/// bottom in the middle is where players show cues anyway.
pub(crate) fn placed(keypad: &str) -> &'static str {
    match keypad {
        "1" => "position:0% align:start",
        "3" => "position:100% align:end",
        "4" => "line:50% position:0% align:start",
        "5" => "line:50%",
        "6" => "line:50% position:100% align:end",
        "7" => "line:0 position:0% align:start",
        "8" => "line:0",
        "9" => "line:0 position:100% align:end",
        _ => "",
    }
}

/// Returns the place on the keypad for the older numbers of `{\\a…}`: 1 to 3 at the bottom, 4 more at the top, 8 more in
/// the middle.
pub(crate) fn keypad(legacy: &str) -> &'static str {
    match legacy {
        "1" => "1",
        "3" => "3",
        "5" => "7",
        "6" => "8",
        "7" => "9",
        "9" => "4",
        "10" => "5",
        "11" => "6",
        _ => "2",
    }
}

/// Returns the settings for a position, as a part of the picture's height from its top. Signs stand where the picture has
/// them; what matters is that they do not cover the dialogue.
fn third(height: f64) -> &'static str {
    match height {
        y if y < 1.0 / 3.0 => "line:0",
        y if y < 2.0 / 3.0 => "line:50%",
        _ => "",
    }
}

/// Returns whether a tag is a time inside a cue, as karaoke has them.
fn is_time(inside: &str) -> bool {
    inside.starts_with(|c: char| c.is_ascii_digit()) && crate::clock::parse(inside).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_references_are_read_as_html_reads_them() {
        for (written, text) in [
            ("Tom &amp; Jerry &lt;3", "Tom & Jerry <3"),
            ("&quot;caf&eacute;&quot; &hellip;", "\"café\" …"),
            ("&apos;&nbsp;&mdash;&CounterClockwiseContourIntegral;", "'\u{a0}—∳"),
            ("&#233;&#xE9;&#X1F600;", "éé😀"),
            // HTML's old names stand without a semicolon too.
            ("caf&eacute &copy 2026", "café © 2026"),
            ("R&D & so on &unknown; &;", "R&D & so on &unknown; &;"),
        ] {
            assert_eq!(parse(written).text.as_str(), text, "{written}");
        }
    }

    #[test]
    fn tags_mean_what_they_mean_in_players() {
        for (written, text, styles) in [
            ("<i>Hello</i> there", "Hello there", "i0-5"),
            ("<em>Hello</em> <strong>there</strong>", "Hello there", "i0-5 b6-11"),
            ("<B><i>a</i>b</B>", "ab", "i0-1 b0-2"),
            ("one<br>two<BR/>three<br />four", "one\ntwo\nthree\nfour", ""),
            ("<s>gone</s> <font color=\"red\">red</font> <v Ann>hi</v> <c.big>x</c>", "gone red hi x", ""),
            ("<00:01.000>la <00:02.000>la", "la la", ""),
            ("<script>alert(1)</script> 1 < 2", "<script>alert(1)</script> 1 < 2", ""),
            ("<i>across\nlines", "across\nlines", "i0-12"),
        ] {
            let parsed = parse(written);
            assert_eq!((parsed.text.as_str(), parsed.text.styles().as_str()), (text, styles), "{written}");
        }
    }

    #[test]
    fn overrides_place_style_and_draw() {
        for (written, text, styles, settings) in [
            ("{\\an8}Up here", "Up here", "", "line:0"),
            ("{\\an7\\i1}Up{\\i0} left", "Up left", "i0-2", "line:0 position:0% align:start"),
            ("{\\an2}down", "down", "", ""),
            ("{\\a6}Up here", "Up here", "", "line:0"),
            ("{\\pos(10,20)\\fs20\\b700}bold{\\r} not", "bold not", "b0-4", ""),
            ("{\\p1}m 0 0 l 100 0 100 100 0 100{\\p0}words", "words", "", ""),
            ("{\\p1}m 0 0 l 100 0", "", "", ""),
            ("{no override} {\\open", "{no override} {\\open", "", ""),
        ] {
            let parsed = parse(written);
            let given = (parsed.text.as_str(), parsed.text.styles(), parsed.settings);
            assert_eq!(given, (text, styles.to_owned(), settings), "{written}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_markup_makes_it_panic(written in "[<>/{}\\\\&;#a-z0-9 \n\\PC]{0,80}") {
            parse(&written);
        }
    }
}
