//! A person's name: any text of one line, in NFC.

use unicode_normalization::UnicodeNormalization;

use crate::{Result, error::unprocessable};

const MOST: usize = 100;

/// Reads a name.
pub(crate) fn read(text: &str) -> Result<String> {
    let name: String = text.nfc().collect();
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MOST || name.chars().any(is_hidden) {
        let detail = format!("A name has 1 to {MOST} characters on one line, none of them invisible.");
        return Err(unprocessable("invalid_name", detail));
    }
    Ok(name.to_owned())
}

/// Returns whether a character shows nothing by itself, or turns the direction of those around it: names that look alike
/// would else differ by it.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_in_one_form_and_hidden_characters_are_refused() {
        assert_eq!(read("  Zoe\u{308} ").unwrap(), "Zo\u{eb}");
        assert_eq!(read("<script>alert(1)</script>").unwrap(), "<script>alert(1)</script>");
        for text in ["", "  ", "a\nb", "a\u{202e}b", "a\u{200b}b", &"x".repeat(101)] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
