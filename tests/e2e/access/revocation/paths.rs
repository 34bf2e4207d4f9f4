//! Clients of one session on each path, which read or hardly do.

use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    client::{Client, Socket},
    raw::{self, Raw},
    server::{Server, eventually},
};

/// Least number of bytes in the kernel for a connection whose client does not read: about the unsent data that the server
/// allows.
const STALLED_BYTES: u64 = 60_000;

/// Bytes that a client with few reads takes at a time, and the pause after them: enough not to be a slow
/// consumer.
const SIP_BYTES: usize = 32 * 1024;
const SIP_INTERVAL: Duration = Duration::from_secs(1);

/// Follows the stream, and receives long events.
const FOLLOW: &str = "subscription($after: Position) { eventStream(after: $after) {
    events { __typename ... on RoomEvent { text content } ... on DeviceRemoved { deviceId } } } }";

/// A path to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    Http,
    WebSocket,
    EventStream,
    SingleStream,
    Multipart,
}

pub(super) const PATHS: [Path; 5] =
    [Path::Http, Path::WebSocket, Path::EventStream, Path::SingleStream, Path::Multipart];

/// The position from which a client follows.
pub(super) struct Place<'a> {
    pub(super) room: &'a str,
    /// The position before the long events.
    pub(super) before: &'a str,
    /// The position after them.
    pub(super) behind: &'a str,
}

enum Connection {
    /// An answer that goes on as long as the client reads, or a connection for requests.
    Http(TcpStream),
    Socket(Box<Socket>),
}

/// A client that is connected.
pub(super) struct Connected {
    pub(super) path: Path,
    pub(super) reads: bool,
    pub(super) device: Client,
    pub(super) device_id: String,
    connection: Connection,
    /// The token of its reservation.
    reservation: String,
    /// The bytes that it has read.
    heard: String,
    /// Reads a little now and then, until it has to stop.
    sips: Option<(Sender<()>, JoinHandle<String>)>,
}

impl Connected {
    /// Connects a device: one that reads follows new events; one that does not asks for all the long events.
    pub(super) fn new(
        server: &Server,
        path: Path,
        reads: bool,
        (device, device_id): (Client, String),
        place: &Place<'_>,
    ) -> Self {
        let after = if reads { place.behind } else { place.before };
        let follow = json!({ "query": FOLLOW, "variables": { "after": after } });
        let mut reservation = String::new();
        let stream = |accept: &str| {
            Connection::Http(begin(server, &device, "POST /graphql", &[accept], &follow))
        };
        let connection = match path {
            Path::Http if reads => Connection::Http(raw::write(
                server,
                &keep_alive(&device, "{ viewer { position } }"),
            )),
            Path::Http => {
                let document = "query($room: RoomID!) { room(by: { roomId: $room }) {
                    timeline(last: 40) { nodes { content } } } }";
                let body = json!({ "query": document, "variables": { "room": place.room } });
                Connection::Http(begin(server, &device, "POST /graphql", &[], &body))
            }
            Path::WebSocket => {
                let mut socket = device.socket();
                socket.subscribe("1", FOLLOW, &json!({ "after": after }));
                Connection::Socket(Box::new(socket))
            }
            Path::EventStream => stream("Accept: text/event-stream"),
            Path::Multipart => stream("Accept: multipart/mixed;subscriptionSpec=1.0"),
            Path::SingleStream => {
                let answer = request(server, &device, "PUT /graphql", &[], &Value::Null);
                assert_eq!(answer.status, 201, "{}", answer.body);
                reservation.clone_from(&answer.body);
                let token = format!("{TOKEN}: {reservation}");
                let headers = ["Accept: text/event-stream", &*token];
                let opened = begin(server, &device, "GET /graphql", &headers, &Value::Null);
                let mut body = follow.clone();
                body["extensions"] = json!({ "operationId": "1" });
                let answer = request(server, &device, "POST /graphql", &[&token], &body);
                assert_eq!(answer.status, 202, "{}", answer.body);
                Connection::Http(opened)
            }
        };
        let heard = String::new();
        let mut connected =
            Self { path, reads, device, device_id, connection, reservation, heard, sips: None };
        if !reads {
            let stream = connected.stream().try_clone().unwrap();
            let (stop, stopped) = channel();
            let sipping = std::thread::spawn(move || {
                let (mut stream, mut heard) = (stream, String::new());
                while stopped.recv_timeout(SIP_INTERVAL) == Err(RecvTimeoutError::Timeout)
                    && read(&mut stream, &mut heard, SIP_BYTES)
                {}
                heard
            });
            connected.sips = Some((stop, sipping));
        }
        connected
    }

    /// From now on a client with few reads does not read at all.
    pub(super) fn stop_reading(&mut self) {
        if let Some((stop, sipping)) = self.sips.take() {
            stop.send(()).ok();
            self.heard += &sipping.join().unwrap();
        }
    }

    /// Waits until the client is in the middle of its work: a reading client has received `live`; for a client that does
    /// not read, the kernel takes no more.
    pub(super) fn settle(&mut self, server: &Server, live: &str) {
        if self.reads {
            let expected = if self.path == Path::Http { "position" } else { live };
            while !self.heard.contains(expected) {
                assert!(self.read_some(), "{self} ended early: {}", self.heard);
            }
        } else {
            let port = self.port();
            eventually(&format!("{self} is behind"), || unsent(server, port) > STALLED_BYTES);
        }
    }

    /// Tries to send `text` on the connection itself, after the end of the session. Returns the status, if there is one.
    pub(super) fn act(&mut self, server: &Server, room: &str, text: &str) -> Option<u16> {
        let document = format!(
            "mutation {{ sendMessage(input: {{ roomId: {room:?}, body: {text:?} }}) {{ position }} }}"
        );
        match (&mut self.connection, self.path) {
            (Connection::Socket(socket), _) => {
                let payload = json!({ "query": document });
                let message = json!({ "type": "subscribe", "id": "m", "payload": payload });
                socket.try_send(tungstenite::Message::text(message.to_string()));
                None
            }
            (Connection::Http(stream), Path::Http) if self.reads => {
                stream.write_all(&keep_alive(&self.device, &document)).ok();
                None
            }
            (_, Path::SingleStream) => {
                let token = format!("{TOKEN}: {}", self.reservation);
                let body = json!({ "query": document, "extensions": { "operationId": "m" } });
                let answer = request(server, &self.device, "POST /graphql", &[&token], &body);
                Some(answer.status)
            }
            _ => {
                let body = json!({ "query": document });
                Some(request(server, &self.device, "POST /graphql", &[], &body).status)
            }
        }
    }

    /// Reads to the end, and returns everything since the beginning. A client that does not read first waits until the
    /// server has ended the connection.
    pub(super) fn end(mut self, server: &Server) -> String {
        if !self.reads {
            let port = self.port();
            eventually(&format!("{self} is cut"), || !is_open(server, port));
        }
        let deadline = Instant::now() + Duration::from_mins(1);
        while self.read_some() {
            assert!(Instant::now() < deadline, "{self} goes on: {}", self.heard);
            if self.path == Path::Http && self.reads && self.heard.contains("UNAUTHENTICATED") {
                break;
            }
        }
        if self.path == Path::Http && self.reads && !self.heard.contains("UNAUTHENTICATED") {
            // The server had already closed the idle connection.
            let body = json!({ "query": "{ viewer { position } }" });
            self.heard += &request(server, &self.device, "POST /graphql", &[], &body).body;
        }
        self.heard
    }

    /// Reads the available bytes, or waits for more. `false` at the end.
    fn read_some(&mut self) -> bool {
        match &mut self.connection {
            Connection::Socket(socket) if self.reads => match socket.next() {
                Ok(message) => self.heard += &message.to_string(),
                Err(code) => {
                    self.heard += &format!("closed with {code}: {}", socket.reason);
                    return false;
                }
            },
            Connection::Socket(socket) => {
                return read(socket.stream(), &mut self.heard, 2 * SIP_BYTES);
            }
            Connection::Http(stream) => return read(stream, &mut self.heard, 2 * SIP_BYTES),
        }
        true
    }

    fn stream(&mut self) -> &mut TcpStream {
        match &mut self.connection {
            Connection::Socket(socket) => socket.stream(),
            Connection::Http(stream) => stream,
        }
    }

    /// The client's port.
    fn port(&mut self) -> u16 {
        self.stream().local_addr().unwrap().port()
    }
}

