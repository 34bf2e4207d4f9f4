//! Signals: they are bounded, they stay in memory, and they reach nobody but the parties.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::tempdir;

use super::talk::{
    ADDRESS, ANSWER, FRAGMENT, Line, OFFER, People, answer, candidate, hang_up, placed, signal,
};
use crate::{client::ANSWER_MAX, server::Server};

/// The files below a folder that have this text.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if let Ok(bytes) = fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn no_file_has_the_address_or_the_ice_fragment_of_a_call() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let mut phone = Line::of(&bob);
    let call = placed(&ada, &room, &bob);
    let text = format!("candidate:1 1 udp 2122260223 {ADDRESS} 54321 typ host ufrag {FRAGMENT}");
    assert_eq!(signal(&ada, &room, &call, &candidate(&text)), Value::Null);
    answer(&bob, &room, &call);
    assert_eq!(phone.signal()["sdp"], OFFER, "the signals went through the server");
    ada.say(&room, "we talk over PLAIN-WORDS");
    hang_up(&ada, &room, &call);
    assert!(server.stop().success());
    assert_ne!(files_with(data.path(), "PLAIN-WORDS"), [""; 0], "the search finds what is there");
    assert_ne!(files_with(data.path(), &call), [""; 0], "the log has the call");
    for secret in [ADDRESS, FRAGMENT] {
        assert_eq!(files_with(data.path(), secret), [""; 0], "{secret}");
    }
}

#[test]
fn call_events_cannot_be_sent_by_hand() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, room, .. } = People::on(&server);
    for (kind, mutation) in [
        ("m.call.invite", "placeCall"),
        ("m.call.answer", "answerCall"),
        ("m.call.hangup", "hangUpCall"),
        ("m.call.candidates", "sendCallSignal"),
    ] {
        let input = json!({ "roomId": room, "type": kind, "content": {} });
        let refusal = ada.act("sendEvent", input)["refusal"].clone();
        assert_eq!(refusal["code"], "RESERVED_TYPE");
        assert!(refusal["message"].as_str().unwrap().contains(mutation), "{refusal}");
    }
    let member = json!({ "roomId": room, "type": "m.call.member", "content": {} });
    assert_eq!(ada.act("sendEvent", member)["refusal"], Value::Null, "group calls use it");
}

#[test]
fn a_call_holds_no_more_signals_than_its_bounds() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let call = placed(&ada, &room, &bob);
    let many: Vec<Value> =
        (0..200).map(|number| json!({ "candidate": number.to_string() })).collect();
    assert_eq!(signal(&ada, &room, &call, &json!({ "candidates": many })), Value::Null);
    assert_eq!(signal(&ada, &room, &call, &candidate("one more")), "TOO_MANY");
    let large = |letter: &str| json!({ "offer": letter.repeat(40 * 1024) });
    assert_eq!(signal(&ada, &room, &call, &large("o")), Value::Null);
    let more = candidate(&"c".repeat(40 * 1024));
    assert_eq!(signal(&ada, &room, &call, &more), "TOO_LARGE");
    let document = "mutation($room: RoomID!, $call: CallID!) {
        sendCallSignal(input: { roomId: $room, callId: $call, signal: { candidates: [] } }) {
            refusal { code } } }";
    assert_eq!(ada.fail(document, &json!({ "room": room, "call": call })), "BAD_USER_INPUT");
    // A new description makes room.
    assert_eq!(signal(&ada, &room, &call, &json!({ "offer": "short" })), Value::Null);
    assert_eq!(signal(&ada, &room, &call, &candidate("one more")), Value::Null);
    assert_eq!(answer(&bob, &room, &call)["refusal"], Value::Null);
}

#[test]
fn a_client_that_does_not_read_during_a_call_gets_what_holds_in_the_end() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rate", "none"]);
    let People { ada, bob, room, .. } = People::on(&server);
    let mut phone = Line::of(&bob);
    let call = placed(&ada, &room, &bob);
    answer(&bob, &room, &call);
    phone.until("ANSWERED");
    // Nobody reads this stream while thousands of kilobytes of signals pass.
    let large = "s".repeat(32 * 1024);
    for round in 0..300 {
        let offer = json!({ "offer": format!("{large}{round}") });
        assert_eq!(signal(&ada, &room, &call, &offer), Value::Null);
    }
    let deadline = std::time::Instant::now() + ANSWER_MAX;
    let mut received = 0;
    loop {
        assert!(std::time::Instant::now() < deadline, "the last signal does not come");
        received += 1;
        if phone.signal()["sdp"].as_str().unwrap().ends_with("s299") {
            break;
        }
    }
    assert!(received < 300, "signals that were replaced are not sent: {received}");
    assert_eq!(signal(&bob, &room, &call, &json!({ "answer": ANSWER })), Value::Null);
}

#[test]
fn a_flood_of_calls_is_bounded_for_each_caller_and_callee() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let mut codes = Vec::new();
    for _ in 0..60 {
        let payload = super::talk::place(&ada, &room, &bob);
        let Some(call) = payload["call"]["callId"].as_str() else {
            codes.push(payload["refusal"]["code"].clone());
            continue;
        };
        hang_up(&ada, &room, call);
    }
    assert!(codes.len() > 20, "{codes:?}");
    assert!(codes.iter().all(|code| *code == "RATE_LIMITED" || *code == "CALLED_TOO_OFTEN"));
    assert_eq!(super::talk::past(&bob, &room).len(), 60 - codes.len());
}
