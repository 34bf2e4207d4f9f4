//! Numbered actions: each once, in their order of numbers, in any order of arrival, and visible to
//! nobody else.

use std::{path::Path, thread};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, Socket},
    server::{Server, succeed},
};

/// Long enough that actions sent together also wait together.
const PATIENT: [&str; 4] = ["--limits-action-wait", "9s", "--limits-deadline", "60s"];

/// So short that no action waits.
const HASTY: [&str; 2] = ["--limits-action-wait", "1ms"];

const SEND: &str = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
    event { eventId actionId } position refusal { code } } }";

fn start(data: &Path, arguments: &[&str]) -> (Server, Client, String) {
    let server = Server::start_with(data, arguments);
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    (server, alice, room)
}

fn message(room: &str, number: i64) -> Value {
    json!({ "roomId": room, "body": format!("number {number}"), "actionId": number })
}

/// The items on the stream of a device after a position: numbers of actions, once for each commit.
fn numbers(client: &Client, after: &str) -> Vec<Value> {
    let document = "query($after: Position!) { events(after: $after) { events { __typename
        ... on RoomEvent { actionId position } ... on ProfileChanged { user { displayName } } } } }";
    let chunk = client.run(document, &json!({ "after": after }))["events"].clone();
    let items = chunk["events"].as_array().unwrap().iter();
    let mut commits = Vec::new();
    for item in items {
        let number = match item["__typename"].as_str() {
            Some("ProfileChanged") => json!("profile"),
            _ => item["actionId"].clone(),
        };
        if !number.is_null() && commits.last() != Some(&number) {
            commits.push(number);
        }
    }
    commits
}

fn last_action(client: &Client) -> i64 {
    let viewer = client.run("{ viewer { device { lastActionId isCurrent } } }", &json!({}));
    let device = &viewer["viewer"]["device"];
    assert_eq!(device["isCurrent"], true);
    device["lastActionId"].as_i64().unwrap()
}

/// Another device of the same user.
fn laptop_of(alice: &Client) -> Client {
    let session = alice.log_in("correct horse");
    let mut laptop = alice.clone();
    laptop.token = session["token"].as_str().map(ToOwned::to_owned);
    laptop
}

#[test]
fn what_is_sent_as_3_1_2_over_http_is_logged_as_1_2_3_in_whatever_stream() {
    let data = tempdir().unwrap();
    let (_server, alice, room) = start(data.path(), &PATIENT);
    let other = alice.create_room(json!({}));
    let after = alice.position();
    let create = "mutation { createRoom(input: { name: \"new\", actionId: 1 }) {
        refusal { code } } }";
    let rename = "mutation { setProfile(input: { displayName: \"Al\", actionId: 2 }) {
        refusal { code } } }";
    let sends = [
        (SEND, json!({ "input": message(&room, 5) })),
        (SEND, json!({ "input": message(&room, 3) })),
        (SEND, json!({ "input": message(&other, 4) })),
        (rename, json!({})),
        (create, json!({})),
    ];
    thread::scope(|scope| {
        for (document, variables) in &sends {
            let alice = &alice;
            scope.spawn(move || {
                let answer = alice.run(document, variables);
                let (_, payload) = answer.as_object().unwrap().iter().next().unwrap();
                assert_eq!(payload["refusal"], Value::Null);
            });
        }
    });
    let found = numbers(&alice, &after);
    assert_eq!(found, [json!(1), json!("profile"), json!(3), json!(4), json!(5)]);
    assert_eq!(last_action(&alice), 5);
}

/// The payloads of mutations on sockets, in the order of sending.
fn payloads(sockets: &mut [Socket], count: usize) -> Vec<Value> {
    let mut payloads = Vec::new();
    let shares = sockets.len();
    for socket in sockets {
        let mut open = count / shares;
        while open > 0 {
            let message = socket.receive();
            match message["type"].as_str() {
                Some("next") => payloads.push(message["payload"]["data"]["sendMessage"].clone()),
                Some("complete") => open -= 1,
                _ => panic!("unexpected: {message}"),
            }
        }
    }
    payloads
}

