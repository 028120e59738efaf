//! The seal of a kept answer: some of them show a secret once, so that whoever reads the database must open none. The key is made
//! of the credential that asked, of which the database has a hash alone.

use base64::{Engine, prelude::BASE64_STANDARD};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

/// The seal of one request's answer.
pub(crate) struct Seal(LessSafeKey);

impl Seal {
    /// Makes the seal of a credential, which has 256 random bits, and a request's key.
    pub(crate) fn of(credential: &[u8], key: &str) -> Self {
        let mut digest = Sha256::new();
        digest.update("idempotency\n");
        digest.update(credential);
        digest.update("\n");
        digest.update(key);
        let key =
            UnboundKey::new(&AES_256_GCM, &digest.finalize()).expect("SHA-256 has the 32 bytes of a key");
        Self(LessSafeKey::new(key))
    }

    /// Seals a text.
    pub(crate) fn close(&self, text: &str) -> String {
        // Random ones of 96 bits do not meet for the one answer, or few, of a key.
        let nonce: [u8; NONCE_LEN] = rand::random();
        let mut sealed = text.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)
            .expect("an answer is far shorter than the cipher's limit");
        BASE64_STANDARD.encode([&nonce[..], &sealed].concat())
    }

    /// Opens what this seal has closed, and nothing else.
    pub(crate) fn open(&self, sealed: &str) -> Option<String> {
        let mut bytes = BASE64_STANDARD.decode(sealed).ok()?;
        let (nonce, rest) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.0.open_in_place(nonce, Aad::empty(), rest).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_opened_by_the_credential_and_the_key_that_it_was_closed_with() {
        let sealed = Seal::of(b"credential", "key").close("answer");
        assert!(!sealed.contains("answer"));
        assert_eq!(Seal::of(b"credential", "key").open(&sealed).as_deref(), Some("answer"));
        assert_eq!(Seal::of(b"another", "key").open(&sealed), None);
        assert_eq!(Seal::of(b"credential", "another").open(&sealed), None);
        assert_eq!(Seal::of(b"credential", "key").open("c2hvcnQ="), None);
    }
}
