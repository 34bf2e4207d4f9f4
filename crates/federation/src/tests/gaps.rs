//! Events that follow events which are not here.

use std::{collections::BTreeSet, sync::Arc};

use rookery_domain::{EventId, EventStatus, OwnedRoomId, Pdu};
use serde_json::{Value, json};

use super::{
    pair::{self, log_of, send, signed, texts, two, until_known},
    peer::Peer,
    world::{Certificate, Here},
};
use crate::history::{ROUNDS_MAX, STATES_MAX};

/// Two servers in one room. The one that made it sends nothing by itself.
async fn in_one_room() -> (Here, Here, OwnedRoomId) {
    let (here, mut there) = two().await;
    let room = there.public_room().await;
    there.say(&room, "before").await;
    let join = pair::join(&here, &there, &room).await;
    until_known(&here, &join).await;
    there.stop_sending().await;
    (here, there, room)
}

async fn last(there: &Here, room: &OwnedRoomId) -> Arc<Pdu> {
    log_of(there, room).await.pop().unwrap().pdu
}

/// Says messages at `there`, and sends the last one alone.
async fn say_and_send_last(
    there: &Here,
    here: &Here,
    room: &OwnedRoomId,
    count: usize,
) -> Arc<Pdu> {
    for number in 0..count {
        there.say(room, &format!("m{number}")).await;
    }
    let last = last(there, room).await;
    let (status, body) = send(there, here, "t1", vec![signed(there, room, &last).await]).await;
    assert_eq!((status, &body["pdus"][last.event_id.as_str()]), (200, &json!({})), "{body}");
    last
}

#[tokio::test]
async fn a_gap_is_filled_in_order() {
    let (here, there, room) = in_one_room().await;
    let last = say_and_send_last(&there, &here, &room, 230).await;
    until_known(&here, &last.event_id).await;
    let expected: Vec<_> = (0..230).map(|number| format!("m{number}")).collect();
    assert_eq!(texts(&here, &room).await, expected);
    assert_eq!(here.server.commands.held_back().events, 0);
}

#[tokio::test]
async fn an_event_after_a_very_deep_gap_is_placed_after_a_stated_state() {
    let (here, there, room) = in_one_room().await;
    let last = say_and_send_last(&there, &here, &room, 2_000).await;
    until_known(&here, &last.event_id).await;
    let log = log_of(&here, &room).await;
    let placed = log.iter().filter(|event| event.envelope.status == EventStatus::Accepted).count();
    assert!((100..1_500).contains(&placed), "{placed}");
    assert_eq!(log.last().unwrap().pdu.event_id, last.event_id);
    assert_eq!(here.server.commands.held_back().events, 0);
    // The room goes on after it.
    there.say(&room, "after").await;
    let after = self::last(&there, &room).await;
    send(&there, &here, "t2", vec![signed(&there, &room, &after).await]).await;
    until_known(&here, &after.event_id).await;
}

#[tokio::test]
async fn events_that_wait_are_asked_for_after_a_kill() {
    let (mut here, mut there, room) = in_one_room().await;
    there.stop_serving().await;
    let last = say_and_send_last(&there, &here, &room, 3).await;
    assert_eq!(here.server.commands.held_back().events, 1);
    here.kill().await;
    there.serve_again().await;
    until_known(&here, &last.event_id).await;
    assert_eq!(texts(&here, &room).await, ["m0", "m1", "m2"]);
    // Nothing is left to ask for.
    loop {
        let stored = here.federation.home().store.waiting().await.unwrap();
        if stored.is_empty() {
            break;
        }
        tokio::task::yield_now().await;
    }
}

/// A peer that has joined a room here, with the answer to its join.
async fn peer_in(here: &Here, certificate: &Certificate) -> (Peer, OwnedRoomId, Value) {
    let peer = Peer::open(certificate).await;
    let room = here.public_room().await;
    let (id, mut joined) = peer.join(here, &room).await;
    joined["id"] = json!(id);
    (peer, room, joined)
}

const UNKNOWN: &str = "$unknownunknownunknownunknownunknownunknownunk";

/// Sends a message that follows an unknown event.
async fn send_after_unknown(peer: &Peer, here: &Here, joined: &Value, txn: &str) -> String {
    let mut event = peer.message(joined, &UNKNOWN.try_into().unwrap(), txn);
    let id = event["unsigned"]["id"].as_str().unwrap().to_owned();
    event.as_object_mut().unwrap().remove("unsigned");
    let body = json!({ "origin": peer.name, "origin_server_ts": 1, "pdus": [event] });
    let path = format!("/_matrix/federation/v1/send/{txn}");
    let (status, body) = peer.ask(here, "PUT", &path, Some(body)).await;
    assert_eq!((status, &body["pdus"][id.as_str()]), (200, &json!({})), "{body}");
    id
}