#[test]
fn what_is_sent_as_3_1_2_over_one_socket_or_several_is_logged_as_1_2_3() {
    let data = tempdir().unwrap();
    let (_server, alice, room) = start(data.path(), &PATIENT);
    let after = alice.position();
    let mut stream = alice.socket();
    let follow = "subscription($after: Position) { eventStream(after: $after) {
        events { ... on RoomEvent { eventId actionId } } } }";
    stream.subscribe("stream", follow, &json!({ "after": after }));
    let mut one = [alice.socket()];
    for number in [3, 1, 2] {
        let variables = json!({ "input": message(&room, number) });
        one[0].subscribe(&number.to_string(), SEND, &variables);
    }
    let mut answers = payloads(&mut one, 3);
    let mut several = [alice.socket(), alice.socket(), alice.socket()];
    for (socket, number) in several.iter_mut().zip([6, 4, 5]) {
        socket.subscribe("1", SEND, &json!({ "input": message(&room, number) }));
    }
    answers.extend(payloads(&mut several, 3));
    let mut told: Vec<Value> = Vec::new();
    while told.len() < 6 {
        let chunk = stream.receive()["payload"]["data"]["eventStream"].clone();
        told.extend(chunk["events"].as_array().unwrap().clone());
    }
    let order: Vec<_> = told.iter().map(|event| event["actionId"].as_i64().unwrap()).collect();
    assert_eq!(order, [1, 2, 3, 4, 5, 6]);
    // The answer and the event have enough data to match each other, in either order.
    for answer in answers {
        assert!(told.contains(&answer["event"]), "{answer}");
    }
}

#[test]
fn an_action_that_comes_too_late_is_refused_and_never_applied() {
    let data = tempdir().unwrap();
    let (server, alice, room) = start(data.path(), &HASTY);
    let after = alice.position();
    assert_eq!(last_action(&alice), 0);
    let fifth = alice.act("sendMessage", message(&room, 5));
    assert_eq!(fifth["refusal"], Value::Null, "a skipped number costs no more than the wait");
    let late = |alice: &Client| alice.refused("sendMessage", message(&room, 4));
    assert_eq!(late(&alice), "ACTION_TOO_LATE");
    assert_eq!(last_action(&alice), 5);
    server.kill();
    let server = Server::start_with(data.path(), &HASTY);
    let alice = alice.at(&server);
    assert_eq!(last_action(&alice), 5);
    assert_eq!(late(&alice), "ACTION_TOO_LATE");
    assert_eq!(alice.act("sendMessage", message(&room, 5)), fifth);
    assert_eq!(alice.act("sendMessage", message(&room, 6))["refusal"], Value::Null);
    // Another device has its own numbers, and a device without numbers leaves nothing.
    let laptop = laptop_of(&alice);
    assert_eq!(laptop.act("sendMessage", message(&room, 4))["refusal"], Value::Null);
    alice.say(&room, "no number");
    assert_eq!((last_action(&laptop), last_action(&alice)), (4, 6));
    assert_eq!(numbers(&alice, &after), [json!(5), json!(6)]);
}

