//! CORS: the headers that let web pages of any origin read a response. The roles decide which of their addresses are
//! open like that, and refuse the others before they get here.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{Response, body};

/// The methods and header fields that pages of other origins may send and read.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Methods, separated by commas.
    pub methods: &'static str,
    /// Request headers, separated by commas.
    pub allow: &'static str,
    /// Response headers, separated by commas.
    pub expose: &'static str,
}

/// The policy of playlists and segments. Players ask for ranges and revalidate playlists, and may report by CMCD
/// headers (CTA-5004). The Fetch standard safelists hardly any of these, so each is named.
pub const PLAYBACK: Policy = Policy {
    methods: "GET, HEAD",
    allow: "Range, If-Range, If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since, \
            CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status",
    // The page sees why a range came back as it did, and when to try again, also on errors.
    expose: "Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Date, ETag, Retry-After",
};

/// Returns the answer to a preflight, and `None` for every other request: an `OPTIONS` without
/// `Access-Control-Request-Method` is none, but asks for the resource's methods (RFC 9110 §9.3.7).
pub fn preflight(method: &Method, headers: &HeaderMap, policy: Policy) -> Option<Response> {
    if *method != Method::OPTIONS
        || !headers.contains_key(header::ORIGIN)
        || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return None;
    }
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(policy.methods));
    answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(policy.allow));
    // Browsers cap this at two hours or less.
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    expose(answer, policy);
    Some(response)
}

/// Lets pages of any origin see a response; for errors too, else a page cannot distinguish a 404 from a dead network.
pub fn expose(headers: &mut HeaderMap, policy: Policy) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(policy.expose));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_browsers_question_is_a_preflight() {
        let mut headers = HeaderMap::new();
        assert!(preflight(&Method::OPTIONS, &headers, PLAYBACK).is_none());
        headers.insert(header::ORIGIN, HeaderValue::from_static("https://example.org"));
        assert!(preflight(&Method::OPTIONS, &headers, PLAYBACK).is_none());
        headers.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("GET"));
        assert!(preflight(&Method::GET, &headers, PLAYBACK).is_none());
        let response = preflight(&Method::OPTIONS, &headers, PLAYBACK).unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_METHODS], "GET, HEAD");
        assert_eq!(response.headers()[header::ACCESS_CONTROL_ALLOW_HEADERS], PLAYBACK.allow);
    }
}
