//! Filters: one meaning on every path.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    resume::Random,
    server::{Server, run},
};

const TYPES: [&str; 6] =
    ["m.room.message", "m.room.*", "com.example.*", "*.move", "m.room.name", "*"];

fn ids(nodes: &Value) -> Vec<String> {
    let nodes = nodes.as_array().unwrap().iter();
    nodes.filter_map(|node| node["eventId"].as_str()).map(ToOwned::to_owned).collect()
}

/// Any of these, or nothing.
fn some(random: &mut Random, of: &[String]) -> Value {
    let chosen: Vec<&String> = of.iter().filter(|_| random.below(3) == 0).collect();
    if chosen.is_empty() { Value::Null } else { json!(chosen) }
}

fn filter(random: &mut Random, rooms: &[String], users: &[String]) -> Value {
    let types: Vec<String> = TYPES.iter().map(ToString::to_string).collect();
    json!({
        "types": some(random, &types), "notTypes": some(random, &types[..3]),
        "rooms": some(random, rooms), "notRooms": some(random, &rooms[..1]),
        "senders": some(random, users), "notSenders": some(random, &users[..1]),
    })
}

#[test]
fn a_filter_means_the_same_on_sync_stream_poll_join_and_scrollback() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let eve = Client::register(&server, "eve");
    let rooms: Vec<String> =
        (0..2).map(|_| alice.create_room(json!({ "preset": "PUBLIC" }))).collect();
    for room in &rooms {
        bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    }
    let start = bob.position();
    for (round, room) in rooms.iter().cycle().take(6).enumerate() {
        alice.say(room, "a message");
        bob.say(room, "another one");
        alice.act("setRoomName", json!({ "roomId": room, "name": round.to_string() }));
        let content = json!({ "to": "e4" });
        let event = json!({ "roomId": room, "type": "com.example.move", "content": content });
        bob.act("sendEvent", event);
    }
    let users = [alice.user_id.clone(), bob.user_id.clone()];
    let mut random = Random(0x00f1_17e5);
    let (mut passed, mut held_back) = (0, 0);
    for _ in 0..16 {
        let filter = filter(&mut random, &rooms, &users);
        let polled = by_poll(&bob, &filter, &start);
        passed += polled.len();
        held_back += usize::from(polled.len() < 24);
        assert_eq!(by_stream(&bob, &filter, &start, polled.len()), polled, "stream: {filter}");
        let mut sorted = polled.clone();
        sorted.sort();
        for (way, mut found) in [
            ("scrollback", by_scrollback(&bob, &filter, &rooms)),
            ("sync", by_sync(&bob, &filter, &start)),
            ("join", by_join(&eve, &filter, &rooms)),
        ] {
            found.retain(|id| polled.contains(id) || way == "sync");
            found.sort();
            assert_eq!(found, sorted, "{way}: {filter}");
        }
    }
    assert!(passed > 20 && held_back > 5, "the filters tell nothing: {passed}, {held_back}");
}

/// The argument for a filter that is written out.
fn by(filter: &Value) -> Value {
    json!({ "conditions": filter })
}

fn by_poll(client: &Client, filter: &Value, after: &str) -> Vec<String> {
    let document = "query($after: Position!, $filter: FilterBy) {
        events(after: $after, filter: $filter) { events { ... on RoomEvent { eventId } } } }";
    let answer = client.run(document, &json!({ "after": after, "filter": by(filter) }));
    ids(&answer["events"]["events"])
}

/// With a stored filter, which has to mean the same as an inline one.
fn by_stream(client: &Client, filter: &Value, after: &str, count: usize) -> Vec<String> {
    let filter_id = stored(client, filter);
    let document = "subscription($after: Position, $id: ID!) {
        eventStream(after: $after, filter: { filterId: $id }) { events { ... on RoomEvent { eventId } } } }";
    let mut socket = client.socket();
    socket.subscribe("1", document, &json!({ "after": after, "id": filter_id }));
    let mut found = Vec::new();
    while found.len() < count {
        let message = socket.receive();
        found.extend(ids(&message["payload"]["data"]["eventStream"]["events"]));
    }
    found
}

fn stored(client: &Client, filter: &Value) -> String {
    let document = "mutation($filter: FilterInput!) { createFilter(input: { filter: $filter }) {
        filterId refusal { code } } }";
    let answer = client.run(document, &json!({ "filter": filter }));
    answer["createFilter"]["filterId"].as_str().unwrap().to_owned()
}

fn by_scrollback(client: &Client, filter: &Value, rooms: &[String]) -> Vec<String> {
    let document = "query($room: RoomID!, $filter: FilterBy) { room(by: { roomId: $room }) {
        timeline(last: 100, filter: $filter) { nodes { eventId } } } }";
    let page = |room: &String| {
        let answer = client.run(document, &json!({ "room": room, "filter": by(filter) }));
        ids(&answer["room"]["timeline"]["nodes"])
    };
    rooms.iter().flat_map(page).collect()
}

