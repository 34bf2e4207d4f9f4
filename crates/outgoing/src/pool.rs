//! Connections that wait for another request to the same server.
//!
//! **Invariant:** a connection is used again only for the address and the TLS name that it was made for. The caller has
//! resolved the name and checked its addresses for the request.
//! **Invariant:** idle connections are bounded in number and in time.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use parking_lot::Mutex;
use tokio::{task::JoinHandle, time::Instant};

/// Most idle connections.
pub(crate) const IDLE_MAX: usize = 256;

/// Most idle connections to one server.
pub(crate) const IDLE_PER_SERVER_MAX: usize = 4;

/// How long a connection stays idle.
pub(crate) const IDLE_TIME_MAX: Duration = Duration::from_secs(30);

/// The server of a connection: the address, and the name of its certificate unless it is not encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) tls_name: Option<String>,
}

/// A connection that can take a request.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    /// It works while this is here.
    pub(crate) _running: Running,
}

/// A task that ends with its owner.
pub(crate) struct Running(pub(crate) JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Idle {
    peer: Peer,
    connection: Connection,
    since: Instant,
}

/// The idle connections, oldest first.
#[derive(Default)]
pub(crate) struct Pool(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    idle: VecDeque<Idle>,
    is_swept: bool,
}

impl Pool {
    /// An idle connection to one of these servers, the newest one. It belongs to the caller.
    pub(crate) fn take(&self, is_wanted: impl Fn(&Peer) -> bool) -> Option<(Peer, Connection)> {
        let mut state = self.0.lock();
        state.expire(Instant::now());
        let place = state.idle.iter().rposition(|idle| is_wanted(&idle.peer))?;
        let Idle { peer, connection, .. } = state.idle.remove(place)?;
        Some((peer, connection))
    }

    /// Keeps a connection whose last answer was read to its end.
    pub(crate) fn put(&self, peer: Peer, connection: Connection) {
        let mut state = self.0.lock();
        let now = Instant::now();
        state.expire(now);
        let of_peer = state.idle.iter().filter(|idle| idle.peer == peer).count();
        if of_peer >= IDLE_PER_SERVER_MAX || connection.sender.is_closed() {
            return;
        }
        if state.idle.len() >= IDLE_MAX {
            state.idle.pop_front();
        }
        state.idle.push_back(Idle { peer, connection, since: now });
        if !state.is_swept {
            state.is_swept = true;
            tokio::spawn(sweep(Arc::clone(&self.0)));
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.lock().idle.len()
    }
}

impl State {
    fn expire(&mut self, now: Instant) {
        self.idle.retain(|idle| {
            now.duration_since(idle.since) < IDLE_TIME_MAX && !idle.connection.sender.is_closed()
        });
    }
}

/// Closes idle connections in time, and ends when none is left.
async fn sweep(state: Arc<Mutex<State>>) {
    loop {
        let oldest = state.lock().idle.front().map(|idle| idle.since);
        let until = oldest.unwrap_or_else(Instant::now) + IDLE_TIME_MAX;
        tokio::time::sleep_until(until).await;
        let mut state = state.lock();
        state.expire(Instant::now());
        if state.idle.is_empty() {
            state.is_swept = false;
            return;
        }
    }
}
