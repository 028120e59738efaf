//! The API's compression: JSON above a kilobyte goes out in gzip to clients that accept it. Media and playlists have
//! codings of their own (`content`).

use http::{Extensions, HeaderMap, HeaderValue, Response, StatusCode, Version, header};
use tower_http::compression::{
    CompressionLayer,
    predicate::{And, Predicate, SizeAbove},
};

// Below a kilobyte an answer fits into one packet either way, and gzip would cost time alone.
const LEAST_BYTES: u16 = 1024;

type IsJson = fn(StatusCode, Version, &HeaderMap, &Extensions) -> bool;

/// Returns the layer that compresses the JSON of every answer below it; [`retag`] belongs around it.
///
/// A compressed answer with a secret and with words of an attacker leaks the secret by its length (BREACH). Pages of
/// other sites cannot ask for one of ours: the session's cookie is `SameSite=Lax`, and a token stands in no browser by itself.
pub fn layer() -> CompressionLayer<And<SizeAbove, IsJson>> {
    CompressionLayer::new().compress_when(SizeAbove::new(LEAST_BYTES).and(is_json as IsJson))
}

/// Gives a compressed answer a tag of its own, for its bytes are others than those of the plain one (RFC 9110 §8.8.3.3).
pub fn retag<B>(mut response: Response<B>) -> Response<B> {
    let headers = response.headers_mut();
    if headers.get(header::CONTENT_ENCODING).is_none_or(|coding| coding != "gzip") {
        return response;
    }
    let tag = headers.get(header::ETAG).and_then(|tag| tag.to_str().ok());
    if let Some(packed) = tag.map(packed)
        && let Ok(packed) = HeaderValue::try_from(packed)
    {
        headers.insert(header::ETAG, packed);
    }
    response
}

/// Returns the tag of the gzipped form of what `tag`, with its quotes, is the tag of.
pub(crate) fn packed(tag: &str) -> String {
    tag.strip_suffix('"').map_or_else(|| tag.to_owned(), |open| format!("{open}-gzip\""))
}

// By type, since an event stream must go out event by event: a compressor would hold events back to fill its window.
fn is_json(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    matches!(kind, "application/json" | "application/problem+json")
}