#[tokio::test]
async fn a_server_that_never_answers_delays_nobody() {
    let certificate = Arc::new(Certificate::new());
    let here = Here::open(&certificate).await;
    let (stalled, _, joined) = peer_in(&here, &certificate).await;
    send_after_unknown(&stalled, &here, &joined, "t1").await;
    stalled.taken.until_asked("get_missing_events").await;
    // Its other rooms, and other servers, go on while it is asked.
    let other = here.public_room().await;
    let (id, mut joined_other) = stalled.join(&here, &other).await;
    joined_other["id"] = json!(id);
    let mut event = stalled.message(&joined_other, &id, "hello");
    let id = event["unsigned"]["id"].as_str().unwrap().to_owned();
    event.as_object_mut().unwrap().remove("unsigned");
    let body = json!({ "origin": stalled.name, "origin_server_ts": 1, "pdus": [event] });
    let (status, body) =
        stalled.ask(&here, "PUT", "/_matrix/federation/v1/send/t2", Some(body)).await;
    assert_eq!(status, 200, "{body}");
    until_known(&here, &id.try_into().unwrap()).await;
    let (peer, _, joined) = peer_in(&here, &certificate).await;
    *peer.taken.answers.lock() = Some(Box::new(|_| (404, json!({ "errcode": "M_NOT_FOUND" }))));
    send_after_unknown(&peer, &here, &joined, "t1").await;
    peer.taken.until_asked("get_missing_events").await;
}

#[tokio::test]
async fn answers_that_lie_place_nothing_and_are_asked_for_a_bounded_number_of_times() {
    let certificate = Arc::new(Certificate::new());
    let here = Here::open(&certificate).await;
    let (peer, _, joined) = peer_in(&here, &certificate).await;
    let (_, _, elsewhere) = peer_in(&here, &certificate).await;
    let mut unsigned = peer.message(&joined, &UNKNOWN.try_into().unwrap(), "unsigned");
    unsigned["signatures"] = json!({});
    let foreign = peer.message(&elsewhere, &UNKNOWN.try_into().unwrap(), "of another room");
    let events: Vec<_> = (0..5_000).map(|_| [unsigned.clone(), foreign.clone()]).collect();
    let events: Vec<Value> = events.into_iter().flatten().collect();
    *peer.taken.answers.lock() = Some(Box::new(move |(_, path, _)| {
        if path.contains("get_missing_events") {
            (200, json!({ "events": events }))
        } else if path.contains("state_ids") {
            // It names an event of the state, and withholds it.
            (200, json!({ "pdu_ids": [UNKNOWN], "auth_chain_ids": [] }))
        } else {
            (404, json!({ "errcode": "M_NOT_FOUND", "error": "no" }))
        }
    }));
    let id = send_after_unknown(&peer, &here, &joined, "t1").await;
    peer.taken.until_asked("state_ids").await;
    assert!(
        here.reader.view().event(<&EventId>::try_from(id.as_str()).unwrap()).unwrap().is_none()
    );
    assert_eq!(here.server.commands.held_back().events, 1, "it waits for another server");
    let searches = peer.taken.count("get_missing_events");
    assert!(peer.taken.count("state_ids") <= searches * STATES_MAX.max(ROUNDS_MAX));
}

#[tokio::test]
async fn an_endless_chain_of_events_is_followed_for_a_while() {
    let certificate = Arc::new(Certificate::new());
    let here = Here::open(&certificate).await;
    let (peer, room, joined) = peer_in(&here, &certificate).await;
    // Each answer has a new event, which follows an unknown one.
    let made = |number: usize| {
        peer.message(&joined, &UNKNOWN.try_into().unwrap(), &format!("endless {number}"))
    };
    let mut events: Vec<Value> = (0..200).map(made).collect();
    for event in &mut events {
        event.as_object_mut().unwrap().remove("unsigned");
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    *peer.taken.answers.lock() = Some(Box::new(move |(_, path, _)| {
        if !path.contains("get_missing_events") {
            return (404, json!({ "errcode": "M_NOT_FOUND", "error": "no" }));
        }
        let next = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (200, json!({ "events": [events[next]] }))
    }));
    send_after_unknown(&peer, &here, &joined, "t1").await;
    peer.taken.until_asked("state_ids").await;
    assert!(peer.taken.count("get_missing_events") <= ROUNDS_MAX);
    assert!(here.server.commands.held_back().events <= ROUNDS_MAX + 1);
    let shown: BTreeSet<_> = texts(&here, &room).await.into_iter().collect();
    assert!(shown.is_empty(), "{shown:?}");
}
