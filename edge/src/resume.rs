//! The second try at an immutable answer that broke off. Its bytes are the same from every origin (RFC 8246), so the answer that
//! clients have a part of goes on behind that part.

use bytes::Bytes;
use http::{header, response::Parts};

use crate::object::Head;

/// Returns whether another answer is the one that broke off, as far as the heads tell.
pub(crate) fn is_the_same(broken: &Head, again: &Parts) -> bool {
    let [one, other] = [&broken.headers, &again.headers];
    // What is not published yet has no tag.
    let tags = one.get(header::ETAG).zip(other.get(header::ETAG));
    broken.status == again.status
        && one.get(header::CONTENT_TYPE) == other.get(header::CONTENT_TYPE)
        && tags.is_none_or(|(one, other)| one == other)
}

/// What came of an answer, for as long as all of it is held.
#[derive(Default)]
pub(crate) struct Received {
    parts: Vec<Bytes>,
    /// What the second try repeats, and how far it has.
    repeated: Bytes,
    at: usize,
}

impl Received {
    /// Returns the new bytes of a part; `None` where a repeated one differs.
    pub(crate) fn take(&mut self, data: &Bytes) -> Option<Bytes> {
        let n = data.len().min(self.repeated.len() - self.at);
        if data[..n] != self.repeated[self.at..self.at + n] {
            return None;
        }
        self.at += n;
        let new = data.slice(n..);
        self.parts.push(new.clone());
        Some(new)
    }

    /// Returns whether the second try, if there is one, has come to what is new.
    pub(crate) fn is_new(&self) -> bool {
        self.at == self.repeated.len()
    }

    /// Returns whether there was a second try.
    pub(crate) fn was_resumed(&self) -> bool {
        !self.repeated.is_empty()
    }

    /// Begins the second try.
    pub(crate) fn resume(&mut self) {
        self.repeated = self.parts.concat().into();
        self.at = 0;
    }

    /// Forgets all of it: clients read the answer as it comes.
    pub(crate) fn forget(&mut self) {
        self.parts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_try_goes_on_behind_the_first() {
        let mut received = Received::default();
        let mut take = |data: &'static str| received.take(&data.into());
        assert_eq!(take("seg"), Some("seg".into()));
        assert_eq!(take("me"), Some("me".into()));
        received.resume();
        assert!(received.was_resumed() && !received.is_new());
        let mut take = |data: &'static str| received.take(&data.into());
        assert_eq!(take("s"), Some("".into()));
        assert_eq!(take("egment"), Some("nt".into()));
        assert_eq!(take("s"), Some("s".into()));
        assert!(received.is_new());
    }

    #[test]
    fn a_second_try_with_other_bytes_is_none() {
        let mut received = Received::default();
        assert!(received.take(&"segme".into()).is_some());
        received.resume();
        assert_eq!(received.take(&"segno".into()), None);
    }
}
