//! The seams between two ways of reading: nothing is missing, and nothing comes twice.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, Follower},
    resume::Done,
    server::Server,
};

/// A room that Alice created and Bob joined.
fn tea(server: &Server) -> (Client, Client, String) {
    let (alice, bob) = (Client::register(server, "alice"), Client::register(server, "bob"));
    let room = alice.create_room(json!({ "preset": "PUBLIC", "name": "Tea" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    (alice, bob, room)
}

fn event_ids(nodes: &Value) -> Vec<String> {
    let ids = nodes.as_array().unwrap().iter();
    ids.map(|node| node["eventId"].as_str().unwrap().to_owned()).collect()
}

/// Event IDs of the stream up to the event `last`.
fn until(stream: &mut Follower, last: &str) -> Vec<String> {
    let mut seen = Vec::new();
    stream.until(|item| {
        seen.extend(item["eventId"].as_str().map(ToOwned::to_owned));
        item["eventId"] == last
    });
    seen
}

#[test]
fn a_sync_and_the_stream_after_it_are_the_whole_log() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = tea(&server);
    alice.say(&room, "the first one");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                let name = format!("name {sent}");
                alice.act("setRoomName", json!({ "roomId": room, "name": name }));
                alice.say(&room, &format!("message {sent}"));
                sent += 1;
            }
        });
        let stop = Done(&done);
        let syncs: Vec<Value> = (0..40).map(|_| sync(&bob)).collect();
        drop(stop);
        writer.join().unwrap();
        let last = alice.say(&room, "the last one");
        for sync in syncs {
            let found = &sync["rooms"][0];
            assert_eq!(found["name"], found["state"]["nodes"][0]["content"]["name"], "{sync}");
            let page = event_ids(&found["timeline"]["nodes"]);
            let mut stream = bob.follow(sync["position"].as_str());
            let after = until(&mut stream, &last);
            let oldest = page.first().unwrap();
            let whole = everything_from(&bob, &room, oldest);
            let joined: Vec<String> = page.iter().chain(&after).cloned().collect();
            assert_eq!(joined, whole, "sync and stream do not join");
            let message = found["lastMessage"]["eventId"].as_str().unwrap();
            assert!(page.iter().any(|id| id == message), "{message} came after the sync");
        }
    });
}

fn sync(client: &Client) -> Value {
    let document = "{ initialSync { position rooms { name lastMessage { eventId }
        state(type: \"m.room.name\", stateKey: \"\") { nodes { content } }
        timeline(last: 5) { nodes { eventId } } } } }";
    client.run(document, &json!({}))["initialSync"].clone()
}

/// The timeline of the room from this event on.
fn everything_from(client: &Client, room: &str, first: &str) -> Vec<String> {
    let document = "query($room: RoomID!, $after: Cursor) { room(by: { roomId: $room }) {
        timeline(first: 100, after: $after) {
            pageInfo { hasNextPage endCursor } nodes { eventId } } } }";
    let mut ids = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = client.run(document, &json!({ "room": room, "after": after }));
        let timeline = &page["room"]["timeline"];
        ids.extend(event_ids(&timeline["nodes"]));
        if timeline["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = timeline["pageInfo"]["endCursor"].clone();
    }
    let start = ids.iter().position(|id| id == first).unwrap();
    ids.split_off(start)
}

#[test]
fn a_stream_from_the_answer_to_a_join_misses_nothing_of_the_room() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _) = tea(&server);
    let mut socket = bob.socket();
    for round in 0..100 {
        let room = alice.create_room(json!({ "preset": "PUBLIC" }));
        let joined = bob.act("joinRoom", json!({ "room": { "roomId": room } }));
        let document = "subscription($after: Position) { eventStream(after: $after) { events {
            ... on RoomEvent { text } } } }";
        let id = round.to_string();
        socket.subscribe(&id, document, &json!({ "after": joined["position"] }));
        alice.say(&room, "welcome");
        let message = socket.receive();
        let text = &message["payload"]["data"]["eventStream"]["events"][0]["text"];
        assert_eq!(text, "welcome", "round {round}: {message}");
        socket.send(&json!({ "id": id, "type": "complete" }));
        bob.act("leaveRoom", json!({ "roomId": room }));
    }
}

#[test]
fn a_stream_from_the_answer_to_a_leave_shows_nothing_of_the_room() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _) = tea(&server);
    let marker = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": marker } }));
    for _ in 0..50 {
        let room = alice.create_room(json!({ "preset": "PUBLIC" }));
        bob.act("joinRoom", json!({ "room": { "roomId": room } }));
        let left = bob.act("leaveRoom", json!({ "roomId": room }));
        let mut stream = bob.follow(left["position"].as_str());
        alice.say(&room, "he is gone");
        alice.say(&marker, "go on");
        assert_eq!(stream.item()["text"], "go on");
    }
}

