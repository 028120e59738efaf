//! The client's side of a proxy: the host, the scheme and the address that a client used, as `Forwarded` (RFC 7239) and
//! the older `X-Forwarded-*` fields give them. Any client can send these fields, so only those of trusted proxies count.

use std::{net::IpAddr, str::FromStr};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::network::Network;

// Longer chains are made up.
const MOST_HOPS: usize = 32;
const OLDER: [&str; 3] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// The address of a connection's other end; an extension of every request that came over TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// Proxies whose word counts: addresses and networks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

/// A request as the client sent it to the outermost trusted proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Original {
    /// The client's address; absent where neither the connection nor a proxy has one.
    pub client: Option<IpAddr>,
    /// The host, and the port where it is not the scheme's, as a trusted proxy gave them.
    pub host: Option<String>,
    /// `https` or `http`, as a trusted proxy gave it.
    pub scheme: Option<String>,
}

/// One proxy's account of the hop before it.
#[derive(Default)]
struct Hop {
    client: Option<IpAddr>,
    host: Option<String>,
    scheme: Option<String>,
}

impl TrustedProxies {
    /// Reads addresses and networks. An error is a sentence that names the wrong one.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let wrong = |name: &str| format!("`{name}` is neither an address nor a network such as 10.0.0.0/8");
        let networks = names.into_iter().map(|name| name.parse().map_err(|_| wrong(name)));
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// Returns the address of the client behind a trusted proxy; `None` where the connection is no trusted proxy's, or the
    /// proxy names no client.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.contains(peer.0) {
            return None;
        }
        self.original(Some(peer), headers).client.filter(|client| !self.contains(*client))
    }

    /// Returns the request as the client sent it, by the fields of trusted proxies alone.
    pub fn original(&self, peer: Option<Peer>, headers: &HeaderMap) -> Original {
        let mut original = Original { client: peer.map(|peer| peer.0), ..Original::default() };
        // Each proxy appends to the right: read from there, for as long as the address that appended is trusted.
        for hop in hops(headers).into_iter().rev() {
            if !original.client.is_some_and(|client| self.contains(client)) {
                break;
            }
            original.host = hop.host.or(original.host);
            original.scheme = hop.scheme.or(original.scheme);
            let Some(client) = hop.client else { break };
            original.client = Some(client);
        }
        original
    }

    /// Writes a request's fields for the server behind this one, a proxy with a listener of `scheme`: those of a trusted
    /// proxy go on with its address behind them, and any other client's are replaced. Passed on as they came, a client's
    /// would be taken for ours by a server that trusts this one.
    pub fn pass_on(&self, peer: Peer, scheme: &str, headers: &mut HeaderMap) {
        if !self.contains(peer.0) {
            for name in traces::FIELDS {
                headers.remove(name);
            }
        }
        let older = OLDER.iter().any(|name| headers.contains_key(*name));
        if self.contains(peer.0) && (older || headers.contains_key(header::FORWARDED)) {
            let (name, node) = match (older, peer.0.to_canonical()) {
                (true, address) => (FOR, address.to_string()),
                (false, IpAddr::V4(address)) => (header::FORWARDED, format!("for={address}")),
                (false, IpAddr::V6(address)) => (header::FORWARDED, format!("for=\"[{address}]\"")),
            };
            headers.extend(HeaderValue::from_str(&node).map(|node| (name, node)));
            return;
        }
        for name in [header::FORWARDED, HOST, PROTO, PORT] {
            headers.remove(name);
        }
        if let Ok(address) = HeaderValue::from_str(&peer.0.to_canonical().to_string()) {
            headers.insert(FOR, address);
        }
        if let Some(host) = headers.get(header::HOST).cloned() {
            headers.insert(HOST, host);
        }
        // Without TLS here, TLS may still end at a proxy in front that is not trusted, so nothing is claimed.
        if scheme == "https" {
            headers.insert(PROTO, HeaderValue::from_static("https"));
        }
    }

    /// Returns whether the proxy at `address` is one of them.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

