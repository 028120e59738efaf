//! The body of an answer as it comes, with a second try at an immutable one that broke off: its bytes are the same from every origin
//! (RFC 8246), so it goes on behind the part that clients have. Leaves asking and sharing to `fetch`.

use std::time::Duration;

use bytes::Bytes;
use http::{header, response::Parts};
use http_body_util::BodyExt;
use server::Body;
use tokio::time::timeout;

use crate::object::Head;

/// Returns whether another answer is the one that broke off, as far as the heads tell.
pub(crate) fn is_the_same(broken: &Head, again: &Parts) -> bool {
    let [one, other] = [&broken.headers, &again.headers];
    // An answer that is not published yet has no tag.
    let tags = one.get(header::ETAG).zip(other.get(header::ETAG));
    broken.status == again.status
        && one.get(header::CONTENT_TYPE) == other.get(header::CONTENT_TYPE)
        && tags.is_none_or(|(one, other)| one == other)
}

/// A body that comes in.
pub(crate) struct Incoming {
    body: Body,
    expected: Option<u64>,
    len: u64,
    /// The body so far, as long as a second try may follow.
    parts: Option<Vec<Bytes>>,
    /// The bytes that the second try repeats, and how far it has.
    repeated: Bytes,
    at: usize,
}

impl Incoming {
    pub(crate) fn new(body: Body, expected: Option<u64>) -> Self {
        Self { body, expected, len: 0, parts: Some(Vec::new()), repeated: Bytes::new(), at: 0 }
    }

    /// Returns the bytes that came so far, each once.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Returns the next new bytes; `None` behind the last. The error is the reason for which there is no more.
    pub(crate) async fn next(&mut self, idle: Duration) -> Result<Option<Bytes>, &'static str> {
        loop {
            let frame = match timeout(idle, self.body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) if self.is_whole() => return Ok(None),
                Ok(_) => return Err("the origin broke off"),
                Err(_) => return Err("the origin went silent"),
            };
            let Ok(data) = frame.into_data() else { continue };
            match self.take(&data) {
                Some(new) if new.is_empty() => {}
                Some(new) => return Ok(Some(new)),
                None => return Err("its second try has other bytes"),
            }
        }
    }

    /// Returns whether a second try may follow.
    pub(crate) fn may_resume(&self) -> bool {
        self.parts.is_some()
    }

    /// Goes on with the body of the second try.
    pub(crate) fn resume(&mut self, body: Body) {
        self.body = body;
        self.repeated = self.parts.take().unwrap_or_default().concat().into();
        self.at = 0;
    }

    /// Forgets what came: clients read the answer as it comes.
    pub(crate) fn forget(&mut self) {
        self.parts = None;
    }

    fn is_whole(&self) -> bool {
        self.at == self.repeated.len() && self.expected.is_none_or(|expected| expected == self.len)
    }

    /// Returns the new bytes of a part; `None` where a repeated one differs.
    fn take(&mut self, data: &Bytes) -> Option<Bytes> {
        let n = data.len().min(self.repeated.len() - self.at);
        if data[..n] != self.repeated[self.at..self.at + n] {
            return None;
        }
        self.at += n;
        let new = data.slice(n..);
        self.len += new.len() as u64;
        if let Some(parts) = &mut self.parts {
            parts.push(new.clone());
        }
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    use server::body;

    use super::*;

    #[test]
    fn a_second_try_goes_on_behind_the_first_and_is_the_last() {
        let mut incoming = Incoming::new(body::full(""), None);
        assert_eq!(incoming.take(&"seg".into()), Some("seg".into()));
        assert_eq!(incoming.take(&"me".into()), Some("me".into()));
        incoming.resume(body::full(""));
        assert!(!incoming.may_resume() && !incoming.is_whole());
        assert_eq!(incoming.take(&"s".into()), Some("".into()));
        assert_eq!(incoming.take(&"egment".into()), Some("nt".into()));
        assert_eq!(incoming.take(&"s".into()), Some("s".into()));
        assert!(incoming.is_whole());
        assert_eq!(incoming.len(), 8);
    }

    #[test]
    fn a_second_try_with_other_bytes_is_none() {
        let mut incoming = Incoming::new(body::full(""), None);
        assert!(incoming.take(&"segme".into()).is_some());
        incoming.resume(body::full(""));
        assert_eq!(incoming.take(&"segno".into()), None);
    }

    #[test]
    fn a_try_without_a_byte_counts_too() {
        let mut incoming = Incoming::new(body::full(""), None);
        incoming.resume(body::full(""));
        assert!(!incoming.may_resume());
    }
}
