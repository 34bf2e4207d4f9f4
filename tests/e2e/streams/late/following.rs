//! The same over a socket: live, and resumed after cuts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Shared, fork, runtime};
use crate::{
    client::{Client, Socket},
    server::{Server, succeed},
};

const FOLLOW: &str = "subscription($after: Position!, $late: Boolean!) {
    eventStream(after: $after, filter: { conditions: { includeLate: $late } }) { position
        events { __typename
            ... on RoomEvent { eventId sequence type text content isLate after }
            ... on StateResolved { type stateKey event { content } } }
        skipped { first last reason } } }";

/// A client of one device that follows on a socket, with its received items.
struct Following {
    late: bool,
    position: String,
    socket: Option<Socket>,
    events: Vec<Value>,
    states: Vec<Value>,
    /// The fate of each number of the room: `TOLD`, or the reason for skipping it.
    numbers: BTreeMap<u64, String>,
}

impl Following {
    fn after(client: &Client, late: bool, position: &str) -> Self {
        let (events, states, numbers) = (Vec::new(), Vec::new(), BTreeMap::new());
        let position = position.to_owned();
        let mut following = Self { late, position, socket: None, events, states, numbers };
        following.resume(client);
        following
    }

    /// Cuts the connection, if there is one, and continues from the last position.
    fn resume(&mut self, client: &Client) {
        self.cut();
        let mut socket = client.socket();
        socket.subscribe("1", FOLLOW, &json!({ "after": self.position, "late": self.late }));
        self.socket = Some(socket);
    }

    fn cut(&mut self) {
        self.socket = None;
    }

    /// Reads until it knows the fate of this number.
    fn until(&mut self, sequence: u64) {
        while !self.numbers.contains_key(&sequence) {
            let message = self.socket.as_mut().unwrap().receive();
            assert_eq!(message["type"], "next", "{message}");
            self.take(&message["payload"]["data"]["eventStream"]);
        }
    }

    fn take(&mut self, chunk: &Value) {
        for item in chunk["events"].as_array().unwrap() {
            match item["__typename"].as_str().unwrap() {
                kind if kind.ends_with("Event") => {
                    self.number(item["sequence"].as_u64().unwrap(), "TOLD");
                    self.events.push(item.clone());
                }
                "StateResolved" => self.states.push(item.clone()),
                _ => {}
            }
        }
        for skipped in chunk["skipped"].as_array().unwrap() {
            let number = |field: &str| skipped[field].as_u64().unwrap();
            for sequence in number("first")..=number("last") {
                self.number(sequence, skipped["reason"].as_str().unwrap());
            }
        }
        chunk["position"].as_str().unwrap().clone_into(&mut self.position);
    }

    fn number(&mut self, sequence: u64, what: &str) {
        let before = self.numbers.insert(sequence, what.to_owned());
        assert_eq!(before, None, "{sequence} is told twice");
    }

    fn check(&self, first: u64, join: &Value) {
        let fates = if self.late {
            ["TOLD", "TOLD", "SUPERSEDED", "TOLD", "HIDDEN", "TOLD"]
        } else {
            ["LATE", "LATE", "SUPERSEDED", "LATE", "HIDDEN", "TOLD"]
        };
        let expected = (first..).zip(fates.map(ToOwned::to_owned)).collect();
        assert_eq!(self.numbers, expected, "late: {}", self.late);
        let (last, others) = self.events.split_last().unwrap();
        assert_eq!((&last["text"], &last["isLate"]), (&json!("the end"), &json!(false)));
        let newer = json!({ "topic": "newer" });
        if self.late {
            let kinds: Vec<_> = others.iter().map(|event| event["type"].clone()).collect();
            assert_eq!(kinds, ["m.room.message", "m.room.topic", "m.room.member"]);
            assert!(others.iter().all(|event| event["isLate"] == true));
            assert_eq!(others[0]["after"], *join, "where it belongs");
            assert_eq!(others[1]["content"], newer);
            assert_eq!(self.states, Vec::<Value>::new(), "all is told by the events");
        } else {
            assert!(others.is_empty(), "nothing old pops up");
            let kinds: Vec<_> = self.states.iter().map(|state| state["type"].clone()).collect();
            assert_eq!(kinds, ["m.room.topic", "m.room.member"]);
            assert_eq!(self.states[0]["event"]["content"], newer);
            assert_eq!(self.states[1]["event"]["content"]["membership"], "ban");
        }
    }
}

#[test]
fn a_stream_tells_late_superseded_and_hidden_events_as_promised_live_and_over_cuts() {
    let runtime = runtime();
    let mut shared = runtime.block_on(Shared::new());
    let ada = shared.ada.clone();
    ada.say(shared.room(), "one");
    ada.say(shared.room(), "two");
    let input = json!({ "roomId": shared.world.room_id, "body": "three" });
    let first = ada.act("sendMessage", input)["event"]["sequence"].as_u64().unwrap() + 1;
    let start = ada.position();
    let mut clients = [true, false].map(|late| Following::after(&ada, late, &start));
    let mut cut = [true, false].map(|late| Following::after(&ada, late, &start));
    let order = runtime.block_on(fork(&mut shared.world));

    assert_eq!(shared.receive(&order[..2]), ["accepted", "accepted"]);
    for client in clients.iter_mut().chain(&mut cut) {
        client.until(first + 1);
    }
    // A superseded event makes no chunk of its own, so its fate is unknown when the cut comes.
    assert_eq!(shared.receive(&order[2..3]), ["accepted"]);
    for client in &mut cut {
        client.resume(&ada);
        client.cut();
    }
    assert_eq!(shared.receive(&order[3..]), ["accepted", "soft_failed"]);
    for client in &mut cut {
        client.resume(&ada);
    }
    ada.say(shared.room(), "the end");
    for client in clients.iter_mut().chain(&mut cut) {
        client.until(first + 5);
        client.check(first, &shared.join);
    }

    // From before all of it, by a server that reads it from its disk.
    let Shared { data, server, join, .. } = shared;
    server.stop();
    let server = Server::start(data.path());
    let ada = ada.at(&server);
    for late in [true, false] {
        let mut client = Following::after(&ada, late, &start);
        client.until(first + 5);
        client.check(first, &join);
    }
    server.stop();
    succeed(data.path(), &["verify"], "");
}
