//! Addresses that webhooks may reach: those of the public internet, and what the operator lets through by name. A person who
//! makes a webhook must not have this server knock at doors that are open to it alone (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use server::network::Network;

/// Hosts and networks that are let through although they are not public.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    hosts: Vec<String>,
    networks: Vec<Network>,
}

impl Allowed {
    /// Reads host names, addresses and networks. An error is a sentence that names the wrong one.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut allowed = Self::default();
        for name in names {
            if let Ok(network) = name.parse() {
                allowed.networks.push(network);
            } else if is_host(name) {
                allowed.hosts.push(name.to_ascii_lowercase());
            } else {
                return Err(format!("`{name}` is neither a host's name nor a network such as 10.0.0.0/8"));
            }
        }
        Ok(allowed)
    }

    /// Returns whether a webhook may connect to an address of `host`.
    pub(crate) fn admits(&self, host: &str, address: IpAddr) -> bool {
        is_public(address) || self.names(host) || self.has(address)
    }

    /// Returns whether the operator has let a host through by its name.
    pub(crate) fn names(&self, host: &str) -> bool {
        self.hosts.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    /// Returns whether the operator has let an address through.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

fn is_host(name: &str) -> bool {
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    name.split('.').all(label) && name.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Returns whether an address is one of the public internet's, by IANA's registries of special addresses.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

// https://www.iana.org/assignments/iana-ipv4-special-registry
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // "This network", of which 0.0.0.0 is this machine to many systems (RFC 791).
        || a == 0
        // Carriers' own, behind their NAT (RFC 6598).
        || (a == 100 && (64..128).contains(&b))
        // IETF protocols, and the relays of 6to4 (RFC 6890, RFC 7526).
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        // Benchmarks (RFC 2544).
        || (a == 198 && (18..20).contains(&b))
        // Multicast, reserved, broadcast.
        || a >= 224;
    !special
}

// Of IPv6 only 2000::/3 is given out to networks; loopback, link-local, unique local, multicast, IPv4-mapped and NAT64
// addresses lie outside of it. Within it are blocks that stand for other addresses, or for none:
// https://www.iana.org/assignments/iana-ipv6-special-registry
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let special = (first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        // 6to4 has an IPv4 address inside (RFC 3056).
        || first == 0x2002
        || (first == 0x3fff && second < 0x1000);
    first & 0xe000 == 0x2000 && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_reached() {
        for address in [
            "1.1.1.1",
            "93.184.215.14",
            "100.63.0.1",
            "100.128.0.1",
            "172.32.0.1",
            "2606:4700::1111",
            "2a00::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:1.1.1.1",
            "::10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_operator_lets_hosts_and_networks_through_by_name() {
        let allowed = Allowed::parse(["hooks.internal", "10.1.0.0/16", "::1"]).unwrap();
        let admits = |host: &str, address: &str| allowed.admits(host, address.parse().unwrap());
        assert!(admits("Hooks.Internal", "10.0.0.1") && admits("x", "10.1.2.3") && admits("x", "::1"));
        assert!(admits("x", "::ffff:10.1.2.3"), "the same network, written in IPv6's way");
        assert!(!admits("x", "10.2.0.1") && !admits("hooks.internal.example", "10.0.0.1"));
        for wrong in ["", "a b", "10.0.0.0/33", "http://x", "*", "1.2.3"] {
            assert!(Allowed::parse([wrong]).unwrap_err().contains("is neither"), "{wrong}");
        }
    }
}
