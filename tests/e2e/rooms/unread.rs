//! Receipts, unread counts, devices and profiles, from outside.

use serde_json::{Value, json};

use crate::{
    client::{Client, Socket, two},
    server::{Server, succeed},
};

const STREAM: &str =
    "subscription($after: Position!) { eventStream(after: $after) { position events {
    __typename
    ... on RoomEvent { type text }
    ... on ReceiptMoved { room { roomId unreadCount } userId eventId sequence isPrivate }
    ... on ProfileChanged { user { displayName } }
    ... on DeviceAdded { deviceId name }
    ... on DeviceRemoved { deviceId } } } }";

fn follow(client: &Client, after: &str) -> Socket {
    let mut socket = client.socket();
    socket.subscribe("1", STREAM, &json!({ "after": after }));
    socket
}

fn of_type<'a>(items: &'a [Value], kind: &str) -> Vec<&'a Value> {
    items.iter().filter(|item| item["__typename"] == kind).collect()
}

fn mark(client: &Client, room: &str, event: &str, private: bool) -> Value {
    let document = "mutation($input: MarkRoomReadInput!) { markRoomRead(input: $input) {
        room { unreadCount highlightCount } position refusal { code } } }";
    let input = json!({ "roomId": room, "eventId": event, "isPrivate": private });
    client.run(document, &json!({ "input": input }))["markRoomRead"].clone()
}

/// Unread and highlight counts, which have to be equal on the room and the home screen.
fn counts(client: &Client, room: &str) -> (u64, u64) {
    let document =
        "query($room: RoomID!) { room(by: { roomId: $room }) { unreadCount highlightCount }
        initialSync { rooms { roomId unreadCount highlightCount } } }";
    let answer = client.run(document, &json!({ "room": room }));
    let of = |room: &Value| {
        (room["unreadCount"].as_u64().unwrap(), room["highlightCount"].as_u64().unwrap())
    };
    let here = of(&answer["room"]);
    let rooms = answer["initialSync"]["rooms"].as_array().unwrap();
    if let Some(home) = rooms.iter().find(|other| other["roomId"] == room) {
        assert_eq!(of(home), here);
    }
    here
}

#[test]
fn counts_follow_receipts_redactions_and_kicks() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    assert_eq!(counts(&bob, &room), (0, 0));
    let first = alice.say(&room, "hello");
    let second = alice.say(&room, "Bob, are you there?");
    let third = alice.say(&room, "bobsled");
    assert_eq!(counts(&bob, &room), (3, 1));
    assert_eq!(counts(&alice, &room), (0, 0), "one's own messages are read");
    assert_eq!(mark(&bob, &room, &first, false)["room"]["unreadCount"], 2);
    assert_eq!(counts(&bob, &room), (2, 1));
    let redact =
        "mutation($input: RedactEventInput!) { redactEvent(input: $input) { refusal { code } } }";
    let input = json!({ "input": { "roomId": room, "eventId": second } });
    assert_eq!(alice.run(redact, &input)["redactEvent"]["refusal"], Value::Null);
    assert_eq!(counts(&bob, &room), (1, 0));
    assert_eq!(mark(&bob, &room, &first, false)["room"]["unreadCount"], 1, "never backwards");
    bob.say(&room, "here I am");
    assert_eq!(counts(&bob, &room), (0, 0), "who writes has read");
    alice.say(&room, "good");
    alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
    assert_eq!(counts(&bob, &room), (0, 0), "who is not there has nothing to read");
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    assert_eq!(counts(&bob, &room), (0, 0), "what was said before does not count");
    assert_eq!(mark(&bob, &room, &third, false)["refusal"], Value::Null);
}

const COUNTED: &str = "subscription($after: Position!, $filter: FilterBy) {
    eventStream(after: $after, filter: $filter) {
        position events { ... on RoomEvent { text } }
        counts { room { roomId } unreadCount highlightCount } } }";

/// A stream with counts.
struct Counted {
    socket: Socket,
    /// The counts that came, of any room.
    told: Vec<(u64, u64)>,
    position: String,
}

