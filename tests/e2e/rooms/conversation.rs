//! Conversations: messages reach the users who may see them, and nobody else.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    server::{Server, eventually},
};

fn is_text(item: &Value, text: &str) -> bool {
    item["__typename"] == "MessageEvent" && item["text"] == text
}

#[test]
fn what_one_says_the_other_hears_at_once() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bob = Client::register(&server, "bob");
    let room = alice.create_room(json!({ "name": "Tea", "invite": [bob.user_id] }));
    let mut stream = bob.follow(None);
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let opened = stream.until(|item| item["__typename"] == "RoomOpened");
    assert_eq!(opened["room"]["roomId"], room.as_str());
    let said = alice.say(&room, "hello Bob");
    let heard = stream.until(|item| is_text(item, "hello Bob"));
    assert_eq!(heard["eventId"], said.as_str());
}

#[test]
fn delivery_ends_with_the_kick() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bob = Client::register(&server, "bob");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let other = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    bob.act("joinRoom", json!({ "room": { "roomId": other } }));
    let mut stream = bob.follow(None);
    alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
    alice.say(&room, "he is gone");
    alice.say(&other, "are you there?");
    let mut seen = Vec::new();
    stream.until(|item| {
        seen.push(item["text"].clone());
        is_text(item, "are you there?")
    });
    assert!(!seen.contains(&json!("he is gone")), "{seen:?}");
}

#[test]
fn the_kick_itself_and_the_closing_are_delivered() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bob = Client::register(&server, "bob");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let mut stream = bob.follow(None);
    alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
    let kick = stream.until(|item| item["__typename"] == "MemberEvent");
    assert_eq!(kick["type"], "m.room.member");
    let mut again = bob.follow(None);
    alice.act("banUser", json!({ "roomId": room, "userId": bob.user_id }));
    let closed = again.until(|item| item["__typename"] == "RoomClosed");
    assert_eq!(closed["closingReason"], "BANNED");
}

#[test]
fn logging_out_closes_the_socket() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let mut stream = alice.follow(None);
    alice.run("mutation { logOut(input: {}) { devices } }", &json!({}));
    // The stream does not report its own end first.
    assert_eq!(stream.chunk(), Err(4403));
}

#[test]
fn a_private_room_and_no_room_give_the_same_answers() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let eve = Client::register(&server, "eve");
    let private = alice.create_room(json!({ "name": "Secret" }));
    let nowhere = format!("!{}", "A".repeat(43));
    let document = "query($id: RoomID!) { room(by: { roomId: $id }) { name memberCount } }";
    let look = |room: &str| eve.run(document, &json!({ "id": room }));
    assert_eq!(look(&private), look(&nowhere));
    let sent = |room: &str| eve.act("sendMessage", json!({ "roomId": room, "body": "x" }));
    assert_eq!(sent(&private), sent(&nowhere));
    let joined = |room: &str| eve.act("joinRoom", json!({ "room": { "roomId": room } }));
    assert_eq!(joined(&private), joined(&nowhere));
}

#[test]
fn a_retried_action_is_one_event_also_after_a_restart() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "name": "Once" }));
    let input = json!({ "roomId": room, "body": "only once", "actionId": 7 });
    let first = alice.act("sendMessage", input.clone());
    assert_eq!(alice.act("sendMessage", input.clone()), first);
    server.kill();
    let server = Server::start(data.path());
    assert_eq!(alice.at(&server).act("sendMessage", input), first);
}

#[test]
fn a_new_name_reaches_every_room_of_the_user() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bob = Client::register(&server, "bob");
    let rooms = ["One", "Two"].map(|name| {
        let room = alice.create_room(json!({ "name": name, "preset": "PUBLIC" }));
        bob.act("joinRoom", json!({ "room": { "roomId": room } }));
        room
    });
    let document = "mutation($input: SetProfileInput!) { setProfile(input: $input) { position } }";
    bob.run(document, &json!({ "input": { "displayName": "Robert" } }));
    for room in rooms {
        let document = "query($id: RoomID!, $user: UserID!) {
            room(by: { roomId: $id }) { member(userId: $user) { displayName } } }";
        // After the answer.
        eventually("the room is told", || {
            let variables = json!({ "id": room, "user": bob.user_id });
            alice.run(document, &variables)["room"]["member"]["displayName"] == "Robert"
        });
    }
}

#[test]
fn a_name_that_was_answered_reaches_every_room_after_a_kill() {
    const ROOMS: usize = 60;
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let rooms: Vec<_> = (0..ROOMS).map(|_| alice.create_room(json!({}))).collect();
    let rename = "mutation { setProfile(input: { displayName: \"Alicia\" }) { refusal { code } } }";
    alice.run(rename, &json!({}));
    server.kill();
    let server = Server::start(data.path());
    let alice = alice.at(&server);
    for room in &rooms {
        let document = "query($id: RoomID!, $user: UserID!) {
            room(by: { roomId: $id }) { member(userId: $user) { displayName } } }";
        eventually("the room is told", || {
            let variables = json!({ "id": room, "user": alice.user_id });
            alice.run(document, &variables)["room"]["member"]["displayName"] == "Alicia"
        });
    }
}
