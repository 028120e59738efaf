//! The directives of Cache-Control (RFC 9111 §5.2), also in its forms for CDNs: CDN-Cache-Control (RFC 9213) and
//! Surrogate-Control. Pure.

use std::time::Duration;

use http::{HeaderMap, HeaderName, header};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

/// RFC 9111 §1.2.2: what does not fit is as good as this.
const FOREVER_S: u64 = 1 << 31;

/// A directive without an argument that we heed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Nothing of it is stored.
    NoStore = 1,
    /// Every use is validated.
    NoCache = 1 << 1,
    /// For one user; no shared cache stores it.
    Private = 1 << 2,
    /// Any cache may store it.
    Public = 1 << 3,
    /// Never used stale.
    MustRevalidate = 1 << 4,
    /// Never used stale by shared caches.
    ProxyRevalidate = 1 << 5,
    /// Stored only by a cache that understands the status; then `no-store` does not count (RFC 9111 §5.2.2.3).
    MustUnderstand = 1 << 6,
    /// Does not change while it is fresh (RFC 8246).
    Immutable = 1 << 7,
    /// Of requests: answer from what is stored, or not at all.
    OnlyIfCached = 1 << 8,
}

/// The directives of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheControl {
    flags: u16,
    /// How long it is fresh.
    pub max_age: Option<Duration>,
    /// How long it is fresh for shared caches.
    pub s_maxage: Option<Duration>,
    /// How long it may be used stale while it is validated (RFC 5861 §3).
    pub stale_while_revalidate: Option<Duration>,
    /// How long it may be used stale when validation fails (RFC 5861 §4).
    pub stale_if_error: Option<Duration>,
}