impl Counted {
    fn follow(client: &Client, after: &str, filter: &Value) -> Self {
        let mut socket = client.socket();
        socket.subscribe("1", COUNTED, &json!({ "after": after, "filter": filter }));
        Self { socket, told: Vec::new(), position: after.to_owned() }
    }

    /// Reads until counts of `room` come that are these.
    fn until(&mut self, room: &str, counts: (u64, u64)) {
        while self.told.last() != Some(&counts) {
            let message = self.socket.receive();
            assert_eq!(message["payload"].get("errors"), None, "{message}");
            let chunk = &message["payload"]["data"]["eventStream"];
            chunk["position"].as_str().unwrap().clone_into(&mut self.position);
            for changed in chunk["counts"].as_array().unwrap() {
                assert_eq!(changed["room"]["roomId"], room);
                let count = |name: &str| changed[name].as_u64().unwrap();
                self.told.push((count("unreadCount"), count("highlightCount")));
            }
        }
    }
}

#[test]
fn counts_come_on_the_stream_and_survive_a_cut() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let other = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": other } }));
    // The event of the join counts too, so it stays out of the way of the stream.
    let filter = json!({ "conditions": { "rooms": [room] } });
    let mut stream = Counted::follow(&bob, &bob.position(), &filter);
    alice.say_many(&room, "hello", 60);
    alice.say(&other, "not of interest");
    let last = alice.say(&room, "Bob, are you there?");
    stream.until(&room, (61, 1));
    assert!(stream.told.is_sorted(), "never backwards: {:?}", stream.told);
    let login = bob.log_in("correct horse");
    let phone = bob.on_device(login["token"].as_str().unwrap());
    assert_eq!(mark(&phone, &room, &last, true)["room"]["unreadCount"], 0);
    stream.until(&room, (0, 0));
    let after = stream.position.clone();
    drop(stream);
    alice.say_many(&room, "more", 3);
    let mut resumed = Counted::follow(&bob, &after, &filter);
    resumed.until(&room, (3, 0));
    let poll = "query($after: Position!) { events(after: $after) {
        counts { room { roomId } unreadCount highlightCount } } }";
    let polled = bob.run(poll, &json!({ "after": after }))["events"]["counts"].clone();
    assert_eq!(polled[0]["unreadCount"], 3);
    assert_eq!(
        alice.run(poll, &json!({ "after": after }))["events"]["counts"][0]["unreadCount"],
        0
    );
}

#[test]
fn private_receipts_are_shown_to_their_owner_alone_on_every_path() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let (first, second) = (alice.say(&room, "one"), alice.say(&room, "two"));
    let login = bob.log_in("correct horse");
    let phone = Client::with_token(&server, "bob", login["token"].as_str().unwrap());
    let start = alice.position();
    let (mut others, mut own) = (follow(&alice, &start), follow(&phone, &start));
    assert_eq!(mark(&bob, &room, &first, false)["refusal"], Value::Null);
    assert_eq!(mark(&bob, &room, &second, true)["room"]["unreadCount"], 0);
    alice.say(&room, "done");
    let told = others.items_until("done");
    let receipts = of_type(&told, "ReceiptMoved");
    assert_eq!(receipts.len(), 1);
    assert_eq!(
        (&receipts[0]["eventId"], &receipts[0]["isPrivate"]),
        (&json!(first), &json!(false))
    );
    let told = own.items_until("done");
    let moved: Vec<_> =
        of_type(&told, "ReceiptMoved").iter().map(|it| it["eventId"].clone()).collect();
    assert_eq!(moved, [json!(first), json!(second)], "the user's other devices are told of both");
    let document = "query($room: RoomID!, $bob: UserID!, $after: Position!) {
        room(by: { roomId: $room }) { receipts { nodes { userId eventId } } member(userId: $bob) { readUpTo }
            members { nodes { userId readUpTo } } }
        events(after: $after) { events { ... on ReceiptMoved { eventId } } } }";
    let variables = json!({ "room": room, "bob": bob.user_id, "after": start });
    let seen = alice.run(document, &variables).to_string();
    assert!(seen.contains(&first) && !seen.contains(&second), "{seen}");
    let own = bob.run(document, &variables);
    assert_eq!(own["room"]["member"]["readUpTo"], json!(second));
    assert_eq!(
        own["room"]["receipts"]["nodes"],
        json!([{ "userId": bob.user_id, "eventId": first }])
    );
    let carol = Client::register(&server, "carol");
    let stranger = carol.run(document, &variables).to_string();
    assert!(!stranger.contains(&first) && !stranger.contains(&second), "{stranger}");
}

