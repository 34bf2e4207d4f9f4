//! The cost of edits and reactions of one message.
//!
//! **Invariant:** an edit or a reaction costs the same, whether the message has few or many of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{client::Client, server::Server};

const NO_RATE: [&str; 2] = ["--limits-rate", "none"];

/// Times both in turns, so that other work of the machine slows both down. Returns the medians.
fn medians(turns: usize, mut many: impl FnMut(usize), mut few: impl FnMut(usize)) -> [Duration; 2] {
    fn timed(work: impl FnOnce()) -> Duration {
        let began = Instant::now();
        work();
        began.elapsed()
    }
    let times: Vec<_> =
        (0..turns).map(|turn| (timed(|| many(turn)), timed(|| few(turn)))).collect();
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[turns / 2]
    };
    [median(times.iter().map(|it| it.0).collect()), median(times.iter().map(|it| it.1).collect())]
}

fn assert_equal_cost([many, few]: [Duration; 2]) {
    assert!(many < 2 * few, "{many:?} of the message with many, {few:?} of the one with few");
}

#[test]
fn an_edit_costs_the_same_with_many_edits_of_the_message_as_with_few() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NO_RATE);
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({}));
    let [many, few] = ["many", "few"].map(|body| alice.say(&room, body));
    let edit = |of: &str| {
        let input = json!({ "roomId": room, "edits": of, "body": "better" });
        assert_eq!(alice.act("sendMessage", input)["refusal"], Value::Null);
    };
    for _ in 0..900 {
        edit(&many);
    }
    assert_equal_cost(medians(61, |_| edit(&many), |_| edit(&few)));
    let show = |event: &str| {
        let document = "query($room: RoomID!, $event: EventID!) { room(by: { roomId: $room }) {
            event(eventId: $event) { content latestEdit { eventId } } } }";
        let answer = alice.run(document, &json!({ "room": room, "event": event }));
        assert_ne!(answer["room"]["event"]["latestEdit"], Value::Null, "{answer}");
    };
    assert_equal_cost(medians(61, |_| show(&many), |_| show(&few)));
}

#[test]
fn a_reaction_costs_the_same_with_many_reactions_to_the_message_as_with_few() {
    const USERS: usize = 24;
    const KEYS: usize = 20;
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NO_RATE);
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let [many, few] = ["many", "few"].map(|body| alice.say(&room, body));
    let users: Vec<_> =
        (0..USERS).map(|number| Client::register(&server, &format!("u{number}"))).collect();
    for user in &users {
        user.act("joinRoom", json!({ "roomId": room }));
    }
    let react = |user: &Client, event: &str, key: usize| {
        let input = json!({ "roomId": room, "eventId": event, "key": format!("k{key}") });
        assert_eq!(user.act("addReaction", input)["refusal"], Value::Null);
    };
    let (first, last) = users.split_at(USERS - 3);
    for user in first {
        (0..KEYS).for_each(|key| react(user, &many, key));
    }
    let turn = |event: &str, turn: usize| react(&last[turn / KEYS], event, turn % KEYS);
    assert_equal_cost(medians(3 * KEYS, |at| turn(&many, at), |at| turn(&few, at)));
    // A user takes a reaction back and gives it again.
    let again = |event: &str| {
        let input = json!({ "roomId": room, "eventId": event, "key": "again" });
        let made = alice.act("addReaction", input);
        let reaction = made["event"]["eventId"].as_str().unwrap().to_owned();
        alice.act("redactEvent", json!({ "roomId": room, "eventId": reaction }));
    };
    assert_equal_cost(medians(31, |_| again(&many), |_| again(&few)));
}
