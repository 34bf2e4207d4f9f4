//! Joins: the answer, the stream and the scrollback meet, on every device.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, entering},
    resume::Done,
    server::Server,
};

const JOIN: &str = "mutation($input: JoinRoomInput!) { joinRoom(input: $input) {
    position event { eventId } refusal { code }
    room { name topic aliases { nodes } memberCount members { nodes { userId displayName powerLevel } } }
    messages(last: 5) { nodes { eventId sequence }
        pageInfo { hasPreviousPage startCursor hasMoreLocally hasMoreRemotely timelineStart } } } }";

fn join(client: &Client, input: &Value) -> Value {
    let payload =
        client.run(JOIN, &json!({ "input": entering(input.clone()) }))["joinRoom"].clone();
    assert_eq!(payload["refusal"], Value::Null);
    payload
}

fn sequences(nodes: &Value) -> Vec<u64> {
    nodes.as_array().unwrap().iter().map(|node| node["sequence"].as_u64().unwrap()).collect()
}

/// Everything before the cursor, oldest first.
fn before(client: &Client, room: &str, cursor: &Value) -> Vec<u64> {
    let document = "query($room: RoomID!, $before: Cursor) { room(by: { roomId: $room }) {
        timeline(last: 100, before: $before) { nodes { sequence }
            pageInfo { hasPreviousPage startCursor } } } }";
    let (mut found, mut cursor) = (Vec::new(), cursor.clone());
    loop {
        let answer = client.run(document, &json!({ "room": room, "before": cursor }));
        let page = &answer["room"]["timeline"];
        found.splice(0..0, sequences(&page["nodes"]));
        if page["pageInfo"]["hasPreviousPage"] == false {
            return found;
        }
        cursor = page["pageInfo"]["startCursor"].clone();
    }
}

#[test]
fn the_answer_to_a_join_scrollback_and_stream_are_the_timeline_once() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let room = alice.create_room(json!({ "preset": "PUBLIC", "name": "Tea", "topic": "Hot" }));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut sent = 0;
            while !done.load(Ordering::Relaxed) {
                alice.say(&room, "a message");
                alice.act("setRoomTopic", json!({ "roomId": room, "topic": sent.to_string() }));
                sent += 1;
            }
        });
        let stop = Done(&done);
        let answers: Vec<Value> = (0..10)
            .map(|round| {
                if round > 0 {
                    bob.act("leaveRoom", json!({ "roomId": room }));
                }
                join(&bob, &json!({ "roomId": room }))
            })
            .collect();
        drop(stop);
        writer.join().unwrap();
        let answer = answers.last().unwrap();
        let last = alice.say(&room, "the last one");
        let page = sequences(&answer["messages"]["nodes"]);
        assert_eq!(answer["messages"]["nodes"][4]["eventId"], answer["event"]["eventId"]);
        let mut stream = bob.follow(answer["position"].as_str());
        let mut after = Vec::new();
        stream.until(|item| {
            after.extend(item["sequence"].as_u64());
            item["eventId"] == last.as_str()
        });
        let older = before(&bob, &room, &answer["messages"]["pageInfo"]["startCursor"]);
        let whole: Vec<u64> = older.into_iter().chain(page).chain(after).collect();
        let end = whole.len() as u64;
        assert_eq!(whole, (1..=end).collect::<Vec<_>>(), "the timeline is not there once");
    });
}

#[test]
fn the_answer_shows_the_room_as_of_the_join() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let create = json!({ "preset": "PUBLIC", "name": "Before", "alias": "#tea:localhost" });
    let room = alice.create_room(create);
    let first = join(&bob, &json!({ "alias": "#tea:localhost", "actionId": 1 }));
    assert_eq!(first["room"]["name"], "Before");
    assert_eq!(first["room"]["aliases"]["nodes"], json!(["#tea:localhost"]));
    assert_eq!(first["room"]["memberCount"], 2);
    assert_eq!(first["messages"]["pageInfo"]["hasPreviousPage"], true);
    alice.act("setRoomName", json!({ "roomId": room, "name": "After" }));
    alice.run(
        "mutation { setProfile(input: { displayName: \"Alicia\" }) { position } }",
        &json!({}),
    );
    let carol = Client::register(&server, "carol");
    carol.act("joinRoom", json!({ "room": { "roomId": room } }));
    let again = join(&bob, &json!({ "alias": "#tea:localhost", "actionId": 1 }));
    assert_eq!(again, first, "a retry has the first answer, as of the same position");
    let powers = first["room"]["members"]["nodes"].as_array().unwrap().clone();
    assert_eq!(powers.len(), 2);
    assert_eq!(powers[0]["displayName"], Value::Null);
}