#[test]
fn a_retry_gets_the_first_result_also_of_what_made_no_event_and_after_a_restart() {
    let data = tempdir().unwrap();
    let (server, alice, room) = start(data.path(), &HASTY);
    let bob = Client::register(&server, "bob");
    let acts = |number: i64, mut input: Value| {
        input["actionId"] = json!(number);
        input
    };
    let in_room = |number, mut input: Value| {
        input["roomId"] = json!(room);
        acts(number, input)
    };
    let tries = [
        ("setRoomName", in_room(1, json!({ "name": "Bob's" }))),
        ("joinRoom", in_room(2, json!({}))),
        ("joinRoom", in_room(3, json!({}))),
        ("setRoomName", in_room(4, json!({ "name": "Bob's" }))),
        ("joinRoom", acts(5, json!({ "alias": "#nowhere:localhost" }))),
        ("createRoom", acts(6, json!({ "name": "Bob's own" }))),
        ("sendMessage", in_room(7, json!({ "body": "once" }))),
    ];
    let send = |bob: &Client| -> Vec<Value> {
        tries.iter().map(|(name, input)| bob.act(name, input.clone())).collect()
    };
    let first = send(&bob);
    let codes: Vec<_> = first.iter().map(|it| it["refusal"]["code"].as_str()).collect();
    let expected = [
        Some("NOT_A_MEMBER"),
        None,
        None,
        Some("INSUFFICIENT_POWER"),
        Some("NO_SUCH_ROOM"),
        None,
        None,
    ];
    assert_eq!(codes, expected);
    assert_eq!((&first[2]["event"], first[1]["event"].is_null()), (&Value::Null, false));
    assert_eq!(last_action(&bob), 7);
    // A second execution would have another result by now.
    let levels = json!({ "roomId": room, "powerLevels": { "users": [
        { "userId": bob.user_id, "level": 100 }] } });
    assert_eq!(alice.act("setPowerLevels", levels)["refusal"], Value::Null);
    alice.act("setRoomAliases", json!({ "roomId": room, "canonical": "#nowhere:localhost" }));
    assert_eq!(send(&bob), first);
    server.kill();
    let server = Server::start_with(data.path(), &HASTY);
    let bob = bob.at(&server);
    assert_eq!(send(&bob), first);
    assert_eq!(last_action(&bob), 7);
    for number in 1..=7 {
        assert_eq!(bob.refused("sendMessage", message(&room, number)), "ACTION_ID_REUSED");
    }
    server.kill();
    let verified = succeed(data.path(), &["verify"], "");
    assert!(verified.contains("equal to a rebuild"), "{verified}");
}

/// The action numbers in the log, in its order.
fn logged(data: &Path) -> Vec<i64> {
    let commits = succeed(data, &["log", "tail", "--after", "0"], "");
    let number = |line: &str| {
        let commit: Value = serde_json::from_str(line).unwrap();
        let event = commit["events"].as_array().unwrap().last().unwrap().clone();
        event["content"]["action"]
            .as_i64()
            .or(event["envelope"]["origin"]["local"]["action"].as_i64())
    };
    commits.lines().filter_map(number).collect()
}

