//! The addresses to which the server may send on behalf of others.
//!
//! A server that sends anywhere is a way into the network of its machine: to services on loopback, to machines behind
//! the firewall, to the metadata of a cloud. So only public addresses are allowed, except those that an operator names.
//!
//! Source: the special-purpose address registries of IANA, and RFC 8656, section 21.4.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    sync::Arc,
};

/// Why an address is refused, to follow "the address".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(&'static str);

impl Refusal {
    /// Whether the address is of this machine, or of a private network that it may be part of.
    #[must_use]
    pub fn is_near(self) -> bool {
        [LOOPBACK, PRIVATE, SHARED, OWN].contains(&self.0)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

const LOOPBACK: &str = "is loopback";
const PRIVATE: &str = "is private";
const SHARED: &str = "is behind a provider's NAT";
const OWN: &str = "is of this machine";

/// IPv4 networks that are refused.
const REFUSED_V4: &[([u8; 4], u32, &str)] = &[
    ([0, 0, 0, 0], 8, "is of this network"),
    ([10, 0, 0, 0], 8, PRIVATE),
    ([100, 64, 0, 0], 10, SHARED),
    ([127, 0, 0, 0], 8, LOOPBACK),
    ([168, 63, 129, 16], 32, "is a metadata service"),
    ([169, 254, 0, 0], 16, "is link-local"),
    ([172, 16, 0, 0], 12, PRIVATE),
    ([192, 0, 0, 0], 24, "is for protocols"),
    ([192, 0, 2, 0], 24, "is for documentation"),
    ([192, 31, 196, 0], 24, "is for name servers"),
    ([192, 52, 193, 0], 24, "is for multicast tunnels"),
    ([192, 88, 99, 0], 24, "is of a tunnel"),
    ([192, 168, 0, 0], 16, PRIVATE),
    ([192, 175, 48, 0], 24, "is for name servers"),
    ([198, 18, 0, 0], 15, "is for benchmarks"),
    ([198, 51, 100, 0], 24, "is for documentation"),
    ([203, 0, 113, 0], 24, "is for documentation"),
    ([224, 0, 0, 0], 4, "is multicast"),
    ([240, 0, 0, 0], 4, "is reserved"),
];

/// IPv6 networks that are refused although they are within the global unicast addresses, `2000::/3`.
const REFUSED_V6: &[([u16; 8], u32, &str)] = &[
    // Teredo, ORCHID and other protocols.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, "is for protocols"),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "is for documentation"),
    // 6to4: the packet leaves as IPv4 for an address inside this one.
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "is of a tunnel"),
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, "is for name servers"),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, "is for documentation"),
];

/// The rules for addresses.
#[derive(Clone)]
pub struct PublicAddresses {
    allowed: Arc<dyn Fn(IpAddr) -> bool + Send + Sync>,
    /// Whether a socket can be bound only to addresses of this machine, so that a bind shows whether an address is one.
    binds_show_own: bool,
}

impl PublicAddresses {
    /// Public addresses, and those for which `allowed` is true.
    #[must_use]
    pub fn new(allowed: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        // An address of the documentation is nobody's.
        let foreign = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        Self { allowed: Arc::new(allowed), binds_show_own: !can_bind(foreign) }
    }

    /// Whether the server may send to `address`.
    ///
    /// # Errors
    /// The reason why not.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        let canonical = address.to_canonical();
        if canonical != address {
            return Err(Refusal("is IPv4 inside of IPv6"));
        }
        if (self.allowed)(address) {
            return Ok(());
        }
        match address {
            IpAddr::V4(address) => check_v4(address)?,
            IpAddr::V6(address) => check_v6(address)?,
        }
        if self.binds_show_own && can_bind(address) {
            return Err(Refusal(OWN));
        }
        Ok(())
    }
}

impl fmt::Debug for PublicAddresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicAddresses").finish_non_exhaustive()
    }
}

fn check_v4(address: Ipv4Addr) -> Result<(), Refusal> {
    let refused = REFUSED_V4.iter().find(|(network, prefix, _)| {
        let (network, unused) = (u32::from_be_bytes(*network), 32 - prefix);
        (network ^ address.to_bits()) >> unused == 0
    });
    refused.map_or(Ok(()), |(_, _, reason)| Err(Refusal(reason)))
}

fn check_v6(address: Ipv6Addr) -> Result<(), Refusal> {
    let bits = address.to_bits();
    // 64:ff9b::/96: a translator sends the packet to the IPv4 address in the last 32 bits.
    if bits >> 32 == 0x0064_ff9b << 64 {
        let [.., a, b, c, d] = address.octets();
        return check_v4(Ipv4Addr::new(a, b, c, d));
    }
    if bits >> 125 != 0b001 {
        return Err(Refusal(match address {
            Ipv6Addr::LOCALHOST => LOOPBACK,
            _ if address.is_multicast() => "is multicast",
            _ if address.is_unicast_link_local() => "is link-local",
            _ if address.is_unique_local() => PRIVATE,
            _ => "is not a public one",
        }));
    }
    let refused = REFUSED_V6.iter().find(|(network, prefix, _)| {
        let network = Ipv6Addr::from(*network).to_bits();
        (network ^ bits) >> (128 - prefix) == 0
    });
    refused.map_or(Ok(()), |(_, _, reason)| Err(Refusal(reason)))
}

/// Whether this machine lets a socket have the address.
fn can_bind(address: IpAddr) -> bool {
    UdpSocket::bind((address, 0)).is_ok()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_allowed() {
        let rules = PublicAddresses::new(|_| false);
        for peer in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "64:ff9b::101:101",
        ] {
            assert_eq!(rules.check(peer.parse().unwrap()), Ok(()), "{peer}");
        }
    }

    #[test]
    fn named_addresses_are_allowed() {
        let named: IpAddr = "10.1.2.3".parse().unwrap();
        let rules = PublicAddresses::new(move |address| address == named);
        assert_eq!(rules.check(named), Ok(()));
        assert_eq!(rules.check("10.1.2.4".parse().unwrap()), Err(Refusal("is private")));
        assert_eq!(
            rules.check("::ffff:10.1.2.3".parse().unwrap()),
            Err(Refusal("is IPv4 inside of IPv6"))
        );
    }

    #[test]
    fn addresses_of_this_machine_are_refused() {
        // The route to a public address shows an address of this machine, if it has another than loopback.
        let probe = UdpSocket::bind("0.0.0.0:0").unwrap();
        if probe.connect("1.1.1.1:9").is_ok() {
            let own = probe.local_addr().unwrap().ip();
            PublicAddresses::new(|_| false).check(own).unwrap_err();
        }
        assert!(can_bind(Ipv4Addr::LOCALHOST.into()));
    }
}
