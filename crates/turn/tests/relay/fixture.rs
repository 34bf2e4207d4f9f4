//! A relay on loopback, with a clock that the test moves.

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rookery_turn::{
    Bounds, Family, Login, Monitor, Now, Options, PeerRules, RelayClient, Secret, Server,
    Transport, Trouble,
};
use tokio::sync::oneshot;

/// The relay's own address. Peers of the tests are at other addresses of loopback.
pub(crate) const RELAY: &str = "127.0.0.9";

/// The address that the relay may send to although it is loopback.
pub(crate) const PEER: &str = "127.0.0.8";

/// How long a client waits for an answer that has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a client waits to see that no answer comes.
const SILENCE: Duration = Duration::from_millis(200);

pub(crate) struct Fixture {
    pub(crate) address: SocketAddr,
    pub(crate) monitor: Monitor,
    pub(crate) secret: Secret,
    clock: Arc<Mutex<Now>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(Bounds::default())
    }

    pub(crate) fn with(bounds: Bounds) -> Self {
        let secret = Secret::new("0123456789abcdef").unwrap();
        let start = Now { at: Instant::now(), since_1970: Duration::from_secs(1_700_000_000) };
        let clock = Arc::new(Mutex::new(start));
        let allowed: IpAddr = PEER.parse().unwrap();
        let told = Arc::clone(&clock);
        let options = Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            relay_addresses: vec![RELAY.parse().unwrap(), "::1".parse().unwrap()],
            relay_ports: 20_000..=29_999,
            realm: "example.org".to_owned(),
            secret: secret.clone(),
            peers: PeerRules::new(move |address| address == allowed),
            bounds,
            clock: Arc::new(move || *told.lock()),
        };
        let (told, bound) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let server = Server::bind(options).unwrap();
                told.send((server.local_addr().unwrap(), server.monitor())).unwrap();
                tokio::select! {
                    () = server.run() => {}
                    _ = stopped => {}
                }
            });
        });
        let (address, monitor) = bound.recv().unwrap();
        Self { address, monitor, secret, clock, stop: Some(stop), thread: Some(thread) }
    }

    /// Moves both clocks.
    pub(crate) fn pass(&self, time: Duration) {
        let mut now = self.clock.lock();
        now.at += time;
        now.since_1970 += time;
    }

    /// Credentials of a user, as the server issues them now.
    pub(crate) fn login(&self, user: &str) -> Login {
        let issued = self.secret.issue(user, self.clock.lock().since_1970);
        Login { username: issued.username, credential: issued.credential }
    }

    pub(crate) fn client(&self, user: &str) -> RelayClient {
        self.client_with(self.login(user))
    }

    pub(crate) fn client_with(&self, login: Login) -> RelayClient {
        RelayClient::open(self.address, Transport::Udp, login, PATIENCE).unwrap()
    }

    pub(crate) fn client_by_tcp(&self, user: &str) -> RelayClient {
        RelayClient::open(self.address, Transport::Tcp, self.login(user), PATIENCE).unwrap()
    }

    /// A client with an allocation.
    pub(crate) fn allocated(&self, user: &str) -> (RelayClient, SocketAddr) {
        let mut client = self.client(user);
        let relayed = client.allocate(Family::V4).unwrap().relayed;
        (client, relayed)
    }

    /// Waits until the relay holds this many allocations.
    pub(crate) fn wait_for_allocations(&self, allocations: usize) {
        while self.monitor.usage().allocations != allocations {
            thread::yield_now();
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(thread::JoinHandle::join);
        if !thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

/// A peer that the relay may send to.
pub(crate) fn peer() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((PEER, 0)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// The datagrams that reach the socket, once there are `at_least` so many datagrams. The relay works in the order of the client's
/// messages, so an answer to the client shows that all its earlier data is through.
pub(crate) fn arrived(
    client: &mut RelayClient,
    socket: &UdpSocket,
    at_least: usize,
) -> Vec<(Vec<u8>, SocketAddr)> {
    client.mapped_address().unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut buffer = [0; 4_096];
    let mut arrived = Vec::new();
    loop {
        // The kernel may deliver a datagram after a later one to another socket.
        socket.set_nonblocking(arrived.len() >= at_least).unwrap();
        let Ok((bytes, from)) = socket.recv_from(&mut buffer) else { return arrived };
        arrived.push((buffer[..bytes].to_vec(), from));
    }
}

/// The error code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(answer: Result<T, Trouble>) -> u16 {
    let trouble = answer.unwrap_err();
    trouble.code().unwrap_or_else(|| panic!("{trouble}"))
}

/// Whether nothing comes to the client.
pub(crate) fn is_silent(client: &mut RelayClient) -> bool {
    client.receive(SILENCE).unwrap().is_none()
}
