//! The API's compression: JSON above a kilobyte goes out in gzip to clients that accept it. Media and playlists have
//! codings of their own.

use http::{Extensions, HeaderMap, StatusCode, Version, header};
use tower_http::compression::{
    CompressionLayer,
    predicate::{And, Predicate, SizeAbove},
};

// Below a kilobyte an answer fits into one packet either way, and gzip would cost time alone.
const LEAST_BYTES: u16 = 1024;

type IsJson = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Returns the layer that compresses the JSON of every answer below it.
///
/// A compressed answer with a secret and with words of an attacker leaks the secret by its length (BREACH). Pages of
/// other sites cannot ask for one of ours: the session's cookie is `SameSite=Lax`, and a token stands in no browser by itself.
pub(crate) fn layer() -> CompressionLayer<And<SizeAbove, IsJson>> {
    CompressionLayer::new().compress_when(SizeAbove::new(LEAST_BYTES).and(is_json as IsJson))
}

// By type, since an event stream must go out event by event: a compressor would hold events back to fill its window.
fn is_json(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    matches!(kind, "application/json" | "application/problem+json")
}
