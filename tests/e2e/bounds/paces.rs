//! The rate of single kinds of actions: the server refuses a user beyond the rate, and other users notice nothing.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{client::Client, server::Server};

/// The burst of an action in these tests.
const AT_ONCE: usize = 5;

/// Checks that a user's action is refused beyond the burst, and that the same action of another user is not.
/// `act` gets the user, a room of theirs, a room of another user and a number; it returns the refusal.
fn is_paced(setting: &str, act: impl Fn(&Client, (&str, &str), usize) -> Value) {
    let data = tempdir().unwrap();
    let pace = format!("{AT_ONCE}+1/h");
    let server = Server::start_with(data.path(), &[&format!("--limits-rates-{setting}"), &pace]);
    let (alice, eve) = (Client::register(&server, "alice"), Client::register(&server, "eve"));
    let own = alice.create_room(json!({ "preset": "PUBLIC" }));
    let room = eve.create_room(json!({ "preset": "PUBLIC" }));
    for number in 0..AT_ONCE {
        assert_eq!(act(&eve, (&room, &own), number), Value::Null, "{setting}, number {number}");
    }
    for number in AT_ONCE..AT_ONCE + 2 {
        let refusal = act(&eve, (&room, &own), number);
        assert_eq!(refusal["code"], "RATE_LIMITED", "{setting}");
        let after = refusal["retryAfter"].as_i64();
        assert!(after.is_some_and(|after| (1..=3_600).contains(&after)), "{refusal}");
    }
    assert_eq!(
        act(&alice, (&own, &room), 0),
        Value::Null,
        "{setting}: another user is not refused"
    );
    alice.say(&own, "still here");
    eve.say(&room, "another kind of action");
}

fn refusal(user: &Client, mutation: &str, kind: &str, input: &Value) -> Value {
    let document = format!(
        "mutation($input: {kind}!) {{ {mutation}(input: $input) {{ refusal {{ code retryAfter }} }} }}"
    );
    user.run(&document, &json!({ "input": input }))[mutation]["refusal"].clone()
}

#[test]
fn changes_of_a_name_have_a_pace() {
    is_paced("profiles", |user, _, number| {
        let input = json!({ "displayName": format!("name {number}") });
        refusal(user, "setProfile", "SetProfileInput", &input)
    });
}

#[test]
fn joins_and_leaves_have_a_pace() {
    is_paced("memberships", |user, (_, room), number| {
        let input = json!({ "roomId": room });
        if number % 2 == 0 {
            refusal(user, "joinRoom", "JoinRoomInput", &json!({ "room": input }))
        } else {
            refusal(user, "leaveRoom", "LeaveRoomInput", &input)
        }
    });
}

#[test]
fn bans_of_users_who_do_not_exist_have_a_pace() {
    is_paced("memberships", |user, (room, _), number| {
        let input = json!({ "roomId": room, "userId": format!("@nobody{number}:localhost") });
        refusal(user, "banUser", "BanUserInput", &input)
    });
}

#[test]
fn state_of_new_keys_has_a_pace() {
    is_paced("state", |user, (room, _), number| {
        let input = json!({
            "roomId": room, "type": "com.example.board", "stateKey": number.to_string(), "content": {},
        });
        refusal(user, "setRoomState", "SetRoomStateInput", &input)
    });
}

#[test]
fn edits_of_one_message_have_a_pace() {
    // The message to edit counts as well.
    let data = tempdir().unwrap();
    let pace = format!("{}+1/h", AT_ONCE + 1);
    let server = Server::start_with(data.path(), &["--limits-rates-messages", &pace]);
    let (alice, eve) = (Client::register(&server, "alice"), Client::register(&server, "eve"));
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    eve.act("joinRoom", json!({ "room": { "roomId": room } }));
    let event = eve.say(&room, "first");
    let edit = |number: usize| {
        let input = json!({ "roomId": room, "body": format!("edit {number}"), "edits": event });
        refusal(&eve, "sendMessage", "SendMessageInput", &input)
    };
    for number in 0..AT_ONCE {
        assert_eq!(edit(number), Value::Null, "edit {number}");
    }
    assert_eq!(edit(AT_ONCE)["code"], "RATE_LIMITED");
    alice.say(&room, "still here");
}