fn by_sync(client: &Client, filter: &Value, since: &str) -> Vec<String> {
    let document = "query($since: Position, $filter: FilterBy) {
        initialSync(since: $since, filter: $filter, timelineLimit: 100) { updates {
            isReplacement timeline { nodes { eventId } } } } }";
    let answer = client.run(document, &json!({ "since": since, "filter": by(filter) }));
    let updates = answer["initialSync"]["updates"].as_array().unwrap().clone();
    assert!(updates.iter().all(|update| update["isReplacement"] == false));
    updates.iter().flat_map(|update| ids(&update["timeline"]["nodes"])).collect()
}

fn by_join(client: &Client, filter: &Value, rooms: &[String]) -> Vec<String> {
    let document = "mutation($room: RoomID!, $filter: FilterBy) {
        joinRoom(input: { room: { roomId: $room }, filter: $filter }) {
            messages(last: 100) { nodes { eventId } } refusal { code } } }";
    let join = |room: &String| {
        let answer = client.run(document, &json!({ "room": room, "filter": by(filter) }));
        let found = ids(&answer["joinRoom"]["messages"]["nodes"]);
        client.act("leaveRoom", json!({ "roomId": room }));
        found
    };
    rooms.iter().flat_map(join).collect()
}

#[test]
fn stored_filters_are_their_users_own_and_survive_a_restart() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let filter = json!({ "types": ["m.room.message"], "ephemeral": ["TYPING"] });
    let id = stored(&alice, &filter);
    assert_eq!(stored(&alice, &filter), id, "the same filter has the same ID");
    let use_it = "query($id: ID!) { initialSync(filter: { filterId: $id }) { position } }";
    alice.run(use_it, &json!({ "id": id }));
    assert_eq!(bob.fail(use_it, &json!({ "id": id })), "BAD_USER_INPUT");
    assert_eq!(alice.fail(use_it, &json!({ "id": "nonsense" })), "BAD_USER_INPUT");
    server.kill();
    let server = Server::start(data.path());
    let listed = "{ viewer { filters { nodes { filterId filter { types ephemeral rooms } } } } }";
    let answer = alice.at(&server).run(listed, &json!({}));
    let shown = json!({ "types": ["m.room.message"], "ephemeral": ["TYPING"], "rooms": null });
    assert_eq!(answer["viewer"]["filters"]["nodes"], json!([{ "filterId": id, "filter": shown }]));
    let answer = bob.at(&server).run(listed, &json!({}));
    assert_eq!(answer["viewer"]["filters"]["nodes"], json!([]));
}

#[test]
fn a_deleted_filter_is_gone_also_after_a_restart_and_a_rebuild() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let id = stored(&alice, &json!({ "types": ["m.room.message"] }));
    let kept = stored(&alice, &json!({ "types": ["m.room.name"] }));
    let delete = |id: &str, action: i32| {
        let document = "mutation($input: DeleteFilterInput!) {
            deleteFilter(input: $input) { filterId position refusal { code } } }";
        let input = json!({ "filterId": id, "actionId": action });
        let deleted = alice.run(document, &json!({ "input": input }))["deleteFilter"].clone();
        assert_eq!((&deleted["filterId"], &deleted["refusal"]), (&json!(id), &Value::Null));
        deleted["position"].clone()
    };
    let position = delete(&id, 1);
    let use_it = "query($id: ID!) { initialSync(filter: { filterId: $id }) { position } }";
    assert_eq!(alice.fail(use_it, &json!({ "id": id })), "BAD_USER_INPUT");
    // The same again, and an unknown filter: nothing to do.
    assert_eq!(delete(&id, 1), position);
    delete("never", 2);
    assert!(server.stop().success());
    assert!(run(data.path(), &["rebuild"], "").success);
    let server = Server::start(data.path());
    let alice = alice.at(&server);
    assert_eq!(alice.fail(use_it, &json!({ "id": id })), "BAD_USER_INPUT");
    alice.run(use_it, &json!({ "id": kept }));
    assert_eq!(stored(&alice, &json!({ "types": ["m.room.message"] })), id);
}

#[test]
fn a_filter_that_is_too_large_or_given_twice_is_refused_by_name() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let document = "query($filter: FilterBy) { initialSync(filter: $filter) { position } }";
    let many = json!({ "types": vec!["a"; 101] });
    let long = json!({ "notTypes": ["a".repeat(300)] });
    for (filter, word) in [
        (by(&many), "types"),
        (by(&long), "long"),
        (json!({ "conditions": {}, "filterId": "x" }), "FilterBy"),
    ] {
        let answer = alice.post(document, &json!({ "filter": filter })).body;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(word) || word == "long", "{message}");
    }
}
