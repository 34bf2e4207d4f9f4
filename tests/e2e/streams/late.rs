//! Late, superseded and hidden events of other servers, as two clients see them.

mod following;

use std::{fs, path::Path};

use rookery_command::testing::{World, event_file, key_file};
use rookery_domain::{MessageKind, RoomCommand, RoomVersionId};
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};
use tokio::runtime::{Builder, Runtime};

use crate::{
    client::Client,
    server::{Server, succeed},
};

const POLL: &str = "query($after: Position!, $late: Boolean!) {
    events(after: $after, limit: 100, filter: { conditions: { includeLate: $late } }) {
        events { __typename
            ... on RoomEvent { eventId sequence type text isLate after }
            ... on StateResolved { type event { content } } }
        skipped { first last reason } } }";

const TIMELINE: &str = "query($room: RoomID!) { room(by: { roomId: $room }) { topic memberCount
    lastMessage { text } timeline(last: 100) {
        nodes { eventId type text content isLate after isSuperseded } } } }";

fn say(body: &str) -> RoomCommand {
    RoomCommand::SendMessage {
        kind: MessageKind::Text,
        body: body.to_owned(),
        formatted_body: None,
        relation: None,
        mentions: None,
    }
}

fn topic(topic: &str) -> RoomCommand {
    RoomCommand::SetTopic { topic: topic.to_owned() }
}

/// The events of other servers while they do not hear each other, nor this one: in the order of
/// arrival.
async fn fork(world: &mut World) -> Vec<usize> {
    let ben = world.servers[1].user("ben");
    let first = world.sent.len();
    let ban = RoomCommand::Ban { user: ben, reason: None };
    assert!(world.let_act(0, "ann", &say("late")).await);
    assert!(world.let_act(0, "ann", &topic("older")).await);
    assert!(world.let_act(0, "ann", &ban).await);
    assert!(world.let_act(1, "ann", &topic("newer")).await);
    assert!(world.let_act(1, "ben", &say("from the banned")).await);
    [0, 3, 1, 2, 4].map(|place| first + place).to_vec()
}

/// A server that shares a room with two others, and a client of it in that room.
struct Shared {
    world: World,
    data: TempDir,
    server: Server,
    ada: Client,
    /// The event of her join.
    join: Value,
}

impl Shared {
    async fn new() -> Self {
        let mut world = World::new(1, RoomVersionId::V12, 2).await;
        world.join_all().await;
        let data = tempdir().unwrap();
        fs::write(data.path().join("keys.json"), key_file(&world.keys)).unwrap();
        let server = Server::start(data.path());
        receive(data.path(), &event_file(&world.sent));
        let ada = Client::register(&server, "ada");
        let room = json!({ "roomId": world.room_id });
        let join = ada.act("joinRoom", room)["event"]["eventId"].clone();
        Self { world, data, server, ada, join }
    }

    /// Receives these events of the others, and returns the outcome of each.
    fn receive(&self, order: &[usize]) -> Vec<Value> {
        let sent = order.iter().map(|place| &self.world.sent[*place]);
        receive(self.data.path(), &event_file(sent))
    }

    fn room(&self) -> &str {
        self.world.room_id.as_str()
    }
}

fn receive(data: &Path, events: &str) -> Vec<Value> {
    let keys = data.join("keys.json");
    let printed =
        succeed(data, &["room", "receive", "-", "--keys", keys.to_str().unwrap()], events);
    let outcome = |line: &str| serde_json::from_str::<Value>(line).unwrap()["outcome"].take();
    printed.lines().map(outcome).collect()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn late_superseded_and_hidden_events_reach_clients_as_promised() {
    let runtime = runtime();
    let mut shared = runtime.block_on(Shared::new());
    shared.ada.say(shared.room(), "one");
    shared.ada.say(shared.room(), "two");
    let last = shared.ada.say(shared.room(), "three");

    let start = shared.ada.position();
    let order = runtime.block_on(fork(&mut shared.world));
    let outcomes = shared.receive(&order);
    assert_eq!(outcomes, ["accepted", "accepted", "accepted", "accepted", "soft_failed"]);
    let Shared { world, data, server, ada, join } = shared;

    let poll =
        |late: bool| ada.run(POLL, &json!({ "after": start, "late": late }))["events"].clone();
    let of = |chunk: &Value, kind: &str| {
        let items = chunk["events"].as_array().unwrap().iter();
        items
            .filter(|item| item["__typename"].as_str().unwrap().ends_with(kind))
            .cloned()
            .collect::<Vec<_>>()
    };
    let reasons = |chunk: &Value| {
        let skipped = chunk["skipped"].as_array().unwrap().iter();
        skipped.map(|range| range["reason"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };

    let asked = poll(true);
    let told = of(&asked, "Event");
    assert_eq!(told[0]["text"], "late");
    assert_eq!((&told[0]["isLate"], &told[0]["after"]), (&json!(true), &join));
    let kinds: Vec<_> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["m.room.message", "m.room.topic", "m.room.member"]);
    assert_eq!(reasons(&asked), ["SUPERSEDED", "HIDDEN"]);

    let others = poll(false);
    assert_eq!(of(&others, "Event"), Vec::<Value>::new(), "nothing old pops up");
    let states = of(&others, "StateResolved");
    assert_eq!(states[0]["event"]["content"], json!({ "topic": "newer" }));
    assert_eq!(states.len(), 2, "the topic and the ban");
    assert_eq!(reasons(&others), ["LATE", "SUPERSEDED", "LATE", "HIDDEN"]);

    let shown = ada.run(TIMELINE, &json!({ "room": world.room_id }))["room"].clone();
    assert_eq!(shown["topic"], "newer");
    assert_eq!(shown["memberCount"], 6, "of seven, one is banned");
    assert_eq!(shown["lastMessage"]["text"], "three");
    let nodes = shown["timeline"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.last().unwrap()["eventId"], last.as_str(), "late events come before it");
    assert!(nodes.iter().all(|event| event["text"] != "from the banned"));
    let superseded = nodes.iter().find(|event| event["content"] == json!({ "topic": "older" }));
    assert_eq!(superseded.unwrap()["isSuperseded"], true);
    let at = |id: &Value| nodes.iter().position(|event| event["eventId"] == *id).unwrap();
    let late = nodes.iter().position(|event| event["text"] == "late").unwrap();
    assert!(at(&join) < late, "it stands behind what it says it comes after");
    server.stop();
    succeed(data.path(), &["verify"], "");
}
