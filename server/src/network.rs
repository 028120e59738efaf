//! A network of addresses, such as `10.0.0.0/8`, as settings name it.

use std::{
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// A network; an address is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: u128,
    bits: u32,
}

/// A text that is neither an address nor a network.
#[derive(Debug, thiserror::Error)]
#[error("an address or a network such as 10.0.0.0/8 is expected")]
pub struct NotANetwork;

impl Network {
    /// Returns whether an address is one of the network's.
    pub fn contains(self, address: IpAddr) -> bool {
        // A network of no bits has every address, and a shift by all 128 would overflow.
        let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
        number(address) & mask == self.first & mask
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| NotANetwork)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        // IPv4 lies within IPv6's mapped addresses, so that a socket for both families is one case.
        let offset = if address.is_ipv4() { 96 } else { 0 };
        let bits = bits.map_or(Some(128), |bits| bits.checked_add(offset)).filter(|bits| *bits <= 128);
        Ok(Self { first: number(address), bits: bits.ok_or(NotANetwork)? })
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => Ipv6Addr::to_bits(address),
    }
}
