//! Users who do the same thing at once: the log decides who was first.

use std::thread;

use serde_json::{Value, json};
use tempfile::tempdir;

use super::talk::{People, answer, hang_up, past, place, placed};
use crate::{client::Client, server::Server};

const ROUNDS: usize = 200;

/// Runs both at once, each on a thread of its own.
fn both<T: Send>(one: impl FnOnce() -> T + Send, other: impl FnOnce() -> T + Send) -> [T; 2] {
    thread::scope(|scope| {
        let (one, other) = (scope.spawn(one), scope.spawn(other));
        [one.join().unwrap(), other.join().unwrap()]
    })
}

fn server(data: &std::path::Path) -> Server {
    let rates = ["--limits-rates-calls", "none", "--limits-rates-incoming-calls", "none"];
    Server::start_with(data, &rates)
}

#[test]
fn of_two_devices_that_answer_at_once_one_wins_each_time() {
    let data = tempdir().unwrap();
    let server = server(data.path());
    let People { ada, bob, tablet, room } = People::on(&server);
    let mut wins = [0, 0];
    for _ in 0..ROUNDS {
        let call = placed(&ada, &room, &bob);
        let payloads = both(|| answer(&bob, &room, &call), || answer(&tablet, &room, &call));
        let won = payloads.each_ref().map(|payload| payload["refusal"] == Value::Null);
        assert_eq!(won.iter().filter(|won| **won).count(), 1, "{payloads:?}");
        let winner = usize::from(won[1]);
        wins[winner] += 1;
        assert_eq!(payloads[1 - winner]["refusal"]["code"], "CALL_ANSWERED_ELSEWHERE");
        assert_eq!(payloads[winner]["partyId"], payloads[winner]["call"]["answeredByPartyId"]);
        assert_eq!(hang_up(&ada, &room, &call)["refusal"], Value::Null);
    }
    assert!(wins[0] > 0 && wins[1] > 0, "both devices answered at once: {wins:?}");
}

#[test]
fn of_two_users_who_call_each_other_at_once_one_call_remains_each_time() {
    let data = tempdir().unwrap();
    let server = server(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let other_room = ada.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": other_room } }));
    for round in 0..ROUNDS {
        // In the same room, and in two rooms.
        let second = if round % 2 == 0 { &room } else { &other_room };
        let payloads = both(|| place(&ada, &room, &bob), || place(&bob, second, &ada));
        let placed = payloads.each_ref().map(|payload| payload["refusal"] == Value::Null);
        assert_eq!(placed.iter().filter(|placed| **placed).count(), 1, "{payloads:?}");
        let winner = usize::from(placed[1]);
        let (call, refused) = (&payloads[winner]["call"], &payloads[1 - winner]);
        assert_eq!(refused["refusal"]["code"], "CALL_IN_PROGRESS");
        assert_eq!(refused["call"]["callId"], call["callId"], "the refusal names the first call");
        let caller = if winner == 0 { &ada } else { &bob };
        let at = if winner == 0 { &room } else { second };
        assert_eq!(hang_up(caller, at, call["callId"].as_str().unwrap())["refusal"], Value::Null);
    }
    let calls = past(&ada, &room).len() + past(&ada, &other_room).len();
    assert_eq!(calls.min(100), 100, "each round left one call");
}

#[test]
fn whoever_calls_a_user_in_a_call_finds_them_busy() {
    let data = tempdir().unwrap();
    let server = server(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let carol = Client::register(&server, "carol");
    carol.act("joinRoom", json!({ "room": { "roomId": room } }));
    let call = placed(&ada, &room, &bob);
    assert_eq!(place(&carol, &room, &bob)["refusal"]["code"], "BUSY_IN_CALL");
    assert_eq!(place(&carol, &room, &ada)["refusal"]["code"], "BUSY_IN_CALL");
    let own = place(&ada, &room, &carol);
    assert_eq!(
        (&own["refusal"]["code"], &own["call"]["callId"]),
        (&json!("CALL_IN_PROGRESS"), &json!(call))
    );
    hang_up(&ada, &room, &call);
    placed(&carol, &room, &bob);
}
