//! Sockets for relayed addresses.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    ops::RangeInclusive,
};

/// Ports that are tried for one allocation. Others may belong to other programs.
const TRIES_MAX: usize = 64;

/// One relay address and its ports.
#[derive(Clone, Debug)]
pub(super) struct Ports {
    /// The address that peers send to.
    pub(super) told: IpAddr,
    /// The address of the sockets: another one if a router translates the address.
    bound: IpAddr,
    range: RangeInclusive<u16>,
}

impl Ports {
    /// Finds out whether this machine has the address itself.
    pub(super) fn new(told: IpAddr, range: RangeInclusive<u16>) -> Self {
        let any = match told {
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let bound = if UdpSocket::bind((told, 0)).is_ok() { told } else { any };
        Self { told, bound, range }
    }

    /// Opens a socket on a port that `is_taken` does not name, and returns it with its relayed address.
    ///
    /// The port is random, so that no stranger can guess the next one.
    pub(super) fn open(
        &self,
        even: bool,
        is_taken: impl Fn(SocketAddr) -> bool,
    ) -> io::Result<(tokio::net::UdpSocket, SocketAddr)> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let ports = u64::from(self.range.end() - self.range.start()) + 1;
        let first = u64::from_be_bytes(random) % ports;
        let free = (0..ports)
            .map(|offset| (first + offset) % ports + u64::from(*self.range.start()))
            .filter_map(|port| u16::try_from(port).ok())
            .filter(|port| !even || port % 2 == 0)
            .filter(|port| !is_taken(SocketAddr::new(self.told, *port)));
        for port in free.take(TRIES_MAX) {
            let Ok(socket) = UdpSocket::bind((self.bound, port)) else { continue };
            socket.set_nonblocking(true)?;
            let socket = tokio::net::UdpSocket::from_std(socket)?;
            return Ok((socket, SocketAddr::new(self.told, port)));
        }
        Err(io::ErrorKind::AddrInUse.into())
    }
}
