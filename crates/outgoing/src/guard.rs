//! The addresses to which requests go.
//!
//! A server that sends requests anywhere is a way into the network of its machine. So only public addresses are
//! allowed, except those that an operator names. An address that the operator wrote, such as that of a bridge, may also be
//! of this machine or of a private network.

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
            Reason::Unencrypted => {
                f.write_str("is public, and the address does not begin with `https:`")
            }
        }
    }
}

/// The rules for addresses.
#[derive(Debug)]
pub struct Guard {
    public: PublicAddresses,
    allowed: Allowed,
    author: Author,
}

/// The author of the addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Author {
    User,
    Operator,
}

/// Whether an operator names an address.
struct Allowed(Box<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Allowed")
    }
}

impl Guard {
    /// For addresses that users wrote: public ones by `https`, and those for which `allowed` is true.
    #[must_use]
    pub fn for_users(allowed: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self::new(Author::User, Allowed(Box::new(allowed)))
    }

    /// For addresses that the operator wrote: also those of this machine and of private networks, and also by `http`.
    #[must_use]
    pub fn for_operator(allowed: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self::new(Author::Operator, Allowed(Box::new(allowed)))
    }

    fn new(author: Author, allowed: Allowed) -> Self {
        Self { public: PublicAddresses::new(|_| false), allowed, author }
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
        if is_translated(address) {
            return Err(refused(Reason::Translated));
        }
        let is_trusted = self.author == Author::Operator;
        match self.public.check(address) {
            Err(refusal) if is_trusted && refusal.is_near() => Ok(()),
            Err(refusal) => Err(refused(Reason::NotPublic(refusal))),
            Ok(()) if is_trusted || is_encrypted => Ok(()),
            Ok(()) => Err(refused(Reason::Unencrypted)),
        }
    }
}

/// Whether a translator makes version 4 of packets to the address, by one of the two networks for that (RFC 6052 and
/// RFC 8215).
fn is_translated(address: IpAddr) -> bool {
    let IpAddr::V6(address) = address else { return false };
    let [a, b, c, ..] = address.segments();
    (a, b) == (0x64, 0xff9b) && (c == 0 || c == 1)
}
