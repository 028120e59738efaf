//! The secrets behind tickets: one signs, all verify, so that they can be changed while old tickets still play.

use std::{collections::BTreeMap, fmt, time::SystemTime};

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{MAC, Refusal, Scope, Ticket, scope};

// Keeps a key that serves something else too from being talked into signing tickets.
const DOMAIN: &[u8] = b"clipcut ticket 1\0";
// RFC 2104 §3: shorter keys than the hash weaken it.
const SECRET: usize = 32;
// The alphabet that `openssl rand -base64` prints, with or without padding, since people copy secrets by hand.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The keys in use, by their ids.
#[derive(Clone)]
pub struct Keys {
    signing: u8,
    // Keyed once: what is left for a ticket are two blocks of SHA-256.
    by_id: BTreeMap<u8, Hmac<Sha256>>,
}

/// Why a text holds no keys. It never shows a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// There is not one key.
    #[error("there is no ticket key; write a line such as `1 $(openssl rand -base64 32)`")]
    None,
    /// A line is not an id and a secret.
    #[error("line {0} is no ticket key: an id from 0 to 255, a space, and a secret in base64 are expected")]
    Line(usize),
    /// A secret can be guessed.
    #[error("line {0}: the secret has {1} bytes; at least {SECRET} are needed: openssl rand -base64 32")]
    Short(usize, usize),
    /// Two keys have one id.
    #[error("line {0}: the id {1} is taken by a line above")]
    Twice(usize, u8),
}

impl Keys {
    /// Reads keys, one a line: an id, a space, the secret in base64. The first signs. Empty lines and those that
    /// begin with # are skipped. To rotate, write a new key above the old one, and take the old one out when
    /// its last ticket has expired.
    pub fn read(text: &str) -> Result<Self, KeysError> {
        let mut signing = None;
        let mut by_id = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (id, secret) = line.split_once(char::is_whitespace).ok_or(KeysError::Line(number))?;
            let id = id.parse().map_err(|_| KeysError::Line(number))?;
            let secret = BASE64.decode(secret.trim()).map_err(|_| KeysError::Line(number))?;
            if secret.len() < SECRET {
                return Err(KeysError::Short(number, secret.len()));
            }
            if by_id.insert(id, keyed(&secret)).is_some() {
                return Err(KeysError::Twice(number, id));
            }
            signing.get_or_insert(id);
        }
        Ok(Self { signing: signing.ok_or(KeysError::None)?, by_id })
    }

    /// Signs a right to play all under `scope` until `expires`, in whole seconds.
    pub fn mint(&self, scope: &Scope, expires: SystemTime) -> Ticket {
        let mut ticket = Ticket::unsigned(self.signing, expires, scope);
        let mac = begin(&self.by_id[&self.signing], &ticket).finalize().into_bytes();
        ticket.mac_mut().copy_from_slice(&mac[..MAC]);
        ticket
    }

    /// Decides whether `ticket` opens `path` at `now`. `path` is the one without the ticket.
    pub fn verify(&self, ticket: &Ticket, path: &str, now: SystemTime) -> Result<(), Refusal> {
        let key = self.by_id.get(&ticket.key()).ok_or(Refusal::BadSignature)?;
        // The signature comes first: a forged ticket must learn nothing from its scope or expiry. Compares in
        // constant time, or the answer's time would give the bytes of a right one away.
        begin(key, ticket).verify_truncated_left(ticket.mac()).map_err(|_| Refusal::BadSignature)?;
        if !scope::covers(ticket.scope(), path) {
            return Err(Refusal::WrongVideo);
        }
        if now >= ticket.expires() { Err(Refusal::Expired) } else { Ok(()) }
    }
}

fn keyed(secret: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(secret).expect("HMAC takes keys of any length")
}