#[test]
fn scrollback_and_stream_meet_at_the_opening_of_a_room() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bob = Client::register(&server, "bob");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                alice.say(&room, "a message");
            }
        });
        let stop = Done(&done);
        let mut stream = bob.follow(None);
        bob.act("joinRoom", json!({ "room": { "roomId": room } }));
        let opened = stream.until(|item| item["__typename"] == "RoomOpened");
        drop(stop);
        writer.join().unwrap();
        let last = alice.say(&room, "the last one");
        let after: HashSet<String> = until(&mut stream, &last).into_iter().collect();
        let document = "query($room: RoomID!, $before: Cursor) { room(by: { roomId: $room }) {
            all: timeline(last: 1) { nodes { sequence } }
            timeline(last: 100, before: $before) { nodes { eventId sequence } } } }";
        let variables = json!({ "room": room, "before": opened["cursor"] });
        let found = bob.run(document, &variables)["room"].clone();
        let before = event_ids(&found["timeline"]["nodes"]);
        assert!(before.iter().all(|id| !after.contains(id)), "scrollback repeats the stream");
        let newest = found["timeline"]["nodes"].as_array().unwrap().last().unwrap();
        let all = found["all"]["nodes"][0]["sequence"].as_u64().unwrap();
        let streamed = after.len() as u64;
        assert_eq!(newest["sequence"].as_u64().unwrap() + streamed, all, "there is a gap");
    });
}

#[test]
fn a_read_after_a_write_shows_it() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = tea(&server);
    let document =
        "query($room: RoomID!, $at: Position) { room(by: { roomId: $room }, minPosition: $at) {
        lastMessage { eventId } } }";
    for round in 0..50 {
        let input = json!({ "roomId": room, "body": round.to_string() });
        let said = alice.act("sendMessage", input);
        let at = &said["position"];
        for (client, at) in [(&alice, &Value::Null), (&bob, at)] {
            let found = client.run(document, &json!({ "room": room, "at": at }));
            assert_eq!(found["room"]["lastMessage"]["eventId"], said["event"]["eventId"]);
        }
    }
}

#[test]
fn positions_of_another_log_are_refused_by_name() {
    let (data, other) = (tempdir().unwrap(), tempdir().unwrap());
    let (server, stranger) = (Server::start(data.path()), Server::start(other.path()));
    let (alice, _, room) = tea(&server);
    let foreign = Client::register(&stranger, "alice").position();
    let after = json!({ "after": foreign });
    let queries = [
        "query($after: Position!) { events(after: $after) { position } }",
        "query($after: Position!) { initialSync(since: $after) { position } }",
        "query($after: Position!) { initialSync(minPosition: $after) { position } }",
        "query($after: Position!) { viewer(minPosition: $after) { position } }",
    ];
    for query in queries {
        assert_eq!(alice.fail(query, &after), "POSITION_UNKNOWN", "{query}");
    }
    let document = "subscription($after: Position) { eventStream(after: $after) { position } }";
    let cases =
        [(&*foreign, "POSITION_UNKNOWN"), ("nonsense", "BAD_USER_INPUT"), ("", "BAD_USER_INPUT")];
    for (after, code) in cases {
        let mut socket = alice.socket();
        socket.subscribe("1", document, &json!({ "after": after }));
        let message = socket.receive();
        let payload = &message["payload"];
        let error = payload["errors"].get(0).or(payload.get(0)).unwrap_or(&Value::Null);
        assert_eq!(error["extensions"]["code"], code, "{message}");
    }
    alice.say(&room, "all is well");
}

#[test]
fn positions_do_not_count_what_happens_elsewhere() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = tea(&server);
    let private = bob.create_room(json!({}));
    // The differences between the halves of two positions, as numbers: for a counter this would be the number of
    // commits in between.
    let halves = |token: &str| -> Vec<u64> {
        let bytes = URL_SAFE_NO_PAD.decode(token).expect("base64");
        bytes
            .chunks(8)
            .map(|half| half.iter().fold(0, |n, byte| n << 8 | u64::from(*byte)))
            .collect()
    };
    let mut before = alice.position();
    for _ in 0..20 {
        bob.say(&private, "nobody else's business");
        let after = alice.position();
        assert_ne!(before, after, "the server went on");
        let pairs = halves(&before).into_iter().zip(halves(&after));
        assert!(
            pairs.map(|(one, two)| one.abs_diff(two)).all(|apart| apart > 1 << 32),
            "{before} {after}"
        );
        before = after;
    }
    // Cursors contain positions too.
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) { timeline(last: 2) { edges { cursor } } } }";
    alice.say(&room, "one");
    alice.say(&room, "two");
    let edges = alice.run(document, &json!({ "room": room }))["room"]["timeline"]["edges"].clone();
    let cursors = [0, 1].map(|at| halves(edges[at]["cursor"].as_str().expect("a cursor")));
    assert!(
        cursors[0].iter().zip(&cursors[1]).take(4).all(|(one, two)| one.abs_diff(*two) > 1 << 24)
    );
}

#[test]
fn what_is_sent_twice_at_once_is_one_event() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, _, room) = tea(&server);
    let input = json!({ "roomId": room, "body": "only once", "actionId": 1 });
    let answers: Vec<Value> = thread::scope(|scope| {
        let send = || {
            let (alice, input) = (alice.at(&server), input.clone());
            scope.spawn(move || alice.act("sendMessage", input))
        };
        let threads: Vec<_> = (0..50).map(|_| send()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let document =
        "query($room: RoomID!) { room(by: { roomId: $room }) { timeline { nodes { text } } } }";
    let found = alice.run(document, &json!({ "room": room }));
    let nodes = found["room"]["timeline"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.iter().filter(|node| node["text"] == "only once").count(), 1);
}
