//! Tickets: signed, expiring rights to play one video, carried in the path so that the relative URLs of playlists
//! inherit them in every player. The roles decide which client gets one.
//!
//! `/t/{ticket}/v/{video}/720p/3.m4s` is the address `/v/{video}/720p/3.m4s` with a ticket. Its text is base64url
//! of key id (1 byte), expiry (5 bytes, seconds since 1970), scope (what follows `/v/`) and the first 16 bytes
//! of HMAC-SHA-256 over all of that: 51 characters for a video of ours.

mod keys;
mod scope;

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderName, StatusCode};

use crate::Problem;

pub use keys::{Keys, KeysError};
pub use scope::{Scope, ScopeError};

/// The request field in which an edge shows its client's ticket to the origin: a target with it would be a key of its own.
pub const SHOWN: HeaderName = HeaderName::from_static("clipcut-ticket");
/// The response field by which an origin marks what needs a ticket: those that end before this second since 1970 are void.
/// Caches keep it with the object, and no client gets it.
pub const FROM: HeaderName = HeaderName::from_static("clipcut-tickets-from");

const HEAD: usize = 1 + 5;
// RFC 2104 §5: half of the hash's length and no less than 80 bits is enough of a MAC to send.
const MAC: usize = 16;
const MOST: usize = HEAD + Scope::MOST + MAC;
/// The last second that five bytes can name.
const LAST: u64 = (1 << 40) - 1;

/// Returns the second at which a ticket ends that is made at `now` and plays for at least half of `lifetime`. All that are
/// made within half of the lifetime end together: an address that changes with every request would have players load anew.
pub fn end(now: SystemTime, lifetime: Duration) -> u64 {
    let half = (lifetime / 2).as_secs().max(1);
    let begun = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) / half;
    (begun + 2) * half
}

/// A ticket as it was read or minted; its signature counts for nothing before [`Keys::verify`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    bytes: [u8; MOST],
    len: u8,
}

/// Why a ticket does not open a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its time is over.
    #[error("the ticket has expired")]
    Expired,
    /// It is for another video or another part of it, or the path is not in its one canonical spelling.
    #[error("the ticket is for something else")]
    WrongVideo,
    /// It is no ticket, none of ours, or its key was taken out of use.
    #[error("the ticket's signature is wrong")]
    BadSignature,
}

/// Returns the ticket's text and the path that it is to open, which begins with a slash or is empty; `None` for a
/// path that carries no ticket.
pub fn split(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/t/")?;
    Some(rest.split_at(rest.find('/').unwrap_or(rest.len())))
}

impl Ticket {
    fn unsigned(key: u8, expires: SystemTime, scope: &Scope) -> Self {
        let seconds = expires.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()).min(LAST);
        let mut ticket = Self { bytes: [0; MOST], len: (HEAD + scope.tail().len() + MAC) as u8 };
        ticket.bytes[0] = key;
        ticket.bytes[1..HEAD].copy_from_slice(&seconds.to_be_bytes()[3..]);
        ticket.bytes[HEAD..HEAD + scope.tail().len()].copy_from_slice(scope.tail().as_bytes());
        ticket
    }

    /// Returns the text that stands behind `/t/`. It is the right to play itself, so it belongs in no log.
    pub fn text(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.bytes[..usize::from(self.len)])
    }

    /// Returns when it ceases to open anything.
    pub fn expires(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.end())
    }

    /// Returns the same in seconds since 1970.
    pub fn end(&self) -> u64 {
        let mut seconds = [0; 8];
        seconds[3..].copy_from_slice(&self.bytes[1..HEAD]);
        u64::from_be_bytes(seconds)
    }

    fn key(&self) -> u8 {
        self.bytes[0]
    }

    fn scope(&self) -> &[u8] {
        &self.signed()[HEAD..]
    }

    fn signed(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len) - MAC]
    }

    fn mac(&self) -> &[u8] {
        &self.bytes[usize::from(self.len) - MAC..usize::from(self.len)]
    }

    fn mac_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[usize::from(self.len) - MAC..usize::from(self.len)]
    }
}

impl FromStr for Ticket {
    type Err = Refusal;

    /// Reads a ticket's text. There is one text for each ticket: no padding, no loose bits.
    fn from_str(text: &str) -> Result<Self, Refusal> {
        let mut bytes = [0; MOST];
        let len = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).map_err(|_| Refusal::BadSignature)?;
        if len <= HEAD + MAC {
            return Err(Refusal::BadSignature);
        }
        Ok(Self { bytes, len: len as u8 })
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("key", &self.key()).finish_non_exhaustive()
    }
}

impl Refusal {
    /// Returns the code in the response, which programs go by.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "ticket_expired",
            Self::WrongVideo => "ticket_wrong_video",
            Self::BadSignature => "ticket_bad_signature",
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = match refusal {
            Refusal::Expired => {
                "The ticket in this address has expired; open the video's page for a new one."
            }
            Refusal::WrongVideo => "The ticket in this address is for another video or another part of it.",
            Refusal::BadSignature => "The ticket in this address was not signed by this server.",
        };
        // RFC 9110 §15.5.2: a 401 would need a challenge, which no player can answer.
        Self::new(StatusCode::FORBIDDEN, refusal.code(), detail)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys() -> Keys {
        Keys::read(&format!("7 {}", "A".repeat(43))).unwrap()
    }

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn a_path_with_a_ticket_is_split_at_the_path() {
        for (path, expected) in [
            ("/t/abc/v/1/master.m3u8", Some(("abc", "/v/1/master.m3u8"))),
            ("/t//v/1", Some(("", "/v/1"))),
            ("/t/abc/", Some(("abc", "/"))),
            ("/t/abc", Some(("abc", ""))),
            ("/v/1/master.m3u8", None),
            ("/tt/abc/v/1", None),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }

    #[test]
    fn a_ticket_is_short_and_reads_back() {
        let minted = keys().mint(&Scope::video("0123456789abcdef").unwrap(), at(1_800_000_000));
        assert_eq!(minted.text().len(), 51);
        assert_eq!(minted.text().parse(), Ok(minted));
        assert_eq!(minted.expires(), at(1_800_000_000));
    }

    #[test]
    fn an_expiry_beyond_five_bytes_is_the_last_that_fits() {
        let minted = keys().mint(&Scope::video("1").unwrap(), at(1 << 41));
        assert_eq!(minted.expires(), at(LAST));
    }

    #[test]
    fn its_debug_text_opens_nothing() {
        let minted = keys().mint(&Scope::video("1").unwrap(), at(5));
        assert_eq!(format!("{minted:?}"), "Ticket { key: 7, .. }");
    }

    #[test]
    fn each_refusal_is_a_403_with_its_code() {
        for (refusal, code) in [
            (Refusal::Expired, "ticket_expired"),
            (Refusal::WrongVideo, "ticket_wrong_video"),
            (Refusal::BadSignature, "ticket_bad_signature"),
        ] {
            let problem = Problem::from(refusal);
            assert_eq!((problem.status(), problem.code()), (StatusCode::FORBIDDEN, code));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            _ = text.parse::<Ticket>();
        }

        #[test]
        fn what_is_read_is_written_the_same(text in "[A-Za-z0-9_-]{0,220}") {
            if let Ok(ticket) = text.parse::<Ticket>() {
                prop_assert_eq!(ticket.text(), text);
            }
        }
    }
}
