//! Freshness: how long a response is used as it is (RFC 9111 §4.2), and how long it may be used stale after that (RFC 5861).
//! Pure: headers and times in, spans out.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::cache_control::{CacheControl, Flag, Source};

// RFC 9111 §4.2.2 suggests a tenth of the time since the last change; a day is the most that we guess.
const MOST_GUESSED: Duration = Duration::from_hours(24);

/// The lifetime of a response, and its use after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Up to this age it is used as it is.
    pub lifetime: Duration,
    /// The use that is allowed after that.
    pub after: After,
}

/// The use that is allowed of a stale response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// It is never used without validation.
    #[default]
    Nothing,
    /// It may stand in.
    Stale {
        /// So long while it is validated.
        while_revalidate: Duration,
        /// So long when the origin answers with an error; `None` when the response has no `stale-if-error`.
        if_error: Option<Duration>,
    },
}

/// The allowed use of a response at an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// As it is, for so long.
    Fresh(Duration),
    /// As it is, while a fetch in the background validates it.
    WhileRevalidating,
    /// Only after asking.
    AfterValidation,
}

impl Freshness {
    /// Computes the freshness of a response. `negative` is the lifetime of an error without one of its own.
    pub fn of(status: StatusCode, headers: &HeaderMap, date: SystemTime, negative: Duration) -> Self {
        let (control, source) = CacheControl::targeted(headers);
        // RFC 9111 §5.2.2.4: such a response is stored, but validated before every use, a stale one too.
        if control.has(Flag::NoCache) {
            return Self::default();
        }
        let given = explicit(&control, source, headers, date);
        let mut lifetime = given.unwrap_or_else(|| guessed(status, headers, date, negative));
        // An error with Retry-After must not be served from the cache past that time: the retry would meet it again.
        if let Some(seconds) = retry_after(headers, date).filter(|_| !status.is_success()) {
            lifetime = lifetime.min(seconds);
        }
        // RFC 9111 §4.2.4, §5.2.2.10: s-maxage has the meaning of proxy-revalidate too. An origin that sends a stale
        // directive beside it asks for stale use expressly, so that one wins.
        let strict = control.has(Flag::MustRevalidate)
            || control.has(Flag::ProxyRevalidate)
            || control.s_maxage.is_some()
                && control.stale_while_revalidate.or(control.stale_if_error).is_none();
        let after = if strict {
            After::Nothing
        } else {
            After::Stale {
                while_revalidate: control.stale_while_revalidate.unwrap_or_default(),
                if_error: control.stale_if_error,
            }
        };
        Self { lifetime, after }
    }

    pub(crate) fn at(&self, age: Duration) -> Use {
        if age < self.lifetime {
            return Use::Fresh(self.lifetime.saturating_sub(age));
        }
        match self.after {
            After::Stale { while_revalidate, .. } if age < self.lifetime + while_revalidate => {
                Use::WhileRevalidating
            }
            _ => Use::AfterValidation,
        }
    }

    /// Decides whether a response of this age may stand in for an error of the origin. `down` is the grace when
    /// the origin does not answer at all (§4.2.4 allows it to a cache that is disconnected).
    pub(crate) fn covers_error(&self, age: Duration, down: Option<Duration>) -> bool {
        let After::Stale { if_error, .. } = self.after else { return false };
        let grace = match (if_error, down) {
            (Some(given), _) => given,
            (None, Some(down)) => down,
            (None, None) => return false,
        };
        age < self.lifetime + grace
    }
}

/// §4.2.1: s-maxage, then max-age, then Expires.
fn explicit(
    control: &CacheControl,
    source: Source,
    headers: &HeaderMap,
    date: SystemTime,
) -> Option<Duration> {
    if let Some(given) = control.s_maxage.or(control.max_age) {
        return Some(given);
    }
    // RFC 9213 §2.2: a targeted field replaces all of the others, so `Expires` must not fill its gaps.
    if source == Source::Targeted {
        return None;
    }
    let mut fields = headers.get_all(header::EXPIRES).iter();
    let first = fields.next()?;
    // §5.3: an invalid date, "0" above all, lies in the past; so do several that differ (§4.2.1: the safe reading is stale).
    if fields.any(|other| other != first) {
        return Some(Duration::ZERO);
    }
    let expires = first.to_str().ok().and_then(parse_date);
    Some(expires.and_then(|at| at.duration_since(date).ok()).unwrap_or_default())
}

