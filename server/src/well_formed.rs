//! The checks of a request's form that hyper leaves to its users: the target, the framing of the body, and the
//! methods that a server of files has no business with. A malformed request could mean one thing to us and another to
//! a proxy in front (request smuggling, RFC 9112 §11.2).

use http::{HeaderMap, HeaderValue, Method, StatusCode, Version, header, request::Parts, uri::Authority};

use crate::{Problem, has_any};

const ALLOW: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// The fault of a malformed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Method,
    Host(&'static str),
    Target,
    Field,
    TransferEncoding,
}

/// Refuses malformed requests. Every other one has exactly one `Host`, which is its target, except that HTTP/1.0 may
/// have none.
pub(crate) fn check(request: &mut Parts) -> Result<(), Malformed> {
    // RFC 9110 §9.3.6 and §9.3.8: no tunnels from here, and no echo of what a client's other headers hold.
    if request.method == Method::CONNECT || request.method == Method::TRACE {
        return Err(Malformed::Method);
    }
    // RFC 9112 §3.2.4 and RFC 9113 §8.3.1: `*` is the target of OPTIONS alone. Elsewhere a reader makes it `/*`.
    if request.uri.path() == "*" && request.method != Method::OPTIONS {
        return Err(Malformed::Target);
    }
    if request.version == Version::HTTP_2 {
        fields_of_http2(&mut request.headers)?;
    }
    one_length(&mut request.headers);
    host(request)?;
    if has_any(&request.headers, &[header::TRANSFER_ENCODING, header::UPGRADE]) {
        framing(&request.headers)?;
        // RFC 9110 §7.8: a server may ignore Upgrade, and this one does, so no handler behind it gets to see one.
        if request.headers.remove(header::UPGRADE).is_some() {
            request.headers.remove("http2-settings");
        }
    }
    Ok(())
}

/// RFC 9113 §8.2: values have no spaces around them, and a Cookie that was taken apart for compression is one again (§8.2.3),
/// for in HTTP/1.1 several are none.
fn fields_of_http2(headers: &mut HeaderMap) -> Result<(), Malformed> {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if headers.values().any(|value| is_space(value.as_bytes().first()) || is_space(value.as_bytes().last())) {
        return Err(Malformed::Field);
    }
    let mut crumbs = headers.get_all(header::COOKIE).iter();
    if let (Some(_), Some(_)) = (crumbs.next(), crumbs.next()) {
        let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let cookie = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])).map_err(|_| Malformed::Field)?;
        headers.insert(header::COOKIE, cookie);
    }
    Ok(())
}

/// RFC 9110 §8.6: equal lengths that came twice go on as one. hyper has refused those that differ.
fn one_length(headers: &mut HeaderMap) {
    let mut fields = headers.get_all(header::CONTENT_LENGTH).iter();
    if let (Some(first), Some(_)) = (fields.next(), fields.next()) {
        let first = first.clone();
        headers.insert(header::CONTENT_LENGTH, first);
    }
}

fn host(request: &mut Parts) -> Result<(), Malformed> {
    let mut fields = request.headers.get_all(header::HOST).iter();
    let (field, another) = (fields.next(), fields.next());
    // RFC 9112 §3.2: 400 for more than one, and for an invalid one.
    if another.is_some() {
        return Err(Malformed::Host("A request has one Host header; this one has several."));
    }
    if field.is_some_and(|host| !is_host(host.as_bytes())) {
        return Err(Malformed::Host("The Host header is not a name or address and a port."));
    }
    let Some(authority) = request.uri.authority() else {
        // RFC 9112 §3.2: 400 for none, from HTTP/1.1 on.
        return match field {
            None if request.version != Version::HTTP_10 && request.version != Version::HTTP_09 => {
                Err(Malformed::Host("The request has no Host header."))
            }
            _ => Ok(()),
        };
    };
    // RFC 9110 §4.2.4: userinfo in an http address is an error, and a way to fool people.
    if !is_host(authority.as_str().as_bytes()) {
        return Err(Malformed::Host("The address's authority is not a name or address and a port."));
    }
    let same = field.is_some_and(|host| host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()));
    if same {
        return Ok(());
    }
    // RFC 9113 §8.3.1: a Host that is not the :authority is malformed. RFC 9112 §3.2.2: in HTTP/1.1 it is
    // replaced by what the absolute address says.
    if field.is_some() && request.version >= Version::HTTP_2 {
        return Err(Malformed::Host("The Host header and :authority differ."));
    }
    let host = value(authority)?;
    request.headers.insert(header::HOST, host);
    Ok(())
}

