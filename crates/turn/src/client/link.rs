//! Whole messages over a socket that waits.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::{Duration, Instant},
};

use crate::{Transport, wire::Frames};

/// Longest message.
const MESSAGE_BYTES_MAX: usize = 65_507;

/// A socket to a relay.
pub(super) enum Link {
    Datagrams(UdpSocket, Box<[u8]>),
    Stream(TcpStream, Box<Frames>),
}

impl Link {
    pub(super) fn open(
        relay: SocketAddr,
        transport: Transport,
        patience: Duration,
    ) -> io::Result<Self> {
        match transport {
            Transport::Udp => {
                let any: SocketAddr = match relay {
                    SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                    SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
                };
                let socket = UdpSocket::bind(any)?;
                socket.connect(relay)?;
                Ok(Self::Datagrams(socket, vec![0; MESSAGE_BYTES_MAX].into()))
            }
            Transport::Tcp => {
                let stream = TcpStream::connect_timeout(&relay, patience)?;
                stream.set_nodelay(true)?;
                Ok(Self::Stream(stream, Box::new(Frames::new(MESSAGE_BYTES_MAX))))
            }
        }
    }

    /// Whether a message can be lost.
    pub(super) fn loses(&self) -> bool {
        matches!(self, Self::Datagrams(..))
    }

    pub(super) fn local_addr(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Datagrams(socket, _) => socket.local_addr(),
            Self::Stream(stream, _) => stream.local_addr(),
        }
    }

    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Datagrams(socket, _) => socket.send(message).map(drop),
            Self::Stream(stream, _) => stream.write_all(message),
        }
    }

    /// The next message, if one comes before `deadline`.
    pub(super) fn receive(&mut self, deadline: Instant) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Self::Stream(_, frames) = self {
                let malformed = |_| io::Error::from(io::ErrorKind::InvalidData);
                if let Some((buffer, frame)) = frames.next().map_err(malformed)? {
                    return Ok(Some(buffer[frame].to_vec()));
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let read = match self {
                Self::Datagrams(socket, buffer) => {
                    socket.set_read_timeout(Some(left))?;
                    let bytes = socket.recv(buffer);
                    bytes.map(|bytes| Some(buffer[..bytes].to_vec()))
                }
                Self::Stream(stream, frames) => {
                    stream.set_read_timeout(Some(left))?;
                    let bytes = stream.read(frames.space());
                    match bytes {
                        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                        bytes => bytes.map(|bytes| {
                            frames.filled(bytes);
                            None
                        }),
                    }
                }
            };
            match read {
                Ok(None) => {}
                Ok(message) => return Ok(message),
                Err(error) if is_timeout(&error) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
