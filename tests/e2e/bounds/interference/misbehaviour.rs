//! A user who misbehaves, within the limits of the server.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use serde_json::json;

use super::{Fixture, victim::chance};
use crate::{
    client::{Client, Socket},
    receiver::{Receiver as HttpReceiver, Reply},
    server::eventually,
    streams::consumers::client::{Consuming, acknowledge, reset},
};

/// Sockets of a client that reads little or nothing.
const SOCKETS: usize = 6;

/// Outgoing webhooks of each of many accounts.
const WEBHOOKS: usize = 3;

/// Consumers of a user.
const CONSUMERS: usize = 5;

/// Queries on every other one of them.
const QUERIES: usize = 40;

/// After this time without new data, all data has arrived at an unread socket.
const SETTLES: Duration = Duration::from_millis(100);

/// The server closes a client that does not read after ten seconds; the client reconnects before.
const STALL: Duration = Duration::from_secs(8);

/// Bytes that a client with few reads takes, and the pause after them.
const SIP_BYTES: usize = 8 * 1024;
const SIP_INTERVAL: Duration = Duration::from_millis(200);

const FOLLOW: &str = "subscription($after: Position) { eventStream(after: $after) { position
    events { __typename ... on RoomEvent { eventId text sender { userId } } } } }";

const PAGE: &str = "query($room: RoomID!, $before: Cursor) { room(by: { roomId: $room }) {
    timeline(last: 20, before: $before) { nodes { eventId text } } } }";

/// Nearly the longest answer of a server with little memory.
const LONG_PAGE: &str = "query($room: RoomID!, $before: Cursor) { room(by: { roomId: $room }) {
    timeline(last: 100, before: $before) { nodes { text again: text } } } }";

/// The kinds of misbehaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misbehaviour {
    /// Sockets with many requests and no reads.
    Stalls,
    /// The same, with a little read now and then: the server never closes such a client.
    Trickles,
    /// Sockets that resume from far back, and leave at the first chunk.
    Reconnects,
    /// A socket full of subscriptions that resume from far back and are read, and one that is not read.
    SubscribesToTheMost,
    /// Queries with the highest allowed cost, one after the other.
    AsksForTheMost,
    /// Requests over HTTP, one after the other on one connection, without reading an answer.
    TakesNoAnswers,
    /// Consumers: some read everything again and again, and some never acknowledge and come back all the time.
    Consumes,
    /// Webhooks whose receiver never answers, of many accounts.
    HangsWebhooks,
    /// Long answers on sockets of many accounts, with a little read now and then.
    LeavesLongAnswers,
}