/// The items on a device's stream about the room, up to a message.
fn told(client: &Client, after: &str, last: &str) -> Vec<String> {
    let mut stream = client.follow(Some(after));
    let mut told = Vec::new();
    stream.until(|item| {
        let kind = item["type"].as_str().or(item["__typename"].as_str()).unwrap();
        told.push(kind.to_owned());
        item["eventId"] == last
    });
    told
}

#[test]
fn deliver_says_on_which_way_this_device_gets_what_the_room_shows() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let login = bob.log_in("correct horse");
    let mut phone = bob.clone();
    phone.token = login["token"].as_str().map(ToOwned::to_owned);
    let (opened, member) = ("RoomOpened".to_owned(), "m.room.member".to_owned());
    let message = "m.room.message".to_owned();
    let all = vec![opened, member, message.clone()];
    let mut places = Vec::new();
    for (deliver, streamed) in
        [("RESPONSE", vec![message.clone()]), ("STREAM", all.clone()), ("BOTH", all.clone())]
    {
        let room = alice.create_room(json!({ "preset": "PUBLIC" }));
        let start = bob.position();
        let answer = join(&bob, &json!({ "roomId": room, "deliver": deliver }));
        assert_eq!(answer["messages"].is_null(), deliver == "STREAM", "{deliver}");
        let last = alice.say(&room, "welcome");
        assert_eq!(told(&bob, &start, &last), streamed, "{deliver}");
        assert_eq!(told(&phone, &start, &last), all, "the other device, {deliver}");
        places.push((start, last, streamed));
    }
    server.kill();
    let server = Server::start(data.path());
    for (start, last, streamed) in places {
        let told = told(&bob.at(&server), &start, &last);
        assert!(told.starts_with(&streamed[..1]), "after a restart: {told:?}");
        assert!(told.len() >= streamed.len(), "after a restart: {told:?}");
    }
}

#[test]
fn creating_a_room_is_a_join_that_answers_in_full() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let start = alice.position();
    let document = "mutation($input: CreateRoomInput!) { createRoom(input: $input) {
        position room { roomId name memberCount } refusal { code }
        messages { nodes { type sequence } pageInfo { timelineStart hasMoreLocally } } } }";
    let input = json!({ "name": "Den", "topic": "Of rooks", "deliver": "RESPONSE" });
    let made = alice.run(document, &json!({ "input": input }))["createRoom"].clone();
    assert_eq!(made["room"]["name"], "Den");
    let page = sequences(&made["messages"]["nodes"]);
    assert_eq!(page, (1..=page.len() as u64).collect::<Vec<_>>());
    let info = json!({ "timelineStart": "ROOM_CREATED", "hasMoreLocally": false });
    assert_eq!(made["messages"]["pageInfo"], info);
    let room = made["room"]["roomId"].as_str().unwrap();
    let last = alice.say(room, "first words");
    assert_eq!(told(&alice, &start, &last), ["m.room.message"]);
}

#[test]
fn room_opened_shows_the_room_as_of_the_join_on_every_device() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let room = alice.create_room(json!({ "preset": "PUBLIC", "name": "Old" }));
    for number in 0..3 {
        alice.say(&room, &number.to_string());
    }
    let start = bob.position();
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    alice.act("setRoomName", json!({ "roomId": room, "name": "New" }));
    let mut socket = bob.socket();
    let document = "subscription($after: Position) { eventStream(after: $after) { events {
        ... on RoomOpened { cursor room { name memberCount }
            messages(last: 2) { nodes { text } pageInfo { hasPreviousPage } } }
        ... on RoomEvent { sequence content } } } }";
    socket.subscribe("1", document, &json!({ "after": start }));
    let message = socket.receive();
    let opened = &message["payload"]["data"]["eventStream"]["events"][0];
    assert_eq!(opened["room"], json!({ "name": "Old", "memberCount": 2 }), "{message}");
    assert_eq!(opened["messages"]["nodes"], json!([{ "text": "1" }, { "text": "2" }]));
    assert_eq!(opened["messages"]["pageInfo"]["hasPreviousPage"], true);
}
