//! Signatures of internal requests, made with a secret that the origin and its edges share. Each request has its own: over its
//! time, a number that no other has, the edge that it is for, its method, its target and its content's digest. So a request that
//! is captured opens nothing else, and nothing a second time. Leaves the memory of those that came to `replay`.

mod replay;

use std::{
    fmt::{self, Write},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use ring::hmac;
use server::Request;
use sha2::{Digest, Sha256};

use replay::Replays;

/// The field that carries it: key id, seconds since 1970, number and MAC, apart by points.
pub(crate) const NAME: HeaderName = HeaderName::from_static("clipcut-signature");
/// The digest of the content, as RFC 9530 §2 has it.
pub(crate) const DIGEST: HeaderName = HeaderName::from_static("content-digest");

// Keeps a secret that serves something else too from being talked into signing requests.
const DOMAIN: &str = "clipcut edge request 1";
/// How far the clocks of two machines may be apart.
const WINDOW: Duration = Duration::from_secs(15);
const LEAST: usize = 16;
// The one in use and, while it is changed, the other.
const MOST_KEYS: usize = 2;
// 87 characters and some digits of a later century.
const MOST_TEXT: usize = 160;

/// The secrets of one deployment: the first signs, all verify.
#[derive(Clone)]
pub struct PeerKeys(Arc<Keys>);

struct Keys {
    keys: Vec<Key>,
    /// The number of the next signature. It begins anywhere, so that two processes do not meet.
    next: AtomicU64,
}

struct Key {
    /// The beginning of its hash: nobody needs to give it a name.
    id: String,
    key: hmac::Key,
}

/// Why a text holds no secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerKeysError {
    /// There is none.
    #[error("there is no secret; write a line: openssl rand -base64 32")]
    None,
    /// One can be guessed.
    #[error("line {0}: the secret has {1} characters; at least {LEAST} are needed: openssl rand -base64 32")]
    Short(usize, usize),
    /// There are more than two.
    #[error(
        "there are more than {MOST_KEYS} secrets: the one in use, and the one before it while all change"
    )]
    Many,
    /// Two are the same.
    #[error("line {0}: the secret stands above already")]
    Twice(usize),
}

/// The part of a request that is signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
}

impl<'a> Message<'a> {
    pub(crate) fn of(request: &'a Request) -> Self {
        Self { method: request.method(), uri: request.uri(), headers: request.headers() }
    }
}

impl PeerKeys {
    /// Reads secrets, one a line, of which the first signs. White space around them does not count.
    pub fn read(text: &str) -> Result<Self, PeerKeysError> {
        let mut keys: Vec<Key> = Vec::new();
        for (number, line) in (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty()) {
            if line.len() < LEAST {
                return Err(PeerKeysError::Short(number, line.len()));
            }
            let key = Key::of(line);
            if keys.iter().any(|other| other.id == key.id) {
                return Err(PeerKeysError::Twice(number));
            }
            keys.push(key);
        }
        match keys.len() {
            0 => Err(PeerKeysError::None),
            1..=MOST_KEYS => {
                let next = AtomicU64::new(RandomState::new().hash_one(SystemTime::now()));
                Ok(Self(Arc::new(Keys { keys, next })))
            }
            _ => Err(PeerKeysError::Many),
        }
    }

    /// Signs a request for the edge with the id `to`; an empty id is any edge's.
    pub(crate) fn sign(&self, request: &mut Request, to: &str) {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let signature = self.sign_at(Message::of(request), to, seconds);
        request.headers_mut().insert(NAME, signature);
    }

    fn sign_at(&self, message: Message<'_>, to: &str, seconds: u64) -> HeaderValue {
        let key = &self.0.keys[0];
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let mut text = format!("{}.{seconds}.{number:016x}", key.id);
        let mac = hmac::sign(&key.key, signed(&text, to, message).as_bytes());
        text.push('.');
        push_hex(&mut text, mac.as_ref());
        let mut value = HeaderValue::try_from(text).expect("hexadecimal digits and points are a field's");
        value.set_sensitive(true);
        value
    }
}

/// The verification of an edge's requests.
#[derive(Debug)]
pub(crate) struct Verifier {
    keys: PeerKeys,
    /// The id of this edge among its peers.
    id: String,
    replays: Replays,
}