/// A misbehaving user, until this is dropped.
pub(super) struct Misbehaving {
    stop: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Misbehaving {
    fn drop(&mut self) {
        self.stop.clear();
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}

/// The data that a thread of the user needs.
#[derive(Clone)]
struct User {
    client: Client,
    room: String,
    start: String,
    cursors: Vec<String>,
    chance: u64,
}

impl Misbehaviour {
    /// Begins, and returns once the server has work from it.
    pub(super) fn begin(self, fixture: &Fixture, seed: u64) -> Misbehaving {
        let threads = match self {
            Self::Stalls | Self::Trickles => SOCKETS,
            Self::Reconnects | Self::SubscribesToTheMost => 2,
            Self::Consumes => CONSUMERS,
            Self::AsksForTheMost | Self::TakesNoAnswers => 1,
            Self::HangsWebhooks | Self::LeavesLongAnswers => fixture.eves.len(),
        };
        let (ready, begun) = channel();
        let mut misbehaving = Misbehaving { stop: Vec::new(), threads: Vec::new() };
        for number in 0..threads {
            let Fixture { eve, eves, room, start, cursors, .. } = fixture;
            let many = matches!(self, Self::HangsWebhooks | Self::LeavesLongAnswers);
            let user = User {
                client: if many { &eves[number] } else { eve }.clone(),
                room: room.clone(),
                start: start.clone(),
                cursors: cursors.clone(),
                chance: (seed ^ (number as u64) << 32) | 1,
            };
            let (stop, stopped) = channel();
            let ready = ready.clone();
            let work = move || self.go_on(user, number, &ready, &stopped);
            misbehaving.stop.push(stop);
            misbehaving.threads.push(std::thread::spawn(work));
        }
        for _ in 0..threads {
            begun.recv().expect("the user who misbehaves gets as far as to begin");
        }
        misbehaving
    }

    fn go_on(self, mut user: User, number: usize, ready: &Sender<()>, stopped: &Receiver<()>) {
        let goes_on = |pause| stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout);
        loop {
            match self {
                Self::Stalls => {
                    let mut socket = user.burden(number);
                    while !is_settled(&mut socket) {}
                    ready.send(()).ok();
                    goes_on(STALL);
                }
                Self::Trickles => {
                    let mut socket = user.burden(number);
                    while !is_settled(&mut socket) {}
                    ready.send(()).ok();
                    sip(&mut socket, goes_on);
                }
                Self::Reconnects => {
                    let mut socket = user.client.socket();
                    user.follow(&mut socket, "0");
                    is_answered(&mut socket);
                    ready.send(()).ok();
                }
                Self::SubscribesToTheMost => {
                    let mut socket = if number == 0 {
                        user.client.socket()
                    } else {
                        user.client.narrow_socket()
                    };
                    for subscription in 0..64 {
                        user.follow(&mut socket, &subscription.to_string());
                    }
                    is_answered(&mut socket);
                    ready.send(()).ok();
                    if number == 0 {
                        let mut gulp = vec![0; 64 * 1024];
                        while goes_on(Duration::ZERO)
                            && socket.stream().read(&mut gulp).is_ok_and(|taken| taken > 0)
                        {
                        }
                    } else {
                        goes_on(STALL);
                    }
                }
                Self::AsksForTheMost => {
                    user.client.post(&user.costly(), &json!({ "room": user.room }));
                    ready.send(()).ok();
                }
                Self::HangsWebhooks => {
                    user.hang_webhooks(ready, goes_on);
                }
                Self::LeavesLongAnswers => {
                    let mut socket = user.long_answers();
                    ready.send(()).ok();
                    sip(&mut socket, goes_on);
                }
                Self::Consumes => {
                    let name = number.to_string();
                    let mut consuming = Consuming::start(&user.client, &name, 256);
                    let mut batch = consuming.batch();
                    ready.send(()).ok();
                    while number.is_multiple_of(2) && goes_on(Duration::ZERO) {
                        acknowledge(&user.client, &name, &batch["position"]);
                        if batch["caughtUp"] == true {
                            reset(&user.client, &name, &json!({ "beginning": true }));
                            break;
                        }
                        batch = consuming.batch();
                    }
                }
                Self::TakesNoAnswers => {
                    let _connection = user.requests();
                    ready.send(()).ok();
                    goes_on(STALL);
                }
            }
            if !goes_on(Duration::ZERO) {
                return;
            }
        }
    }
}

impl User {
    /// Makes webhooks, waits until all of them hang, and deletes them once the misbehaviour is over.
    fn hang_webhooks(&self, ready: &Sender<()>, goes_on: impl Fn(Duration) -> bool) {
        let receiver = HttpReceiver::start(Reply::Nothing);
        let create =
            "mutation($input: CreateOutgoingWebhookInput!) { createOutgoingWebhook(input: $input) {
            webhook { webhookId } } }";
        let input = json!({ "input": { "name": "hangs", "url": receiver.url() } });
        let made: Vec<_> = (0..WEBHOOKS)
            .map(|_| self.client.run(create, &input)["createOutgoingWebhook"]["webhook"].clone())
            .collect();
        self.client.say(&self.room, "begin");
        eventually("all webhooks hang", || receiver.arrived().len() >= WEBHOOKS);
        ready.send(()).ok();
        while goes_on(STALL) {}
        let delete =
            "mutation($input: DeleteOutgoingWebhookInput!) { deleteOutgoingWebhook(input: $input) {
            webhookId } }";
        for webhook in made {
            self.client.run(delete, &json!({ "input": webhook }));
        }
    }

    fn follow(&self, socket: &mut Socket, id: &str) {
        socket.subscribe_later(id, FOLLOW, &json!({ "after": self.start }));
    }

    /// A socket with tiny buffers and many operations.
    fn burden(&mut self, number: usize) -> Socket {
        let mut socket = self.client.narrow_socket();
        for id in ["a", "b"] {
            self.follow(&mut socket, id);
        }
        // With subscriptions alone, their chunks fill the socket.
        for query in 0..QUERIES * (number % 2) {
            let before = &self.cursors[chance(&mut self.chance, self.cursors.len())];
            let variables = json!({ "room": self.room, "before": before });
            socket.subscribe_later(&query.to_string(), PAGE, &variables);
        }
        is_answered(&mut socket);
        socket
    }

    /// A socket with tiny buffers and long answers.
    fn long_answers(&self) -> Socket {
        let mut socket = self.client.narrow_socket();
        let before = &self.cursors[self.cursors.len() / 2];
        for query in 0..8 {
            let variables = json!({ "room": self.room, "before": before });
            socket.subscribe_later(&query.to_string(), LONG_PAGE, &variables);
        }
        is_answered(&mut socket);
        socket
    }

    /// A query with nearly the highest allowed cost.
    fn costly(&self) -> String {
        let page = |n: usize| {
            let cursor = &self.cursors[n * self.cursors.len() / 20];
            format!(
                "p{n}: timeline(last: 100, before: {cursor:?}) {{ nodes {{ eventId text content
                    sender {{ userId displayName }} reactions(first: 10) {{ nodes {{ key }} }} }} }} "
            )
        };
        let pages: String = (0..20).map(page).collect();
        format!("query($room: RoomID!) {{ room(by: {{ roomId: $room }}) {{ {pages} }} }}")
    }

    /// A connection with more requests than answers are read.
    fn requests(&mut self) -> TcpStream {
        let mut connection = self.client.narrow_connection();
        for _ in 0..100 {
            let before = &self.cursors[chance(&mut self.chance, self.cursors.len())];
            let variables = json!({ "room": self.room, "before": before });
            let body = json!({ "query": PAGE, "variables": variables }).to_string();
            let token = self.client.token.as_deref().unwrap_or_default();
            let request = format!(
                "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                 Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            // The server reads requests only as far as it can answer.
            if connection.write_all(request.as_bytes()).is_err() {
                break;
            }
        }
        connection.peek(&mut [0]).expect("the server answers");
        connection
    }
}

/// Reads a little now and then, until the server closes the socket to make room for the next one.
fn sip(socket: &mut Socket, goes_on: impl Fn(Duration) -> bool) {
    let mut sip = [0; SIP_BYTES];
    while goes_on(SIP_INTERVAL) && socket.stream().read_exact(&mut sip).is_ok() {}
}

/// Whether all data has arrived that comes without reads.
fn is_settled(socket: &mut Socket) -> bool {
    let mut arrived = || {
        let mut bytes = vec![0; 64 * 1024];
        socket.stream().peek(&mut bytes).unwrap_or(0)
    };
    let before = arrived();
    std::thread::park_timeout(SETTLES);
    before == arrived()
}

/// Lets the server receive all requests at once, and waits until the first data can be read.
fn is_answered(socket: &mut Socket) {
    socket.flush();
    socket.stream().peek(&mut [0]).expect("the server answers");
}
