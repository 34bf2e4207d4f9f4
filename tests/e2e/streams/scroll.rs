//! Scrolling: from either end to the other each visible event comes once.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{client::Client, server::Server};

/// Messages in the room, so that there are several pages of 100.
const MESSAGES: usize = 430;

const PAGE: &str =
    "query($room: RoomID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
    room(by: { roomId: $room }) { timeline(first: $first, after: $after, last: $last, before: $before) {
        pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
        edges { cursor node { eventId sequence } } } } }";

/// A room with many messages.
fn long_room(client: &Client) -> String {
    let room = client.create_room(json!({ "name": "Long", "preset": "PUBLIC" }));
    for start in (0..MESSAGES).step_by(10) {
        let say = |n| {
            format!(
                "m{n}: sendMessage(input: {{ roomId: {room:?}, body: \"{n}\" }}) {{ position }} "
            )
        };
        let mutations: String = (start..start + 10).map(say).collect();
        client.run(&format!("mutation {{ {mutations} }}"), &json!({}));
    }
    room
}

fn sequences(page: &Value) -> Vec<u64> {
    let edges = page["edges"].as_array().unwrap();
    edges.iter().map(|edge| edge["node"]["sequence"].as_u64().unwrap()).collect()
}

#[test]
fn pages_of_a_hundred_visit_every_event_once_in_both_directions() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = long_room(&alice);
    let mut backward = Vec::new();
    let mut forward = Vec::new();
    let (mut before, mut after) = (Value::Null, Value::Null);
    let mut pages = 0;
    loop {
        let variables = json!({ "room": room, "last": 100, "before": before });
        let page = alice.run(PAGE, &variables)["room"]["timeline"].clone();
        backward.splice(0..0, sequences(&page));
        pages += 1;
        if page["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
        before = page["pageInfo"]["startCursor"].clone();
    }
    loop {
        let variables = json!({ "room": room, "first": 100, "after": after });
        let page = alice.run(PAGE, &variables)["room"]["timeline"].clone();
        forward.extend(sequences(&page));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    let all: Vec<u64> = (1..=u64::try_from(backward.len()).unwrap()).collect();
    assert_eq!(backward, all);
    assert_eq!(forward, all);
    assert_eq!(pages, all.len().div_ceil(100));
    assert!(all.len() > MESSAGES);
}

#[test]
fn a_permalink_opens_in_the_middle_and_goes_on_in_both_directions() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, eve) = (Client::register(&server, "alice"), Client::register(&server, "eve"));
    let room = long_room(&alice);
    let variables = json!({ "room": room, "last": 100 });
    let page = alice.run(PAGE, &variables)["room"]["timeline"].clone();
    let target = page["edges"][20]["node"].clone();
    let document = "query($room: RoomID!, $event: EventID!) { room(by: { roomId: $room }) {
        timeline(around: $event, first: 10) {
            pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
            edges { cursor node { eventId sequence } } } } }";
    let variables = json!({ "room": room, "event": target["eventId"] });
    let around = alice.run(document, &variables)["room"]["timeline"].clone();
    let middle = target["sequence"].as_u64().unwrap();
    assert_eq!(sequences(&around), (middle - 10..=middle + 10).collect::<Vec<_>>());
    assert_eq!(around["pageInfo"]["hasPreviousPage"], true);
    assert_eq!(around["pageInfo"]["hasNextPage"], true);
    let on = json!({ "room": room, "first": 2, "after": around["pageInfo"]["endCursor"] });
    let on = alice.run(PAGE, &on)["room"]["timeline"].clone();
    assert_eq!(sequences(&on), [middle + 11, middle + 12]);
    let back = json!({ "room": room, "last": 2, "before": around["pageInfo"]["startCursor"] });
    let back = alice.run(PAGE, &back)["room"]["timeline"].clone();
    assert_eq!(sequences(&back), [middle - 12, middle - 11]);
    assert_eq!(eve.fail(document, &variables), "BAD_USER_INPUT", "the event is not for Eve");
    let elsewhere = alice.create_room(json!({}));
    let wrong = json!({ "room": elsewhere, "event": target["eventId"] });
    assert_eq!(alice.fail(document, &wrong), "BAD_USER_INPUT");
}

