//! Preconditions (RFC 9110 §13): whether the representation that a client has, or expects, is the current one. Pure:
//! headers in, a decision out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, Method, header};

/// The entity tag and the date of the representation that would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// A strong entity tag, with its quotes.
    pub etag: String,
    /// When the representation last changed.
    pub modified: SystemTime,
}

/// The outcome of a request's preconditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They hold, or there are none: answer.
    Proceed,
    /// 304: the client has it already.
    NotModified,
    /// 412: it is not what the client expects.
    Failed,
}

/// Returns whether `If-Match`, where it is there, names `etag` (RFC 9110 §13.1.1).
pub fn if_match(headers: &HeaderMap, etag: &str) -> bool {
    // Compared strongly, for a write on top of bytes that differ would lose an update.
    !headers.contains_key(header::IF_MATCH)
        || matches(headers, &header::IF_MATCH, |theirs| strong(theirs, etag))
}

/// Evaluates all preconditions in the order of RFC 9110 §13.2.2, save `If-Range`.
pub fn evaluate(method: &Method, headers: &HeaderMap, ours: &Validators) -> Decision {
    if headers.contains_key(header::IF_MATCH) {
        if !if_match(headers, &ours.etag) {
            return Decision::Failed;
        }
    } else if let Some(since) = date(headers, &header::IF_UNMODIFIED_SINCE)
        && whole_seconds(ours.modified) > since
    {
        return Decision::Failed;
    }

    let reads = matches!(*method, Method::GET | Method::HEAD);
    if headers.contains_key(header::IF_NONE_MATCH) {
        // §13.1.2: compared weakly, for a proxy that compresses may have weakened our tag (nginx does).
        if matches(headers, &header::IF_NONE_MATCH, |theirs| weak(theirs, &ours.etag)) {
            return if reads { Decision::NotModified } else { Decision::Failed };
        }
    } else if reads
        && let Some(since) = date(headers, &header::IF_MODIFIED_SINCE)
        && whole_seconds(ours.modified) <= since
    {
        return Decision::NotModified;
    }
    Decision::Proceed
}

/// Decides whether a `Range` counts (§13.1.5): without an `If-Range`, or with one that names the current
/// representation. `answered` is the `Date` of the origin's response, also when that comes from a cache.
pub fn range_counts(headers: &HeaderMap, ours: &Validators, answered: SystemTime) -> bool {
    let Some(field) = headers.get(header::IF_RANGE) else { return true };
    let Ok(text) = field.to_str() else { return false };
    if text.starts_with('"') || text.starts_with("W/") {
        return strong(text.trim(), &ours.etag);
    }
    // A date must match exactly, and one that lies in the last second could hide a second change: §8.8.2.2
    // makes it weak, and weak validators never combine parts.
    let Ok(theirs) = httpdate::parse_http_date(text) else { return false };
    let age = answered.duration_since(ours.modified).unwrap_or_default();
    theirs == whole_seconds(ours.modified) && age >= Duration::from_secs(1)
}

/// Compares entity tags strongly (§8.8.3.2): equal and neither weak.
fn strong(a: &str, b: &str) -> bool {
    a == b && !a.starts_with("W/")
}

/// Compares entity tags weakly: equal apart from their weakness.
fn weak(a: &str, b: &str) -> bool {
    a.strip_prefix("W/").unwrap_or(a) == b.strip_prefix("W/").unwrap_or(b)
}

fn matches(headers: &HeaderMap, name: &HeaderName, equal: impl Fn(&str) -> bool) -> bool {
    let mut fields = headers.get_all(name).iter().filter_map(|field| field.to_str().ok());
    fields.any(|field| field.trim() == "*" || tags(field).any(&equal))
}

/// Splits a list of entity tags. A comma may stand inside the quotes, so `split(',')` would not do.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let opening = if rest.starts_with("W/\"") { 3 } else { 1 };
        if !rest.get(..opening)?.ends_with('"') {
            return None;
        }
        let closing = opening + rest[opening..].find('"')?;
        let (tag, after) = rest.split_at(closing + 1);
        rest = after;
        Some(tag)
    })
}

