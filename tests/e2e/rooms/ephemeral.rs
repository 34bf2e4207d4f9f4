//! Typing and presence from outside: the audience of each change, and its end.

use serde_json::{Value, json};

use crate::{
    client::{Client, Socket, two},
    server::Server,
};

const STREAM: &str = "subscription($after: Position, $filter: FilterBy) {
    eventStream(after: $after, filter: $filter) {
        position
        events { __typename ... on RoomEvent { text } }
        ephemeral {
            __typename
            ... on TypingChanged { room { roomId } users { nodes { userId } } }
            ... on PresenceChanged { userId presence statusMessage lastActiveAt }
        } } }";

/// The argument for a filter that is written out, if there is one.
fn by(filter: &Value) -> Value {
    if filter.is_null() { Value::Null } else { json!({ "conditions": filter }) }
}

/// A stream with typing and presence.
struct Ears(Socket);

impl Ears {
    fn of(client: &Client) -> Self {
        Self::with(client, &Value::Null)
    }

    fn with(client: &Client, filter: &Value) -> Self {
        let mut socket = client.socket();
        socket.subscribe("1", STREAM, &json!({ "after": client.position(), "filter": by(filter) }));
        Self(socket)
    }

    fn chunk(&mut self) -> Value {
        let message = self.0.receive();
        assert_eq!(message["type"], "next", "{message}");
        assert_eq!(message["payload"].get("errors"), None, "{message}");
        message["payload"]["data"]["eventStream"].clone()
    }

    /// The next ephemeral item that fits.
    fn until(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let chunk = self.chunk();
            let mut items = chunk["ephemeral"].as_array().unwrap().iter();
            if let Some(item) = items.find(|item| fits(item)) {
                return item.clone();
            }
        }
    }

    fn until_typing(&mut self, room: &str, users: &[&Client]) {
        let users: Vec<_> = users.iter().map(|user| json!({ "userId": user.user_id })).collect();
        self.until(|item| item["room"]["roomId"] == room && item["users"]["nodes"] == json!(users));
    }

    fn until_presence(&mut self, user: &Client, presence: &str) -> Value {
        self.until(|item| item["userId"] == user.user_id && item["presence"] == presence)
    }

    /// All ephemeral items until a message with this text.
    fn all_until_text(&mut self, text: &str) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let chunk = self.chunk();
            items.extend(chunk["ephemeral"].as_array().unwrap().clone());
            if chunk["events"].as_array().unwrap().iter().any(|event| event["text"] == text) {
                return items;
            }
        }
    }
}

fn set_typing(client: &Client, room: &str, typing: bool) -> Value {
    let document = "mutation($input: SetTypingInput!) { setTyping(input: $input) {
        room { typing { nodes { userId } } } refusal { code } } }";
    let input = json!({ "roomId": room, "isTyping": typing });
    client.run(document, &json!({ "input": input }))["setTyping"].clone()
}

fn set_presence(client: &Client, presence: &str, status: &str) {
    let document = "mutation($input: SetPresenceInput!) { setPresence(input: $input) {
        user { userId } } }";
    let input = json!({ "presence": presence, "statusMessage": status });
    client.run(document, &json!({ "input": input }));
}

fn typing(client: &Client, room: &str) -> Value {
    let document =
        "query($room: RoomID!) { room(by: { roomId: $room }) { typing { nodes { userId } } } }";
    client.run(document, &json!({ "room": room }))["room"]["typing"]["nodes"].clone()
}

fn presence(client: &Client, user: &Client) -> Value {
    let document = "query($user: UserID!) { user(userId: $user) { presence { presence } } }";
    client.run(document, &json!({ "user": user.user_id }))["user"]["presence"].clone()
}

