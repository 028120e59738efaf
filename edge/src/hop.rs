//! Header fields of one connection, which go no further (RFC 9110 §7.6.1).

use http::{HeaderMap, HeaderName, HeaderValue, Method, Version, header};

// RFC 9110 §7.6.1, and RFC 9111 §3.1 for what speaks to the next proxy. Trailers are not passed on, so their
// announcement is not either.
const OF_THE_CONNECTION: [HeaderName; 10] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    HeaderName::from_static("proxy-authentication-info"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

// §7.6.1 forbids to list fields that are meant for all recipients. A sender that does it anyway must not get a message
// reframed (request smuggling) nor a private answer stored, so these stay.
const NEVER_DROPPED: [HeaderName; 5] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CACHE_CONTROL,
    HeaderName::from_static("cdn-cache-control"),
    HeaderName::from_static("surrogate-control"),
];

/// Removes what belongs to the connection, and what the connection's options list.
pub(crate) fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let fields = headers.get_all(header::CONNECTION).iter().filter_map(|field| field.to_str().ok());
    let listed: Vec<HeaderName> = fields
        .flat_map(|field| field.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| !NEVER_DROPPED.contains(name))
        .collect();
    for name in listed.iter().chain(&OF_THE_CONNECTION) {
        headers.remove(name);
    }
}

/// Counts an OPTIONS one down (RFC 9110 §7.6.2). Returns whether it goes any further.
pub(crate) fn decrement_max_forwards(method: &Method, headers: &mut HeaderMap) -> bool {
    if *method != Method::OPTIONS {
        return true;
    }
    let given = headers.get(header::MAX_FORWARDS).and_then(|given| given.to_str().ok()?.parse::<u64>().ok());
    match given.map(|left| left.checked_sub(1)) {
        None => true,
        Some(None) => false,
        Some(Some(left)) => {
            headers.insert(header::MAX_FORWARDS, left.into());
            true
        }
    }
}

/// Our name on the way of a request, behind the version that it came in (RFC 9110 §7.6.3).
#[derive(Clone, Debug)]
pub(crate) struct Via([HeaderValue; 3]);

impl Via {
    /// Makes the fields of the edge called `name`.
    pub(crate) fn new(name: &str) -> Self {
        Self(["1.0", "1.1", "2"].map(|version| {
            let named = HeaderValue::from_str(&format!("{version} {name}"));
            named.unwrap_or(HeaderValue::from_static("1.1 edge"))
        }))
    }

    pub(crate) fn of(&self, version: Version) -> HeaderValue {
        let [http1_0, http1_1, http2] = &self.0;
        match version {
            Version::HTTP_10 => http1_0,
            Version::HTTP_2 => http2,
            _ => http1_1,
        }
        .clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_listed_by_connection_are_dropped() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, x-hop, cache-control"),
            ("connection", "X-Other"),
            ("x-hop", "1"),
            ("x-other", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("cache-control", "no-store"),
            ("x-end", "1"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        drop_hop_by_hop(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["cache-control", "x-end"]);
    }
}