/// A date that cannot be read is as good as none (§13.1.3, §13.1.4).
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

/// HTTP dates have no fractions (§5.6.7): a file's own time would be later than the `Last-Modified` that was sent for
/// it, and no `If-Modified-Since` would ever give 304.
fn whole_seconds(time: SystemTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const CHANGED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn ours() -> Validators {
        let modified = httpdate::parse_http_date(CHANGED).unwrap() + Duration::from_millis(700);
        Validators { etag: "\"a,b\"".to_owned(), modified }
    }

    fn headers(fields: &[(HeaderName, &str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn check(fields: &[(HeaderName, &str)], expected: Decision) {
        assert_eq!(evaluate(&Method::GET, &headers(fields), &ours()), expected, "{fields:?}");
    }

    #[test]
    fn if_none_match_compares_weakly() {
        use header::IF_NONE_MATCH as F;
        check(&[(F, "\"a,b\"")], Decision::NotModified);
        check(&[(F, "W/\"a,b\"")], Decision::NotModified);
        check(&[(F, "\"x\", W/\"y\" ,\"a,b\"")], Decision::NotModified);
        check(&[(F, "*")], Decision::NotModified);
        check(&[(F, "\"a\", \"b\"")], Decision::Proceed);
        check(&[(F, "a,b")], Decision::Proceed);
        let put = evaluate(&Method::PUT, &headers(&[(F, "*")]), &ours());
        assert_eq!(put, Decision::Failed);
    }

    #[test]
    fn if_match_compares_strongly() {
        use header::IF_MATCH as F;
        check(&[(F, "\"a,b\"")], Decision::Proceed);
        check(&[(F, "*")], Decision::Proceed);
        check(&[(F, "W/\"a,b\"")], Decision::Failed);
        check(&[(F, "\"other\"")], Decision::Failed);
    }

    #[test]
    fn dates_are_compared_in_whole_seconds() {
        check(&[(header::IF_MODIFIED_SINCE, CHANGED)], Decision::NotModified);
        check(&[(header::IF_MODIFIED_SINCE, AFTER)], Decision::NotModified);
        check(&[(header::IF_MODIFIED_SINCE, BEFORE)], Decision::Proceed);
        check(&[(header::IF_MODIFIED_SINCE, "yesterday")], Decision::Proceed);
        check(&[(header::IF_UNMODIFIED_SINCE, CHANGED)], Decision::Proceed);
        check(&[(header::IF_UNMODIFIED_SINCE, BEFORE)], Decision::Failed);
    }

    #[test]
    fn tags_go_before_dates() {
        check(&[(header::IF_MATCH, "\"a,b\""), (header::IF_UNMODIFIED_SINCE, BEFORE)], Decision::Proceed);
        check(&[(header::IF_NONE_MATCH, "\"x\""), (header::IF_MODIFIED_SINCE, AFTER)], Decision::Proceed);
        check(&[(header::IF_MATCH, "\"x\""), (header::IF_NONE_MATCH, "\"a,b\"")], Decision::Failed);
    }

    #[test]
    fn a_range_counts_only_for_what_we_have() {
        for (value, expected) in [
            ("\"a,b\"", true),
            ("W/\"a,b\"", false),
            ("\"x\"", false),
            (CHANGED, true),
            (BEFORE, false),
            (AFTER, false),
            ("yesterday", false),
        ] {
            let headers = headers(&[(header::IF_RANGE, value)]);
            assert_eq!(range_counts(&headers, &ours(), SystemTime::now()), expected, "{value}");
        }
        assert!(range_counts(&HeaderMap::new(), &ours(), SystemTime::now()));
    }

    #[test]
    fn a_date_within_the_last_second_does_not_carry_a_range() {
        let now =
            Validators { etag: "\"a\"".to_owned(), modified: SystemTime::now() + Duration::from_mins(1) };
        let date = httpdate::fmt_http_date(now.modified);
        assert!(!range_counts(&headers(&[(header::IF_RANGE, &date)]), &now, SystemTime::now()));
    }
}
