//! The sockets to clients, and the tasks that read them.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, UdpSocket},
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    server::{
        client::Client,
        options::Options,
        relay::{BUFFER_BYTES, Relay, Usage},
        tcp,
    },
    wire::{HEADROOM, TAILROOM},
};

/// How long a task waits after an error of its socket, so that it does not fill a processor.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// How often expired allocations are removed. They stop to work earlier, at once.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Bytes that wait in the kernel while the relay works. A system may allow less.
const RECEIVE_BYTES: usize = 4 << 20;

/// Ports that are tried if any free port will do.
const FREE_PORT_TRIES: usize = 32;

/// Connections that wait in the kernel.
const BACKLOG: i32 = 128;

/// Why a relay cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Choose another address, or stop the other program.
    #[error("cannot listen on {address} by {protocol}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// UDP or TCP.
        protocol: &'static str,
        /// The error of the system.
        error: io::Error,
    },
    /// Try again.
    #[error("the system gives no randomness: {0}")]
    Randomness(io::Error),
}

/// A relay that listens.
pub struct Server {
    relay: Arc<Relay>,
    datagrams: Arc<UdpSocket>,
    streams: TcpListener,
}

/// Watches a relay.
#[derive(Clone)]
pub struct Monitor(Arc<Relay>);

impl Monitor {
    /// The state and the work of the relay, in numbers.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.usage()
    }
}

impl Server {
    /// Listens. Call it within the runtime that will run the relay.
    ///
    /// # Errors
    /// [`BindError`] if an address is taken or is not of this machine.
    pub fn bind(options: Options) -> Result<Self, BindError> {
        let (datagrams, streams) = listen(options.listen)?;
        let relay = Relay::new(options).map_err(BindError::Randomness)?;
        Ok(Self { relay: Arc::new(relay), datagrams: Arc::new(datagrams), streams })
    }

    /// The address that clients connect to.
    ///
    /// # Errors
    /// An error of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.datagrams.local_addr()
    }

    /// Watches the relay while it runs.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        Monitor(Arc::clone(&self.relay))
    }

    /// Relays until the future is dropped. Then all allocations end.
    pub async fn run(self) {
        let Self { relay, datagrams, streams } = self;
        let _ending = Ending(Arc::clone(&relay));
        tokio::join!(
            read_clients(Arc::clone(&relay), datagrams),
            tcp::accept(Arc::clone(&relay), streams),
            sweep(relay),
        );
    }
}

/// Ends all allocations with the relay: their tasks would keep it alive.
struct Ending(Arc<Relay>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.table.lock().clear();
    }
}

async fn sweep(relay: Arc<Relay>) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let now = relay.now().at;
        relay.table.lock().sweep(now);
    }
}

async fn read_clients(relay: Arc<Relay>, socket: Arc<UdpSocket>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let space = &mut buffer[HEADROOM..BUFFER_BYTES - TAILROOM];
        let space_bytes = space.len();
        match socket.recv_from(space).await {
            // A datagram that fills the space may have been longer.
            Ok((bytes, address)) if bytes < space_bytes => {
                let client = Client::by_udp(address, &socket);
                relay.take(&client, &mut buffer, HEADROOM..HEADROOM + bytes);
            }
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "cannot read datagrams of clients");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Opens the sockets of both protocols, on the same port.
fn listen(address: SocketAddr) -> Result<(UdpSocket, TcpListener), BindError> {
    let failed = |address, protocol| move |error| BindError::Listen { address, protocol, error };
    let mut tries = if address.port() == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let datagrams = listen_udp(address).map_err(failed(address, "UDP"))?;
        let both = datagrams.local_addr().map_err(failed(address, "UDP"))?;
        match listen_tcp(both) {
            Ok(streams) => return Ok((datagrams, streams)),
            // A port that is free by UDP may be taken by TCP.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
            Err(error) => return Err(failed(both, "TCP")(error)),
        }
    }
}

fn listen_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The system may grant less.
    socket.set_recv_buffer_size(RECEIVE_BYTES).ok();
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

fn listen_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}
