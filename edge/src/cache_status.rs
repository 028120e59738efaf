//! The `Cache-Status` field (RFC 9211): how the cache handled a request.

use std::{fmt::Write, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

pub(crate) const NAME: HeaderName = HeaderName::from_static("cache-status");

/// Returns whether an answer of another cache is a failure of its own and not the origin's: its members show neither a
/// status from upstream (§2.3) nor a hit. Only then is it worth asking the origin directly.
pub(crate) fn is_of_the_cache_alone<B>(answer: &http::Response<B>) -> bool {
    let has_upstream_answer = |member: &HeaderValue| {
        member.to_str().is_ok_and(|member| member.contains("; hit") || member.contains("; fwd-status="))
    };
    matches!(answer.status().as_u16(), 502..=504)
        && !answer.headers().get_all(NAME).iter().any(has_upstream_answer)
}

/// Why a request went on to the origin (RFC 9211 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forward {
    /// We do not cache this path.
    Bypass,
    /// The method is not one that is answered from a cache.
    Method,
    /// Nothing is stored for the URI.
    UriMiss,
    /// Something is, for other request headers.
    VaryMiss,
    /// Nothing is stored, and only a part was asked for of something large.
    Partial,
    /// The request's own terms exclude what is stored.
    Request,
    /// The stored response is not fresh.
    Stale,
}

/// The handling of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CacheStatus {
    pub(crate) forward: Option<Forward>,
    pub(crate) forward_status: Option<StatusCode>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) stored: Stored,
    pub(crate) collapsed: Collapsed,
}

/// Seconds until a response is stale; negative ones since it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ttl(i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collapsed {
    Yes,
    No,
}

impl Ttl {
    pub(crate) fn of(lifetime: Duration, age: Duration) -> Self {
        Self(lifetime.as_secs() as i64 - age.as_secs() as i64)
    }
}

impl CacheStatus {
    /// A request answered from memory.
    pub(crate) fn hit(ttl: Ttl) -> Self {
        Self { ttl: Some(ttl), ..Self::forwarded(None) }
    }

    /// A request that went on to the origin.
    pub(crate) fn forwarded(forward: Option<Forward>) -> Self {
        Self { forward, forward_status: None, ttl: None, stored: Stored::No, collapsed: Collapsed::No }
    }

    /// Writes the member of the cache called `name`.
    pub(crate) fn render(&self, name: &str) -> String {
        let mut text = name.to_owned();
        match self.forward {
            None => text.push_str("; hit"),
            Some(forward) => {
                let _ = write!(text, "; fwd={}", forward.token());
            }
        }
        if let Some(status) = self.forward_status {
            let _ = write!(text, "; fwd-status={}", status.as_u16());
        }
        if let Some(Ttl(ttl)) = self.ttl {
            let _ = write!(text, "; ttl={ttl}");
        }
        if self.stored == Stored::Yes {
            text.push_str("; stored");
        }
        if self.collapsed == Collapsed::Yes {
            text.push_str("; collapsed");
        }
        text
    }

    /// Adds our member behind those of caches nearer to the origin (§2).
    pub(crate) fn append(&self, name: &str, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.render(name)) {
            headers.append(NAME, value);
        }
    }
}

impl Forward {
    fn token(self) -> &'static str {
        match self {
            Self::Bypass => "bypass",
            Self::Method => "method",
            Self::UriMiss => "uri-miss",
            Self::VaryMiss => "vary-miss",
            Self::Partial => "partial",
            Self::Request => "request",
            Self::Stale => "stale",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_reads_as_the_rfc_has_it() {
        let second = Duration::from_secs(1);
        assert_eq!(CacheStatus::hit(Ttl::of(9 * second, 4 * second)).render("edge"), "edge; hit; ttl=5");
        assert_eq!(CacheStatus::hit(Ttl::of(second, 4 * second)).render("edge"), "edge; hit; ttl=-3");
        let miss = CacheStatus {
            forward_status: Some(StatusCode::OK),
            stored: Stored::Yes,
            collapsed: Collapsed::Yes,
            ..CacheStatus::forwarded(Some(Forward::UriMiss))
        };
        assert_eq!(miss.render("edge"), "edge; fwd=uri-miss; fwd-status=200; stored; collapsed");
    }
}
