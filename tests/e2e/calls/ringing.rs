//! Calls that ring: on which devices, and who has them after the answer.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::talk::{
    ANSWER, Line, OFFER, People, act, answer, candidate, hang_up, now, own, past, place, placed,
    signal,
};
use crate::{client::Client, server::Server};

#[test]
fn two_devices_ring_and_the_one_that_does_not_answer_falls_silent() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, tablet, room } = People::on(&server);
    let [mut line, mut phone, mut other] = [&ada, &bob, &tablet].map(Line::of);
    let payload = place(&ada, &room, &bob);
    let call = payload["call"]["callId"].as_str().unwrap().to_owned();
    assert_eq!(payload["partyId"], payload["call"]["callerPartyId"]);
    assert_eq!(signal(&ada, &room, &call, &candidate("a")), Value::Null);
    for device in [&mut phone, &mut other] {
        let rings = device.until("RINGING");
        assert_eq!((&rings["callId"], &rings["partyId"]), (&json!(call), &Value::Null));
        assert_eq!((&rings["media"], &rings["room"]["roomId"]), (&json!("VIDEO"), &json!(room)));
        let (offer, candidates) = (device.signal(), device.signal());
        assert_eq!((&offer["kind"], &offer["sdp"]), (&json!("OFFER"), &json!(OFFER)));
        assert_eq!(offer["partyId"], payload["partyId"]);
        assert_eq!(candidates["candidates"][0]["candidate"], "a");
    }
    assert_eq!(own(&tablet)["callId"], call);
    let answered = answer(&bob, &room, &call);
    assert_eq!(answered["refusal"], Value::Null);
    assert_eq!(answered["partyId"], answered["call"]["answeredByPartyId"]);
    assert_ne!(answered["partyId"], payload["partyId"]);
    assert_eq!(answer(&tablet, &room, &call)["refusal"]["code"], "CALL_ANSWERED_ELSEWHERE");
    // The caller gets the answer, and the other device learns that there is one.
    let told = line.until("ANSWERED");
    assert_eq!(told["partyId"], payload["partyId"]);
    let signalled = line.signal();
    assert_eq!((&signalled["kind"], &signalled["sdp"]), (&json!("ANSWER"), &json!(ANSWER)));
    assert_eq!(other.until("ANSWERED")["partyId"], Value::Null);
    assert_eq!(signal(&ada, &room, &call, &candidate("b")), Value::Null);
    assert_eq!(signal(&bob, &room, &call, &candidate("c")), Value::Null);
    assert_eq!(phone.signal()["candidates"][0]["candidate"], "b");
    assert_eq!(line.signal()["candidates"][0]["candidate"], "c");
    assert_eq!(hang_up(&ada, &room, &call)["call"]["endReason"], "USER_HANGUP");
    for device in [&mut line, &mut phone, &mut other] {
        assert_eq!(device.until("ENDED")["endReason"], "USER_HANGUP");
    }
    assert_eq!(other.rest(&ada, &room).1, [] as [Value; 0], "no signal after the answer");
    assert_eq!((now(&ada, &room), own(&bob)), (Value::Null, Value::Null));
    let past = past(&bob, &room);
    assert_eq!((past.len(), &past[0]["isMissed"]), (1, &json!(false)));
}

#[test]
fn a_device_that_connects_gets_what_holds_before_and_after_the_answer() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, tablet, room } = People::on(&server);
    let _caller = ada.socket();
    let call = placed(&ada, &room, &bob);
    assert_eq!(signal(&ada, &room, &call, &candidate("a")), Value::Null);
    let kinds = |line: &mut Line, count: usize| -> Vec<Value> {
        (0..count).map(|_| line.signal()["kind"].clone()).collect()
    };
    assert_eq!(kinds(&mut Line::of(&tablet), 2), ["OFFER", "CANDIDATES"]);
    answer(&bob, &room, &call);
    assert_eq!(kinds(&mut Line::of(&ada), 1), ["ANSWER"]);
    let mut phone = Line::of(&bob);
    assert_eq!(kinds(&mut phone, 2), ["OFFER", "CANDIDATES"]);
    assert_eq!(Line::of(&tablet).rest(&bob, &room).1, [] as [Value; 0]);
    // A page that was loaded again renegotiates. Its old signals no longer hold.
    assert_eq!(signal(&ada, &room, &call, &json!({ "offer": "again" })), Value::Null);
    let again = phone.signal();
    assert_eq!((&again["kind"], &again["sdp"]), (&json!("RENEGOTIATION"), &json!("again")));
    assert_eq!(kinds(&mut Line::of(&bob), 1), ["RENEGOTIATION"]);
    hang_up(&bob, &room, &call);
    let (_, signals) = Line::of(&ada).rest(&ada, &room);
    assert_eq!(signals, [] as [Value; 0], "the call ended, and its signals with it");
}

