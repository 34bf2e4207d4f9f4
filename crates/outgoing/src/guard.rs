//! The addresses to which requests go.
//!
//! A server that sends requests anywhere is a way into the network of its machine. So only public addresses are
//! allowed, except those that an operator names.

use std::{fmt, net::IpAddr};

use rookery_addresses::PublicAddresses;

use crate::error::SendError;

/// Why no request goes to an address, to follow the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal(Reason);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    NotPublic(rookery_addresses::Refusal),
    Translated,
    Unencrypted,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reason::NotPublic(refusal) => refusal.fmt(f),
            Reason::Translated => f.write_str("is of a translator (NAT64)"),
            Reason::Unencrypted => f.write_str("is public, and the address does not begin with `https:`"),
        }
    }
}

/// The rules for addresses.
#[derive(Debug)]
pub struct Guard {
    public: PublicAddresses,
    allowed: Allowed,
}

/// Whether an operator names an address.
struct Allowed(Box<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Allowed")
    }
}

impl Guard {
    /// Public addresses by `https`, and those for which `allowed` is true.
    #[must_use]
    pub fn new(allowed: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self { public: PublicAddresses::new(|_| false), allowed: Allowed(Box::new(allowed)) }
    }

    /// Whether a request may go to `address`.
    ///
    /// # Errors
    /// [`SendError::Refused`].
    pub fn check(&self, address: IpAddr, is_encrypted: bool) -> Result<(), SendError> {
        let refused = |reason| SendError::Refused { address, reason: Refusal(reason) };
        // An address of version 4 inside of version 6 reaches the same machine as the address inside.
        let canonical = address.to_canonical();
        if (self.allowed.0)(address) && canonical == address {
            return Ok(());
        }
        self.public.check(address).map_err(|refusal| refused(Reason::NotPublic(refusal)))?;
        if is_translated(address) {
            return Err(refused(Reason::Translated));
        }
        if is_encrypted { Ok(()) } else { Err(refused(Reason::Unencrypted)) }
    }
}

/// Whether a translator makes version 4 of packets to the address, by one of the two networks for that (RFC 6052 and
/// RFC 8215).
fn is_translated(address: IpAddr) -> bool {
    let IpAddr::V6(address) = address else { return false };
    let [a, b, c, ..] = address.segments();
    (a, b) == (0x64, 0xff9b) && (c == 0 || c == 1)
}
