//! How calls end without a word of their parties: after a kill, a logout, a kick or a silence.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::talk::{
    Line, OFFER, People, act, answer, candidate, device, hang_up, own, past, placed, signal,
};
use crate::server::{Server, eventually};

#[test]
fn a_call_that_rings_when_the_server_is_killed_ends_in_time() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let people = People::on(&server);
    let input = json!({
        "roomId": people.room, "calleeId": people.bob.user_id, "media": "AUDIO", "offer": OFFER,
        "lifetimeSeconds": 10,
    });
    let position = people.bob.position();
    assert_eq!(act(&people.ada, "placeCall", &input)["refusal"], Value::Null);
    server.kill();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = people.at(&server);
    let mut caller = Line::of(&ada);
    let mut phone = Line::after(&bob, &position);
    assert_eq!(phone.until("RINGING")["state"], "RINGING");
    let ended = phone.until("ENDED");
    assert_eq!((&ended["endReason"], &ended["isMissed"]), (&json!("INVITE_TIMEOUT"), &json!(true)));
    assert_eq!(caller.until("ENDED")["callId"], ended["callId"]);
    let counts =
        "query($room: RoomID!) { room(by: { roomId: $room }) { unreadCount highlightCount } }";
    let counts = |client: &crate::client::Client| {
        client.run(counts, &json!({ "room": room }))["room"].clone()
    };
    assert_eq!(counts(&bob), json!({ "unreadCount": 1, "highlightCount": 1 }));
    assert_eq!(counts(&ada), json!({ "unreadCount": 0, "highlightCount": 0 }));
}

#[test]
fn a_call_that_was_answered_outlives_a_kill_and_can_be_hung_up() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let people = People::on(&server);
    let call = placed(&people.ada, &people.room, &people.bob);
    answer(&people.bob, &people.room, &call);
    server.kill();
    let server = Server::start(data.path());
    let People { ada, bob, room, tablet } = people.at(&server);
    let (mut caller, mut phone) = (Line::of(&ada), Line::of(&bob));
    assert_eq!(own(&ada)["state"], "ANSWERED");
    // The signals are gone, and the parties can send new ones.
    assert_eq!(signal(&ada, &room, &call, &json!({ "offer": "again" })), Value::Null);
    assert_eq!(phone.signal()["kind"], "RENEGOTIATION");
    assert_eq!(signal(&bob, &room, &call, &json!({ "answer": "here" })), Value::Null);
    assert_eq!(caller.signal()["sdp"], "here");
    assert_eq!(signal(&tablet, &room, &call, &candidate("x")), "CALL_ANSWERED_ELSEWHERE");
    assert_eq!(hang_up(&bob, &room, &call)["call"]["endReason"], "USER_HANGUP");
    assert_eq!(caller.until("ENDED")["endedBy"]["userId"], bob.user_id);
    assert_eq!(signal(&ada, &room, &call, &candidate("x")), "CALL_ENDED");
}

#[test]
fn a_call_ends_when_a_device_of_it_is_gone_for_long() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let (mut caller, phone) = (Line::of(&ada), Line::of(&bob));
    let call = placed(&ada, &room, &bob);
    answer(&bob, &room, &call);
    caller.until("ANSWERED");
    phone.close();
    // The socket of another device changes nothing.
    let _other = Line::of(&device(&bob));
    eventually("the call ends", || own(&ada) == Value::Null);
    let ended = caller.until("ENDED");
    assert_eq!((&ended["endReason"], &ended["isMissed"]), (&json!("ABANDONED"), &json!(false)));
    assert_eq!(ended["endedBy"]["userId"], bob.user_id);
}

#[test]
fn logout_kick_and_leave_end_a_call_at_once() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let _caller = Line::of(&ada);
    let mut phone = Line::of(&bob);
    let call = placed(&ada, &room, &bob);
    answer(&bob, &room, &call);
    ada.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
    let ended = phone.until("ENDED");
    assert_eq!((&ended["callId"], &ended["endReason"]), (&json!(call), &json!("KICKED")));
    assert_eq!(own(&ada), Value::Null);
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let call = placed(&ada, &room, &bob);
    bob.act("leaveRoom", json!({ "roomId": room }));
    assert_eq!(past(&ada, &room)[0]["endReason"], "LEFT");
    assert_eq!(signal(&ada, &room, &call, &candidate("x")), "CALL_ENDED");
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let phone = device(&bob);
    let call = placed(&ada, &room, &bob);
    answer(&phone, &room, &call);
    phone.run("mutation { logOut(input: {}) { refusal { code } } }", &json!({}));
    eventually("the call ends", || own(&ada) == Value::Null);
    let ended = &past(&ada, &room)[0];
    assert_eq!((&ended["callId"], &ended["endReason"]), (&json!(call), &json!("LOGGED_OUT")));
}