#[test]
fn a_retry_names_the_same_call_and_rings_once() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let mut phone = Line::of(&bob);
    let input = json!({
        "roomId": room, "calleeId": bob.user_id, "media": "AUDIO", "offer": OFFER, "actionId": 1,
    });
    let first = act(&ada, "placeCall", &input);
    assert_eq!(first["refusal"], Value::Null);
    assert_eq!(act(&ada, "placeCall", &input), first);
    let call = first["call"]["callId"].as_str().unwrap();
    let input = json!({ "roomId": room, "callId": call, "answer": ANSWER, "actionId": 1 });
    let answered = act(&bob, "answerCall", &input);
    assert_eq!(answered["partyId"], answered["call"]["answeredByPartyId"]);
    assert_eq!(act(&bob, "answerCall", &input), answered);
    let (changes, signals) = phone.rest(&ada, &room);
    assert_eq!((changes.len(), signals.len()), (2, 1));
}

#[test]
fn a_call_rings_nobody_who_has_no_part_in_it() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let member = Client::register(&server, "carol");
    member.act("joinRoom", json!({ "room": { "roomId": room } }));
    let stranger = Client::register(&server, "dan");
    let mut line = Line::of(&member);
    let call = placed(&ada, &room, &bob);
    for (client, code) in [(&member, "NOT_YOUR_CALL"), (&stranger, "NOT_A_MEMBER")] {
        let input = json!({ "roomId": room, "callId": call, "answer": ANSWER });
        assert_eq!(act(client, "answerCall", &input)["refusal"]["code"], code);
        assert_eq!(signal(client, &room, &call, &candidate("x")), code);
        let input = json!({ "roomId": room, "callId": call });
        assert_eq!(act(client, "rejectCall", &input)["refusal"]["code"], code);
        assert_eq!(act(client, "hangUpCall", &input)["refusal"]["code"], code);
    }
    assert_eq!(signal(&bob, &room, &call, &candidate("x")), "NOT_YOUR_CALL", "it only rings");
    assert_eq!(now(&member, &room)["callId"], call, "members see that there is a call");
    assert_eq!(own(&member), Value::Null);
    assert_eq!(line.rest(&ada, &room), (vec![], vec![]));
    act(&bob, "rejectCall", &json!({ "roomId": room, "callId": call }));
    assert_eq!(past(&member, &room)[0]["endReason"], "REJECTED");
}

#[test]
fn whoever_is_ignored_rings_nobody() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let People { ada, bob, room, .. } = People::on(&server);
    let ignore = "mutation($user: UserID!) {
        setUserIgnored(input: { userId: $user, isIgnored: true }) { refusal { code } } }";
    bob.run(ignore, &json!({ "user": ada.user_id }));
    let mut phone = Line::of(&bob);
    let call = placed(&ada, &room, &bob);
    assert_eq!(own(&ada)["callId"], call, "the caller hears it ring");
    assert_eq!((own(&bob), now(&bob, &room)), (Value::Null, Value::Null));
    let carol = Client::register(&server, "carol");
    carol.act("joinRoom", json!({ "room": { "roomId": room } }));
    let (changes, signals) = phone.rest(&carol, &room);
    assert_eq!((changes, signals), (vec![], vec![]));
    assert_eq!(Line::of(&bob).rest(&carol, &room), (vec![], vec![]));
    placed(&carol, &room, &bob);
}
