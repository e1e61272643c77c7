//! Which addresses a request may go to. They are checked when the connection is made, so that a DNS name that changes
//! in between can not bypass the check. By default only addresses of the public internet are allowed: not this machine,
//! not its networks, not the cloud's metadata service.

use crate::toml_kit::network::Networks;
use futures_util::future::BoxFuture;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve},
};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

/// Networks that are not part of the public IPv4 internet (IANA's special-purpose registry, RFC 6890, and multicast).
const NOT_PUBLIC_V4: [([u8; 4], u8); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// Networks within IPv6's global unicast that are not public: Teredo and benchmarking, ORCHID, documentation, 6to4.
const NOT_PUBLIC_V6: [([u16; 8], u8); 4] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0x0db8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// Networks that are allowed although they are not public.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressGuard {
    allow: Vec<IpNetwork>,
}

/// A network: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpNetwork {
    address: IpAddr,
    bits: u8,
}

/// An address that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} is not public: if you mean it, add it to `allow`")]
pub struct RefusedAddress {
    /// The refused address.
    pub address: IpAddr,
}

impl AddressGuard {
    /// A guard that allows the public internet and these networks.
    pub fn of(networks: &Networks) -> Self {
        Self::new(networks.iter().map(|(address, bits)| IpNetwork::new(*address, *bits)).collect())
    }

    /// A guard that allows public addresses and these networks.
    pub fn new(allow: Vec<IpNetwork>) -> Self {
        Self { allow }
    }

    /// Whether a connection to this address may be made.
    ///
    /// # Errors
    ///
    /// [`RefusedAddress`] when it is neither public nor allowed.
    pub fn check(&self, address: IpAddr) -> Result<(), RefusedAddress> {
        // `::ffff:10.0.0.1` is 10.0.0.1.
        let address = address.to_canonical();
        let good = is_public(address) || self.allow.iter().any(|network| network.has(address));
        if good { Ok(()) } else { Err(RefusedAddress { address }) }
    }

    /// Like [`AddressGuard::check`], for a URL whose host is an IP address. Host names are not resolved here.
    ///
    /// # Errors
    ///
    /// [`RefusedAddress`] when it is neither public nor allowed.
    pub fn check_url(&self, url: &Url) -> Result<(), RefusedAddress> {
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        host.parse().map_or(Ok(()), |address| self.check(address))
    }
}

/// Names are resolved here and nowhere else: the client connects to the very addresses that were checked.
impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> BoxFuture<'static, Result<Addrs, Box<dyn std::error::Error + Send + Sync>>> {
        let guard = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (mut good, mut refused) = (Vec::new(), None);
            for address in found {
                match guard.check(address.ip()) {
                    Ok(()) => good.push(address),
                    Err(why) => refused = Some(why),
                }
            }
            match refused {
                Some(why) if good.is_empty() => Err(why.into()),
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

impl IpNetwork {
    /// The network of this address with a prefix of `bits` bits: at most 32 (IPv4) or 128 (IPv6).
    pub fn new(address: IpAddr, bits: u8) -> Self {
        let most = if address.is_ipv4() { 32 } else { 128 };
        Self { address, bits: bits.min(most) }
    }

    /// Whether the network contains the address.
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => shares(bits_of_v4(network), bits_of_v4(address), self.bits),
            (IpAddr::V6(network), IpAddr::V6(address)) => shares(network.to_bits(), address.to_bits(), self.bits),
            _ => false,
        }
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let within = |(network, bits): &([u8; 4], u8)| {
                shares(bits_of_v4(Ipv4Addr::from(*network)), bits_of_v4(address), *bits)
            };
            !NOT_PUBLIC_V4.iter().any(within)
        }
        IpAddr::V6(address) => {
            let within =
                |(network, bits): &([u16; 8], u8)| shares(Ipv6Addr::from(*network).to_bits(), address.to_bits(), *bits);
            // Global unicast is 2000::/3; this machine, local networks, multicast and NAT64 are outside it.
            address.segments()[0] >> 13 == 1 && !NOT_PUBLIC_V6.iter().any(within)
        }
    }
}

/// An IPv4 address in the upper bits, so that prefixes of both kinds are compared in the same way.
fn bits_of_v4(address: Ipv4Addr) -> u128 {
    u128::from(address.to_bits()) << 96
}

fn shares(network: u128, address: u128, bits: u8) -> bool {
    bits == 0 || (network ^ address) >> (128 - u32::from(bits)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(allow: &[&str]) -> AddressGuard {
        let network = |text: &&str| {
            let (address, bits) = text.split_once('/').unwrap_or((text, "128"));
            IpNetwork::new(address.parse().expect("an address"), bits.parse().expect("bits"))
        };
        AddressGuard::new(allow.iter().map(network).collect())
    }

    #[test]
    fn only_the_public_internet_is_good_without_leave() {
        for (address, good) in [
            ("8.8.8.8", true),
            ("1.1.1.1", true),
            ("172.15.255.255", true),
            ("172.32.0.1", true),
            ("100.63.255.255", true),
            ("2606:4700::1111", true),
            ("2a00:1450:4001::1", true),
            ("127.0.0.1", false),
            ("127.255.0.9", false),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            // The metadata service of clouds.
            ("169.254.169.254", false),
            ("fd00:ec2::254", false),
            ("192.0.0.192", false),
            ("198.18.0.1", false),
            ("203.0.113.9", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("fe80::1", false),
            ("fc00::1", false),
            ("fdff::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            // IPv4 in disguise: mapped, compatible, NAT64, 6to4, Teredo.
            ("::ffff:127.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("::7f00:1", false),
            ("64:ff9b::a00:1", false),
            ("2002:7f00:1::", false),
            ("2001:0:7f00:1::", false),
        ] {
            let parsed: IpAddr = address.parse().expect("an address");
            assert_eq!(guard(&[]).check(parsed).is_ok(), good, "{address}");
        }
    }

    #[test]
    fn leave_is_for_what_it_names_and_nothing_beside_it() {
        for (allow, address, good) in [
            ("10.0.0.0/8", "10.9.8.7", true),
            ("10.0.0.0/8", "11.0.0.1", true),
            ("10.0.0.0/8", "127.0.0.1", false),
            ("10.0.0.0/8", "::ffff:10.9.8.7", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("fd00::/8", "fd12::1", true),
            ("fd00::/8", "fe80::1", false),
            ("0.0.0.0/0", "169.254.169.254", true),
            ("0.0.0.0/0", "::1", false),
            ("192.168.4.0/22", "192.168.7.255", true),
            ("192.168.4.0/22", "192.168.8.0", false),
        ] {
            let parsed: IpAddr = address.parse().expect("an address");
            assert_eq!(guard(&[allow]).check(parsed).is_ok(), good, "{address} with leave for {allow}");
        }
    }

    #[test]
    fn an_address_is_seen_however_a_url_writes_it() {
        for (url, good) in [
            ("http://127.0.0.1/", false),
            ("http://2130706433/", false),
            ("http://0x7f.1/", false),
            ("http://0177.0.0.1/", false),
            ("http://127.1/", false),
            ("http://[::1]:80/", false),
            ("http://[::ffff:7f00:1]/", false),
            ("http://169.254.169.254/latest/meta-data", false),
            ("http://0/", false),
            ("https://8.8.8.8/", true),
            // A name is checked when it is resolved.
            ("http://localhost/", true),
        ] {
            let parsed = Url::parse(url).expect("a URL");
            assert_eq!(guard(&[]).check_url(&parsed).is_ok(), good, "{url}");
        }
    }
}
