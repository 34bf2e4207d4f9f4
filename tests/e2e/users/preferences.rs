//! Preferences for rooms: seen by their user alone, on all of the user's devices.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, Socket, two},
    server::{Server, run},
};

fn prefer(client: &Client, input: &Value) -> Value {
    let document = "mutation($input: SetRoomPreferencesInput!) {
        setRoomPreferences(input: $input) {
            room { preferences { notifications isFavourite isDirect } notificationCount }
            position refusal { code field } } }";
    client.run(document, &json!({ "input": input }))["setRoomPreferences"].clone()
}

fn preferences(client: &Client, room: &str) -> Value {
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) {
        preferences { notifications isFavourite isDirect } } }";
    client.run(document, &json!({ "room": room }))["room"]["preferences"].clone()
}

/// Unread messages, notifications and highlights, which have to be equal on the room and the home
/// screen.
fn counts(client: &Client, room: &str) -> [u64; 3] {
    let document = "query($room: RoomID!) {
        room(by: { roomId: $room }) { ...counts } initialSync { rooms { roomId ...counts } } }
        fragment counts on Room { unreadCount notificationCount highlightCount }";
    let answer = client.run(document, &json!({ "room": room }));
    let of = |room: &Value| {
        ["unreadCount", "notificationCount", "highlightCount"].map(|it| room[it].as_u64().unwrap())
    };
    let rooms = answer["initialSync"]["rooms"].as_array().unwrap();
    let home = rooms.iter().find(|other| other["roomId"] == room).unwrap();
    assert_eq!(of(home), of(&answer["room"]));
    of(home)
}

fn favourites(client: &Client, first: u32, after: Option<&str>) -> (Vec<String>, Option<String>) {
    let document = "query($first: Int, $after: String) { viewer {
        favouriteRooms(first: $first, after: $after) {
            nodes { roomId } pageInfo { hasNextPage endCursor } } } }";
    let answer = client.run(document, &json!({ "first": first, "after": after }));
    let page = &answer["viewer"]["favouriteRooms"];
    let rooms = page["nodes"].as_array().unwrap().iter();
    let rooms = rooms.map(|room| room["roomId"].as_str().unwrap().to_owned()).collect();
    let info = &page["pageInfo"];
    let next = info["endCursor"].as_str().filter(|_| info["hasNextPage"] == true);
    (rooms, next.map(ToOwned::to_owned))
}

fn follow(client: &Client, after: &str, filter: &Value) -> Socket {
    let document = "subscription($after: Position!, $filter: FilterBy) {
        eventStream(after: $after, filter: $filter) { events { __typename
            ... on RoomEvent { text }
            ... on RoomPreferencesChanged { room { roomId preferences { isFavourite } } } } } }";
    let mut socket = client.socket();
    socket.subscribe("1", document, &json!({ "after": after, "filter": filter }));
    socket
}

#[test]
fn preferences_for_a_room_are_their_users_own_and_survive_a_restart_and_a_rebuild() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let none = json!({ "notifications": "ALL", "isFavourite": false, "isDirect": false });
    assert_eq!(preferences(&bob, &room), none);
    let input = json!({ "roomId": room, "notifications": "NONE", "isDirect": true, "actionId": 1 });
    let first = prefer(&bob, &input);
    let muted = json!({ "notifications": "NONE", "isFavourite": false, "isDirect": true });
    assert_eq!((&first["refusal"], &first["room"]["preferences"]), (&Value::Null, &muted));
    prefer(&bob, &json!({ "roomId": room, "isFavourite": true, "actionId": 2 }));
    assert_eq!(prefer(&bob, &input)["position"], first["position"], "a retry has the first result");
    let all = json!({ "notifications": "NONE", "isFavourite": true, "isDirect": true });
    assert_eq!((preferences(&bob, &room), preferences(&alice, &room)), (all.clone(), none));
    assert!(server.stop().success());
    let server = Server::start(data.path());
    assert_eq!(preferences(&bob.at(&server), &room), all);
    assert!(server.stop().success());
    assert!(run(data.path(), &["rebuild"], "").success);
    let server = Server::start(data.path());
    assert_eq!(preferences(&bob.at(&server), &room), all);
}

