//! Each event has the fields of its type, on every path; and a client that knows no types reads on.

use serde_json::{Value, json};

use crate::{
    client::{Client, two},
    server::Server,
};

const TYPED: &str = "__typename type content
    ... on MessageEvent { kind body formattedBody threadRoot edits
        mentions { isRoom userIds users(first: 1) { nodes { userId } pageInfo { hasNextPage } } } }
    ... on ReactionEvent { key reactsTo }
    ... on RedactionEvent { redacts reason }
    ... on MemberEvent { userId membership displayName isDirect memberReason: reason }
    ... on RoomNameEvent { name }
    ... on TopicEvent { topic }
    ... on AvatarEvent { avatarUrl }
    ... on AliasEvent { canonical alternative }
    ... on JoinRulesEvent { joinRule allowedRooms }
    ... on HistoryVisibilityEvent { visibility }
    ... on PowerLevelsEvent { powerLevels { LEVELS } }
    ... on CreateEvent { version roomType predecessor }
    ... on TombstoneEvent { replacedBy }";

const LEVELS: &str = "usersDefault eventsDefault stateDefault invite kick ban redact
    users(first: 1) { nodes { userId level user { userId } } pageInfo { hasNextPage endCursor } }
    events { nodes { type level } }";

fn typed() -> String {
    TYPED.replace("LEVELS", LEVELS)
}

fn event_of(answer: &Value) -> String {
    answer["event"]["eventId"].as_str().unwrap().to_owned()
}

fn timeline(client: &Client, room: &str) -> Vec<Value> {
    let document = format!(
        "query($room: RoomID!) {{ room(by: {{ roomId: $room }}) {{ timeline(last: 100) {{ nodes {{ {} }} }} }} }}",
        typed()
    );
    let answer = client.run(&document, &json!({ "room": room }));
    answer["room"]["timeline"]["nodes"].as_array().unwrap().clone()
}

/// The last event of a type.
fn last<'a>(events: &'a [Value], name: &str) -> &'a Value {
    let found = events.iter().rfind(|event| event["__typename"] == name);
    found.unwrap_or_else(|| panic!("no {name} among {events:#?}"))
}

#[test]
fn every_event_has_the_fields_of_its_type() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let start = alice.position();
    let act = |name: &str, rest: Value| {
        let mut input = json!({ "roomId": room });
        input.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        alice.act(name, input)
    };
    act("setRoomName", json!({ "name": "The Tower" }));
    act("setRoomTopic", json!({ "topic": "Ravens" }));
    act("setRoomAvatar", json!({ "avatarUrl": "mxc://localhost/tower" }));
    act(
        "setRoomAliases",
        json!({ "canonical": "#tower:localhost", "alternative": ["#t:localhost"] }),
    );
    act("setJoinRule", json!({ "joinRule": { "kind": "RESTRICTED", "allowedRooms": [room] } }));
    act("setJoinRule", json!({ "joinRule": { "kind": "KNOCK" } }));
    act("setHistoryVisibility", json!({ "visibility": "JOINED" }));
    act(
        "setPowerLevels",
        json!({ "powerLevels": {
        "users": [{ "userId": bob.user_id, "level": 7 }, { "userId": "@zoe:localhost", "level": 3 }],
        "events": [{ "type": "m.room.topic", "level": 9 }], "kick": 51 } }),
    );
    let begun = event_of(&act("sendMessage", json!({ "body": "Nevermore" })));
    act(
        "sendMessage",
        json!({ "body": "quoth", "formattedBody": "<b>quoth</b>", "kind": "EMOTE",
            "threadRoot": begun, "mentions": { "userIds": [bob.user_id, alice.user_id], "isRoom": true } }),
    );
    act("addReaction", json!({ "eventId": begun, "key": "+" }));
    act("sendEvent", json!({ "type": "com.example.move", "content": { "to": "e4" } }));
    bob.act("leaveRoom", json!({ "roomId": room, "reason": "late" }));
    let gone = event_of(&act("sendMessage", json!({ "body": "secret" })));
    act("redactEvent", json!({ "eventId": gone, "reason": "slip" }));

    let events = timeline(&alice, &room);
    let fits = |name: &str, expected: Value| {
        let event = last(&events, name);
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&event[key], value, "{key} of {event:#}");
        }
    };
    fits("RoomNameEvent", json!({ "type": "m.room.name", "name": "The Tower" }));
    fits("TopicEvent", json!({ "topic": "Ravens" }));
    fits("AvatarEvent", json!({ "avatarUrl": "mxc://localhost/tower" }));
    fits("AliasEvent", json!({ "canonical": "#tower:localhost", "alternative": ["#t:localhost"] }));
    fits("JoinRulesEvent", json!({ "joinRule": "KNOCK", "allowedRooms": [] }));
    fits("HistoryVisibilityEvent", json!({ "visibility": "JOINED" }));
    fits("ReactionEvent", json!({ "key": "+", "reactsTo": begun }));
    fits("RedactionEvent", json!({ "redacts": gone, "reason": "slip" }));
    fits("CreateEvent", json!({ "version": "12", "roomType": null, "predecessor": null }));
    fits("OtherEvent", json!({ "type": "com.example.move", "content": { "to": "e4" } }));
    let left = json!({ "userId": bob.user_id, "membership": "LEAVE", "memberReason": "late",
        "isDirect": false });
    fits("MemberEvent", left);
    fits("MessageEvent", json!({ "kind": null, "body": null, "mentions": null, "content": {} }));
    let quoth = events.iter().find(|event| event["body"] == "quoth").unwrap();
    assert_eq!(quoth["formattedBody"], "<b>quoth</b>");
    assert_eq!((&quoth["kind"], &quoth["threadRoot"]), (&json!("EMOTE"), &json!(begun)));
    let mentions = &quoth["mentions"];
    assert_eq!(mentions["isRoom"], true);
    assert_eq!(mentions["userIds"].as_array().unwrap().len(), 2);
    assert_eq!(mentions["users"]["nodes"].as_array().unwrap().len(), 1);
    assert_eq!(mentions["users"]["pageInfo"]["hasNextPage"], true);
    let levels = &last(&events, "PowerLevelsEvent")["powerLevels"];
    assert_eq!((&levels["kick"], &levels["ban"]), (&json!(51), &json!(50)));
    let first = json!([{ "userId": bob.user_id, "level": 7, "user": { "userId": bob.user_id } }]);
    assert_eq!(levels["users"]["nodes"], first);
    assert_eq!(levels["users"]["pageInfo"]["hasNextPage"], true);
    let topics = json!({ "type": "m.room.topic", "level": 9 });
    assert!(levels["events"]["nodes"].as_array().unwrap().contains(&topics), "{levels:#}");

    // The stream and the timeline agree.
    let document = format!(
        "query($after: Position!) {{ events(after: $after) {{ events {{ __typename
            ... on RoomEvent {{ {} }} }} }} }}",
        typed()
    );
    let streamed = alice.run(&document, &json!({ "after": start }))["events"]["events"].clone();
    let streamed = streamed.as_array().unwrap();
    assert_eq!(streamed[..], events[events.len() - streamed.len()..]);
}

