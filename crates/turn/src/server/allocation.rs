//! One relayed address of one client.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{net::UdpSocket, task::AbortHandle};

use crate::{
    server::{
        client::{Client, DataSource, send},
        options::Bounds,
        table::User,
    },
    wire::{Payload, Transaction},
};

/// How long an allocation lives without a refresh. Longer lifetimes are not given, so that an allocation ends at most
/// this long after its credentials.
pub(super) const ALLOCATION_LIFETIME: Duration = Duration::from_mins(10);

/// Source: RFC 8656, section 9.
const PERMISSION_LIFETIME: Duration = Duration::from_mins(5);

/// Source: RFC 8656, section 12.
const CHANNEL_LIFETIME: Duration = Duration::from_mins(10);

/// One relayed address of one client.
pub(super) struct Allocation {
    pub(super) client: Client,
    pub(super) user: Arc<User>,
    /// The address that peers send to.
    pub(super) relayed: SocketAddr,
    /// The request that made it.
    pub(super) transaction: Transaction,
    socket: UdpSocket,
    state: Mutex<State>,
    /// The task that reads the socket.
    reader: Mutex<Option<AbortHandle>>,
}

struct State {
    expires: Instant,
    permissions: HashMap<IpAddr, Instant>,
    channels: HashMap<u16, Channel>,
    numbers: HashMap<SocketAddr, u16>,
}

#[derive(Clone, Copy)]
struct Channel {
    peer: SocketAddr,
    expires: Instant,
}

/// Why a client gets no permission or channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The bound is reached.
    Bound,
    /// The number or the peer is bound otherwise.
    Taken,
}

impl Allocation {
    pub(super) fn new(
        client: Client,
        user: Arc<User>,
        relayed: SocketAddr,
        transaction: Transaction,
        socket: UdpSocket,
        now: Instant,
    ) -> Self {
        let state = State {
            expires: now + ALLOCATION_LIFETIME,
            permissions: HashMap::new(),
            channels: HashMap::new(),
            numbers: HashMap::new(),
        };
        let (state, reader) = (Mutex::new(state), Mutex::new(None));
        Self { client, user, relayed, transaction, socket, state, reader }
    }

    /// Gives the allocation the task that reads its socket.
    pub(super) fn read_by(&self, reader: AbortHandle) {
        *self.reader.lock() = Some(reader);
    }

    /// Ends the task that reads the socket, and with it the last use of the socket.
    pub(super) fn close(&self) {
        if let Some(reader) = self.reader.lock().take() {
            reader.abort();
        }
    }

    pub(super) fn is_live(&self, now: Instant) -> bool {
        now < self.state.lock().expires
    }

    pub(super) fn refresh(&self, now: Instant) {
        self.state.lock().expires = now + ALLOCATION_LIFETIME;
    }

    /// Lets the peers at `addresses` send to the client and be sent to: all of them or none.
    pub(super) fn permit(
        &self,
        addresses: &[IpAddr],
        bounds: &Bounds,
        now: Instant,
    ) -> Result<(), Full> {
        let mut state = self.state.lock();
        state.forget_expired(now);
        let mut added: Vec<_> = addresses.to_vec();
        added.sort_unstable();
        added.dedup();
        added.retain(|address| !state.permissions.contains_key(address));
        if state.permissions.len() + added.len() > bounds.permissions {
            return Err(Full::Bound);
        }
        for address in addresses {
            state.permissions.insert(*address, now + PERMISSION_LIFETIME);
        }
        Ok(())
    }

    /// Binds a channel to a peer, or keeps it bound, and permits the peer.
    pub(super) fn bind(
        &self,
        number: u16,
        peer: SocketAddr,
        bounds: &Bounds,
        now: Instant,
    ) -> Result<(), Full> {
        {
            let mut state = self.state.lock();
            state.forget_expired(now);
            let bound = state.channels.get(&number).map(|channel| channel.peer);
            let bound_number = state.numbers.get(&peer).copied();
            if bound.is_some_and(|bound| bound != peer)
                || bound_number.is_some_and(|bound| bound != number)
            {
                return Err(Full::Taken);
            }
            if bound.is_none() && state.channels.len() >= bounds.channels {
                return Err(Full::Bound);
            }
        }
        self.permit(&[peer.ip()], bounds, now)?;
        let mut state = self.state.lock();
        state.channels.insert(number, Channel { peer, expires: now + CHANNEL_LIFETIME });
        state.numbers.insert(peer, number);
        Ok(())
    }

    /// The peer of a channel.
    pub(super) fn peer_of(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        let state = self.state.lock();
        let channel = state.channels.get(&number)?;
        (now < channel.expires && now < state.expires).then_some(channel.peer)
    }

    pub(super) fn permits(&self, address: IpAddr, now: Instant) -> bool {
        let state = self.state.lock();
        let permission = state.permissions.get(&address);
        permission.is_some_and(|expires| now < *expires) && now < state.expires
    }

    /// Passes data of a peer on to the client, if the client permits the peer and the user has bandwidth left.
    pub(super) fn pass_to_client(
        &self,
        peer: SocketAddr,
        payload: &mut Payload<'_>,
        bounds: &Bounds,
        now: Instant,
    ) {
        let Some(from) = self.source_of(peer, now) else { return };
        if self.user.takes(payload.data().len(), bounds, now) {
            self.client.send_data(from, payload);
        }
    }

    /// How the client learns that data is from `peer`. `None` if the client does not permit the peer.
    fn source_of(&self, peer: SocketAddr, now: Instant) -> Option<DataSource> {
        let state = self.state.lock();
        let number = state.numbers.get(&peer);
        let channel = number.and_then(|number| Some((*number, state.channels.get(number)?)));
        if now >= state.expires {
            return None;
        }
        if let Some((number, channel)) = channel
            && now < channel.expires
        {
            return Some(DataSource::Channel(number));
        }
        let permission = state.permissions.get(&peer.ip())?;
        (now < *permission).then(|| DataSource::Peer(peer, self.user.next_transaction()))
    }

    /// Sends data to a peer from the relayed address.
    pub(super) fn send_to(&self, peer: SocketAddr, data: &[u8]) {
        send(&self.socket, data, peer);
    }

    /// Waits for data of a peer.
    pub(super) async fn receive(&self, space: &mut [u8]) -> std::io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(space).await
    }

    /// Forgets what has expired.
    pub(super) fn sweep(&self, now: Instant) {
        self.state.lock().forget_expired(now);
    }
}

impl State {
    fn forget_expired(&mut self, now: Instant) {
        self.permissions.retain(|_, expires| now < *expires);
        self.channels.retain(|_, channel| now < channel.expires);
        let channels = &self.channels;
        self.numbers.retain(|_, number| channels.contains_key(number));
    }
}
