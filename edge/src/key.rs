//! Cache keys: scheme, host, normalised path and query (RFC 9111 §2). The request to the origin is built from the key
//! alone, so no input outside of the key can change a stored answer: that would be cache poisoning.

use std::{borrow::Cow, fmt::Write, sync::Arc};

use http::{HeaderMap, Uri, header, uri::Authority};
use url::Url;

/// The key of a resource, such as `http://example.org/v/abc/720p/3.m4s`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(Arc<str>);

/// A request's target as it came, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    text: String,
    path_at: usize,
    /// The player's CMCD in the query (CTA-5004). Never part of a key: it differs with every request.
    pub cmcd: Option<String>,
}

/// Why a request has no key; the answer is 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// RFC 9112 §3.2: there is exactly one host.
    #[error("the request names no valid host")]
    Host,
    /// RFC 3986 §2.1: a percent sign is followed by two hexadecimal digits.
    #[error("the path has a percent sign without two hexadecimal digits behind it")]
    Path,
    /// A ticket that is not spelt plainly would go on to the origin, and into logs.
    #[error("a ticket stands in a path as it was given out, behind /t/")]
    Ticket,
}

impl Target {
    /// Takes a request's target apart and normalises it. `scheme` is the listener's: what a client writes in
    /// its place does not count. `inner` stands in for the URI's own path.
    pub fn decode(
        scheme: &str,
        uri: &Uri,
        headers: &HeaderMap,
        inner: Option<&str>,
    ) -> Result<Self, Invalid> {
        let path = normal_path(inner.unwrap_or(uri.path())).ok_or(Invalid::Path)?;
        if matches!(&path, Cow::Owned(path) if path.starts_with("/t/")) {
            return Err(Invalid::Ticket);
        }
        let query = uri.query().unwrap_or_default();
        let mut text = String::with_capacity(scheme.len() + 64 + path.len() + query.len());
        text.push_str(scheme);
        text.push_str("://");
        push_host(&mut text, uri.authority(), headers)?;
        let path_at = text.len();
        text.push_str(&path);
        let cmcd = if query.is_empty() { None } else { push_query(&mut text, query) };
        Ok(Self { text, path_at, cmcd })
    }

    /// Returns the key's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path without the query.
    pub fn path(&self) -> &str {
        self.path_and_query().split('?').next().unwrap_or_default()
    }

    /// Returns the request target for the origin.
    pub fn path_and_query(&self) -> &str {
        &self.text[self.path_at..]
    }

    /// Returns the host, with its port when that is not the scheme's.
    pub fn host(&self) -> &str {
        host_of(&self.text[..self.path_at])
    }

    /// Returns the target of another path on the same host.
    pub(crate) fn sibling(&self, path_and_query: &str) -> Self {
        let text = format!("{}{path_and_query}", &self.text[..self.path_at]);
        Self { text, path_at: self.path_at, cmcd: None }
    }

    pub(crate) fn key(&self) -> Key {
        Key(self.text.as_str().into())
    }

    /// Resolves a `Location` or `Content-Location`; `None` when it is of another origin (RFC 9111 §4.4).
    pub(crate) fn same_origin(&self, reference: &str) -> Option<Self> {
        // RFC 9110 §10.2.2: both may be relative.
        let mut url = Url::parse(&self.text).ok()?.join(reference).ok()?;
        // RFC 3986 §3.5: a fragment is never sent, so no key has one.
        url.set_fragment(None);
        let uri: Uri = url.as_str().parse().ok()?;
        let other = Self::decode(uri.scheme_str()?, &uri, &HeaderMap::new(), None).ok()?;
        (other.text[..other.path_at] == self.text[..self.path_at]).then_some(other)
    }
}

impl Key {
    /// Returns the key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the path and query.
    pub(crate) fn path_and_query(&self) -> &str {
        let host = self.0.find("://").map_or(0, |at| at + 3);
        self.0[host..].find('/').map_or("/", |at| &self.0[host + at..])
    }
}

impl std::borrow::Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The bytes that a host may consist of. Fewer than RFC 3986 §3.2.2 allows: a host in odd spelling would be a second key.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        plain[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
        byte += 1;
    }
    plain
};

fn host_of(origin: &str) -> &str {
    origin.split_once("://").map_or("", |(_, host)| host)
}

fn push_host(text: &mut String, authority: Option<&Authority>, headers: &HeaderMap) -> Result<(), Invalid> {
    // RFC 9112 §3.2.2: an absolute target's host wins over the field. HTTP/2 has `:authority` for it.
    let mut fields = headers.get_all(header::HOST).iter();
    let host = match (authority, fields.next(), fields.next()) {
        (Some(authority), _, _) => authority.as_str(),
        (None, Some(host), None) => host.to_str().map_err(|_| Invalid::Host)?,
        _ => return Err(Invalid::Host),
    };
    if host.is_empty() || !host.bytes().all(|byte| PLAIN[usize::from(byte)]) {
        return Err(Invalid::Host);
    }
    // RFC 3986 §6.2.3: the scheme's own port is no port.
    let port = if text.starts_with("https") { ":443" } else { ":80" };
    let host = host.strip_suffix(port).filter(|h| !h.ends_with(':')).unwrap_or(host);
    let host_at = text.len();
    text.push_str(host);
    // RFC 3986 §6.2.2.1: hosts are case-insensitive.
    text[host_at..].make_ascii_lowercase();
    Ok(())
}

