//! Variants (RFC 9111 §4.1): which request headers an answer depends on, and whether two requests agree in them.

use http::{HeaderMap, HeaderName, header};
use server::encoding;

/// Request headers and what they were; `None` is absent.
pub(crate) type Selecting = Vec<(HeaderName, Option<String>)>;

/// Returns the headers that an answer depends on, or `None` when it depends on more than headers (`*`).
pub(crate) fn names(response: &HeaderMap) -> Option<Vec<HeaderName>> {
    let mut names = Vec::new();
    for field in response.get_all(header::VARY) {
        for name in field.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            if name == "*" {
                return None;
            }
            names.push(name.parse().ok()?);
        }
    }
    // A client that does not accept a coding must not get it, so a coded answer varies even if the origin forgot `Vary`.
    if response.contains_key(header::CONTENT_ENCODING) {
        names.push(header::ACCEPT_ENCODING);
    }
    // The names are sorted, for two orders of one `Vary` are one fetch key.
    names.sort_unstable_by(|a: &HeaderName, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    Some(names)
}

/// Returns a request's values of the headers `names`.
pub(crate) fn select(names: &[HeaderName], request: &HeaderMap) -> Selecting {
    names.iter().map(|name| (name.clone(), value(name, request))).collect()
}

/// Returns whether a request has the same values as the request that `selecting` was taken from.
pub(crate) fn agrees(selecting: &Selecting, request: &HeaderMap) -> bool {
    selecting.iter().all(|(name, before)| {
        if *name == header::ACCEPT_ENCODING {
            return before.as_deref() == Some(coding(request));
        }
        value(name, request) == *before
    })
}

/// Returns the one coding to request from an origin. The thousand spellings of `Accept-Encoding` become two variants, and
/// each client still gets a coding that it accepts.
pub(crate) fn coding(request: &HeaderMap) -> &'static str {
    if encoding::prefers_gzip(request) { "gzip" } else { "identity" }
}

/// §4.1 allows to combine fields and to normalise white space.
fn value(name: &HeaderName, request: &HeaderMap) -> Option<String> {
    if *name == header::ACCEPT_ENCODING {
        return Some(coding(request).to_owned());
    }
    if !request.contains_key(name) {
        return None;
    }
    let fields = request.get_all(name).iter().map(|field| String::from_utf8_lossy(field.as_bytes()));
    let parts: Vec<String> = fields
        .flat_map(|field| field.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>())
        .collect();
    Some(parts.join(", "))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn requests_agree_on_equal_fields_in_any_spelling() {
        let vary = headers(&[("vary", "X-A, accept-encoding"), ("vary", "x-b")]);
        let names = names(&vary).unwrap();
        assert_eq!(names, ["accept-encoding", "x-a", "x-b"]);
        let selecting = select(&names, &headers(&[("x-a", "1,2"), ("accept-encoding", "gzip, br")]));
        for (request, expected) in [
            (headers(&[("x-a", "1"), ("x-a", "2"), ("accept-encoding", "gzip")]), true),
            (headers(&[("x-a", "1 ,\t2"), ("accept-encoding", "deflate, gzip")]), true),
            (headers(&[("x-a", "1,2")]), false),
            (headers(&[("x-a", "1"), ("accept-encoding", "gzip")]), false),
            (headers(&[("x-a", "1,2"), ("accept-encoding", "gzip"), ("x-b", "")]), false),
        ] {
            assert_eq!(agrees(&selecting, &request), expected, "{request:?}");
        }
    }

    #[test]
    fn a_coded_answer_varies_with_or_without_vary() {
        assert_eq!(names(&headers(&[("content-encoding", "gzip")])).unwrap(), ["accept-encoding"]);
        assert_eq!(names(&headers(&[("vary", "a, *")])), None);
        assert_eq!(names(&headers(&[])).unwrap(), Vec::<HeaderName>::new());
    }
}
