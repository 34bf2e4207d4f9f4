//! The relay without its sockets to clients: messages in, answers out.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    ops::Range,
    sync::Arc,
    time::Instant,
};

use parking_lot::Mutex;

use crate::{
    nonce::Nonces,
    server::{
        access::{Gate, Strangers},
        allocation::Allocation,
        client::{Client, ClientId},
        options::{Bounds, Now, Options},
        ports::Ports,
        table::Table,
    },
    wire::{Class, HEADROOM, Message, Payload, TAILROOM, attribute, method, read_channel_data},
};

/// Longest datagram. Calls use at most 1,500 bytes.
pub(super) const DATAGRAM_BYTES_MAX: usize = 4_096;

/// A buffer for one datagram with room around it.
pub(super) const BUFFER_BYTES: usize = HEADROOM + DATAGRAM_BYTES_MAX + TAILROOM;

/// The state and the work of a relay, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Allocations of all users.
    pub allocations: usize,
    /// Users with an allocation, or who had one a moment ago.
    pub users: usize,
    /// Bytes that the relay has passed on since it started.
    pub relayed_bytes: u64,
}

/// The state of the relay.
pub(super) struct Relay {
    pub(super) options: Options,
    pub(super) gate: Gate,
    pub(super) ports: Vec<Ports>,
    pub(super) table: Mutex<Table>,
    strangers: Mutex<Strangers>,
}

impl Relay {
    pub(super) fn new(options: Options) -> io::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let start = (options.clock)().at;
        let gate = Gate {
            secret: options.secret.clone(),
            realm: options.realm.as_str().into(),
            nonces: Nonces::new(key, start),
        };
        let ports = |address: &IpAddr| Ports::new(*address, options.relay_ports.clone());
        let ports = options.relay_addresses.iter().map(ports).collect();
        let (table, strangers) = (Mutex::default(), Mutex::new(Strangers::new(start)));
        Ok(Self { options, gate, ports, table, strangers })
    }

    pub(super) fn now(&self) -> Now {
        (self.options.clock)()
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.options.bounds
    }

    /// Takes a whole message of a client, which is the bytes `message` of `buffer`. Answers go to the client.
    pub(super) fn take(
        self: &Arc<Self>,
        client: &Client,
        buffer: &mut [u8],
        message: Range<usize>,
    ) {
        let Some(first) = buffer.get(message.clone()).and_then(|bytes| bytes.first()) else {
            return;
        };
        match first >> 6 {
            0 => self.take_message(client, buffer, message),
            1 => self.take_channel_data(client, buffer, message),
            _ => {}
        }
    }

    fn take_message(self: &Arc<Self>, client: &Client, buffer: &mut [u8], range: Range<usize>) {
        let Some(message) = Message::read(&buffer[range.clone()]) else { return };
        match (message.class, message.method) {
            (Class::Indication, method::SEND) => {
                let peer = message.address(attribute::XOR_PEER_ADDRESS);
                let data = message.attribute(attribute::DATA);
                let (Some(peer), Some(data)) = (peer, data) else { return };
                let now = self.now().at;
                let Some(allocation) = self.allocation(client.id(), now) else { return };
                if allocation.permits(peer.ip(), now) {
                    let start = data.as_ptr().addr() - buffer.as_ptr().addr();
                    let data = start..start + data.len();
                    self.pass_to_peer(&allocation, peer, buffer, data, now);
                }
            }
            (Class::Request, _) => {
                if let Some(answer) = self.answer(client, &message) {
                    client.send(&answer);
                }
            }
            _ => {}
        }
    }

    fn take_channel_data(&self, client: &Client, buffer: &mut [u8], range: Range<usize>) {
        let Some((number, data)) = read_channel_data(&buffer[range.clone()]) else { return };
        let now = self.now().at;
        let Some(allocation) = self.allocation(client.id(), now) else { return };
        let Some(peer) = allocation.peer_of(number, now) else { return };
        let data = range.start + data.start..range.start + data.end;
        self.pass_to_peer(&allocation, peer, buffer, data, now);
    }

    /// Passes data of a client on to a peer that the client has a permission for.
    ///
    /// A peer that is a client of this relay too gets the data without a socket. So data for an address of the relay
    /// itself reaches its clients and nothing else on this machine, also where no router sends it back.
    fn pass_to_peer(
        &self,
        allocation: &Allocation,
        peer: SocketAddr,
        buffer: &mut [u8],
        data: Range<usize>,
        now: Instant,
    ) {
        let Some(mut payload) = Payload::new(buffer, data) else { return };
        if !allocation.user.takes(payload.data().len(), self.bounds(), now) {
            return;
        }
        if self.is_relay_address(peer.ip()) {
            let other = self.table.lock().at(peer).cloned();
            if let Some(other) = other {
                other.pass_to_client(allocation.relayed, &mut payload, self.bounds(), now);
                return;
            }
            if self.options.peers.check(peer.ip()).is_err() {
                return;
            }
        }
        allocation.send_to(peer, payload.data());
    }

    /// Whether clients of the relay have relayed addresses with this IP address.
    pub(super) fn is_relay_address(&self, address: IpAddr) -> bool {
        self.ports.iter().any(|ports| ports.told == address)
    }

    /// The live allocation of a client.
    pub(super) fn allocation(&self, client: ClientId, now: Instant) -> Option<Arc<Allocation>> {
        let allocation = self.table.lock().of_client(client).cloned();
        allocation.filter(|allocation| allocation.is_live(now))
    }

    /// Takes one answer from the budget of a stranger's address.
    pub(super) fn answers_stranger(&self, client: &Client, now: Instant) -> bool {
        self.strangers.lock().takes(client.address().ip(), now)
    }

    /// Reads what peers send to an allocation, until the task is aborted.
    pub(super) async fn read_peers(self: Arc<Self>, allocation: Arc<Allocation>) {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            let space = &mut buffer[HEADROOM..BUFFER_BYTES - TAILROOM];
            let space_bytes = space.len();
            match allocation.receive(space).await {
                // A datagram that fills the space may have been longer.
                Ok((bytes, peer)) if bytes < space_bytes => {
                    let now = self.now().at;
                    if let Some(mut payload) = Payload::new(&mut buffer, HEADROOM..HEADROOM + bytes)
                    {
                        allocation.pass_to_client(peer, &mut payload, self.bounds(), now);
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "cannot read a relayed address");
                    tokio::time::sleep(super::sockets::PAUSE).await;
                }
            }
        }
    }

    pub(super) fn usage(&self) -> Usage {
        let table = self.table.lock();
        Usage {
            allocations: table.allocations(),
            users: table.users(),
            relayed_bytes: table.relayed_bytes(),
        }
    }
}