/// Normalises a path (RFC 3986 §6.2.2): unreserved characters are decoded, other escapes in capitals, dot
/// segments resolved. `None` when an escape is broken.
pub fn normal_path(path: &str) -> Option<Cow<'_, str>> {
    // Nearly every path is normal, and a hit must not pay for an allocation.
    if is_normal(path.as_bytes()) {
        return Some(Cow::Borrowed(path));
    }
    let decoded = normal_escapes(path)?;
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = decoded.strip_prefix('/').unwrap_or(&decoded).split('/').peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    segments.pop();
                }
                if last {
                    segments.push("");
                }
            }
            part => segments.push(part),
        }
    }
    Some(Cow::Owned(format!("/{}", segments.join("/"))))
}

/// Returns whether a path is normal at first sight.
fn is_normal(path: &[u8]) -> bool {
    path.starts_with(b"/") && !path.contains(&b'%') && !path.windows(2).any(|two| two == b"/.")
}

fn normal_escapes(text: &str) -> Option<String> {
    let mut normal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        normal.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(digits, 16).ok()?;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            normal.push(char::from(byte));
        } else {
            let _ = write!(normal, "%{byte:02X}");
        }
        rest = &rest[at + 3..];
    }
    normal.push_str(rest);
    Some(normal)
}

/// Appends a query without the player's CMCD, which is returned.
fn push_query(text: &mut String, query: &str) -> Option<String> {
    let mut cmcd = None;
    let mut sign = '?';
    // Parameters keep their order: an origin may go by it, and two keys for one thing are better than one for two.
    for parameter in query.split('&').filter(|p| !p.is_empty()) {
        if let Some(value) = parameter.strip_prefix("CMCD=") {
            cmcd = Some(value.to_owned());
            continue;
        }
        text.push(sign);
        sign = '&';
        // A broken escape in a query means what the origin takes it for.
        match normal_escapes(parameter) {
            Some(normal) if parameter.contains('%') => text.push_str(&normal),
            _ => text.push_str(parameter),
        }
    }
    cmcd
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn key(uri: &str, host: &str) -> Result<String, Invalid> {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]);
        Target::decode("http", &uri.parse().unwrap(), &headers, None).map(|target| target.text)
    }

    #[test]
    fn equal_targets_have_one_key() {
        let expected = "http://a.example/v/x/720p/3.m4s";
        for (uri, host) in [
            ("/v/x/720p/3.m4s", "a.example"),
            ("/v/x/720p/3.m4s", "A.Example:80"),
            ("/v/%78/720p/3%2Em4s", "a.example"),
            ("/v/./x/y/../720p/3.m4s", "a.example"),
            ("/../v/x/720p/%2e/3.m4s", "a.example"),
            ("/v/x/720p/3.m4s?CMCD=br%3D100%2Csu", "a.example"),
            ("http://a.example/v/x/720p/3.m4s", "other.example"),
        ] {
            assert_eq!(key(uri, host).as_deref(), Ok(expected), "{uri}");
        }
    }

    #[test]
    fn different_targets_have_different_keys() {
        let all = [
            ("/a", "h"),
            ("/A", "h"),
            ("/a/", "h"),
            ("//a", "h"),
            ("/%2Fa", "h"),
            ("/a?x=1", "h"),
            ("/a?x=1&y=2", "h"),
            ("/a?y=2&x=1", "h"),
            ("/a", "h:8080"),
            ("/a", "h2"),
            ("/a%3Fx=1", "h"),
        ];
        let keys: std::collections::BTreeSet<_> =
            all.iter().map(|(uri, host)| key(uri, host).unwrap()).collect();
        assert_eq!(keys.len(), all.len(), "{keys:?}");
    }

    #[test]
    fn a_target_without_host_or_with_a_broken_escape_has_no_key() {
        for host in ["", "a b", "a/b", "a@b", "a,b", "a%20b"] {
            assert_eq!(key("/", host), Err(Invalid::Host), "{host:?}");
        }
        assert_eq!(key("/%zz", "h"), Err(Invalid::Path));
        assert_eq!(key("/a%2", "h"), Err(Invalid::Path));
        for path in ["/%74/x/v/1", "/./t/x/v/1", "/a/../t/x"] {
            assert_eq!(key(path, "h"), Err(Invalid::Ticket), "{path}");
        }
        assert_eq!(
            Target::decode("http", &Uri::from_static("/"), &HeaderMap::new(), None),
            Err(Invalid::Host)
        );
    }

    #[test]
    fn only_references_of_the_same_origin_are_resolved() {
        let target =
            Target::decode("http", &Uri::from_static("http://h/a"), &HeaderMap::new(), None).unwrap();
        let check = |reference: &str, expected: Option<&str>| {
            assert_eq!(target.same_origin(reference).map(|t| t.text).as_deref(), expected, "{reference}");
        };
        check("/b?c", Some("http://h/b?c"));
        check("http://H:80/b", Some("http://h/b"));
        check("http://other/b", None);
        check("//other/b", None);
        check("//h/b#c", Some("http://h/b"));
        check("b/c", Some("http://h/b/c"));
        check("?c", Some("http://h/a?c"));
        check("../b", Some("http://h/b"));
        check("", Some("http://h/a"));
        check("http://[", None);
        check("https://h/b", None);
    }

    proptest! {
        #[test]
        fn a_normal_path_stays_as_it_is(path in "/[-a-z0-9._~%/A-F]{0,40}") {
            if let Some(normal) = normal_path(&path) {
                let again = normal_path(&normal).map(Cow::into_owned);
                prop_assert_eq!(again.as_deref(), Some(&*normal));
                prop_assert!(normal.starts_with('/'));
                prop_assert!(normal.split('/').all(|segment| segment != "." && segment != ".."));
            }
        }

        #[test]
        fn no_target_makes_it_panic(path in any::<String>(), query in any::<String>()) {
            let _ = normal_path(&path);
            push_query(&mut String::new(), &query);
        }
    }
}
