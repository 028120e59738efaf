//! A search among header fields that is cheap enough for every request.

use http::{HeaderMap, HeaderName};

/// Returns whether any of `names` is there. Of the dozen fields that a request has, all are compared sooner than a few
/// names are hashed.
pub fn has_any(headers: &HeaderMap, names: &[HeaderName]) -> bool {
    headers.keys().any(|name| names.contains(name))
}
