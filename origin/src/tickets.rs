//! The tickets in the URLs that the API gives, where playing needs one. Leaves verifying them to the
//! edge.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use server::ticket::{Keys, Scope};
use store::VideoId;

/// The keys and the lifetime of tickets.
#[derive(Clone, Debug)]
pub struct Tickets {
    /// The first of them signs.
    pub keys: Keys,
    /// How long a ticket plays at most; at least half of it.
    pub lifetime: Duration,
}

impl Tickets {
    /// Returns the video's folder with a ticket for a request at `now`.
    ///
    /// It stays the same text for half of the lifetime: a playlist's address that changes with every request would have
    /// players load anew, and caches keep a copy for each.
    pub(crate) fn folder(&self, id: &VideoId, now: SystemTime) -> String {
        let half = (self.lifetime / 2).as_secs().max(1);
        let begun = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) / half;
        let expires = UNIX_EPOCH + Duration::from_secs((begun + 2) * half);
        let scope = Scope::video(&id.to_string()).expect("an id is letters and digits");
        format!("/t/{}/v/{id}", self.keys.mint(&scope, expires).text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_plays_for_half_to_all_of_its_lifetime_and_changes_as_seldom() {
        let keys = Keys::read("1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
        let tickets = Tickets { keys, lifetime: Duration::from_hours(2) };
        let id = VideoId::random();
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(7_200_000 + seconds);
        let plays = |folder: &str, seconds: u64| {
            let path = format!("{folder}/master.m3u8");
            let (text, opened) = server::ticket::split(&path).unwrap();
            tickets.keys.verify(&text.parse().unwrap(), opened, at(seconds)).is_ok()
        };
        let first = tickets.folder(&id, at(0));
        assert_eq!(tickets.folder(&id, at(3599)), first);
        assert!(plays(&first, 7199) && !plays(&first, 7201));
        assert_ne!(tickets.folder(&id, at(3600)), first);
    }
}
