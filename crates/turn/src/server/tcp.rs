//! Clients that come by TCP, because their networks let no UDP through.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    io::Interest,
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    server::{
        client::{Client, WAITING_MAX},
        relay::{DATAGRAM_BYTES_MAX, Relay},
        sockets::PAUSE,
    },
    wire::Frames,
};

/// How often the relay looks for connections without an allocation. The second time it closes them.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Accepts connections until the future is dropped, which closes them.
pub(super) async fn accept(relay: Arc<Relay>, listener: TcpListener) {
    let seats = Arc::new(Seats::default());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    if let Some(seat) = Seats::take(&seats, &relay, address.ip().to_canonical()) {
                        connections.spawn(serve(Arc::clone(&relay), stream, address, seat));
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "cannot accept a connection of the relay");
                    sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The open connections, by address.
#[derive(Default)]
struct Seats(Mutex<HashMap<IpAddr, usize>>);

/// The right to one connection.
struct Seat {
    seats: Arc<Seats>,
    address: IpAddr,
}

impl Seats {
    fn take(seats: &Arc<Self>, relay: &Relay, address: IpAddr) -> Option<Seat> {
        let bounds = relay.bounds();
        let mut taken = seats.0.lock();
        let all: usize = taken.values().sum();
        let own = taken.get(&address).copied().unwrap_or(0);
        (all < bounds.connections && own < bounds.address_connections).then_some(())?;
        taken.insert(address, own + 1);
        Some(Seat { seats: Arc::clone(seats), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock();
        if let Some(own) = taken.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.remove(&self.address);
            }
        }
    }
}

async fn serve(relay: Arc<Relay>, stream: TcpStream, address: SocketAddr, _seat: Seat) {
    stream.set_nodelay(true).ok();
    let (messages, queue) = mpsc::channel(WAITING_MAX);
    let client = Client::by_tcp(address, messages);
    let ended = converse(&relay, &stream, &client, queue).await;
    tracing::debug!(?ended, %address, "a connection of the relay ended");
    // An allocation ends with the connection. Source: RFC 8656, section 4.
    relay.table.lock().remove(client.id());
}

/// Reads and writes until the connection ends.
async fn converse(
    relay: &Arc<Relay>,
    stream: &TcpStream,
    client: &Client,
    mut queue: mpsc::Receiver<Vec<u8>>,
) -> io::Result<()> {
    let mut frames = Frames::new(DATAGRAM_BYTES_MAX);
    // The message that is being written, and how much of it is.
    let mut current: Option<(Vec<u8>, usize)> = None;
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks.reset();
    let mut was_idle = false;
    loop {
        let interest = if current.is_some() {
            Interest::READABLE | Interest::WRITABLE
        } else {
            Interest::READABLE
        };
        tokio::select! {
            ready = stream.ready(interest) => {
                let ready = ready?;
                if ready.is_writable() {
                    write(stream, &mut current)?;
                }
                if ready.is_readable() && !read(relay, stream, client, &mut frames)? {
                    return Ok(());
                }
            }
            Some(message) = queue.recv(), if current.is_none() => {
                current = Some((message, 0));
                write(stream, &mut current)?;
            }
            _ = looks.tick() => {
                let is_idle = relay.allocation(client.id(), relay.now().at).is_none();
                if is_idle && was_idle {
                    return Ok(());
                }
                was_idle = is_idle;
            }
        }
    }
}

/// Reads once and takes the whole messages. False at the end of the stream.
fn read(
    relay: &Arc<Relay>,
    stream: &TcpStream,
    client: &Client,
    frames: &mut Frames,
) -> io::Result<bool> {
    match stream.try_read(frames.space()) {
        Ok(0) => return Ok(false),
        Ok(bytes) => frames.filled(bytes),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
        Err(error) => return Err(error),
    }
    loop {
        match frames.next() {
            Ok(Some((buffer, frame))) => relay.take(client, buffer, frame),
            Ok(None) => return Ok(true),
            Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

fn write(stream: &TcpStream, current: &mut Option<(Vec<u8>, usize)>) -> io::Result<()> {
    while let Some((message, written)) = current {
        match stream.try_write(&message[*written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(bytes) => *written += bytes,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
        if *written == message.len() {
            *current = None;
        }
    }
    Ok(())
}
