//! The visibility of typing and presence.
//!
//! The rules: current members of a room see who is typing in it; users who currently share any room
//! see each other's presence.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::{Value, json};

use super::checks::Checks;
use crate::{client::Client, oracle::expect};

/// Most rooms in which a device can type at once.
const TYPING_ROOMS: usize = 10;

impl Checks<'_> {
    /// The rooms that a user is in, by ID.
    fn rooms_of(&self, user: &str) -> BTreeSet<&str> {
        let rooms = self.played.iter().zip(self.logs);
        let inside = rooms.filter(|(_, log)| expect(log, user).membership == "join");
        inside.map(|(played, _)| &*played.room).collect()
    }

    /// Dora is online and types in some rooms. The stranger is in none.
    pub(super) fn present(&self, dora: &Client, stranger: &Client) {
        let _socket = dora.socket();
        let rooms = &self.played[self.played.len().saturating_sub(TYPING_ROOMS)..];
        let rooms: Vec<_> = rooms.iter().map(|played| &*played.room).collect();
        for room in &rooms {
            let document = "mutation($input: SetTypingInput!) { setTyping(input: $input) { refusal { code } } }";
            let input = json!({ "roomId": room, "isTyping": true, "timeoutSeconds": 120 });
            let payload = dora.run(document, &json!({ "input": input }))["setTyping"].clone();
            assert_eq!(payload["refusal"], Value::Null);
        }
        let users: Vec<_> = self.viewers.iter().chain([self.alice, dora, stranger]).collect();
        let of: BTreeMap<_, _> =
            users.iter().map(|user| (&*user.user_id, self.rooms_of(&user.user_id))).collect();
        for viewer in self.viewers.iter().chain([stranger]) {
            let inside = &of[&*viewer.user_id];
            typing(viewer, dora, &rooms, inside);
            let is_near = |user: &str| user == viewer.user_id || !inside.is_disjoint(&of[user]);
            let near: BTreeSet<_> = of.keys().copied().filter(|user| is_near(user)).collect();
            presence(viewer, &users, &near);
            told(viewer, dora, &rooms, inside, &near);
        }
    }
}

/// The typing users, by a query of each room.
fn typing(viewer: &Client, dora: &Client, rooms: &[&str], inside: &BTreeSet<&str>) {
    for room in rooms {
        let document = "query($room: RoomID!, $dora: UserID!) { room(by: { roomId: $room }) {
            typing { nodes { userId } } member(userId: $dora) { isTyping }
            members(first: 100) { nodes { userId isTyping } } } }";
        let variables = json!({ "room": room, "dora": dora.user_id });
        let shown = viewer.run(document, &variables)["room"].clone();
        let (hint, is_inside) = (format!("{} in {room}", viewer.user_id), inside.contains(room));
        let users = if is_inside { json!([{ "userId": dora.user_id }]) } else { json!([]) };
        if !shown.is_null() {
            assert_eq!(shown["typing"]["nodes"], users, "who types, {hint}");
            assert_eq!(shown["member"]["isTyping"] == true, is_inside, "Dora types, {hint}");
            for member in shown["members"]["nodes"].as_array().unwrap() {
                let types = is_inside && member["userId"] == dora.user_id;
                assert_eq!(member["isTyping"], types, "{member} types, {hint}");
            }
        }
        assert!(!is_inside || !shown.is_null(), "{hint}");
    }
}

/// The presence, by a query of each user, and of the members of rooms.
fn presence(viewer: &Client, users: &[&Client], near: &BTreeSet<&str>) {
    // A request has at most ten fields.
    for users in users.chunks(10) {
        presence_of(viewer, users, near);
    }
}

fn presence_of(viewer: &Client, users: &[&Client], near: &BTreeSet<&str>) {
    let mut document = String::from("{ ");
    for (index, user) in users.iter().enumerate() {
        let user = &user.user_id;
        write!(document, "u{index}: user(userId: {user:?}) {{ presence {{ presence }} }} ")
            .unwrap();
    }
    let answer = viewer.run(&(document + "}"), &json!({}));
    for (index, user) in users.iter().enumerate() {
        let shown = !answer[format!("u{index}")]["presence"].is_null();
        let is_near = near.contains(&*user.user_id);
        assert_eq!(shown, is_near, "presence of {} to {}", user.user_id, viewer.user_id);
    }
}

/// The ephemeral items of a poll.
fn told(
    viewer: &Client,
    dora: &Client,
    rooms: &[&str],
    inside: &BTreeSet<&str>,
    near: &BTreeSet<&str>,
) {
    let document = "query($after: Position!) { events(after: $after) { ephemeral { __typename
        ... on TypingChanged { room { roomId } users { nodes { userId } } }
        ... on PresenceChanged { userId } } } }";
    let answer = viewer.run(document, &json!({ "after": viewer.position() }));
    let (mut typing, mut there) = (BTreeSet::new(), BTreeSet::new());
    for item in answer["events"]["ephemeral"].as_array().unwrap() {
        if item["__typename"] == "TypingChanged" {
            assert_eq!(item["users"]["nodes"], json!([{ "userId": dora.user_id }]));
            typing.insert(item["room"]["roomId"].as_str().unwrap());
        } else {
            there.insert(item["userId"].as_str().unwrap());
        }
    }
    let expected = rooms.iter().copied().filter(|room| inside.contains(room)).collect();
    assert_eq!(typing, expected, "in which rooms {} is told who types", viewer.user_id);
    assert!(there.is_subset(near), "{there:?} are there for {}", viewer.user_id);
    let dora = &*dora.user_id;
    assert_eq!(there.contains(dora), near.contains(dora), "Dora, for {}", viewer.user_id);
}