/// Returns the hops, the client's first. `Forwarded` counts only where the older fields are absent: nginx, Caddy, Traefik and
/// `HAProxy` write those by themselves and pass a client's `Forwarded` on, which would else be taken for the proxy's.
fn hops(headers: &HeaderMap) -> Vec<Hop> {
    let forwarded = list(headers, "forwarded");
    if !OLDER.iter().any(|name| headers.contains_key(*name)) {
        return forwarded.iter().map(|element| element.parse().unwrap_or_default()).collect();
    }
    let mut hops: Vec<Hop> = list(headers, "x-forwarded-for")
        .iter()
        .map(|client| Hop { client: node(client), ..Hop::default() })
        .collect();
    // Proxies set these two rather than append to them, so the last value is the nearest proxy's word.
    let (host, scheme) = (list(headers, "x-forwarded-host").pop(), list(headers, "x-forwarded-proto").pop());
    if host.is_some() || scheme.is_some() {
        if hops.is_empty() {
            hops.push(Hop::default());
        }
        if let Some(nearest) = hops.last_mut() {
            nearest.scheme = scheme.map(|scheme| scheme.to_ascii_lowercase());
            nearest.host = host.map(|host| with_port(host, headers));
        }
    }
    hops
}

/// Adds the port of `X-Forwarded-Port` to a host that lost its own, as nginx's `$host` does.
fn with_port(host: String, headers: &HeaderMap) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    match list(headers, "x-forwarded-port").pop().and_then(|port| port.parse::<u16>().ok()) {
        Some(port) if !has_port => format!("{host}:{port}"),
        _ => host,
    }
}

fn list(headers: &HeaderMap, name: &str) -> Vec<String> {
    let fields = headers.get_all(name).into_iter().filter_map(|field| field.to_str().ok());
    let items = fields.flat_map(|field| field.split(',')).map(str::trim).filter(|item| !item.is_empty());
    // The last are kept: a client may send as many as it likes, and each proxy appends behind them.
    let mut nearest: Vec<String> = items.rev().take(MOST_HOPS).map(str::to_owned).collect();
    nearest.reverse();
    nearest
}

impl FromStr for Hop {
    type Err = ();

    /// Reads an element of `Forwarded`, such as `for="[2001:db8::1]:4711";proto=https;host=videos.example`.
    fn from_str(element: &str) -> Result<Self, ()> {
        let mut hop = Self::default();
        for pair in element.split(';') {
            let (name, value) = pair.split_once('=').ok_or(())?;
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "for" => hop.client = node(value),
                "host" => hop.host = Some(value.to_owned()),
                "proto" => hop.scheme = Some(value.to_ascii_lowercase()),
                _ => {}
            }
        }
        Ok(hop)
    }
}

