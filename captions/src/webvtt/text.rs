//! In charge of a cue's text in WebVTT: from markup and entities to plain words, and back to escaped ones.

use crate::Text;

// The standard's own (§4.2.2), and SubRip's `font`, which people carry over.
const TAGS: [&str; 9] = ["c", "i", "b", "u", "v", "lang", "ruby", "rt", "font"];
const ENTITIES: [(&str, char); 6] =
    [("amp", '&'), ("lt", '<'), ("gt", '>'), ("nbsp", '\u{a0}'), ("lrm", '\u{200e}'), ("rlm", '\u{200f}')];

/// Takes the known markup away and resolves entities; everything else is words.
pub(crate) fn plain(written: &str) -> Text {
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some(at) = rest.find(['<', '&']) {
        out += &rest[..at];
        rest = &rest[at..];
        let taken = if rest.starts_with('<') { tag(rest) } else { entity(rest, &mut out) };
        if let Some(length) = taken {
            rest = &rest[length..];
        } else {
            out += &rest[..1];
            rest = &rest[1..];
        }
    }
    out += rest;
    Text::new(&out)
}

/// Escapes one line, so that no part of it is read as markup, as an arrow or as another block.
pub(crate) fn escaped(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Returns the length of the known tag that `text` begins with.
fn tag(text: &str) -> Option<usize> {
    let end = text.find('>')?;
    let inside = text[1..end].trim_start_matches('/');
    let name = inside.split(['.', ' ', '\t', '\n']).next().unwrap_or_default().to_ascii_lowercase();
    let is_time = name.starts_with(|c: char| c.is_ascii_digit()) && crate::clock::parse(inside).is_some();
    (TAGS.contains(&name.as_str()) || is_time).then_some(end + 1)
}

/// Writes the character of the entity that `text` begins with, and returns the entity's length.
fn entity(text: &str, out: &mut String) -> Option<usize> {
    let end = text.char_indices().take(12).find(|(_, c)| *c == ';')?.0;
    let name = &text[1..end];
    let character = match name.strip_prefix('#') {
        Some(number) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
        None => ENTITIES.iter().find(|(known, _)| *known == name)?.1,
    };
    out.push(character);
    Some(end + 1)
}