#[test]
fn a_receipt_needs_an_event_that_one_may_see_in_a_room_that_one_is_in() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let elsewhere = alice.create_room(json!({}));
    let hidden = alice.say(&elsewhere, "secret");
    let said = alice.say(&room, "hello");
    let code = |room: &str, event: &str| mark(&bob, room, event, false)["refusal"]["code"].clone();
    assert_eq!(code(&room, &hidden), "NO_SUCH_EVENT");
    assert_eq!(code(&room, "$nothing"), "NO_SUCH_EVENT");
    assert_eq!(code(&elsewhere, &hidden), "NO_SUCH_ROOM");
    let carol = Client::register(&server, "carol");
    assert_eq!(mark(&carol, &room, &said, false)["refusal"]["code"], "NOT_A_MEMBER");
}

#[test]
fn receipts_and_counts_survive_a_restart_and_a_rebuild() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let first = alice.say(&room, "one");
    alice.say(&room, "bob: two");
    mark(&bob, &room, &first, false);
    assert_eq!(counts(&bob, &room), (1, 1));
    server.kill();
    let server = Server::start(data.path());
    assert_eq!(counts(&bob.at(&server), &room), (1, 1));
    succeed(data.path(), &["rebuild"], "");
    assert_eq!(counts(&bob.at(&server), &room), (1, 1));
    succeed(data.path(), &["verify"], "");
}

#[test]
fn devices_are_told_to_their_owner_alone() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let start = alice.position();
    let (mut own, mut others) = (follow(&bob, &start), follow(&alice, &start));
    let login = bob.log_in("correct horse");
    let phone = Client::with_token(&server, "bob", login["token"].as_str().unwrap());
    let out = "mutation { logOut(input: {}) { devices } }";
    assert_eq!(phone.run(out, &json!({}))["logOut"]["devices"], 1);
    alice.say(&room, "done");
    let told = own.items_until("done");
    assert_eq!(of_type(&told, "DeviceAdded")[0]["deviceId"], login["deviceId"]);
    assert_eq!(of_type(&told, "DeviceRemoved")[0]["deviceId"], login["deviceId"]);
    let told = others.items_until("done");
    assert!(of_type(&told, "DeviceAdded").is_empty() && of_type(&told, "DeviceRemoved").is_empty());
}

#[test]
fn a_rename_reaches_the_room_at_its_place_and_the_other_device() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    alice.rename_in(&room, "Alice");
    let login = alice.log_in("correct horse");
    let phone = Client::with_token(&server, "alice", login["token"].as_str().unwrap());
    let start = alice.position();
    let (mut own, mut others) = (follow(&phone, &start), follow(&bob, &start));
    alice.say(&room, "before");
    alice.rename_in(&room, "Alicia");
    alice.say(&room, "after");
    let told = own.items_until("after");
    assert_eq!(of_type(&told, "ProfileChanged")[0]["user"]["displayName"], "Alicia");
    let told = others.items_until("after");
    assert!(of_type(&told, "ProfileChanged").is_empty(), "others see it in the room");
    let types: Vec<_> = told.iter().filter_map(|it| it.get("type")).cloned().collect();
    assert_eq!(types, ["m.room.message", "m.room.member"]);
    let document =
        "query($room: RoomID!) { room(by: { roomId: $room }) { timeline(last: 3) { nodes {
        type text content previousContent } } } }";
    let timeline = bob.run(document, &json!({ "room": room }))["room"]["timeline"].clone();
    let nodes = timeline["nodes"].as_array().unwrap();
    assert_eq!((&nodes[0]["text"], &nodes[2]["text"]), (&json!("before"), &json!("after")));
    assert_eq!(nodes[1]["previousContent"]["displayname"], "Alice");
    assert_eq!(nodes[1]["content"]["displayname"], "Alicia");
}
