//! The site that people open: its public URL and the proxies in front of it, and whether a request comes from one of
//! its own pages.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use http::{HeaderMap, HeaderName, Uri, header, uri::Authority};

use crate::forwarded::{Original, TrustedProxies};

// Fetch Metadata: set by the browser on every request to a trustworthy URL, and by no page.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The site's public URL and proxies.
#[derive(Clone, Debug, Default)]
pub struct Site {
    /// The origin that people's browsers show, where the configuration gives it.
    pub public: Option<PublicUrl>,
    /// Proxies whose `Forwarded` and `X-Forwarded-*` fields count.
    pub proxies: TrustedProxies,
}

/// A web origin (RFC 6454): scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    scheme: String,
    host: String,
    port: u16,
}

/// The origin of the page that sent a request, by the best evidence that the request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A page of this site, or a person who typed the address.
    Own,
    /// A page of another site.
    Foreign,
    /// A program: no browser sends a write without `Origin`.
    Program,
}

impl Site {
    /// Returns the request as the client sent it.
    pub fn original<B>(&self, request: &http::Request<B>) -> Original {
        self.proxies.original(request.extensions().get().copied(), request.headers())
    }

    /// Judges where a request comes from.
    pub fn sender<B>(&self, request: &http::Request<B>) -> Sender {
        let field = |name: &HeaderName| text(request.headers(), name);
        // First, for it needs no guess at the name by which the browser knows this server.
        match field(&SEC_FETCH_SITE) {
            Some("same-origin" | "none") => return Sender::Own,
            // A sibling domain is another's page as much as a distant one.
            Some(_) => return Sender::Foreign,
            None => {}
        }
        let Some(origin) = field(&header::ORIGIN) else { return Sender::Program };
        // `null`, the origin of sandboxed pages and local files, is nobody's.
        let Some(origin) = PublicUrl::of(origin) else { return Sender::Foreign };
        if self.public.as_ref() == Some(&origin) {
            return Sender::Own;
        }
        let original = self.original(request);
        let host = host_of(request.uri(), request.headers());
        let own = match &original.host {
            // A trusted proxy knows the name that the browser used; `Host` may be the upstream's.
            Some(host) => origin.is_at(host, original.scheme.as_deref()),
            None => host.is_some_and(|host| origin.is_at(host, original.scheme.as_deref())),
        };
        if own { Sender::Own } else { Sender::Foreign }
    }
}

