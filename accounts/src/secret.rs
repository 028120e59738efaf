//! Secrets: 256 random bits as text, and the hash by which they are kept. They are too long to be guessed, so a fast hash is
//! enough.

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

/// A secret that a browser or a program shows.
pub(crate) struct Secret(String);

impl Secret {
    /// Makes a new one from the system's generator.
    pub(crate) fn random() -> Self {
        // rand's thread generator is made for secrets: ChaCha, seeded and reseeded by the system.
        Self(hex(&rand::random::<[u8; 32]>()))
    }

    /// Takes what a request shows; `None` for what was never made here, so that no such text is hashed or looked up.
    pub(crate) fn shown(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(TOKEN).unwrap_or(text);
        let fits = digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(digits.to_owned()))
    }

    /// Returns the text for a cookie or a link.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Returns the text of a token, whose beginning shows scanners of published code what it is.
    pub(crate) fn token(&self) -> String {
        format!("{TOKEN}{}", self.0)
    }

    /// Returns the form that is kept.
    pub(crate) fn hash(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes()))
    }
}

const TOKEN: &str = "clipcut_";

/// Writes bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_back_as_itself_and_nothing_else_does() {
        let secret = Secret::random();
        assert_ne!(secret.text(), Secret::random().text());
        for shown in [secret.text().to_owned(), secret.token()] {
            assert_eq!(Secret::shown(&shown).unwrap().hash(), secret.hash());
        }
        for text in ["", "clipcut_", "0", &secret.text()[1..], &secret.text().to_uppercase(), &"g".repeat(64)]
        {
            assert!(Secret::shown(text).is_none(), "{text}");
        }
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }

    #[test]
    fn the_hash_is_sha_256_in_hexadecimal_digits() {
        // Worked out by another program: printf '0%.0s' $(seq 64) | sha256sum
        let hash = Secret::shown(&"0".repeat(64)).unwrap().hash();
        assert_eq!(hash, "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55");
    }
}