fn value(authority: &Authority) -> Result<HeaderValue, Malformed> {
    HeaderValue::from_str(authority.as_str())
        .map_err(|_| Malformed::Host("The address's authority is not a name or address and a port."))
}

/// RFC 3986 §3.2.2 without its percent signs, which no name that resolves has.
fn is_host(text: &[u8]) -> bool {
    let (host, port) = if let Some(rest) = text.strip_prefix(b"[") {
        let Some(end) = rest.iter().position(|b| *b == b']') else { return false };
        let address = &rest[..end];
        let valid = address.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
        (valid && address.contains(&b':'), &rest[end + 1..])
    } else {
        let end = text.iter().position(|b| *b == b':').unwrap_or(text.len());
        let name = &text[..end];
        let valid = name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'));
        (valid && end > 0, &text[end..])
    };
    let port = match port {
        [] => true,
        [b':', digits @ ..] => digits.len() <= 5 && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    host && port
}

fn framing(headers: &HeaderMap) -> Result<(), Malformed> {
    let mut fields = headers.get_all(header::TRANSFER_ENCODING).iter();
    let Some(field) = fields.next() else { return Ok(()) };
    // RFC 9112 §6.1 and §7: chunked, once, is all that we decode; hyper would pass the rest on as it came.
    if fields.next().is_some() || !field.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked") {
        return Err(Malformed::TransferEncoding);
    }
    Ok(())
}

/// Returns whether the connection must end with the answer.
pub(crate) fn is_last(request: &Parts) -> bool {
    // RFC 9112 §6.1: a Content-Length beside a Transfer-Encoding may be smuggling, and the connection must be
    // closed. hyper takes the length away before we see it, so all that are chunked are closed.
    request.version < Version::HTTP_2 && has_any(&request.headers, &[header::TRANSFER_ENCODING])
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        let (code, detail) = match malformed {
            Malformed::Method => {
                let detail =
                    "This server takes no CONNECT and no TRACE; the Allow header says what it takes.";
                return Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
                    .header(header::ALLOW, ALLOW);
            }
            Malformed::Host(detail) => ("invalid_host", detail),
            Malformed::Target => ("invalid_target", "The target * is for OPTIONS alone."),
            Malformed::Field => ("invalid_field", "A header field's value begins or ends with a space."),
            Malformed::TransferEncoding => (
                "invalid_transfer_encoding",
                "The one Transfer-Encoding that this server takes is chunked, once.",
            ),
        };
        // The next bytes on this connection may belong to this request's body and look like another request (RFC 9112
        // §11.2).
        Self::new(StatusCode::BAD_REQUEST, code, detail)
            .header(header::CONNECTION, HeaderValue::from_static("close"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for host in
            ["x", "example.org", "example.org:8080", "127.0.0.1:1", "[::1]", "[::1]:443", "a_b-c", "x:"]
        {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in [
            "", ":80", "a b", "a/b", "a@b", "a:b", "a:123456", "[::1", "[]", "[::1]x", "a,b", "a:1:2", "ä",
            "a?b",
        ] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    fn request(method: Method, target: &str, fields: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::builder().method(method).uri(target).version(Version::HTTP_2);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_asterisk_is_the_target_of_options_alone_rfc_9112_3_2_4() {
        let host = &[("host", "x")];
        assert_eq!(check(&mut request(Method::OPTIONS, "*", host)), Ok(()));
        for method in [Method::GET, Method::POST, Method::DELETE] {
            assert_eq!(check(&mut request(method, "*", host)), Err(Malformed::Target));
        }
    }

    #[test]
    fn cookie_crumbs_are_one_field_again_rfc_9113_8_2_3() {
        let fields = [
            ("host", "x"),
            ("cookie", "a=1"),
            ("cookie", "b=2; c=3"),
            ("content-length", "5"),
            ("content-length", "5"),
        ];
        let mut request = request(Method::POST, "/", &fields);
        assert_eq!(check(&mut request), Ok(()));
        let all = |name| request.headers.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(all("cookie"), ["a=1; b=2; c=3"]);
        assert_eq!(all("content-length"), ["5"]);
    }

    #[test]
    fn values_with_spaces_around_them_are_malformed_rfc_9113_8_2_1() {
        for value in [" a", "a ", "\ta", "a\t", " "] {
            let mut request = request(Method::GET, "/", &[("host", "x"), ("a", value)]);
            assert_eq!(check(&mut request), Err(Malformed::Field), "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn no_host_makes_it_panic_and_those_that_pass_are_authorities(text in any::<Vec<u8>>()) {
            if is_host(&text) {
                prop_assert!(Authority::try_from(&text[..]).is_ok());
            }
        }
    }
}
