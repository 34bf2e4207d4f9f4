//! The proxies whose statements about client addresses the server trusts.

use std::{fmt, net::IpAddr};

/// A network of IP addresses, or a single one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// The addresses that share the first `prefix` bits with `address`; without a prefix only
    /// `address` itself. `None` if the address has fewer bits.
    #[must_use]
    pub fn new(address: IpAddr, prefix: Option<u8>) -> Option<Self> {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then_some(Self { address, prefix })
    }

    /// Reads `10.0.0.0/8`, or a single address. `None` if it is neither.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u8>().ok()?)),
            None => (text, None),
        };
        Self::new(address.parse::<IpAddr>().ok()?, prefix)
    }

    /// Whether `address` is in the network. IPv4 in IPv6 counts as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let (own, other, unused) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), u128::from(other.to_bits()), 32 - self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits(), other.to_bits(), 128 - self.prefix)
            }
            _ => return false,
        };
        // All bits are unused in a network of prefix 0, and a shift by 128 is none.
        (own ^ other).checked_shr(u32::from(unused)).unwrap_or(0) == 0
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The sender of a request, as far as the server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address for limits: that of the client, or of the last proxy on the way that is not trusted or sends an
    /// unreadable value.
    pub address: IpAddr,
    /// A proxy forwarded the request, and no trusted proxy names the client.
    pub hidden: bool,
}

/// The trusted reverse proxies, whose `X-Forwarded-For` counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(pub Vec<Network>);

impl TrustedProxies {
    /// Finds the client of a request from `peer`, given the values of all its `X-Forwarded-For`
    /// headers in order.
    ///
    /// Proxies append, so the function reads the list from its end, as long as the writers are
    /// trusted. It never trusts values that the client itself wrote.
    #[must_use]
    pub fn client<'a>(
        &self,
        peer: IpAddr,
        forwarded_for: impl IntoIterator<Item = &'a str>,
    ) -> Client {
        let forwarded: Vec<_> =
            forwarded_for.into_iter().flat_map(|line| line.split(',')).collect();
        let mut address = peer.to_canonical();
        for entry in forwarded.into_iter().rev() {
            if !self.trusts(address) {
                return Client { address, hidden: address == peer.to_canonical() };
            }
            match entry.trim().parse::<IpAddr>() {
                Ok(next) => address = next.to_canonical(),
                // A trusted proxy wrote an unreadable value: it forwards for a client that it does
                // not name.
                Err(_) => return Client { address, hidden: true },
            }
        }
        Client { address, hidden: false }
    }

    /// Whether the proxy at `address` is trusted.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn trusting(networks: &[&str]) -> TrustedProxies {
        let network = |text: &&str| Network::parse(text).expect("a network");
        TrustedProxies(networks.iter().map(network).collect())
    }

    #[test]
    fn a_network_holds_what_shares_its_prefix() {
        let [ten, one, all, six] = ["10.0.0.0/8", "192.0.2.1", "0.0.0.0/0", "2001:db8::/32"]
            .map(|text| Network::parse(text).expect("a network"));
        assert!(ten.contains(ip("10.255.0.1")) && ten.contains(ip("::ffff:10.1.1.1")));
        assert!(!ten.contains(ip("11.0.0.0")) && !ten.contains(ip("2001:db8::1")));
        assert!(one.contains(ip("192.0.2.1")) && !one.contains(ip("192.0.2.0")));
        assert!(all.contains(ip("255.1.1.1")) && !all.contains(ip("::1")));
        assert!(six.contains(ip("2001:db8:ffff::")) && !six.contains(ip("2001:db9::")));
        for bad in ["10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "example.org"] {
            assert!(Network::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_forged_header_moves_nothing() {
        let nobody = trusting(&[]);
        let client = nobody.client(ip("192.0.2.1"), ["203.0.113.9"]);
        assert_eq!(client, Client { address: ip("192.0.2.1"), hidden: true });
        let proxy = trusting(&["127.0.0.1"]);
        let client = proxy.client(ip("127.0.0.1"), ["127.0.0.1, 10.0.0.1, 203.0.113.9"]);
        assert_eq!(client, Client { address: ip("203.0.113.9"), hidden: false });
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_followed() {
        let proxies = trusting(&["127.0.0.1", "10.0.0.0/8"]);
        let client = proxies.client(ip("::ffff:127.0.0.1"), ["6.6.6.6, 203.0.113.9", "10.0.0.7"]);
        assert_eq!(client, Client { address: ip("203.0.113.9"), hidden: false });
    }

    #[test]
    fn who_connects_directly_is_no_proxy() {
        let client = trusting(&["127.0.0.1"]).client(ip("127.0.0.1"), []);
        assert_eq!(client, Client { address: ip("127.0.0.1"), hidden: false });
    }

    #[test]
    fn nobody_is_near_behind_a_proxy_that_is_not_trusted_or_writes_nonsense() {
        assert!(trusting(&[]).client(ip("127.0.0.1"), ["203.0.113.9"]).hidden);
        assert!(trusting(&["127.0.0.1"]).client(ip("127.0.0.1"), ["unknown"]).hidden);
    }
}