fn guessed(status: StatusCode, headers: &HeaderMap, date: SystemTime, negative: Duration) -> Duration {
    // An error is brief: a heuristic lifetime of up to a day (§4.2.2) would outlast its cause.
    if status.is_client_error() || status.is_server_error() {
        return negative;
    }
    let modified = read_date(headers, &header::LAST_MODIFIED);
    let since = modified.and_then(|at| date.duration_since(at).ok()).unwrap_or_default();
    (since / 10).min(MOST_GUESSED)
}

/// Returns whether a response has a lifetime or `public`. Then an understood status is stored even if it is not cacheable
/// by default (§3).
pub(crate) fn is_explicit(control: &CacheControl, headers: &HeaderMap) -> bool {
    control.max_age.is_some()
        || control.s_maxage.is_some()
        || control.has(Flag::Public)
        || headers.contains_key(header::EXPIRES)
}

/// Returns whether a response has a lifetime. `public` alone allows a heuristic one (§4.2.2), which is for known statuses
/// only.
pub(crate) fn has_lifetime(control: &CacheControl, headers: &HeaderMap) -> bool {
    control.max_age.is_some() || control.s_maxage.is_some() || headers.contains_key(header::EXPIRES)
}

/// Works out the age that a response has when it comes in (§4.2.3).
pub(crate) fn initial_age(headers: &HeaderMap, asked: Duration, now: SystemTime) -> Duration {
    let date = read_date(headers, &header::DATE).unwrap_or(now);
    let apparent = now.duration_since(date).unwrap_or_default();
    // §5.1: of a list the first; what is no number does not count.
    let given = headers.get(header::AGE).and_then(|age| age.to_str().ok());
    let given = given.and_then(|age| seconds(age.split(',').next()?.trim())).unwrap_or(0);
    let corrected = Duration::from_secs(given) + asked;
    // Dates have whole seconds: what was made in this second is not old.
    let apparent = if apparent < Duration::from_secs(1) { Duration::ZERO } else { apparent };
    apparent.max(corrected)
}

/// Reads a number of seconds; one too large to count with is the largest (§1.2.2).
fn seconds(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u64::MAX).min(1 << 31))
}

fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    // RFC 9110 §10.2.3: the field has seconds or a date.
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = parse_date(text)?;
    Some(at.duration_since(now).unwrap_or_default())
}