#[test]
fn typing_appears_and_ends_with_the_connection_and_leaves_the_log_alone() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let mut ears = Ears::of(&bob);
    let socket = alice.socket();
    let before = alice.position();
    let payload = set_typing(&alice, &room, true);
    assert_eq!(payload["room"]["typing"]["nodes"], json!([{ "userId": alice.user_id }]));
    ears.until_typing(&room, &[&alice]);
    assert_eq!(typing(&bob, &room), json!([{ "userId": alice.user_id }]));
    drop(socket);
    ears.until_typing(&room, &[]);
    assert_eq!(typing(&bob, &room), json!([]));
    set_presence(&alice, "UNAVAILABLE", "in the garden");
    ears.until_presence(&alice, "UNAVAILABLE");
    assert_eq!(alice.position(), before, "nothing of it is in the log");
}

#[test]
fn typing_ends_with_the_message_and_with_the_kick() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let mut ears = Ears::of(&alice);
    set_typing(&bob, &room, true);
    ears.until_typing(&room, &[&bob]);
    bob.say(&room, "there it is");
    ears.until_typing(&room, &[]);
    set_typing(&bob, &room, true);
    ears.until_typing(&room, &[&bob]);
    alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
    ears.until_typing(&room, &[]);
    assert_eq!(set_typing(&bob, &room, true)["refusal"]["code"], "NOT_A_MEMBER");
    set_typing(&alice, &room, true);
    assert_eq!(typing(&bob, &room), json!([]), "who was kicked sees nobody type");
}

#[test]
fn presence_is_the_best_of_two_devices_and_ends_with_the_last() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _) = two(&server);
    let login = alice.log_in("correct horse");
    let token = login["token"].as_str().unwrap();
    let phone = Client::with_token(&server, "alice", token);
    let mut ears = Ears::of(&bob);
    let laptop_socket = alice.socket();
    ears.until_presence(&alice, "ONLINE");
    let phone_socket = phone.socket();
    set_presence(&alice, "UNAVAILABLE", "busy");
    set_presence(&phone, "UNAVAILABLE", "on the train");
    let shown = ears.until_presence(&alice, "UNAVAILABLE");
    assert_ne!(shown["lastActiveAt"], Value::Null);
    set_presence(&phone, "ONLINE", "back");
    let shown = ears.until_presence(&alice, "ONLINE");
    assert_eq!(shown["statusMessage"], "back");
    drop(phone_socket);
    let shown = ears.until_presence(&alice, "UNAVAILABLE");
    assert_eq!(shown["statusMessage"], "busy");
    drop(laptop_socket);
    ears.until_presence(&alice, "OFFLINE");
    assert_eq!(presence(&bob, &alice)["presence"], "OFFLINE");
}

#[test]
fn strangers_learn_nothing_of_typing_and_presence() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let carol = Client::register(&server, "carol");
    let own = carol.create_room(json!({}));
    let filter = json!({ "presenceOf": [alice.user_id, bob.user_id, carol.user_id] });
    let mut ears = Ears::with(&carol, &filter);
    let _socket = alice.socket();
    set_typing(&alice, &room, true);
    set_presence(&bob, "UNAVAILABLE", "away");
    carol.say(&own, "done");
    let told = ears.all_until_text("done");
    assert!(told.iter().all(|item| item["userId"] == carol.user_id), "{told:?}");
    assert_eq!(presence(&carol, &alice), Value::Null);
    assert_eq!(typing(&carol, &room), json!([]), "the room is open, but she is not in it");
    assert_eq!(set_typing(&carol, &room, true)["refusal"]["code"], "NOT_A_MEMBER");
    let private = alice.create_room(json!({}));
    assert_eq!(set_typing(&carol, &private, true)["refusal"]["code"], "NO_SUCH_ROOM");
}