/// Returns the text of the network that one client has: of IPv6 each has at least 64 bits of addresses to itself.
pub fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let first = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
            format!("{first}/64")
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        if default_port(&self.scheme) == Some(self.port) { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl PublicUrl {
    /// Reads the setting. An error is a sentence.
    ///
    /// A path is refused: cookies, the service's absolute links and `localStorage` are shared by all of a host, and a
    /// page at `/media/` would ask for its files at `/`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let bare = text.strip_suffix('/').unwrap_or(text);
        if bare.split_once("://").is_some_and(|(_, rest)| rest.contains('/')) {
            return Err(format!(
                "{text} has a path, below which the page does not work; give the server a host name of its own, such as https://videos.example.org"
            ));
        }
        Self::of(bare).ok_or_else(|| "a URL such as https://videos.example.org is expected".to_owned())
    }

    /// Returns whether browsers reach the site over TLS.
    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    /// Reads an `Origin` field; a missing port is the scheme's.
    fn of(origin: &str) -> Option<Self> {
        let (scheme, authority) = origin.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default = default_port(&scheme)?;
        let authority: Authority = authority.parse().ok()?;
        if authority.as_str().contains('@') {
            return None;
        }
        let port = if authority.port().is_some() { authority.port_u16()? } else { default };
        Some(Self { scheme, host: authority.host().to_ascii_lowercase(), port })
    }

    /// Returns whether `host`, with a port or without, names this origin. Without a `scheme` the origin's own fills a
    /// missing port: TLS may end at a proxy that sends no scheme.
    fn is_at(&self, host: &str, scheme: Option<&str>) -> bool {
        let scheme = scheme.unwrap_or(&self.scheme);
        scheme == self.scheme && Self::of(&format!("{scheme}://{host}")).is_some_and(|other| other == *self)
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn host_of<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    uri.authority().map(Authority::as_str).or_else(|| text(headers, &header::HOST))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    // A field that is not text equals nobody's.
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use crate::forwarded::Peer;

    use super::*;

    #[test]
    fn a_client_of_ipv6_is_its_network() {
        let check = |address: &str, expected: &str| assert_eq!(network(address.parse().unwrap()), expected);
        check("203.0.113.9", "203.0.113.9");
        check("::ffff:203.0.113.9", "203.0.113.9");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
    }

    fn sender(site: &Site, fields: &[(&str, &str)]) -> Sender {
        let mut request = http::Request::post("/api/v1/uploads");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let mut request = request.body(()).unwrap();
        request.extensions_mut().insert(Peer("127.0.0.1".parse().unwrap()));
        site.sender(&request)
    }

    #[test]
    fn the_browsers_own_word_comes_first() {
        for (word, expected) in [
            ("same-origin", Sender::Own),
            ("none", Sender::Own),
            ("same-site", Sender::Foreign),
            ("cross-site", Sender::Foreign),
            ("anything", Sender::Foreign),
        ] {
            let fields =
                [("sec-fetch-site", word), ("host", "127.0.0.1:8080"), ("origin", "https://videos.example")];
            assert_eq!(sender(&Site::default(), &fields), expected, "{word}");
        }
    }

    #[test]
    fn an_origin_is_compared_with_the_host_by_its_real_port() {
        let check = |host: &str, origin: &str, expected: Sender| {
            assert_eq!(
                sender(&Site::default(), &[("host", host), ("origin", origin)]),
                expected,
                "{host} {origin}"
            );
        };
        check("videos.example:443", "https://videos.example", Sender::Own);
        check("videos.example", "https://videos.example:443", Sender::Own);
        check("videos.example:80", "http://videos.example", Sender::Own);
        check("Videos.Example", "https://videos.example", Sender::Own);
        check("[::1]:8080", "http://[::1]:8080", Sender::Own);
        check("videos.example:8443", "https://videos.example:8443", Sender::Own);
        check("videos.example:80", "https://videos.example", Sender::Foreign);
        check("videos.example", "https://videos.example:8443", Sender::Foreign);
        check("videos.example", "https://videos.example.evil.test", Sender::Foreign);
        check("videos.example", "https://user@videos.example", Sender::Foreign);
        check("videos.example", "null", Sender::Foreign);
        check("videos.example", "ftp://videos.example", Sender::Foreign);
        assert_eq!(sender(&Site::default(), &[("host", "videos.example")]), Sender::Program);
    }

    #[test]
    fn trusted_proxies_and_the_public_url_name_the_site() {
        let site = Site {
            public: Some(PublicUrl::parse("https://videos.example:8443/").unwrap()),
            proxies: TrustedProxies::parse(["127.0.0.1"]).unwrap(),
        };
        let none = Site::default();
        let origin = ("origin", "https://videos.example:8443");
        let upstream = ("host", "127.0.0.1:8080");
        assert_eq!(sender(&site, &[upstream, origin]), Sender::Own);
        assert_eq!(sender(&none, &[upstream, origin]), Sender::Foreign);
        let proxied = Site { public: None, ..site };
        for forwarded in [
            ("x-forwarded-host", "videos.example:8443"),
            ("forwarded", "for=203.0.113.9;host=\"videos.example:8443\";proto=https"),
        ] {
            assert_eq!(sender(&proxied, &[upstream, origin, forwarded]), Sender::Own, "{forwarded:?}");
            assert_eq!(sender(&none, &[upstream, origin, forwarded]), Sender::Foreign, "{forwarded:?}");
        }
        let other = [("host", "videos.example:8443"), origin, ("x-forwarded-host", "other.example")];
        assert_eq!(sender(&proxied, &other), Sender::Foreign);
    }

    #[test]
    fn a_public_url_is_an_origin_without_a_path() {
        for (text, part) in [
            ("https://example.org/media/", "has a path"),
            ("https://example.org/media", "has a path"),
            ("videos.example.org", "is expected"),
            ("ftp://example.org", "is expected"),
            ("https://", "is expected"),
        ] {
            assert!(PublicUrl::parse(text).unwrap_err().contains(part), "{text}");
        }
    }
}