impl CacheControl {
    /// Reads the `Cache-Control` of a message.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut all = Self::default();
        for field in headers.get_all(header::CACHE_CONTROL) {
            // A field that is not text may hide a `no-store`: the safe reading is that it has one.
            let Ok(text) = field.to_str() else {
                all.set(Flag::NoStore);
                continue;
            };
            all.read(text);
        }
        all
    }

    /// Reads a response's directives for us: RFC 9213 §2.2, the first valid field of our target list (§2.1) wins over all
    /// else. The source shows whether there was one, in which case `Expires` does not count either.
    pub fn targeted(headers: &HeaderMap) -> (Self, Source) {
        match Self::of_cdn(headers).or_else(|| Self::of_surrogate(headers)) {
            Some(targeted) => (targeted, Source::Targeted),
            None => (Self::of(headers), Source::General),
        }
    }

    /// Reads `CDN-Cache-Control` (RFC 9213 §3.1), if it is there and valid.
    fn of_cdn(headers: &HeaderMap) -> Option<Self> {
        const NAME: HeaderName = HeaderName::from_static("cdn-cache-control");
        let fields: Option<Vec<&str>> =
            headers.get_all(NAME).iter().map(|field| field.to_str().ok()).collect();
        // RFC 8941 §4.2: several fields of one name are one dictionary.
        let members = Parser::new(&fields?.join(", ")).parse::<Dictionary>().ok()?;
        (!members.is_empty()).then(|| Self::of_dictionary(&members))
    }

    /// Reads `Surrogate-Control` (W3C Edge Architecture 1.0 §2.3), the form before RFC 9213, in which origins made for
    /// Fastly, Varnish or Akamai forbid storing. `None` where nothing in it is about storing, as in `content="ESI/1.0"`.
    fn of_surrogate(headers: &HeaderMap) -> Option<Self> {
        const NAME: HeaderName = HeaderName::from_static("surrogate-control");
        let (mut all, mut found) = (Self::default(), false);
        for field in headers.get_all(NAME) {
            // A field that is not text may hide a `no-store`, as in `of`.
            let Ok(text) = field.to_str() else {
                all.set(Flag::NoStore);
                found = true;
                continue;
            };
            for (name, argument) in directives(text) {
                // A parameter names the surrogate that a directive is for, by its Surrogate-Capability; we send none.
                if argument.unwrap_or(name).contains(';') {
                    continue;
                }
                match name.to_ascii_lowercase().as_str() {
                    "no-store" | "no-store-remote" => all.set(Flag::NoStore),
                    "max-age" => all.take_surrogate_age(argument.unwrap_or_default()),
                    _ => continue,
                }
                found = true;
            }
        }
        found.then_some(all)
    }

    /// Takes a lifetime with an optional extension for stale use during revalidation, as in `600+60`.
    fn take_surrogate_age(&mut self, argument: &str) {
        let (lifetime, extension) = match argument.split_once('+') {
            Some((lifetime, extension)) => (lifetime, Some(extension)),
            None => (argument, None),
        };
        shorten(&mut self.max_age, seconds(lifetime));
        if let Some(extension) = extension {
            shorten(&mut self.stale_while_revalidate, seconds(extension));
        }
    }

    /// Returns whether `flag` was given.
    pub fn has(&self, flag: Flag) -> bool {
        self.flags & flag as u16 != 0
    }

    fn set(&mut self, flag: Flag) {
        self.flags |= flag as u16;
    }

    fn read(&mut self, text: &str) {
        for (name, argument) in directives(text) {
            self.take(&name.to_ascii_lowercase(), || argument.and_then(seconds));
        }
    }

    fn of_dictionary(members: &Dictionary) -> Self {
        let mut all = Self::default();
        for (name, member) in members {
            let ListEntry::Item(item) = member else { continue };
            match &item.bare_item {
                // RFC 8941 §3.2: a member may be false, as in `private=?0`.
                BareItem::Boolean(false) => {}
                BareItem::Integer(n) => {
                    all.take(name.as_str(), || u64::try_from(i64::from(*n)).ok().map(capped));
                }
                _ => all.take(name.as_str(), || None),
            }
        }
        all
    }

    fn take(&mut self, name: &str, argument: impl Fn() -> Option<Duration>) {
        match name {
            "no-store" => self.set(Flag::NoStore),
            // With field names these two speak of fields only; taking them whole is safe (§5.2.2.4, §5.2.2.7).
            "no-cache" => self.set(Flag::NoCache),
            "private" => self.set(Flag::Private),
            "public" => self.set(Flag::Public),
            "must-revalidate" => self.set(Flag::MustRevalidate),
            "proxy-revalidate" => self.set(Flag::ProxyRevalidate),
            "must-understand" => self.set(Flag::MustUnderstand),
            "immutable" => self.set(Flag::Immutable),
            "only-if-cached" => self.set(Flag::OnlyIfCached),
            "max-age" => shorten(&mut self.max_age, argument()),
            "s-maxage" => shorten(&mut self.s_maxage, argument()),
            "stale-while-revalidate" => shorten(&mut self.stale_while_revalidate, argument()),
            "stale-if-error" => shorten(&mut self.stale_if_error, argument()),
            _ => {}
        }
    }
}

/// Where a response's directives came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From `Cache-Control`, which every cache reads.
    General,
    /// From `CDN-Cache-Control` or `Surrogate-Control`, which are for us.
    Targeted,
}

/// RFC 9111 §4.2.1: of several, the most restrictive counts, and one that is invalid is stale.
fn shorten(span: &mut Option<Duration>, given: Option<Duration>) {
    let given = given.unwrap_or_default();
    *span = Some(span.map_or(given, |span| span.min(given)));
}

fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // Digits that do not fit are a very long time, which is what they mean.
    digits.then(|| capped(text.parse().unwrap_or(FOREVER_S)))
}

fn capped(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(FOREVER_S))
}