#[test]
fn a_stream_that_opens_and_a_poll_tell_what_holds() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let _socket = alice.socket();
    set_typing(&alice, &room, true);
    let items = Ears::of(&bob).chunk()["ephemeral"].as_array().unwrap().clone();
    assert!(
        items.iter().any(|item| item["users"]["nodes"] == json!([{ "userId": alice.user_id }]))
    );
    assert!(
        items.iter().any(|item| item["userId"] == alice.user_id && item["presence"] == "ONLINE")
    );
    let document = "query($after: Position!, $filter: FilterBy) {
        events(after: $after, filter: $filter) { ephemeral { __typename
            ... on TypingChanged { users { nodes { userId } } } } } }";
    let poll = |filter: Value| {
        let variables = json!({ "after": bob.position(), "filter": by(&filter) });
        bob.run(document, &variables)["events"]["ephemeral"].clone()
    };
    let typing = json!([{ "__typename": "TypingChanged", "users": { "nodes": [{ "userId": alice.user_id }] } }]);
    assert_eq!(poll(json!({ "ephemeral": ["TYPING"] })), typing);
    assert_eq!(poll(json!({ "ephemeral": ["PRESENCE"], "presenceOf": [] })), json!([]));
}

#[test]
fn who_asks_for_nonsense_is_told_what_is_wrong() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, _, room) = two(&server);
    let typing =
        "mutation($input: SetTypingInput!) { setTyping(input: $input) { refusal { code } } }";
    for seconds in [0, 121] {
        let input = json!({ "roomId": room, "isTyping": true, "timeoutSeconds": seconds });
        assert_eq!(alice.fail(typing, &json!({ "input": input })), "BAD_USER_INPUT");
    }
    let presence =
        "mutation($input: SetPresenceInput!) { setPresence(input: $input) { user { userId } } }";
    let input = json!({ "presence": "ONLINE", "statusMessage": "x".repeat(257) });
    assert_eq!(alice.fail(presence, &json!({ "input": input })), "BAD_USER_INPUT");
}

#[test]
fn typing_ends_with_the_session_of_its_device() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--registration", "open"]);
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let typing = || {
        let document =
            "query($room: RoomID!) { room(by: { roomId: $room }) { typing { nodes { userId } } } }";
        alice.run(document, &json!({ "room": room }))["room"]["typing"]["nodes"].clone()
    };
    let ways =
        ["removed", "logged out", "everywhere", "again", "password", "deactivated", "expired"];
    for (number, way) in ways.into_iter().enumerate() {
        let name = format!("bob{number}");
        let bob = Client::register(&server, &name);
        bob.act("joinRoom", json!({ "room": { "roomId": room } }));
        let lifetime = if way == "expired" { "2s" } else { "1h" };
        let line = ["user", "token", &*name, "--lifetime", lifetime];
        let token = crate::server::succeed(data.path(), &line, "");
        let lost = Client::with_token(&server, &name, &token);
        let device = lost.run("{ viewer { device { deviceId } } }", &json!({}));
        let device = device["viewer"]["device"]["deviceId"].clone();
        assert_eq!(set_typing(&lost, &room, true)["refusal"], Value::Null, "{way}");
        assert_eq!(typing(), json!([{ "userId": bob.user_id }]), "{way}");
        let operator = |arguments: &[&str], input: &str| {
            crate::server::succeed(data.path(), arguments, input);
        };
        let document =
            "mutation($device: ID!) { removeDevice(input: { deviceId: $device }) { deviceId } }";
        let again = "mutation($input: LogInInput!) { logIn(input: $input) { token } }";
        match way {
            "removed" => drop(bob.run(document, &json!({ "device": device }))),
            "logged out" => {
                drop(lost.run("mutation { logOut(input: {}) { devices } }", &json!({})));
            }
            "everywhere" => {
                let all = "mutation { logOut(input: { everywhere: true }) { devices } }";
                bob.run(all, &json!({}));
            }
            "again" => {
                let input =
                    json!({ "username": name, "password": "correct horse", "deviceId": device });
                let answer = bob.nobody().run(again, &json!({ "input": input }));
                assert!(answer["logIn"]["token"].is_string(), "{answer}");
            }
            "password" => operator(&["user", "set-password", &name], "another horse\n"),
            "deactivated" => operator(&["user", "deactivate", &name, "--yes"], ""),
            _ => crate::server::eventually("the token expires", || typing() == json!([])),
        }
        assert_eq!(typing(), json!([]), "{way}");
    }
}
