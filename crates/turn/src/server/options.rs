//! The settings of a relay.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{PeerRules, Secret, bucket::Rate};

/// A moment. Lifetimes of allocations use the steady clock; credentials end by the wall clock.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The steady clock.
    pub at: Instant,
    /// The time since 1970.
    pub since_1970: Duration,
}

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// The settings of a relay.
#[derive(Clone)]
pub struct Options {
    /// Where clients connect, by UDP and TCP.
    pub listen: SocketAddr,
    /// The addresses under which peers reach the relay: one of each family at most.
    pub relay_addresses: Vec<IpAddr>,
    /// The ports under which peers reach the relay.
    pub relay_ports: RangeInclusive<u16>,
    /// The name of the server in its questions for credentials.
    pub realm: String,
    /// The secret behind the credentials.
    pub secret: Secret,
    /// The addresses that the relay may send to.
    pub peers: PeerRules,
    /// How much users may take.
    pub bounds: Bounds,
    /// The clock.
    pub clock: Clock,
}

/// The bounds for users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Most allocations of all users. The range of ports is a bound too.
    pub allocations: usize,
    /// Most allocations of one user.
    pub user_allocations: usize,
    /// Most addresses of peers of one allocation.
    pub permissions: usize,
    /// Most channels of one allocation.
    pub channels: usize,
    /// Bytes that the relay passes on for one user each second, both directions together. More is dropped.
    pub user_bandwidth: usize,
    /// Most TCP connections.
    pub connections: usize,
    /// Most TCP connections of one address.
    pub address_connections: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            allocations: 1_000,
            user_allocations: 12,
            permissions: 64,
            channels: 64,
            user_bandwidth: 4 << 20,
            connections: 1_000,
            address_connections: 64,
        }
    }
}

impl Bounds {
    /// The budget of a user for relayed bytes: one second's worth at once.
    pub(super) fn bandwidth(&self) -> Rate {
        let bytes = u32::try_from(self.user_bandwidth).unwrap_or(u32::MAX);
        Rate { burst: bytes, per_second: bytes }
    }
}

/// The budget of a user for requests. Chromium sends about ten at the start of a call.
pub(super) const USER_REQUESTS: Rate = Rate { burst: 400, per_second: 50 };

/// The budget of an address for what the relay answers without valid credentials.
pub(super) const STRANGER_REQUESTS: Rate = Rate { burst: 100, per_second: 50 };