#[test]
fn marks_and_filters_take_their_turns_also_when_they_are_refused() {
    let data = tempdir().unwrap();
    let (server, alice, room) = start(data.path(), &PATIENT);
    let mark = "mutation($input: MarkRoomReadInput!) { markRoomRead(input: $input) {
        position refusal { code message } } }";
    let filter = "mutation($input: CreateFilterInput!) { createFilter(input: $input) {
        filterId position refusal { code message } } }";
    let said = alice.say(&room, "read me");
    let other = alice.create_room(json!({}));
    let marked = |room: &str, event: &str, number: i64| json!({ "input": { "roomId": room, "eventId": event, "actionId": number } });
    let filters = json!({ "input": { "filter": { "types": ["m.room.message"] }, "actionId": 3 } });
    let sends = [
        (SEND, json!({ "input": message(&room, 6) })),
        (mark, marked(&room, &said, 5)),
        (mark, marked("!nowhere", &said, 4)),
        (filter, filters),
        (mark, marked(&other, &said, 2)),
        (mark, marked(&room, "$nothing", 1)),
    ];
    let send = |alice: &Client| -> Vec<Value> {
        thread::scope(|scope| {
            let run = |(document, variables): &(&'static str, Value)| {
                let (document, variables, alice) = (*document, variables.clone(), alice.clone());
                scope.spawn(move || alice.run(document, &variables))
            };
            let sent: Vec<_> = sends.iter().map(run).collect();
            sent.into_iter().map(|sent| sent.join().unwrap()).collect()
        })
    };
    let first = send(&alice);
    let code = |index: usize, name: &str| first[index][name]["refusal"]["code"].as_str();
    assert_eq!((code(1, "markRoomRead"), code(2, "markRoomRead")), (None, Some("NO_SUCH_ROOM")));
    assert_eq!((code(3, "createFilter"), code(4, "markRoomRead")), (None, Some("NO_SUCH_EVENT")));
    assert_eq!(code(5, "markRoomRead"), Some("NO_SUCH_EVENT"));
    assert_eq!(logged(data.path()), [1, 2, 3, 4, 5, 6]);
    assert_eq!(last_action(&alice), 6);
    assert_eq!(send(&alice), first);
    server.kill();
    let server = Server::start_with(data.path(), &PATIENT);
    assert_eq!(send(&alice.at(&server)), first);
    assert_eq!(logged(data.path()), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn an_action_id_is_seen_by_its_device_alone_on_every_path() {
    let data = tempdir().unwrap();
    let (server, alice, room) = start(data.path(), &HASTY);
    let (laptop, bob) = (laptop_of(&alice), Client::register(&server, "bob"));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    // The first account is the administrator: it must not see the numbers either.
    let (admin, carol) = (alice.clone(), bob.clone());
    let carols_laptop = laptop_of(&carol);
    let before = carol.position();
    let levels = json!({ "roomId": room, "powerLevels": { "users": [
        { "userId": carol.user_id, "level": 50 }] } });
    assert_eq!(alice.act("setPowerLevels", levels)["refusal"], Value::Null);
    for (number, name) in [(41, "first"), (42, "second")] {
        let input = json!({ "roomId": room, "name": name, "actionId": number });
        assert_eq!(carol.act("setRoomName", input)["refusal"], Value::Null);
    }
    let renamed =
        carol.act("setRoomName", json!({ "roomId": room, "name": "third", "actionId": 43 }));
    let named = renamed["event"]["eventId"].clone();
    let said = carol.act("sendMessage", message(&room, 44))["event"]["eventId"].clone();
    let seen_by = |client: &Client| {
        let (at, before) = (client.position(), &before);
        let document = "query($room: RoomID!, $named: EventID!, $said: EventID!, $after: Position!) {
            room(by: { roomId: $room }) { lastMessage { actionId }
                timeline(last: 3) { nodes { actionId pdu } } }
            event(eventId: $said) { id actionId pdu }
            named: event(eventId: $named) { actionId replaced { actionId } }
            initialSync { rooms { lastMessage { actionId } timeline(last: 3) { nodes { actionId } } } }
            events(after: $after) { events { ... on RoomEvent { actionId replaced { actionId } } } } }";
        let variables = json!({ "room": room, "named": named, "said": said, "after": before });
        let mut seen = client.run(document, &variables);
        let id = seen["event"]["id"].clone();
        let node = "query($id: ID!) { node(id: $id) { ... on RoomEvent { actionId pdu } } }";
        seen["node"] = client.run(node, &json!({ "id": id }))["node"].clone();
        let mut socket = client.socket();
        let follow = "subscription($after: Position) { eventStream(after: $after) { position
            events { ... on RoomEvent { eventId actionId replaced { actionId } } } } }";
        socket.subscribe("1", follow, &json!({ "after": before }));
        let mut stream = Vec::new();
        while stream.iter().all(|event: &Value| event["eventId"] != said) {
            let chunk = socket.receive()["payload"]["data"]["eventStream"].clone();
            stream.extend(chunk["events"].as_array().unwrap().clone());
        }
        seen["stream"] = json!(stream);
        assert!(!at.is_empty());
        seen
    };
    let own = seen_by(&carol);
    let paths = [
        "/room/lastMessage",
        "/room/timeline/nodes/0",
        "/room/timeline/nodes/2",
        "/event",
        "/named",
        "/named/replaced",
        "/initialSync/rooms/0/lastMessage",
        "/initialSync/rooms/0/timeline/nodes/1",
        "/node",
    ];
    for path in paths {
        let number = own.pointer(path).unwrap()["actionId"].as_i64();
        assert!(number.is_some_and(|number| (41..=44).contains(&number)), "{path}: {own}");
    }
    for items in [&own["events"]["events"], &own["stream"]] {
        let numbers: Vec<_> = items.as_array().unwrap().iter().map(|it| &it["actionId"]).collect();
        assert!(
            numbers.ends_with(&[&json!(41), &json!(42), &json!(43), &json!(44)]),
            "{numbers:?}"
        );
    }
    for other in [&carols_laptop, &admin, &laptop] {
        let text = seen_by(other).to_string();
        for number in 41..=44 {
            let numbered = format!("\"actionId\":{number}");
            assert!(!text.contains(&numbered), "{numbered} is shown to another device: {text}");
        }
        assert!(!text.contains("fingerprint"));
    }
    assert!(!own["event"]["pdu"].to_string().contains("action"), "{own}");
}

