//! The two ways to a client.

use std::{net::SocketAddr, sync::Arc};

use socket2::SockRef;
use tokio::{net::UdpSocket, sync::mpsc};

use crate::wire::{Payload, Transaction};

/// Messages that wait for a slow TCP client. More are dropped, as UDP would.
pub(super) const WAITING_MAX: usize = 64;

/// The identity of a client: RFC 8656 calls it the 5-tuple.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ClientId {
    address: SocketAddr,
    is_stream: bool,
}

/// A client and the way to it.
#[derive(Clone)]
pub(super) struct Client {
    address: SocketAddr,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Datagrams(Arc<UdpSocket>),
    Stream(mpsc::Sender<Vec<u8>>),
}

impl Client {
    pub(super) fn by_udp(address: SocketAddr, socket: &Arc<UdpSocket>) -> Self {
        Self { address, way: Way::Datagrams(Arc::clone(socket)) }
    }

    pub(super) fn by_tcp(address: SocketAddr, messages: mpsc::Sender<Vec<u8>>) -> Self {
        Self { address, way: Way::Stream(messages) }
    }

    pub(super) fn id(&self) -> ClientId {
        ClientId { address: self.address, is_stream: matches!(self.way, Way::Stream(_)) }
    }

    /// The address as the client knows it: a socket for both families writes IPv4 inside of IPv6.
    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::new(self.address.ip().to_canonical(), self.address.port())
    }

    /// Sends a message. A message for which there is no room now is lost.
    pub(super) fn send(&self, message: &[u8]) {
        match &self.way {
            Way::Datagrams(socket) => send(socket, message, self.address),
            Way::Stream(messages) => drop(messages.try_send(message.into())),
        }
    }

    /// Sends data of a peer.
    pub(super) fn send_data(&self, from: DataSource, payload: &mut Payload<'_>) {
        let message = match from {
            DataSource::Channel(number) => {
                payload.on_channel(number, matches!(self.way, Way::Stream(_)))
            }
            DataSource::Peer(peer, transaction) => payload.as_indication(peer, transaction),
        };
        self.send(message);
    }
}

/// Sends a datagram at once, or loses it.
///
/// It asks the system and not the runtime: the runtime takes a new socket for full until the system reports otherwise.
pub(super) fn send(socket: &UdpSocket, message: &[u8], to: SocketAddr) {
    drop(SockRef::from(socket).send_to(message, &to.into()));
}

/// How a client learns who sent data.
#[derive(Clone, Copy)]
pub(super) enum DataSource {
    Channel(u16),
    Peer(SocketAddr, Transaction),
}