/// RFC 9111 §4.2: caches match dates in any case, though RFC 9110 §5.6.7 has one.
fn parse_date(text: &str) -> Option<SystemTime> {
    if let Ok(date) = httpdate::parse_http_date(text) {
        return Some(date);
    }
    let mut begins = true;
    let capitals = text.chars().map(|letter| {
        let first = std::mem::replace(&mut begins, !letter.is_ascii_alphabetic());
        if first { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    });
    let capitals: String = capitals.collect();
    httpdate::parse_http_date(&capitals.replace("Gmt", "GMT")).ok()
}

pub(crate) fn read_date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    parse_date(headers.get(name)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const NOW: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const IN_A_MINUTE: &str = "Sun, 06 Nov 1994 08:50:37 GMT";
    const A_HUNDRED_BEFORE: &str = "Sun, 06 Nov 1994 08:47:57 GMT";

    fn now() -> SystemTime {
        httpdate::parse_http_date(NOW).unwrap()
    }

    fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn of(status: u16, fields: &[(HeaderName, &str)]) -> Freshness {
        let status = StatusCode::from_u16(status).unwrap();
        Freshness::of(status, &headers(fields), now(), Duration::from_secs(1))
    }

    fn check(status: u16, fields: &[(HeaderName, &str)], seconds: u64) {
        assert_eq!(of(status, fields).lifetime, Duration::from_secs(seconds), "{fields:?}");
    }

    #[test]
    fn s_maxage_goes_before_max_age_before_expires() {
        use header::{CACHE_CONTROL as C, EXPIRES as E, LAST_MODIFIED as L};
        check(200, &[(C, "max-age=5, s-maxage=7"), (E, IN_A_MINUTE)], 7);
        check(200, &[(C, "max-age=5"), (E, IN_A_MINUTE)], 5);
        check(200, &[(E, IN_A_MINUTE), (L, A_HUNDRED_BEFORE)], 60);
        check(200, &[(E, "0"), (L, A_HUNDRED_BEFORE)], 0);
        check(200, &[(L, A_HUNDRED_BEFORE)], 10);
        check(200, &[(C, "no-cache, max-age=5")], 0);
        check(200, &[], 0);
    }

    #[test]
    fn dates_are_read_in_any_case_rfc_9111_4_2() {
        for date in ["sun, 06 nov 1994 08:50:37 gmt", "SUN, 06 NOV 1994 08:50:37 GMT"] {
            check(200, &[(header::EXPIRES, date)], 60);
        }
        check(200, &[(header::EXPIRES, "sun, 06 nov 1994 08:50:37")], 0);
    }

    #[test]
    fn errors_are_kept_for_a_moment_and_never_past_retry_after() {
        use header::{CACHE_CONTROL as C, RETRY_AFTER as R};
        check(404, &[], 1);
        check(404, &[(C, "max-age=9")], 9);
        check(503, &[(C, "max-age=9"), (R, "2")], 2);
        check(503, &[(C, "max-age=90"), (R, IN_A_MINUTE)], 60);
    }

    #[test]
    fn stale_answers_stand_in_only_where_they_may() {
        use header::CACHE_CONTROL as C;
        let spans = "max-age=10, stale-while-revalidate=5, stale-if-error=20";
        let s = Duration::from_secs;
        let lenient = of(200, &[(C, spans)]);
        assert_eq!(lenient.at(s(9)), Use::Fresh(s(1)));
        assert_eq!(lenient.at(s(14)), Use::WhileRevalidating);
        assert_eq!(lenient.at(s(15)), Use::AfterValidation);
        assert!(lenient.covers_error(s(29), None) && !lenient.covers_error(s(30), None));
        let silent = of(200, &[(C, "max-age=10")]);
        assert!(!silent.covers_error(s(11), None) && silent.covers_error(s(11), Some(s(5))));
        for strict in
            ["max-age=10, must-revalidate", "max-age=10, proxy-revalidate", "s-maxage=10", "no-cache"]
        {
            assert!(!of(200, &[(C, strict)]).covers_error(s(11), Some(s(99))), "{strict}");
        }
        let strict = of(200, &[(C, &format!("{spans}, must-revalidate"))]);
        assert_eq!(strict.at(s(11)), Use::AfterValidation);
    }

    #[test]
    fn the_age_is_the_larger_of_the_field_and_the_apparent_age() {
        use header::{AGE, DATE};
        let check = |fields: &[(HeaderName, &str)], asked: u64, expected: u64| {
            let age = initial_age(&headers(fields), Duration::from_secs(asked), now());
            assert_eq!(age, Duration::from_secs(expected), "{fields:?}");
        };
        check(&[(DATE, NOW)], 0, 0);
        check(&[(DATE, A_HUNDRED_BEFORE)], 0, 100);
        check(&[(DATE, A_HUNDRED_BEFORE), (AGE, "150")], 3, 153);
        check(&[(DATE, IN_A_MINUTE), (AGE, "x")], 3, 3);
        check(&[(AGE, "7, 9")], 0, 7);
        check(&[(AGE, "99999999999999999999999")], 0, 1 << 31);
        check(&[], 2, 2);
    }
}