/// Splits a list of directives into names and arguments. A comma may stand in a quoted argument.
fn directives(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches([',', ' ', '\t']);
            if rest.is_empty() {
                return None;
            }
            let mut quoted = false;
            let mut escaped = false;
            let end = rest.bytes().position(|b| {
                if escaped {
                    escaped = false;
                    return false;
                }
                match b {
                    b'\\' if quoted => escaped = true,
                    b'"' => quoted = !quoted,
                    b',' if !quoted => return true,
                    _ => {}
                }
                false
            });
            let (directive, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after;
            let (name, argument) = match directive.split_once('=') {
                Some((name, argument)) => (name, Some(argument.trim().trim_matches('"'))),
                None => (directive, None),
            };
            if !name.trim().is_empty() {
                return Some((name.trim(), argument));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn read(text: &str) -> CacheControl {
        CacheControl::of(&headers(&[("cache-control", text)]))
    }

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn directives_are_read_in_any_case_and_form() {
        let read =
            read(" Public , MAX-AGE=60,s-maxage=\"30\",,no-cache=\"set-cookie, x\", unknown=\"a,no-store\"");
        assert_eq!((read.max_age, read.s_maxage), (Some(s(60)), Some(s(30))));
        assert!(read.has(Flag::Public) && read.has(Flag::NoCache) && !read.has(Flag::NoStore));
    }

    #[test]
    fn an_invalid_lifetime_is_stale_and_the_shortest_counts() {
        for text in ["max-age", "max-age=", "max-age=-1", "max-age=1.5", "max-age=x", "max-age=60, max-age=0"]
        {
            assert_eq!(read(text).max_age, Some(s(0)), "{text}");
        }
        assert_eq!(read("max-age=99999999999999999999").max_age, Some(s(1 << 31)));
        assert_eq!(read("private").max_age, None);
    }

    #[test]
    fn directives_for_cdns_win_when_they_are_valid() {
        let check = |cdn: &str, expected: Duration, source: Source| {
            let headers = headers(&[("cdn-cache-control", cdn), ("cache-control", "no-store, max-age=5")]);
            let (read, from) = CacheControl::targeted(&headers);
            assert_eq!(
                (read.max_age, from, read.has(Flag::NoStore)),
                (Some(expected), source, source == Source::General)
            );
        };
        check("max-age=60", s(60), Source::Targeted);
        check("max-age=60;x=1, no-store=?0", s(60), Source::Targeted);
        check("max-age=60, max-age=10", s(10), Source::Targeted);
        check("max-age=\"60\"", s(0), Source::Targeted);
        check("Max-Age=60", s(5), Source::General);
        check("max-age=60,", s(5), Source::General);
        check("", s(5), Source::General);
    }

    #[test]
    fn directives_for_surrogates_win_over_cache_control_alone() {
        let check = |surrogate: &str, cdn: &str, lifetime: Option<Duration>, stores: bool| {
            let fields = [
                ("surrogate-control", surrogate),
                ("cdn-cache-control", cdn),
                ("cache-control", "max-age=5"),
            ];
            let (read, _) = CacheControl::targeted(&headers(&fields));
            assert_eq!((read.max_age, !read.has(Flag::NoStore)), (lifetime, stores), "{surrogate} {cdn}");
        };
        check("max-age=60", "", Some(s(60)), true);
        check("foo, MaX-aGe=60, content=\"ESI/1.0\"", "", Some(s(60)), true);
        check("no-store", "", None, false);
        check("no-store-remote, max-age=60", "", Some(s(60)), false);
        check("max-age=99999999999", "", Some(s(1 << 31)), true);
        check("max-age=x", "", Some(s(0)), true);
        check("no-store", "max-age=9", Some(s(9)), true);
        // For another surrogate, or about another thing.
        check("max-age=60;not-us, no-store;not-us", "", Some(s(5)), true);
        check("content=\"ESI/1.0\"", "", Some(s(5)), true);
        check("", "", Some(s(5)), true);
        let (extended, source) = CacheControl::targeted(&headers(&[("surrogate-control", "max-age=60+30")]));
        assert_eq!((extended.max_age, source), (Some(s(60)), Source::Targeted));
        assert_eq!(extended.stale_while_revalidate, Some(s(30)));
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(text in "[ -~]{0,60}") {
            read(&text);
            CacheControl::targeted(&headers(&[("cdn-cache-control", &text)]));
            CacheControl::targeted(&headers(&[("surrogate-control", &text)]));
        }

        #[test]
        fn a_number_reads_back(n in 0_u64..1 << 31) {
            prop_assert_eq!(read(&format!("x, max-age={n} ,y")).max_age, Some(s(n)));
        }
    }
}
