//! E-mail addresses: shown as they were typed, in NFC, and compared without regard to case and compatibility forms.
//! Another alphabet's look-alike is another address; what stands behind a plus counts.

use unicode_normalization::UnicodeNormalization;

use crate::{Error, Result, error::unprocessable, name::is_hidden};

// RFC 5321 §4.5.3.1: the longest path, without its brackets.
const MOST: usize = 254;

/// An address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// As it was typed, in NFC.
    pub shown: String,
    /// The form by which addresses are equal.
    pub key: String,
}

impl Email {
    /// Reads an address.
    pub fn read(text: &str) -> Result<Self> {
        let shown: String = text.trim().nfc().collect();
        // Full-width letters and the like are other spellings of the same address: NFKC is one for all.
        let key: String = shown.nfkc().collect::<String>().to_lowercase().nfc().collect();
        if is_address(&shown) && is_address(&key) { Ok(Self { shown, key }) } else { Err(invalid()) }
    }
}

// Whether an address takes mail, only mail can find out: here is refused what cannot be one, or hides what it is.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |c: char| {
        !is_hidden(c) && !c.is_whitespace() && !matches!(c, '"' | '<' | '>' | ',' | ';' | '(' | ')')
    };
    text.len() <= MOST
        && !local.is_empty()
        && !local.contains('@')
        && text.chars().all(plain)
        && !domain.is_empty()
        && domain
            .split('.')
            .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
}

fn invalid() -> Error {
    unprocessable("invalid_email", "This is no e-mail address such as name@example.org.")
}

/// The refusal of an address that another account has. It does not say so.
pub(crate) fn taken() -> Error {
    unprocessable("invalid_email", "This address cannot be used here; choose another.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> String {
        Email::read(text).unwrap().key
    }

    #[test]
    fn addresses_are_equal_whatever_their_case_and_form() {
        assert_eq!(key(" Zoe\u{308}@Example.org "), key("zo\u{eb}@EXAMPLE.ORG"));
        assert_eq!(key("\u{ff41}nna@example.org"), key("anna@example.org"));
        assert_eq!(Email::read("Anna@Example.org").unwrap().shown, "Anna@Example.org");
    }

    #[test]
    fn a_plus_and_another_alphabet_make_another_address() {
        assert_ne!(key("anna+films@example.org"), key("anna@example.org"));
        assert_ne!(key("\u{430}nna@example.org"), key("anna@example.org"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "anna",
            "@example.org",
            "anna@",
            "a b@example.org",
            "anna@example..org",
            "anna@-x.org",
            "a@b@c",
            "anna@example.org\u{200b}",
            "<anna@example.org>",
            "anna@example.org,b@c",
            &format!("{}@b", "a".repeat(260)),
        ] {
            assert!(Email::read(text).is_err(), "{text:?}");
        }
    }
}