fn begin(key: &Hmac<Sha256>, ticket: &Ticket) -> Hmac<Sha256> {
    key.clone().chain_update(DOMAIN).chain_update(ticket.signed())
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("signing", &self.signing).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    const OLD: &str = "1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    const NEW: &str = "2 BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA";

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn video(id: &str) -> Scope {
        Scope::video(id).unwrap()
    }

    #[test]
    fn a_ticket_opens_its_video_until_it_expires() {
        let keys = Keys::read(OLD).unwrap();
        let ticket = keys.mint(&video("1"), at(100));
        let check = |path: &str, now, expected| {
            assert_eq!(keys.verify(&ticket, path, at(now)), expected, "{path} at {now}");
        };
        check("/v/1/720p/3.m4s", 99, Ok(()));
        check("/v/1/720p/3.m4s", 100, Err(Refusal::Expired));
        check("/v/10/720p/3.m4s", 99, Err(Refusal::WrongVideo));
        check("/v/1/../10/720p/3.m4s", 99, Err(Refusal::WrongVideo));
        check("/api/v1/videos", 99, Err(Refusal::WrongVideo));
    }

    #[test]
    fn a_ticket_of_another_secret_is_a_bad_signature() {
        let ticket = Keys::read(OLD).unwrap().mint(&video("1"), at(100));
        let same_id = Keys::read(&NEW.replacen('2', "1", 1)).unwrap();
        assert_eq!(same_id.verify(&ticket, "/v/1/a", at(0)), Err(Refusal::BadSignature));
        let other_id = Keys::read(NEW).unwrap();
        assert_eq!(other_id.verify(&ticket, "/v/1/a", at(0)), Err(Refusal::BadSignature));
    }

    #[test]
    fn a_rotation_honours_old_tickets_until_their_key_goes() {
        let old = Keys::read(OLD).unwrap();
        let both = Keys::read(&format!("# new one first\n{NEW}\n\n{OLD}\n")).unwrap();
        let (before, after) = (old.mint(&video("1"), at(100)), both.mint(&video("1"), at(100)));
        assert_eq!(both.verify(&before, "/v/1/a", at(0)), Ok(()));
        assert_eq!(both.verify(&after, "/v/1/a", at(0)), Ok(()));
        let new = Keys::read(NEW).unwrap();
        assert_eq!(new.verify(&before, "/v/1/a", at(0)), Err(Refusal::BadSignature));
        assert_eq!(new.verify(&after, "/v/1/a", at(0)), Ok(()));
    }

    #[test]
    fn unreadable_keys_are_reported_by_line_and_without_their_secret() {
        for (text, expected) in [
            ("", KeysError::None),
            ("# nothing\n", KeysError::None),
            ("1", KeysError::Line(1)),
            (&format!("{OLD}\n256 AAAA"), KeysError::Line(2)),
            (&format!("{OLD}\n2 not base64"), KeysError::Line(2)),
            ("1 c2hvcnQ=", KeysError::Short(1, 5)),
            (&format!("{OLD}\n{OLD}"), KeysError::Twice(2, 1)),
        ] {
            assert_eq!(Keys::read(text).unwrap_err(), expected, "{text}");
        }
        assert_eq!(format!("{:?}", Keys::read(OLD).unwrap()), "Keys { signing: 1, .. }");
    }

    #[test]
    fn the_signature_is_that_of_rfc_2104() {
        const OPENSSL: [u8; MAC] =
            [0xda, 0x44, 0xa1, 0x63, 0x1f, 0x8d, 0xce, 0xa2, 0xff, 0x85, 0x7d, 0xe4, 0x96, 0xe5, 0x2e, 0x29];
        // Worked out by another program: printf 'clipcut ticket 1\0\1\0\0\0\0\1441' |
        // openssl dgst -sha256 -mac HMAC -macopt hexkey:00…00 (32 bytes).
        let ticket = Keys::read(OLD).unwrap().mint(&video("1"), at(100));
        assert_eq!(ticket.signed(), b"\x01\0\0\0\0\x641");
        assert_eq!(ticket.mac(), OPENSSL);
    }

    proptest! {
        #[test]
        fn what_is_minted_opens_and_one_wrong_bit_closes(
            id in "[a-z0-9]{1,64}", expires in 1_u64..1 << 40, bit in any::<prop::sample::Index>(),
        ) {
            let keys = Keys::read(OLD).unwrap();
            let minted = keys.mint(&video(&id), at(expires));
            let path = format!("/v/{id}/master.m3u8");
            prop_assert_eq!(keys.verify(&minted.text().parse().unwrap(), &path, at(expires - 1)), Ok(()));
            prop_assert_eq!(keys.verify(&minted, &path, at(expires)), Err(Refusal::Expired));
            let mut wrong = minted;
            let bit = bit.index(usize::from(wrong.len) * 8);
            wrong.bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(keys.verify(&wrong, &path, at(0)), Err(Refusal::BadSignature));
        }

        #[test]
        fn no_text_of_keys_makes_it_panic(text in any::<String>()) {
            _ = Keys::read(&text);
        }
    }
}
