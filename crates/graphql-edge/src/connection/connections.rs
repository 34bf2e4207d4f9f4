//! The connections of a server: their number, their addresses, and the choice of the one that makes
//! room for a new one.
//!
//! A connection waits for a request, works on one, or lasts: it became a socket or carries a
//! stream. A waiting connection can be closed without harm, because its client connects again.
//!
//! **Invariant:** there are never more than `connections_max`, so that file descriptors are left
//! for files and for the operator.
//! **Invariant:** sockets and streams never take all of them.
//! **Invariant:** the address with the most connections makes room first, so nobody can keep others
//! from connecting.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use rookery_graphql_documents::{Refusal, code};

use axum::http::Extensions;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use rookery_rates::Network;

/// How long a connection waits before it makes room for others of its address. A request in transit
/// arrives within that time.
const GRACE: Duration = Duration::from_secs(5);

/// How often to look for room while every connection works.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How many holders are checked for a connection that can be closed.
const HOLDERS_LOOKED_AT: usize = 16;

/// Time between two warnings that connections were closed to make room.
const WARN_INTERVAL: Duration = Duration::from_mins(1);

/// Bounds of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    /// The most connections in all.
    pub(crate) connections_max: usize,
    /// The most connections of one address without a login.
    pub(crate) strangers_max: usize,
    /// How long a connection without a login may last.
    pub(crate) stranger_lifetime: Duration,
}

impl ConnectionLimits {
    /// Sockets and streams leave an eighth for requests.
    fn lasting_max(&self) -> usize {
        self.connections_max - self.connections_max.div_ceil(8)
    }

    /// The most connections of one address, without sockets and streams.
    fn address_max(&self) -> usize {
        self.connections_max.div_ceil(2)
    }
}

/// All connections of a server.
#[derive(Debug)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    begun: Instant,
    table: Mutex<Table>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    serial: u64,
    total: usize,
    lasting: usize,
    /// Waiting and working connections, by holder. A trusted address has many holders.
    holders: HashMap<Network, Holder>,
    /// Holders by the number of their connections.
    by_count: BTreeSet<(usize, Network)>,
    closed: u64,
    warned: Option<Instant>,
}

#[derive(Debug, Default)]
struct Holder {
    /// In the order in which they were accepted.
    connections: BTreeMap<u64, Arc<Connection>>,
    /// How many of them are without a login.
    strangers: usize,
}

const REQUESTING: u8 = 0;
const LASTING: u8 = 1;
const GONE: u8 = 2;

/// One connection, as an entry of the table. Each request carries it in its extensions.
#[derive(Debug)]
pub(crate) struct Connection {
    all: Arc<Connections>,
    network: Network,
    serial: u64,
    /// Whether its address is a proxy of many clients.
    trusted: bool,
    opened: Instant,
    /// Milliseconds after `begun`, plus one; 0 while it works.
    waits_since: AtomicU64,
    /// Whether a logged-in user has used it.
    known: AtomicBool,
    /// Whether the body of the request has not arrived.
    owed: AtomicBool,
    /// How often data was read or written.
    moves: AtomicU64,
    /// Changes only under the lock of the table.
    standing: AtomicU8,
    evicted: Notify,
}

/// The place of a connection. Dropping it frees the place.
#[derive(Debug)]
pub(crate) struct ConnectionPlace(pub(crate) Arc<Connection>);

/// A connection that has become a socket or a stream, while it is one.
#[derive(Debug)]
pub(crate) struct Lasting(Arc<Connection>);

