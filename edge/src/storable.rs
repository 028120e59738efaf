//! Storability: whether a response may be stored, and which requests may share it (RFC 9111 §3, §4). Pure.

use http::{HeaderMap, StatusCode, header};

use crate::{
    cache_control::{CacheControl, Flag},
    freshness, vary,
};

/// The requests that may share an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cacheability {
    /// For all: it is stored.
    Shared,
    /// It is stored, and every use of it is validated (RFC 9111 §5.2.2.4), so each waiter sends a request of its own.
    NoCache,
    /// For the present waiters; it is not stored.
    CollapsedOnly,
    /// For the one request that it answers.
    Private,
}

/// Whether the request that was answered had `Authorization`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestAuth {
    Anonymous,
    Authorized,
}

impl RequestAuth {
    pub(crate) fn of(request: &HeaderMap) -> Self {
        if request.contains_key(header::AUTHORIZATION) { Self::Authorized } else { Self::Anonymous }
    }
}

/// Decides which requests may share the answer to a GET.
pub(crate) fn cacheability(status: StatusCode, headers: &HeaderMap, auth: RequestAuth) -> Cacheability {
    let (control, _) = CacheControl::targeted(headers);
    let understood = is_understood(status);
    // §5.2.2.3: a cache that understands the status ignores the no-store beside must-understand.
    let understands = control.has(Flag::MustUnderstand) && understood;
    // §7.3 leaves cookies to the cache: a response that sets one was made for one client.
    if control.has(Flag::Private)
        || vary::names(headers).is_none()
        || headers.contains_key(header::SET_COOKIE)
    {
        return Cacheability::Private;
    }
    // §3.5: these three state that an answer to a request with `Authorization` may be shared.
    let open = control.has(Flag::Public) || control.has(Flag::MustRevalidate) || control.s_maxage.is_some();
    if auth == RequestAuth::Authorized && !open {
        return Cacheability::Private;
    }
    let explicit = freshness::is_explicit(&control, headers);
    let stores = !control.has(Flag::NoStore) || understands;
    // RFC 9111 §3: an unknown status is stored for its explicit lifetime. A part (206) never is: without combining parts
    // (§3.4) it would answer only requests for the same range.
    let may_be_unknown = status != StatusCode::PARTIAL_CONTENT && !control.has(Flag::MustUnderstand);
    let unknown = may_be_unknown && freshness::has_lifetime(&control, headers);
    if stores && (understood && (explicit || is_cacheable_by_default(status)) || unknown) {
        return if control.has(Flag::NoCache) { Cacheability::NoCache } else { Cacheability::Shared };
    }
    // A thousand waiters of one broken origin share its one error: a request each would keep it from recovering.
    if status.is_server_error() { Cacheability::CollapsedOnly } else { Cacheability::Private }
}

/// Statuses whose rules of caching this cache implements (§3).
fn is_understood(status: StatusCode) -> bool {
    is_cacheable_by_default(status)
        || matches!(status.as_u16(), 302 | 303 | 307 | 400 | 403 | 429 | 451 | 500 | 502 | 503 | 504)
}

/// RFC 9110 §15.1, save 206.
fn is_cacheable_by_default(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn check(
        status: u16,
        fields: &[(&'static str, &'static str)],
        auth: RequestAuth,
        expected: Cacheability,
    ) {
        let headers = fields
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        assert_eq!(
            cacheability(StatusCode::from_u16(status).unwrap(), &headers, auth),
            expected,
            "{status} {fields:?}"
        );
    }

    #[test]
    fn answers_for_all_are_stored_and_answers_for_one_are_not() {
        use RequestAuth::Anonymous as A;
        check(200, &[], A, Cacheability::Shared);
        check(200, &[("cache-control", "max-age=1")], A, Cacheability::Shared);
        check(200, &[("cache-control", "no-cache")], A, Cacheability::NoCache);
        check(200, &[("cache-control", "no-store")], A, Cacheability::Private);
        check(200, &[("cache-control", "private, max-age=9")], A, Cacheability::Private);
        check(
            200,
            &[("cache-control", "no-store"), ("cdn-cache-control", "max-age=9")],
            A,
            Cacheability::Shared,
        );
        check(200, &[("vary", "*")], A, Cacheability::Private);
        check(200, &[("set-cookie", "a=b"), ("cache-control", "public")], A, Cacheability::Private);
        check(206, &[("cache-control", "max-age=9")], A, Cacheability::Private);
        check(302, &[], A, Cacheability::Private);
        check(302, &[("cache-control", "max-age=9")], A, Cacheability::Shared);
        check(404, &[], A, Cacheability::Shared);
        check(503, &[], A, Cacheability::CollapsedOnly);
        check(503, &[("cache-control", "no-store")], A, Cacheability::CollapsedOnly);
        check(503, &[("cache-control", "private")], A, Cacheability::Private);
        check(299, &[("cache-control", "max-age=9")], A, Cacheability::Shared);
        check(299, &[("cache-control", "public")], A, Cacheability::Private);
        check(299, &[], A, Cacheability::Private);
    }

    #[test]
    fn must_understand_cancels_no_store_for_known_statuses() {
        let fields = [("cache-control", "must-understand, no-store, max-age=9")];
        check(200, &fields, RequestAuth::Anonymous, Cacheability::Shared);
        check(299, &fields, RequestAuth::Anonymous, Cacheability::Private);
    }

    #[test]
    fn answers_to_authorized_requests_are_shared_only_when_allowed() {
        use RequestAuth::Authorized as A;
        check(200, &[("cache-control", "max-age=9")], A, Cacheability::Private);
        check(503, &[], A, Cacheability::Private);
        for allowed in ["public", "s-maxage=9", "must-revalidate, max-age=9"] {
            check(200, &[("cache-control", allowed)], A, Cacheability::Shared);
        }
    }
}