/// The edges that a request may be signed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressee {
    /// This one.
    This,
    /// This one or any: a purge and a check do no more at one edge than at another.
    Any,
}

impl Verifier {
    pub(crate) fn new(keys: PeerKeys, id: String) -> Self {
        Self { keys, id, replays: Replays::default() }
    }

    /// Returns whether a request is the origin's or a peer's. It is so once: the same signature counts for nothing afterwards.
    pub(crate) fn verify(&self, message: Message<'_>, addressee: Addressee, now: SystemTime) -> bool {
        let Some(text) = message.headers.get(NAME).and_then(|value| value.to_str().ok()) else {
            return false;
        };
        let Some(given) = Given::read(text) else { return false };
        let Some(key) = self.keys.0.keys.iter().find(|key| key.id == given.key) else { return false };
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if now.abs_diff(given.seconds) > WINDOW.as_secs() {
            return false;
        }
        // In constant time, or the answer's time would give the bytes of a right one away.
        let is_for =
            |to| hmac::verify(&key.key, signed(given.signed, to, message).as_bytes(), &given.mac).is_ok();
        let is_right = is_for(&self.id) || addressee == Addressee::Any && !self.id.is_empty() && is_for("");
        // Only right ones are remembered: nobody else can fill the memory.
        is_right && self.replays.is_first(given.number, now)
    }
}

/// A signature as it was read.
struct Given<'a> {
    /// All in front of the MAC.
    signed: &'a str,
    key: &'a str,
    seconds: u64,
    number: u64,
    mac: [u8; 32],
}

impl<'a> Given<'a> {
    fn read(text: &'a str) -> Option<Self> {
        if text.len() > MOST_TEXT {
            return None;
        }
        let (signed, mac) = text.rsplit_once('.')?;
        let mut parts = signed.split('.');
        let (key, seconds, number) = (parts.next()?, parts.next()?, parts.next()?);
        let is_whole = parts.next().is_none();
        let (seconds, number) = (seconds.parse().ok()?, u64::from_str_radix(number, 16).ok()?);
        is_whole.then_some(Self { signed, key, seconds, number, mac: of_hex(mac)? })
    }
}

impl Key {
    fn of(secret: &str) -> Self {
        let mut id = String::with_capacity(16);
        let hash = Sha256::new().chain_update(b"clipcut edge key id 1\0").chain_update(secret).finalize();
        push_hex(&mut id, &hash[..8]);
        Self { id, key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()) }
    }
}

/// Returns the text that is signed. No part of it has a line break, so it reads one way only.
fn signed(head: &str, to: &str, message: Message<'_>) -> String {
    let target = message.uri.path_and_query().map_or("", |target| target.as_str());
    let digest = message.headers.get(DIGEST).and_then(|digest| digest.to_str().ok()).unwrap_or_default();
    format!("{DOMAIN}\n{head}\n{to}\n{}\n{target}\n{digest}", message.method)
}

/// Returns the digest of a content as the field has it.
pub(crate) fn digest(content: &[u8]) -> HeaderValue {
    let mut text = String::from("sha-256=:");
    BASE64_STANDARD.encode_string(Sha256::digest(content), &mut text);
    text.push(':');
    HeaderValue::try_from(text).expect("base64 is a field's")
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
}

fn of_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
    }
    Some(bytes)
}

