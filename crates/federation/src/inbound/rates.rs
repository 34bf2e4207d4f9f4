//! How much each server, and each address, may ask.
//!
//! **Invariant:** a request is charged to its address before its signature is checked, and to its server afterwards. So
//! nobody spends the budget of another server.

use std::{net::IpAddr, time::Duration};

use rookery_domain::{RoomId, ServerName, UserId};
use rookery_rates::{Buckets, Draw, Network, Pace};

use super::refusal::Refusal;

/// Requests of one address, signed or not.
pub(crate) const ADDRESS_PACE: Pace = Pace { burst: 2_000, interval: Duration::from_millis(5) };

/// Requests of one server.
pub(crate) const SERVER_PACE: Pace = Pace { burst: 1_000, interval: Duration::from_millis(10) };

/// Invites of one server: a hundred at once, and one each second.
pub(crate) const INVITE_PACE: Pace = Pace { burst: 100, interval: Duration::from_secs(1) };

/// Invites to one user, of all servers together.
pub(crate) const INVITED_PACE: Pace = Pace { burst: 30, interval: Duration::from_secs(20) };

/// KiB of the bodies of one server: 64 MiB at once, and 2 MiB each second.
pub(crate) const KIB_PACE: Pace = Pace { burst: 65_536, interval: Duration::from_micros(500) };

/// States of typing, presence and receipts of one server.
pub(crate) const STATES_PACE: Pace = Pace { burst: 2_000, interval: Duration::from_millis(10) };

/// Rejected events of one server that are kept in a room.
pub(crate) const REJECTED_PACE: Pace = Pace { burst: 500, interval: Duration::from_secs(10) };

/// Rejected events that are kept of one server in all rooms in which it has no member.
pub(crate) const STRANGER_REJECTED_PACE: Pace =
    Pace { burst: 100, interval: Duration::from_mins(1) };

/// Receipts of the users of one server that are written to the log.
pub(crate) const RECEIPTS_PACE: Pace = Pace { burst: 1_000, interval: Duration::from_millis(50) };

/// Receipts of the users of all servers that are written to the log.
pub(crate) const ALL_RECEIPTS_PACE: Pace =
    Pace { burst: 5_000, interval: Duration::from_millis(10) };

/// Most addresses, and most servers, whose budgets are remembered.
const BUCKETS_MAX: usize = 20_000;

pub(crate) struct Rates {
    addresses: Buckets,
    servers: Buckets,
}

impl Rates {
    pub(crate) fn new() -> Self {
        Self { addresses: Buckets::new(BUCKETS_MAX), servers: Buckets::new(4 * BUCKETS_MAX) }
    }

    /// Charges a request to its address.
    pub(super) fn address(&self, address: IpAddr, now: u64) -> Result<(), Refusal> {
        let taken = self.addresses.take(Some(ADDRESS_PACE), &Network::of(address), now);
        taken.map_err(Refusal::limited)
    }

    /// Charges states of typing, presence or receipts to their server. Returns whether they count.
    pub(crate) fn states(&self, server: &ServerName, count: u32, now: u64) -> bool {
        let draw = Draw { pace: STATES_PACE, key: (server.as_str(), "states"), count };
        self.servers.take_all([draw].into_iter(), now).is_ok()
    }

    /// Charges a receipt that would be written to the log. Returns whether it may be.
    pub(crate) fn receipt(&self, server: &ServerName, now: u64) -> bool {
        let draws = [
            Draw { pace: RECEIPTS_PACE, key: (server.as_str(), "receipts"), count: 1 },
            Draw { pace: ALL_RECEIPTS_PACE, key: ("", "receipts"), count: 1 },
        ];
        self.servers.take_all(draws.into_iter(), now).is_ok()
    }

    /// Charges an invite to its server and to the invited user.
    pub(super) fn invite(
        &self,
        server: &ServerName,
        user: &UserId,
        now: u64,
    ) -> Result<(), Refusal> {
        let draws = [
            Draw { pace: INVITE_PACE, key: (server.as_str(), "invites"), count: 1 },
            Draw { pace: INVITED_PACE, key: (user.as_str(), "invited"), count: 1 },
        ];
        let taken = self.servers.take_all(draws.into_iter(), now);
        taken.map_err(|(_, wait)| Refusal::limited(wait))
    }

    /// Whether further events of a server are taken in a room, after those that were rejected there.
    pub(super) fn is_trusted(
        &self,
        (server, room): (&ServerName, &RoomId),
        is_in: bool,
        now: u64,
    ) -> bool {
        let (pace, key) = rejected(server, room, is_in);
        self.servers.has_one(pace, &key, now)
    }

    /// Charges rejected events, which the log keeps, to their server.
    pub(super) fn rejected(
        &self,
        (server, room): (&ServerName, &RoomId),
        is_in: bool,
        count: usize,
        now: u64,
    ) {
        let (pace, key) = rejected(server, room, is_in);
        // The last ones may go beyond the budget: they are kept already.
        for _ in 0..count {
            self.servers.take(Some(pace), &key, now).ok();
        }
    }

    /// Charges a request with a body of `bytes` to its server.
    pub(super) fn server(
        &self,
        server: &ServerName,
        bytes: usize,
        now: u64,
    ) -> Result<(), Refusal> {
        let kib = u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX).max(1);
        let draws = [
            Draw { pace: SERVER_PACE, key: (server.as_str(), "requests"), count: 1 },
            Draw { pace: KIB_PACE, key: (server.as_str(), "KiB"), count: kib },
        ];
        let taken = self.servers.take_all(draws.into_iter(), now);
        taken.map_err(|(_, wait)| Refusal::limited(wait))
    }
}

/// The budget of a server for rejected events in a room: its own one for each room that it is in.
fn rejected<'a>(
    server: &'a ServerName,
    room: &'a RoomId,
    is_in: bool,
) -> (Pace, (&'a str, &'a str)) {
    if is_in {
        (REJECTED_PACE, (server.as_str(), room.as_str()))
    } else {
        (STRANGER_REJECTED_PACE, (server.as_str(), "rejected"))
    }
}
