//! The token of internal requests, made of a secret that the origin and its edges share.

use std::fmt::{self, Write};

use http::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

/// The header that carries it.
pub(crate) const NAME: HeaderName = HeaderName::from_static("clipcut-token");

const LEAST: usize = 16;

/// The token of one deployment.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(HeaderValue);

/// Why a secret will not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret has {0} characters; at least {LEAST} are needed: openssl rand -base64 32")]
pub struct ShortSecret(usize);

impl Token {
    /// Makes the token of a secret; white space around it does not count.
    pub fn of(secret: &str) -> Result<Self, ShortSecret> {
        let secret = secret.trim();
        if secret.len() < LEAST {
            return Err(ShortSecret(secret.len()));
        }
        // Hashed, so that a captured request does not reveal the secret itself.
        let mut text = String::with_capacity(64);
        for byte in Sha256::new().chain_update(b"clipcut edge token 1\0").chain_update(secret).finalize() {
            let _ = write!(text, "{byte:02x}");
        }
        let mut value = HeaderValue::from_str(&text).map_err(|_| ShortSecret(0))?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    /// Returns whether a request carries it.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        // Hashes are compared, so the duration reveals nothing of the token.
        headers
            .get(NAME)
            .is_some_and(|given| Sha256::digest(given.as_bytes()) == Sha256::digest(self.0.as_bytes()))
    }

    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        headers.insert(NAME, self.0.clone());
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secret_makes_the_same_token() {
        let token = Token::of("0123456789abcdef\n").unwrap();
        let mut headers = HeaderMap::new();
        assert!(!token.is_in(&headers));
        Token::of("0123456789abcdeg").unwrap().put(&mut headers);
        assert!(!token.is_in(&headers));
        Token::of("0123456789abcdef").unwrap().put(&mut headers);
        assert!(token.is_in(&headers));
        assert_eq!(Token::of("short"), Err(ShortSecret(5)));
        assert_eq!(format!("{token:?}"), "Token(..)");
    }
}