/// Records that a logged-in user or a service uses the connection of a request with these extensions. For routes beside
/// the endpoint, which know who calls.
pub fn known(extensions: &Extensions) {
    if let Some(connection) = Connection::of(extensions) {
        connection.is_known();
    }
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let table = Mutex::new(Table::default());
        Arc::new(Self { limits, begun: Instant::now(), table, freed: Notify::new() })
    }

    /// Waits until there is room for an accepted connection, and registers it; closes a waiting one
    /// if need be. `None` if its address has as many as it may have, and all of them work.
    pub(crate) async fn place(
        self: &Arc<Self>,
        address: IpAddr,
        trusted: bool,
    ) -> Option<ConnectionPlace> {
        while !self.has_room() {
            let _: Result<(), _> = timeout(LOOK_AGAIN, self.freed.notified()).await;
        }
        self.enter(address, trusted)
    }

    fn has_room(&self) -> bool {
        let mut table = self.table.lock();
        if table.total < self.limits.connections_max {
            return true;
        }
        let largest: Vec<_> =
            table.by_count.iter().rev().take(HOLDERS_LOOKED_AT).copied().collect();
        largest.into_iter().any(|(_, network)| table.make_room(network, None))
    }

    fn enter(self: &Arc<Self>, address: IpAddr, trusted: bool) -> Option<ConnectionPlace> {
        let network = Network::of(address);
        let mut table = self.table.lock();
        if let Some(holder) = table.holders.get(&network).filter(|_| !trusted) {
            let (count, strangers) = (holder.connections.len(), holder.strangers);
            if count >= self.limits.address_max() && !table.make_room(network, None) {
                table.tell(address);
                return None;
            }
            if strangers >= self.limits.strangers_max {
                let before = self.now().saturating_sub(millis(GRACE));
                if table.make_room(network, Some(before)) {
                    table.tell(address);
                }
            }
        }
        table.serial += 1;
        table.total += 1;
        let connection = Arc::new(Connection {
            all: Arc::clone(self),
            network,
            serial: table.serial,
            trusted,
            opened: Instant::now(),
            waits_since: AtomicU64::new(self.now()),
            known: AtomicBool::new(false),
            owed: AtomicBool::new(false),
            moves: AtomicU64::new(0),
            standing: AtomicU8::new(REQUESTING),
            evicted: Notify::new(),
        });
        table.insert(&connection);
        Some(ConnectionPlace(connection))
    }

    fn now(&self) -> u64 {
        millis(self.begun.elapsed()) + 1
    }

    #[cfg(test)]
    fn counts(&self) -> (usize, usize) {
        let table = self.table.lock();
        (table.total, table.lasting)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Table {
    fn insert(&mut self, connection: &Arc<Connection>) {
        let network = connection.network;
        let holder = self.holders.entry(network).or_default();
        self.by_count.remove(&(holder.connections.len(), network));
        holder.connections.insert(connection.serial, Arc::clone(connection));
        holder.strangers += usize::from(connection.is_stranger());
        self.by_count.insert((holder.connections.len(), network));
    }

    fn remove(&mut self, connection: &Connection) {
        let network = connection.network;
        let Some(holder) = self.holders.get_mut(&network) else { return };
        let before = holder.connections.len();
        if holder.connections.remove(&connection.serial).is_none() {
            return;
        }
        self.by_count.remove(&(before, network));
        holder.strangers -= usize::from(connection.is_stranger());
        if before == 1 {
            self.holders.remove(&network);
        } else {
            self.by_count.insert((before - 1, network));
        }
    }

    /// Closes a waiting connection of `network`: first those without a login, and the oldest first.
    /// With `before`, only a connection without a login that has waited since then.
    fn make_room(&mut self, network: Network, before: Option<u64>) -> bool {
        let Some(holder) = self.holders.get(&network) else { return false };
        let old = holder
            .connections
            .values()
            .take_while(|connection| before.is_none_or(|before| connection.accepted() <= before));
        let mut idle = old.filter(|connection| connection.waits_before(before.unwrap_or(u64::MAX)));
        let mut found = idle.clone().find(|connection| connection.is_stranger());
        if before.is_none() {
            found = found.or_else(|| idle.next());
        }
        let Some(found) = found.cloned() else { return false };
        self.remove(&found);
        self.total -= 1;
        self.closed += 1;
        found.standing.store(GONE, Ordering::Relaxed);
        found.evicted.notify_one();
        true
    }

    /// Warns the operator, at most once in [`WARN_INTERVAL`].
    fn tell(&mut self, address: IpAddr) {
        if self.warned.is_some_and(|warned| warned.elapsed() < WARN_INTERVAL) {
            return;
        }
        self.warned = Some(Instant::now());
        tracing::warn!(
            %address,
            closed = self.closed,
            "an address holds as many connections as one may have; those that wait longest are closed. If it is a \
             reverse proxy, name it in `trusted_proxies`"
        );
    }
}

impl Connection {
    /// The connection of a request, if [`serve`](crate::serve()) accepted it.
    pub(crate) fn of(extensions: &Extensions) -> Option<&Arc<Self>> {
        extensions.get::<Arc<Self>>()
    }

    /// The connection waits for its client: for a request, or for the rest of one.
    pub(crate) fn waits(&self) {
        self.waits_since.store(self.all.now(), Ordering::Relaxed);
    }

    /// The connection works on a request that has arrived.
    pub(crate) fn works(&self) {
        self.waits_since.store(0, Ordering::Relaxed);
    }

    /// Data was read or written.
    pub(crate) fn moves(&self) {
        // One task reads and writes; another one checks whether this changes.
        self.moves.store(self.moves.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Resolves when the connection has waited for its client for `time` without a read or write.
    pub(crate) async fn stalled(&self, time: Duration) {
        loop {
            let before = self.moves.load(Ordering::Relaxed);
            sleep(time).await;
            let moved = self.moves.load(Ordering::Relaxed) != before;
            if !moved && self.waits_since.load(Ordering::Relaxed) != 0 {
                return;
            }
        }
    }

    /// Sets whether the client still has to send a part of its request's body.
    pub(crate) fn owes_body(&self, owes: bool) {
        self.owed.store(owes, Ordering::Relaxed);
    }

    /// Whether a part of a request's body has not arrived.
    pub(crate) fn is_owed_body(&self) -> bool {
        self.owed.load(Ordering::Relaxed)
    }

    /// A logged-in user uses the connection.
    pub(crate) fn is_known(&self) {
        if self.known.load(Ordering::Relaxed) {
            return;
        }
        let mut table = self.all.table.lock();
        if !self.known.swap(true, Ordering::Relaxed)
            && self.standing.load(Ordering::Relaxed) == REQUESTING
            && let Some(holder) = table.holders.get_mut(&self.network)
        {
            holder.strangers -= 1;
        }
    }

    fn is_stranger(&self) -> bool {
        !self.known.load(Ordering::Relaxed)
    }

    /// Whether it ends with its next answer.
    pub(crate) fn is_overdue(&self) -> bool {
        let lifetime = self.all.limits.stranger_lifetime;
        self.is_stranger() && !self.trusted && self.opened.elapsed() >= lifetime
    }

    /// Closes it in any state: its client does not read, and others need the room.
    pub(crate) fn give_way(&self) {
        self.evicted.notify_one();
    }

    /// Resolves when the connection has to make room.
    pub(crate) async fn evicted(&self) {
        self.evicted.notified().await;
    }

    fn accepted(&self) -> u64 {
        millis(self.opened.saturating_duration_since(self.all.begun)) + 1
    }

    fn waits_before(&self, before: u64) -> bool {
        let since = self.waits_since.load(Ordering::Relaxed);
        since != 0 && since <= before
    }

    /// Makes it a socket or a stream, which does not count for its address.
    ///
    /// # Errors
    /// A [`Refusal`] if the server has as many as it may have.
    pub(crate) fn lasting(self: &Arc<Self>) -> Result<Lasting, Refusal> {
        let mut table = self.all.table.lock();
        let standing = self.standing.load(Ordering::Relaxed);
        if standing != REQUESTING || table.lasting >= self.all.limits.lasting_max() {
            return Err(full());
        }
        table.lasting += 1;
        table.remove(self);
        self.standing.store(LASTING, Ordering::Relaxed);
        Ok(Lasting(Arc::clone(self)))
    }
}

fn full() -> Refusal {
    let message = "The server has as many sockets and streams as it may have; try again later.";
    Refusal {
        retry_after: Some(Duration::from_secs(10)),
        ..Refusal::new(code::TOO_MANY_SOCKETS, message)
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let Self(connection) = self;
        let mut table = connection.all.table.lock();
        match connection.standing.swap(GONE, Ordering::Relaxed) {
            GONE => return,
            REQUESTING => table.remove(connection),
            _ => {}
        }
        table.total -= 1;
        drop(table);
        connection.all.freed.notify_one();
    }
}

impl Drop for Lasting {
    fn drop(&mut self) {
        let Self(connection) = self;
        let mut table = connection.all.table.lock();
        table.lasting -= 1;
        if connection.standing.load(Ordering::Relaxed) == LASTING {
            connection.standing.store(REQUESTING, Ordering::Relaxed);
            connection.waits();
            table.insert(connection);
        }
    }
}