#[test]
fn a_room_has_its_power_levels_in_typed_form() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let change = json!({ "roomId": room, "powerLevels": { "redact": 4_294_967_296_u64,
        "users": [{ "userId": bob.user_id, "level": 7 }, { "userId": "@zoe:localhost", "level": 3 }] } });
    alice.act("setPowerLevels", change);
    let document = "query($room: RoomID!, $after: String) { room(by: { roomId: $room }) { powerLevels { redact
        users(first: 1, after: $after) { nodes { userId level } pageInfo { hasNextPage endCursor } } } } }";
    let levels = |client: &Client, after: Value| {
        let answer = client.run(document, &json!({ "room": room, "after": after }));
        answer["room"]["powerLevels"].clone()
    };
    let first = levels(&bob, Value::Null);
    assert_eq!(first["redact"], 4_294_967_296_u64);
    assert_eq!(first["users"]["nodes"], json!([{ "userId": bob.user_id, "level": 7 }]));
    let second = levels(&bob, first["users"]["pageInfo"]["endCursor"].clone());
    assert_eq!(second["users"]["nodes"], json!([{ "userId": "@zoe:localhost", "level": 3 }]));
    assert_eq!(second["users"]["pageInfo"]["hasNextPage"], false);
    let stranger = Client::register(&server, "carol");
    assert_eq!(levels(&stranger, Value::Null), Value::Null, "only members and readers see them");
}

#[test]
fn a_client_that_asks_for_nothing_but_the_interface_reads_every_event() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let start = bob.position();
    alice.say(&room, "hello");
    alice.act("setRoomName", json!({ "roomId": room, "name": "The Tower" }));
    let document = "query($after: Position!) { events(after: $after) { events { ... on RoomEvent {
        id eventId type text content pdu sequence } } } }";
    let told = bob.run(document, &json!({ "after": start }))["events"]["events"].clone();
    assert_eq!((&told[0]["text"], &told[1]["type"]), (&json!("hello"), &json!("m.room.name")));
    let node = "query($id: ID!) { node(id: $id) { __typename id ... on RoomEvent { eventId }
        ... on MessageEvent { body } } }";
    let node = bob.run(node, &json!({ "id": told[0]["id"] }))["node"].clone();
    assert_eq!((&node["__typename"], &node["body"]), (&json!("MessageEvent"), &json!("hello")));
    assert_eq!((&node["id"], &node["eventId"]), (&told[0]["id"], &told[0]["eventId"]));
}
