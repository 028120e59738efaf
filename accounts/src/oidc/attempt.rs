//! A sign-in on its way through a provider: one secret in a cookie of the browser that began it, from which state, nonce and
//! code verifier are derived. So nothing of it is kept here, and no other browser can end it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::secret::{Secret, hex};

/// The purpose of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A session of whoever the provider names.
    SignIn,
    /// A link of the provider's person to the account that is signed in.
    Link,
}

/// A sign-in, as its browser keeps it.
#[derive(Debug)]
pub(super) struct Begun {
    secret: Secret,
    pub(super) purpose: Purpose,
    /// The page to go on to.
    pub(super) next: String,
    state: String,
    nonce: String,
    verifier: String,
    challenge: String,
}

impl Begun {
    /// Begins one. A page that is none of this site's becomes the library's.
    pub(super) fn new(purpose: Purpose, next: &str) -> Self {
        Self::of(Secret::random(), purpose, next)
    }

    /// Reads a cookie's value.
    pub(super) fn read(cookie: &str) -> Option<Self> {
        let mut parts = cookie.splitn(3, ':');
        let secret = Secret::shown(parts.next()?)?;
        let purpose = match parts.next()? {
            "sign-in" => Purpose::SignIn,
            "link" => Purpose::Link,
            _ => return None,
        };
        Some(Self::of(secret, purpose, parts.next()?))
    }

    fn of(secret: Secret, purpose: Purpose, next: &str) -> Self {
        // Apart by their names, so that the provider, which sees state and nonce, learns nothing of the verifier.
        let derived = |name: &str| hex(&Sha256::digest(format!("{name} {}", secret.text())));
        let verifier = derived("verifier");
        Self {
            state: derived("state"),
            nonce: derived("nonce"),
            challenge: BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)),
            verifier,
            next: if is_page(next) { next.to_owned() } else { "/".to_owned() },
            secret,
            purpose,
        }
    }

    /// Returns the cookie's value.
    pub(super) fn cookie(&self) -> String {
        let purpose = match self.purpose {
            Purpose::SignIn => "sign-in",
            Purpose::Link => "link",
        };
        format!("{}:{purpose}:{}", self.secret.text(), self.next)
    }

    /// Returns whether a provider's answer belongs to this sign-in.
    pub(super) fn is_answered_by(&self, state: &str) -> bool {
        // A guess is as long as a secret; a comparison that tells where it differs tells of no other sign-in.
        self.state == state
    }

    pub(super) fn attempt(&self) -> super::provider::Attempt<'_> {
        let Self { state, nonce, verifier, challenge, .. } = self;
        super::provider::Attempt { state, nonce, verifier, challenge }
    }
}

/// Returns whether a text is the address of a page of this site that may stand in a cookie (RFC 6265 §4.1.1). `//host` and
/// `/\host` are other sites' addresses.
fn is_page(next: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'\\');
    next.len() < 500 && next.starts_with('/') && !next.starts_with("//") && next.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_reads_back_from_its_cookie_and_knows_its_answer() {
        let begun = Begun::new(Purpose::Link, "/watch/7f3a?t=1");
        let read = Begun::read(&begun.cookie()).unwrap();
        assert_eq!((read.purpose, read.next.as_str()), (Purpose::Link, "/watch/7f3a?t=1"));
        assert!(read.is_answered_by(begun.attempt().state));
        assert!(!Begun::new(Purpose::SignIn, "/").is_answered_by(begun.attempt().state));
        let attempt = begun.attempt();
        assert!(
            ![attempt.nonce, attempt.verifier].contains(&attempt.state) && attempt.nonce != attempt.verifier
        );
        for cookie in ["", "x:sign-in:/", &format!("{}:admin:/", "0".repeat(64)), &"0".repeat(64)] {
            assert!(Begun::read(cookie).is_none(), "{cookie}");
        }
    }

    #[test]
    fn a_sign_in_goes_on_to_a_page_of_this_site_alone() {
        for next in ["//example.org", "/\\example.org", "https://example.org", "", "/a;b", "/a b", "/\u{e4}"]
        {
            assert_eq!(Begun::new(Purpose::SignIn, next).next, "/", "{next}");
        }
    }
}