#[test]
fn mutations_of_one_document_have_to_be_in_the_order_of_their_numbers() {
    let data = tempdir().unwrap();
    let (_server, alice, room) = start(data.path(), &HASTY);
    let document = "mutation($first: SendMessageInput!, $second: SendMessageInput!) {
        first: sendMessage(input: $first) { refusal { code } }
        second: sendMessage(input: $second) { refusal { code } } }";
    let send = |first, second| {
        let inputs = json!({ "first": message(&room, first), "second": message(&room, second) });
        let answer = alice.run(document, &inputs);
        let code = |name: &str| answer[name]["refusal"]["code"].clone();
        (code("first"), code("second"))
    };
    assert_eq!(send(1, 2), (Value::Null, Value::Null));
    assert_eq!(send(4, 3), (Value::Null, json!("ACTION_TOO_LATE")));
}

#[test]
fn event_with_a_name_is_sent_once_from_all_devices_and_for_ever() {
    let data = tempdir().unwrap();
    let (server, alice, room) = start(data.path(), &HASTY);
    let named = |body: &str| json!({ "roomId": room, "body": body, "transactionId": "reply to 7" });
    let first = alice.act("sendMessage", named("hello"))["event"]["eventId"].clone();
    assert!(first.is_string());
    let send = |client: &Client, body: &str| {
        client.act("sendMessage", named(body))["event"]["eventId"].clone()
    };
    // At once, from another device, and in other words.
    thread::scope(|scope| {
        let laptop = laptop_of(&alice);
        let tries = (0..8).map(|_| {
            let (laptop, send) = (laptop.clone(), &send);
            scope.spawn(move || send(&laptop, "hello"))
        });
        for tried in tries.collect::<Vec<_>>() {
            assert_eq!(tried.join().unwrap(), first);
        }
    });
    assert_eq!(send(&alice, "something else"), first);
    // A name is one user's: in another room it is taken, and another user has names of their own.
    let other = alice.create_room(json!({}));
    let elsewhere = json!({ "roomId": other, "body": "hello", "transactionId": "reply to 7" });
    assert_eq!(alice.refused("sendMessage", elsewhere), "ACTION_ID_REUSED");
    let bob = Client::register(&server, "bob");
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    assert_ne!(send(&bob, "hello"), first);
    let event = |content: Value| {
        let input = json!({ "roomId": room, "type": "com.example.move", "content": content,
            "transactionId": "move 1" });
        alice.act("sendEvent", input)["event"]["eventId"].clone()
    };
    assert_eq!(event(json!({ "to": "e4" })), event(json!({ "to": "e4" })));
    server.kill();
    let server = Server::start_with(data.path(), &HASTY);
    let alice = alice.at(&server);
    assert_eq!(send(&alice, "hello"), first);
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) { timeline(last: 100) {
        nodes { ... on MessageEvent { text sender { userId } } } } } }";
    let found = alice.run(document, &json!({ "room": room }));
    let nodes = found["room"]["timeline"]["nodes"].as_array().unwrap().clone();
    let own = nodes.iter().filter(|event| event["sender"]["userId"] == alice.user_id);
    assert_eq!(own.filter(|event| event["text"] == "hello").count(), 1);
}

#[test]
fn name_of_an_event_is_neither_empty_nor_long_nor_beside_a_number() {
    let data = tempdir().unwrap();
    let (_server, alice, room) = start(data.path(), &HASTY);
    let send = |transaction: &str, number: Option<i64>| {
        let input = json!({ "roomId": room, "body": "hello", "transactionId": transaction,
            "actionId": number });
        alice.post(SEND, &json!({ "input": input })).body
    };
    for (transaction, number) in [("", None), (&*"n".repeat(256), None), ("name", Some(1))] {
        let answer = send(transaction, number);
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
    }
    assert!(send(&"n".repeat(255), None)["errors"].is_null());
}