/// Reads an address with or without a port. `unknown` and made-up names (RFC 7239 §6.3) are no address.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    if let Some(rest) = text.strip_prefix('[') {
        return rest.split_once(']')?.0.parse().ok();
    }
    text.parse().ok().or_else(|| text.rsplit_once(':')?.0.parse().ok())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn original(peer: &str, fields: &[(&'static str, &'static str)]) -> (String, String, String) {
        let proxies = TrustedProxies::parse(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let Original { client, host, scheme } = proxies.original(Some(Peer(peer.parse().unwrap())), &headers);
        (client.unwrap().to_string(), host.unwrap_or_default(), scheme.unwrap_or_default())
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let fields = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-host", "videos.example")];
        let check = |peer: &str, client: &str, host: &str| {
            assert_eq!(original(peer, &fields), (client.into(), host.into(), String::new()), "{peer}");
        };
        check("127.0.0.1", "203.0.113.9", "videos.example");
        check("::ffff:127.0.0.1", "203.0.113.9", "videos.example");
        check("fd12::1", "203.0.113.9", "videos.example");
        check("192.0.2.7", "192.0.2.7", "");
        check("11.0.0.1", "11.0.0.1", "");
    }

    #[test]
    fn a_chain_ends_at_the_first_address_that_is_not_trusted() {
        let forged = [("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.1.2.3"), ("x-forwarded-proto", "HTTPS")];
        assert_eq!(original("127.0.0.1", &forged), ("203.0.113.9".into(), String::new(), "https".into()));
        let fields = [(
            "forwarded",
            "for=1.2.3.4;host=evil.example, for=\"[2001:db8::1]:47\";host=videos.example:8443;proto=https, for=10.0.0.2",
        )];
        let expected = ("2001:db8::1".into(), "videos.example:8443".into(), "https".into());
        assert_eq!(original("127.0.0.1", &fields), expected);
        let hidden = [("forwarded", "for=_hidden;host=a.example")];
        assert_eq!(original("127.0.0.1", &hidden), ("127.0.0.1".into(), "a.example".into(), String::new()));
    }

    #[test]
    fn a_client_cannot_hide_what_its_proxy_appends() {
        let made_up = "1.2.3.4, ".repeat(2 * MOST_HOPS);
        let list: &'static str = format!("{made_up}203.0.113.9").leak();
        assert_eq!(original("127.0.0.1", &[("x-forwarded-for", list)]).0, "203.0.113.9");
        let lines: Vec<_> = std::iter::repeat_n(("x-forwarded-for", "1.2.3.4"), 2 * MOST_HOPS)
            .chain([("x-forwarded-for", "203.0.113.9")])
            .collect();
        assert_eq!(original("127.0.0.1", &lines).0, "203.0.113.9");
        // The client's own field, which nginx passes on beside the ones that it writes.
        let other = ("forwarded", "for=1.2.3.4;host=evil.example;proto=https");
        for (name, value) in [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-host", "videos.example")] {
            let (client, host, scheme) = original("127.0.0.1", &[other, (name, value)]);
            assert!(client != "1.2.3.4" && host != "evil.example" && scheme.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_lost_port_comes_back() {
        let fields = [("x-forwarded-host", "videos.example"), ("x-forwarded-port", "8443")];
        assert_eq!(original("127.0.0.1", &fields).1, "videos.example:8443");
    }

    /// The fields that a server behind an edge with TLS gets.
    fn passed_on(peer: &str, fields: &[(&'static str, &'static str)]) -> Vec<String> {
        let proxies = TrustedProxies::parse(["127.0.0.1", "::1"]).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        proxies.pass_on(Peer(peer.parse().unwrap()), "https", &mut headers);
        let mut passed: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        passed.sort();
        passed
    }

    #[test]
    fn a_proxy_passes_on_what_it_knows_and_no_clients_word() {
        let forged = [
            ("host", "videos.example"),
            ("forwarded", "for=1.2.3.4;proto=http"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-port", "1"),
            ("x-forwarded-proto", "http"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("tracestate", "a=b"),
        ];
        let ours = [
            "host: videos.example",
            "x-forwarded-for: 203.0.113.9",
            "x-forwarded-host: videos.example",
            "x-forwarded-proto: https",
        ];
        assert_eq!(passed_on("203.0.113.9", &forged), ours);
        assert_eq!(passed_on("::ffff:203.0.113.9", &forged[..1]), ours);
        assert_eq!(
            passed_on("127.0.0.1", &[("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "http")]),
            ["x-forwarded-for: 127.0.0.1", "x-forwarded-for: 203.0.113.9", "x-forwarded-proto: http"]
        );
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(passed_on("127.0.0.1", &[("traceparent", trace)]).contains(&format!("traceparent: {trace}")));
        let newer = [("forwarded", "for=203.0.113.9")];
        assert_eq!(
            passed_on("127.0.0.1", &newer),
            ["forwarded: for=127.0.0.1", "forwarded: for=203.0.113.9"]
        );
        assert_eq!(passed_on("::1", &newer), ["forwarded: for=\"[::1]\"", "forwarded: for=203.0.113.9"]);
    }

    #[test]
    fn what_is_no_network_is_named() {
        for name in ["proxy", "10.0.0.0/33", "10.0.0.0/x", "::/129", ""] {
            assert!(TrustedProxies::parse([name]).unwrap_err().contains(name), "{name}");
        }
    }
}