#[test]
fn preferences_need_a_room_that_one_may_know_of() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _) = two(&server);
    let secret = alice.create_room(json!({ "preset": "PRIVATE" }));
    for room in [secret.as_str(), "!nowhere:localhost"] {
        let refused = prefer(&bob, &json!({ "roomId": room, "isFavourite": true }));
        let refusal = json!({ "code": "NO_SUCH_ROOM", "field": "roomId" });
        assert_eq!((&refused["refusal"], &refused["room"]), (&refusal, &Value::Null));
    }
    alice.act("inviteUser", json!({ "roomId": secret, "userId": bob.user_id }));
    let direct = prefer(&bob, &json!({ "roomId": secret, "isDirect": true }));
    assert_eq!(direct["refusal"], Value::Null, "an invited user may");
}

#[test]
fn notifications_of_a_room_decide_about_its_counts() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    for text in ["hello", "Bob, are you there?", "bobsled"] {
        alice.say(&room, text);
    }
    assert_eq!(counts(&bob, &room), [3, 3, 1]);
    for (notifications, expected) in
        [("MENTIONS", [3, 1, 1]), ("NONE", [3, 0, 0]), ("ALL", [3, 3, 1])]
    {
        let answer = prefer(&bob, &json!({ "roomId": room, "notifications": notifications }));
        assert_eq!(answer["room"]["notificationCount"], expected[1], "in the answer");
        assert_eq!(counts(&bob, &room), expected, "{notifications}");
    }
}

#[test]
fn other_devices_are_told_of_preferences_and_other_users_are_not() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let login = bob.log_in("correct horse");
    let phone = bob.on_device(login["token"].as_str().unwrap());
    let start = alice.position();
    let all = Value::Null;
    let (mut own, mut others) = (follow(&phone, &start, &all), follow(&alice, &start, &all));
    let not_here = json!({ "conditions": { "notRooms": [room] } });
    let mut filtered = follow(&phone, &start, &not_here);
    let other = bob.create_room(json!({ "preset": "PUBLIC" }));
    prefer(&bob, &json!({ "roomId": room, "isFavourite": true }));
    for room in [&room, &other] {
        bob.say(room, "done");
    }
    let changed = |items: &[Value]| -> Vec<Value> {
        let changed = items.iter().filter(|it| it["__typename"] == "RoomPreferencesChanged");
        changed.map(|item| item["room"].clone()).collect()
    };
    let expected = json!({ "roomId": room, "preferences": { "isFavourite": true } });
    assert_eq!(changed(&own.items_until("done")), [expected]);
    assert_eq!(changed(&others.items_until("done")), [Value::Null; 0]);
    assert_eq!(changed(&filtered.items_until("done")), [Value::Null; 0], "it excludes the room");
}

#[test]
fn favourite_rooms_have_pages_by_activity() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let bob = Client::register(&server, "bob");
    let rooms: Vec<String> =
        (0..4).map(|_| bob.create_room(json!({ "preset": "PUBLIC" }))).collect();
    for room in &rooms[..3] {
        prefer(&bob, &json!({ "roomId": room, "isFavourite": true }));
    }
    bob.say(&rooms[0], "the latest");
    let (first, next) = favourites(&bob, 2, None);
    assert_eq!(first, [rooms[0].clone(), rooms[2].clone()]);
    let (second, next) = favourites(&bob, 2, Some(&next.unwrap()));
    assert_eq!((second, next), (vec![rooms[1].clone()], None));
    bob.act("leaveRoom", json!({ "roomId": rooms[2] }));
    assert_eq!(favourites(&bob, 5, None).0, [rooms[0].clone(), rooms[1].clone()], "joined ones");
}
