//! Measures what a relay costs: the processor time of its process while it relays.
//!
//! ```console
//! $ load serve 127.0.0.1:3478 SECRET
//! $ load run 127.0.0.1:3478 SECRET PID --mbit 50 --seconds 20
//! ```
//!
//! `serve` is our relay without anything around it. `run` lets ten clients relay at this rate, half of it in each
//! direction, in packets of 1,200 bytes as video has them, and reads the processor time of the process `PID`. With
//! `--clients` the peers are clients of the relay too, as in a call where both sides are behind firewalls.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a tool for measurements")]

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rookery_turn::{
    Bounds, Family, Login, Now, Options, PeerRules, RelayClient, Secret, Server, Transport,
};

const PAIRS: u64 = 10;
const PACKET_BYTES: usize = 1_200;
const CHANNEL: u16 = 0x4001;
const TICK: Duration = Duration::from_millis(1);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match &words[..] {
        ["serve", listen, secret] => serve(listen.parse().unwrap(), secret),
        ["run", relay, secret, pid, rest @ ..] => {
            let number = |flag: &str, default: u64| {
                let at = rest.iter().position(|word| *word == flag);
                at.map_or(default, |at| rest[at + 1].parse().unwrap())
            };
            let load = Load {
                relay: relay.parse().unwrap(),
                secret: Secret::new(*secret).unwrap(),
                mbit: number("--mbit", 50),
                seconds: number("--seconds", 20),
                between_clients: rest.contains(&"--clients"),
            };
            load.run(pid);
        }
        _ => println!("load serve ADDR:PORT SECRET, or load run ADDR:PORT SECRET PID"),
    }
}

fn serve(listen: SocketAddr, secret: &str) {
    let options = Options {
        listen,
        relay_addresses: vec![listen.ip()],
        relay_ports: 49_152..=65_535,
        realm: "load".to_owned(),
        secret: Secret::new(secret).unwrap(),
        peers: PeerRules::new(|address| address.is_loopback()),
        bounds: Bounds { user_bandwidth: 1 << 30, user_allocations: 100, ..Bounds::default() },
        clock: Arc::new(|| Now { at: Instant::now(), since_1970: since_1970() }),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Server::bind(options).unwrap().run().await });
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[derive(Clone)]
struct Load {
    relay: SocketAddr,
    secret: Secret,
    mbit: u64,
    seconds: u64,
    between_clients: bool,
}

/// The other side of a client.
enum Peer {
    Socket(UdpSocket, SocketAddr),
    Client(Box<RelayClient>),
}

impl Load {
    fn run(self, pid: &str) {
        let before = processor_time(pid);
        let pairs: Vec<_> = (0..PAIRS)
            .map(|pair| {
                let load = self.clone();
                thread::spawn(move || load.relay_pair(pair))
            })
            .collect();
        let counts = pairs.into_iter().map(|pair| pair.join().unwrap());
        let (sent, arrived) = counts.fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        let took = processor_time(pid).saturating_sub(before);
        let rate = |packets: u64| packets * 8 * PACKET_BYTES as u64 / self.seconds / 1_000;
        println!(
            "sent {sent} packets ({} kbit/s), {arrived} arrived ({} kbit/s); {} ms of processor time, {} us a packet",
            rate(sent),
            rate(arrived),
            took.as_millis(),
            took.as_micros() / u128::from(arrived.max(1)),
        );
    }

    fn client(&self, name: &str) -> RelayClient {
        let issued = self.secret.issue(name, since_1970());
        let login = Login { username: issued.username, credential: issued.credential };
        RelayClient::open(self.relay, Transport::Udp, login, Duration::from_secs(5)).unwrap()
    }

    /// Relays between a client and its peer. Returns how many packets were sent and how many arrived.
    fn relay_pair(&self, pair: u64) -> (u64, u64) {
        let mut client = self.client(&format!("user{pair}"));
        let relayed = client.allocate(Family::V4).unwrap().relayed;
        let mut peer = if self.between_clients {
            let mut other = self.client(&format!("other{pair}"));
            let at_other = other.allocate(Family::V4).unwrap().relayed;
            client.bind_channel(CHANNEL, at_other).unwrap();
            other.bind_channel(CHANNEL, relayed).unwrap();
            Peer::Client(Box::new(other))
        } else {
            let socket = UdpSocket::bind((IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).unwrap();
            socket.set_nonblocking(true).unwrap();
            client.bind_channel(CHANNEL, socket.local_addr().unwrap()).unwrap();
            Peer::Socket(socket, relayed)
        };
        let packet = [7; PACKET_BYTES];
        let packets_a_second = self.mbit * 1_000_000 / 8 / PACKET_BYTES as u64 / PAIRS / 2;
        let (start, mut sent, mut arrived) = (Instant::now(), 0, 0);
        let end = Duration::from_secs(self.seconds);
        while start.elapsed() < end + Duration::from_millis(200) {
            let passed = u64::try_from(start.elapsed().min(end).as_micros()).unwrap();
            while sent < passed * packets_a_second / 1_000_000 {
                client.send_on(CHANNEL, &packet).unwrap();
                peer.send(&packet);
                sent += 1;
            }
            arrived += peer.take();
            while client.receive(TICK).unwrap().is_some() {
                arrived += 1;
            }
        }
        client.refresh(0).unwrap();
        (2 * sent, arrived)
    }
}

impl Peer {
    fn send(&mut self, packet: &[u8]) {
        match self {
            Self::Socket(socket, relayed) => drop(socket.send_to(packet, *relayed)),
            Self::Client(client) => client.send_on(CHANNEL, packet).unwrap(),
        }
    }

    /// Takes what has arrived.
    fn take(&mut self) -> u64 {
        let mut taken = 0;
        match self {
            Self::Socket(socket, _) => {
                while socket.recv(&mut [0; PACKET_BYTES]).is_ok() {
                    taken += 1;
                }
            }
            Self::Client(client) => {
                while client.receive(TICK).unwrap().is_some() {
                    taken += 1;
                }
            }
        }
        taken
    }
}

/// The processor time of a process, from fields 14 and 15 of `/proc/PID/stat`, in ticks of 10 ms.
fn processor_time(pid: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