#[test]
fn a_moment_opens_a_timeline_and_its_cursors_go_on() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, eve) = (Client::register(&server, "alice"), Client::register(&server, "eve"));
    let room = long_room(&alice);
    let document = "query($room: RoomID!, $at: DateTime, $first: Int, $last: Int, $after: Cursor) {
        room(by: { roomId: $room }) { timeline(at: $at, first: $first, last: $last, after: $after) {
            pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
            edges { cursor node { sequence sentAt } } } } }";
    let page = |at: &Value, first: Option<u32>, last: Option<u32>| {
        let variables = json!({ "room": room, "at": at, "first": first, "last": last });
        alice.run(document, &variables)["room"]["timeline"].clone()
    };
    let target = page(&Value::Null, None, Some(100))["edges"][20]["node"].clone();
    let at = &target["sentAt"];
    let sent = |edge: &Value| edge["node"]["sentAt"].as_str().unwrap().to_owned();
    let (before, from) = (page(at, None, Some(10)), page(at, Some(10), None));
    // Texts of moments are in the order of the moments.
    let (before_edges, from_edges) =
        (before["edges"].as_array().unwrap(), from["edges"].as_array().unwrap());
    assert!(before_edges.iter().all(|edge| sent(edge).as_str() < at.as_str().unwrap()));
    assert_eq!(sent(&from_edges[0]), at.as_str().unwrap(), "an event was sent at that moment");
    let first = from_edges[0]["node"]["sequence"].as_u64().unwrap();
    assert_eq!(sequences(&before), (first - 10..first).collect::<Vec<_>>());
    assert_eq!(sequences(&from), (first..first + 10).collect::<Vec<_>>());
    assert_eq!(from["pageInfo"]["hasPreviousPage"], true);
    let on = json!({ "room": room, "first": 2, "after": from["pageInfo"]["endCursor"] });
    let on = alice.run(PAGE, &on)["room"]["timeline"].clone();
    assert_eq!(sequences(&on), [first + 10, first + 11]);
    let back = json!({ "room": room, "last": 2, "before": from["pageInfo"]["startCursor"] });
    let back = alice.run(PAGE, &back)["room"]["timeline"].clone();
    let end = sequences(&back).last().copied();
    assert_eq!(end, Some(first - 1), "scrolling back from the page");
    let beginning = page(&json!("2001-01-01T00:00:00Z"), Some(2), None);
    assert_eq!(
        (sequences(&beginning), &beginning["pageInfo"]["hasPreviousPage"]),
        (vec![1, 2], &json!(false))
    );
    let end = page(&json!("2101-01-01T00:00:00Z"), Some(2), None);
    assert_eq!((sequences(&end), &end["pageInfo"]["hasNextPage"]), (vec![], &json!(false)));
    for wrong in [
        json!({ "first": 1, "last": 1 }),
        json!({ "first": 1, "after": on["pageInfo"]["endCursor"] }),
    ] {
        let mut variables = json!({ "room": room, "at": at });
        variables.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(alice.fail(document, &variables), "BAD_USER_INPUT");
    }
    let stranger = eve.run(document, &json!({ "room": room, "at": at, "first": 5 }));
    assert!(
        stranger["room"].is_null() || stranger["room"]["timeline"]["edges"] == json!([]),
        "{stranger}"
    );
}

#[test]
fn a_cursor_of_another_room_or_one_that_was_changed_is_refused_by_name() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let [room, other] = ["One", "Other"].map(|name| alice.create_room(json!({ "name": name })));
    let page = alice.run(PAGE, &json!({ "room": room, "last": 1 }));
    let cursor = page["room"]["timeline"]["pageInfo"]["startCursor"].as_str().unwrap().to_owned();
    let refused = |room: &str, cursor: &str| {
        let variables = json!({ "room": room, "last": 1, "before": cursor });
        let answer = alice.post(PAGE, &variables).body;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        error["message"].as_str().unwrap().to_owned()
    };
    assert!(refused(&other, &cursor).contains("another room"));
    for place in 0..cursor.len() {
        let mut changed = cursor.clone().into_bytes();
        changed[place] = if changed[place] == b'x' { b'y' } else { b'x' };
        let message = refused(&room, std::str::from_utf8(&changed).unwrap());
        assert!(message.to_lowercase().contains("cursor"), "letter {place}: {message}");
    }
    for nonsense in ["", "nonsense", &cursor[1..], &format!("{cursor}A")] {
        assert!(refused(&room, nonsense).to_lowercase().contains("cursor"));
    }
    let document = "query($room: RoomID!, $c: Cursor) { room(by: { roomId: $room }) {
        timeline(first: 1, before: $c) { nodes { id } } } }";
    let both = json!({ "room": room, "c": cursor });
    assert_eq!(alice.fail(document, &both), "BAD_USER_INPUT");
}

#[test]
fn events_say_what_they_replaced() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let room = alice.create_room(json!({ "preset": "PUBLIC", "name": "First", "topic": "Old" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    bob.rename_in(&room, "Bob");
    bob.rename_in(&room, "Robert");
    let at = alice.position();
    alice.act("setRoomName", json!({ "roomId": room, "name": "Second" }));
    alice.act("setRoomTopic", json!({ "roomId": room, "topic": "New" }));
    alice.say(&room, "a message");
    let document = "query($room: RoomID!, $at: Position) { room(by: { roomId: $room }, minPosition: $at) {
        timeline(last: 100) { nodes { type stateKey content previousContent replaced { eventId } } } } }";
    let found = alice.run(document, &json!({ "room": room, "at": at }));
    let nodes = found["room"]["timeline"]["nodes"].as_array().unwrap();
    let last = |kind: &str| nodes.iter().rev().find(|node| node["type"] == kind).unwrap();
    assert_eq!(last("m.room.name")["previousContent"]["name"], "First");
    assert_eq!(last("m.room.topic")["previousContent"]["topic"], "Old");
    assert_eq!(last("m.room.member")["content"]["displayname"], "Robert");
    assert_eq!(last("m.room.member")["previousContent"]["displayname"], "Bob");
    assert_eq!(last("m.room.message")["previousContent"], Value::Null);
    assert_eq!(last("m.room.create")["replaced"], Value::Null);
}