impl std::fmt::Display for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reads = if self.reads { "reads" } else { "hardly reads" };
        write!(f, "the client that {reads} on {:?}", self.path)
    }
}

const TOKEN: &str = "X-GraphQL-Event-Stream-Token";

fn read(stream: &mut TcpStream, heard: &mut String, max: usize) -> bool {
    let mut buffer = vec![0; max];
    match stream.read(&mut buffer) {
        Ok(0) => false,
        Ok(count) => {
            *heard += &String::from_utf8_lossy(&buffer[..count]);
            true
        }
        Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
        Err(error) => panic!("nothing more comes, and no end: {error}"),
    }
}

fn authorization(device: &Client) -> String {
    format!("Authorization: Bearer {}", device.token.as_deref().unwrap())
}

/// Sends a request and leaves the answer unread.
fn begin(
    server: &Server,
    device: &Client,
    method: &str,
    headers: &[&str],
    body: &Value,
) -> TcpStream {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut head = format!("{method} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    let authorization = authorization(device);
    for header in headers.iter().chain([&&*authorization, &"Content-Type: application/json"]) {
        head += &format!("{header}\r\n");
    }
    raw::write(server, format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

fn request(server: &Server, device: &Client, method: &str, headers: &[&str], body: &Value) -> Raw {
    raw::read(begin(server, device, method, headers, body))
}

/// A request after which the connection stays open.
fn keep_alive(device: &Client, document: &str) -> Vec<u8> {
    let body = json!({ "query": document }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        authorization(device),
        body.len()
    )
    .into_bytes()
}

/// The server's end of the connection of a client's port, as the kernel lists it: its state, and the bytes that the client's
/// end has not taken.
fn listed(server: &Server, client: u16) -> Option<(String, u64)> {
    let port = server.address().rsplit_once(':')?.1.parse::<u16>().ok()?;
    let (server, client) = (format!(":{port:04X}"), format!(":{client:04X}"));
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote) = (fields.next()?, fields.next()?);
        let (state, queues) = (fields.next()?, fields.next()?);
        let unsent = u64::from_str_radix(queues.split(':').next()?, 16).ok()?;
        (local.ends_with(&server) && remote.ends_with(&client)).then(|| (state.to_owned(), unsent))
    })
}

fn unsent(server: &Server, client: u16) -> u64 {
    listed(server, client).map_or(0, |(_, unsent)| unsent)
}

fn is_open(server: &Server, client: u16) -> bool {
    // 01 is ESTABLISHED.
    listed(server, client).is_some_and(|(state, _)| state == "01")
}
