//! The tickets in the URLs that the API gives, where playing needs one. Leaves verifying them to the
//! edge.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use server::ticket::{self, Keys, Scope};
use store::VideoId;

/// The keys and the lifetime of tickets.
#[derive(Clone, Debug)]
pub struct Tickets {
    /// The first of them signs.
    pub keys: Keys,
    /// How long a ticket plays at most; at least half of it.
    pub lifetime: Duration,
    /// The videos that need one.
    pub needed: Needed,
}

/// The videos whose playing needs a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// All.
    Always,
    /// Those that are not public.
    NotPublic,
}

/// The time for which a ticket is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validity {
    pub(crate) now: SystemTime,
    /// The second before which its end would make it void.
    pub(crate) from: u64,
    /// The second at which the right to play ends by itself.
    pub(crate) until: Option<u64>,
}

impl Tickets {
    /// Returns the video's folder with a ticket for a request.
    ///
    /// It stays the same text for half of the lifetime: a playlist's address that changes with every request would have
    /// players load anew, and caches keep a copy for each.
    pub(crate) fn folder(&self, id: &VideoId, validity: Validity) -> String {
        let end = self.end(validity.now);
        // A ticket that ends before `from` would be void as it is made: behind a revocation all last a little longer.
        let end = validity.until.map_or(end, |until| end.min(until)).max(validity.from);
        let expires = UNIX_EPOCH + Duration::from_secs(end);
        let scope = Scope::video(&id.to_string()).expect("an id is letters and digits");
        format!("/t/{}/v/{id}", self.keys.mint(&scope, expires).text())
    }

    /// Returns the second at which a ticket ends that is made at `now`.
    pub(crate) fn end(&self, now: SystemTime) -> u64 {
        ticket::end(now, self.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_plays_for_half_to_all_of_its_lifetime_and_changes_as_seldom() {
        let keys = Keys::read("1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
        let tickets = Tickets { keys, lifetime: Duration::from_hours(2), needed: Needed::Always };
        let id = VideoId::random();
        let folder = |now: SystemTime| tickets.folder(&id, Validity { now, from: 0, until: None });
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(7_200_000 + seconds);
        let plays = |folder: &str, seconds: u64| {
            let path = format!("{folder}/master.m3u8");
            let (text, opened) = server::ticket::split(&path).unwrap();
            tickets.keys.verify(&text.parse().unwrap(), opened, at(seconds)).is_ok()
        };
        let first = folder(at(0));
        assert_eq!(folder(at(3599)), first);
        assert!(plays(&first, 7199) && !plays(&first, 7201));
        assert_ne!(folder(at(3600)), first);
    }

    #[test]
    fn a_ticket_outlasts_those_that_are_void_and_not_the_right_to_play() {
        let keys = Keys::read("1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
        let tickets = Tickets { keys, lifetime: Duration::from_hours(2), needed: Needed::NotPublic };
        let now = UNIX_EPOCH + Duration::from_hours(2000);
        let end = |from: u64, until: Option<u64>| {
            let path = tickets.folder(&VideoId::random(), Validity { now, from, until });
            let text = server::ticket::split(&path).unwrap().0.to_owned();
            text.parse::<server::ticket::Ticket>().unwrap().end()
        };
        assert_eq!(tickets.end(now), 7_207_200);
        assert_eq!(end(0, None), 7_207_200);
        assert_eq!(end(7_207_201, None), 7_207_201);
        assert_eq!(end(0, Some(7_200_060)), 7_200_060);
    }
}
