//! Events of other servers from an operator's file. The other servers are simulated, with real keys
//! and signatures.

use std::{fs, path::Path};

use rookery_command::testing::{World, event_file, key_file};
use rookery_domain::{MessageKind, RoomCommand, RoomVersionId};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    server::{Server, fail, succeed},
};

fn say(body: &str) -> RoomCommand {
    RoomCommand::SendMessage {
        kind: MessageKind::Text,
        body: body.to_owned(),
        formatted_body: None,
        relation: None,
        mentions: None,
    }
}

/// A room of two other servers, with messages.
fn elsewhere() -> World {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(1, RoomVersionId::V12, 2).await;
        world.join_all().await;
        let name = RoomCommand::SetName { name: "Elsewhere".to_owned() };
        assert!(world.let_act(0, "ann", &name).await);
        assert!(world.let_act(1, "ann", &say("hello from two")).await);
        world.settle().await;
        assert!(world.let_act(0, "ben", &say("hello from one")).await);
        world
    })
}

/// The outcomes of a delivery, in the order of its events.
fn receive(data: &Path, events: &str, keys: &Path) -> Vec<Value> {
    let arguments = ["room", "receive", "-", "--keys", keys.to_str().unwrap()];
    let printed = succeed(data, &arguments, events);
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn outcomes(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["outcome"].as_str().unwrap()).collect()
}

#[test]
fn a_room_of_other_servers_is_taken_in_and_joined() {
    let data = tempdir().unwrap();
    let keys = data.path().join("keys.json");
    let world = elsewhere();
    fs::write(&keys, key_file(&world.keys)).unwrap();
    let (events, last) = world.sent.split_at(world.sent.len() - 1);

    let server = Server::start(data.path());
    let ada = Client::register(&server, "ada");
    let taken = receive(data.path(), &event_file(events), &keys);
    assert!(outcomes(&taken).iter().all(|outcome| *outcome == "accepted"), "{taken:?}");
    assert_eq!(taken[0]["room"], world.room_id.as_str());

    ada.act("joinRoom", json!({ "room": { "roomId": world.room_id } }));
    let query =
        "query($room: RoomID!) { room(by: { roomId: $room }) { name timeline(last: 20) { nodes {
        sender { userId } content } } } }";
    let room = ada.run(query, &json!({ "room": world.room_id }))["room"].clone();
    assert_eq!(room["name"], "Elsewhere");
    let said = |room: &Value, body: &str| {
        let nodes = room["timeline"]["nodes"].as_array().unwrap();
        nodes.iter().any(|event| event["content"]["body"] == body)
    };
    assert!(said(&room, "hello from two"), "{room}");
    drop(server);

    // The last event follows the room's state before ada joined, and is new; the others are not.
    let again = receive(data.path(), &event_file(&world.sent), &keys);
    let mut expected = vec!["known"; events.len()];
    expected.push("accepted");
    assert_eq!(outcomes(&again), expected);
    succeed(data.path(), &["verify"], "");
    let server = Server::start(data.path());
    let room = ada.at(&server).run(query, &json!({ "room": world.room_id }))["room"].clone();
    assert!(said(&room, "hello from one"), "{room}");
    let wrong = event_file(last).replace("hello from one", "hello from eve");
    assert_eq!(outcomes(&receive(data.path(), &wrong, &keys)), ["known"]);
}

#[test]
fn what_cannot_be_received_is_named() {
    let data = tempdir().unwrap();
    drop(Server::start(data.path()));
    let world = elsewhere();
    let (keys, wrong) = (data.path().join("keys.json"), data.path().join("wrong.json"));
    fs::write(&keys, "{}").unwrap();
    fs::write(&wrong, r#"{"one.example": {"ed25519:a": "short"}}"#).unwrap();
    let path = keys.to_str().unwrap();

    let refused = receive(data.path(), &event_file(&world.sent[..1]), &keys);
    assert_eq!(refused[0]["outcome"], "refused");
    assert!(refused[0]["reason"].as_str().unwrap().contains("signatures"), "{refused:?}");
    let homeless = receive(data.path(), r#"{"origin": "one.example", "pdu": {}}"#, &keys);
    assert!(homeless[0]["reason"].as_str().unwrap().contains("name its room"), "{homeless:?}");

    let no_json = fail(data.path(), &["room", "receive", "-", "--keys", path], "\nhello\n");
    assert!(no_json.contains("line 2"), "{no_json}");
    let wrong = wrong.to_str().unwrap();
    let no_key = fail(data.path(), &["room", "receive", "-", "--keys", wrong], "");
    assert!(no_key.contains("ed25519:a of one.example"), "{no_key}");
    let no_file = fail(data.path(), &["room", "receive", "nowhere", "--keys", path], "");
    assert!(no_file.contains("cannot read nowhere"), "{no_file}");
}