impl fmt::Debug for PeerKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerKeys(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef";

    struct Sent {
        method: Method,
        uri: Uri,
        headers: HeaderMap,
    }

    impl Sent {
        fn message(&self) -> Message<'_> {
            Message { method: &self.method, uri: &self.uri, headers: &self.headers }
        }
    }

    /// Returns a request that is signed for the edge `to` at a second.
    fn sent(keys: &PeerKeys, to: &str, seconds: u64) -> Sent {
        let uri = Uri::from_static("/v/1/720p/3.m4s?x=1");
        let mut sent = Sent { method: Method::GET, uri, headers: HeaderMap::new() };
        sent.headers.insert(DIGEST, digest(b""));
        let signature = keys.sign_at(sent.message(), to, seconds);
        sent.headers.insert(NAME, signature);
        sent
    }

    fn keys(text: &str) -> PeerKeys {
        PeerKeys::read(text).unwrap()
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_request_counts_once_within_the_window_for_its_own_edge() {
        let verifier = Verifier::new(keys(SECRET), "one".into());
        let check = |sent: &Sent, now, expected: bool, what: &str| {
            assert_eq!(verifier.verify(sent.message(), Addressee::This, at(now)), expected, "{what}");
        };
        let right = sent(&keys(SECRET), "one", 1000);
        check(&right, 1000, true, "right");
        check(&right, 1000, false, "again");
        check(&right, 1010, false, "again, later");
        let (late, early) = (sent(&keys(SECRET), "one", 1000), sent(&keys(SECRET), "one", 1000));
        check(&late, 1016, false, "too old");
        check(&late, 1015, true, "just in time");
        check(&early, 984, false, "too far ahead");
        check(&early, 985, true, "a clock that is ahead");
        check(&sent(&keys(SECRET), "two", 1000), 1000, false, "for another edge");
        check(&sent(&keys(SECRET), "", 1000), 1000, false, "for any edge");
        check(&sent(&keys("another secret of us"), "one", 1000), 1000, false, "by another secret");
        let mut unsigned = sent(&keys(SECRET), "one", 1000);
        unsigned.headers.remove(NAME);
        check(&unsigned, 1000, false, "none");
        assert!(verifier.verify(sent(&keys(SECRET), "", 1000).message(), Addressee::Any, at(1000)));
    }

    #[test]
    fn no_part_of_what_is_signed_can_be_changed() {
        let verifier = Verifier::new(keys(SECRET), "one".into());
        let changes: [fn(&mut Sent); 6] = [
            |sent| sent.method = Method::HEAD,
            |sent| sent.uri = Uri::from_static("/v/2/720p/3.m4s?x=1"),
            |sent| sent.uri = Uri::from_static("/v/1/720p/3.m4s?x=2"),
            |sent| _ = sent.headers.insert(DIGEST, digest(b"another")),
            |sent| change(sent, |text| text.replacen(".1000.", ".1001.", 1)),
            |sent| change(sent, str::to_uppercase),
        ];
        for (number, forge) in changes.into_iter().enumerate() {
            let mut sent = sent(&keys(SECRET), "one", 1000);
            forge(&mut sent);
            assert!(!verifier.verify(sent.message(), Addressee::This, at(1000)), "{number}");
        }
        for text in ["", ".", "...", "a.b.c.d", "0.0.0.0.0"] {
            let mut sent = sent(&keys(SECRET), "one", 1000);
            change(&mut sent, |_| text.to_owned());
            assert!(!verifier.verify(sent.message(), Addressee::This, at(1000)), "{text}");
        }
    }

    fn change(sent: &mut Sent, by: impl Fn(&str) -> String) {
        let text = by(sent.headers[NAME].to_str().unwrap());
        sent.headers.insert(NAME, HeaderValue::try_from(text).unwrap());
    }

    #[test]
    fn secrets_are_changed_one_edge_after_the_other() {
        let (old, both, new) = (SECRET, "the new secret of us\n0123456789abcdef\n", "the new secret of us");
        for (signing, verifying, expected) in [
            (old, both, true),
            (both, both, true),
            (new, both, true),
            (both, new, true),
            (both, old, false),
            (old, new, false),
        ] {
            let verifier = Verifier::new(keys(verifying), "one".into());
            let sent = sent(&keys(signing), "one", 1000);
            assert_eq!(verifier.verify(sent.message(), Addressee::This, at(1000)), expected, "{signing}");
        }
    }

    #[test]
    fn secrets_that_will_not_do_are_refused_with_their_line() {
        let check = |text: &str, expected| assert_eq!(PeerKeys::read(text).unwrap_err(), expected, "{text}");
        check(" \n", PeerKeysError::None);
        check("0123456789abcdef\nshort", PeerKeysError::Short(2, 5));
        check("0123456789abcdef\n0123456789abcdef", PeerKeysError::Twice(2));
        check("0123456789abcdef\n0123456789abcdeg\n0123456789abcdeh", PeerKeysError::Many);
        assert_eq!(format!("{:?}", keys(SECRET)), "PeerKeys(..)");
    }
}
