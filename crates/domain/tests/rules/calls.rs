//! The users who may place, answer, reject and end calls, and the other events that end them.

mod any;

use std::sync::Arc;

use rookery_domain::{
    Bound, Call, CallId, CallMedia, CallState, CallStep, Context, EndReason, Envelope, Erased,
    EventStatus, HangUpReason, Origin, PartyId, PlaceCall, PowerLevelsChange, Profile, Rejection,
    RoomCommand, RoomEvent, is_call_type,
    limits::{CALL_LIFETIME_SECONDS, ENDED_CALLS_KEPT},
};
use serde_json::json;

use crate::support::{
    ALICE, BOB, CAROL, DAVE, Given, Outcome, context, join, leave, public, stated, user,
};

fn id(name: &str) -> CallId {
    name.parse().unwrap()
}

fn party(name: &str) -> PartyId {
    name.parse().unwrap()
}

fn call(name: &str, callee: &str) -> RoomCommand {
    let ids = Some((id(name), party("caller")));
    let call = PlaceCall::new(user(callee).to_owned(), CallMedia::Audio, 90);
    RoomCommand::PlaceCall(PlaceCall { ids, ..call })
}

fn answer(name: &str) -> RoomCommand {
    RoomCommand::AnswerCall { call_id: id(name), party_id: Some(party("callee")) }
}

fn reject(name: &str) -> RoomCommand {
    RoomCommand::RejectCall { call_id: id(name), party_id: Some(party("callee")) }
}

fn hang_up(name: &str) -> RoomCommand {
    let (call_id, party_id) = (id(name), Some(party("callee")));
    RoomCommand::HangUpCall { call_id, reason: HangUpReason::UserHangup, party_id }
}

fn end(name: &str, reason: EndReason) -> RoomCommand {
    RoomCommand::EndCall { call_id: id(name), reason }
}

/// A public room of Alice, Bob, Carol and Dave.
fn room() -> Given {
    public().joined(&[BOB, CAROL, DAVE])
}

/// In which Alice calls Bob.
fn ringing() -> Given {
    room().and(ALICE, call("one", BOB))
}

impl Given {
    /// Carries out a command on a device.
    fn on(self, sender: &str, device: &str, command: &RoomCommand) -> Outcome {
        let context = Context { device: Some(device), ..context(sender, self.now + 1) };
        let result = self.room.decide(command, &Profile::default(), &context);
        Outcome { given: self, result }
    }

    /// Adds a command of a device to the given.
    fn and_on(mut self, sender: &str, device: &str, command: &RoomCommand) -> Self {
        let events = self.clone().on(sender, device, command).result.unwrap();
        self.now += 1;
        for pdu in events {
            let event = of_device(&stated(&self.room, &pdu), device);
            self.room.evolve(&event);
            self.events.push(pdu);
        }
        self
    }

    fn call(&self, name: &str) -> &Call {
        self.room.calls().get(&id(name)).unwrap()
    }

    #[track_caller]
    fn then_ended(&self, name: &str, reason: EndReason, by: &str) {
        let CallState::Ended(end) = &self.call(name).state else { panic!("it goes on") };
        assert_eq!((end.reason, &*end.by), (reason, user(by)));
        assert_eq!(self.room.calls().active().len(), 0);
    }
}

fn of_device(event: &RoomEvent, device: &str) -> RoomEvent {
    let Envelope { origin, .. } = Envelope::local(Some(device.to_owned()), None);
    RoomEvent { envelope: Envelope { origin, ..event.envelope.clone() }, ..event.clone() }
}

#[test]
fn a_call_is_an_event_in_the_words_of_matrix_and_without_sdp() {
    let content = json!({
        "call_id": "one",
        "party_id": "caller",
        "version": "1",
        "lifetime": 90_000,
        "invitee": BOB,
        "org.rookery.media": "audio",
    });
    let given = room().when(ALICE, call("one", BOB)).then("m.call.invite", content);
    let call = given.call("one");
    assert_eq!((&*call.caller, &*call.callee), (user(ALICE), user(BOB)));
    assert_eq!(u64::from(call.expires_at.0) - u64::from(call.placed_at.0), 90_000);
    assert_eq!(call.state, CallState::Ringing);
    let content = json!({ "call_id": "one", "party_id": "callee", "version": "1" });
    let given = given.when(BOB, answer("one")).then("m.call.answer", content);
    assert_eq!(given.call("one").answer().unwrap().party, party("callee"));
    let content = json!({
        "call_id": "one", "party_id": "caller", "version": "1", "reason": "user_hangup",
    });
    let given = given.when(ALICE, hang_up("one")).then("m.call.hangup", content);
    given.then_ended("one", EndReason::UserHangup, ALICE);
    assert!(!given.call("one").is_missed());
}

#[test]
fn the_first_device_that_answers_has_the_call() {
    let given = ringing().and_on(BOB, "PHONE", &answer("one"));
    given.clone().on(BOB, "LAPTOP", &answer("one")).then_code("CALL_ANSWERED_ELSEWHERE");
    given.clone().on(BOB, "LAPTOP", &reject("one")).then_code("CALL_ANSWERED_ELSEWHERE");
    given.clone().on(BOB, "LAPTOP", &hang_up("one")).then_code("CALL_ANSWERED_ELSEWHERE");
    given.clone().on(BOB, "PHONE", &answer("one")).then_nothing();
    given.clone().and_on(BOB, "PHONE", &hang_up("one")).then_ended(
        "one",
        EndReason::UserHangup,
        BOB,
    );
    assert!(given.call("one").is_with(user(BOB), Some("PHONE")));
    assert!(!given.call("one").is_with(user(BOB), Some("LAPTOP")));
}

#[test]
fn only_the_device_that_placed_a_call_hangs_it_up() {
    let given = room().and_on(ALICE, "PHONE", &call("one", BOB));
    given.clone().on(ALICE, "LAPTOP", &hang_up("one")).then_code("NOT_YOUR_CALL");
    given.and_on(ALICE, "PHONE", &hang_up("one")).then_ended("one", EndReason::UserHangup, ALICE);
}

#[test]
fn a_callee_who_rejects_or_hangs_up_has_missed_nothing() {
    for command in [reject("one"), hang_up("one")] {
        let (event, given) = ringing().when(BOB, command).then_one();
        assert_eq!(event.kind.to_string(), "m.call.reject");
        given.then_ended("one", EndReason::Rejected, BOB);
        assert!(!given.call("one").is_missed());
    }
    let given = ringing().and(ALICE, hang_up("one"));
    assert!(given.call("one").is_missed());
}

#[test]
fn a_call_is_of_its_two_users() {
    let given = ringing();
    for command in [answer("one"), reject("one"), hang_up("one")] {
        given.clone().when(CAROL, command).then_code("NOT_YOUR_CALL");
    }
    given.clone().when(ALICE, answer("one")).then_code("NOT_YOUR_CALL");
    given.clone().when(ALICE, reject("one")).then_code("NOT_YOUR_CALL");
    given.clone().when(BOB, answer("two")).then_code("NO_SUCH_CALL");
    given.when("@eve:rook.example", answer("one")).then_code("NOT_A_MEMBER");
}

#[test]
fn a_call_ends_once() {
    let given = ringing().and(BOB, reject("one"));
    given.clone().when(BOB, answer("one")).then_code("CALL_ENDED");
    given.clone().when(BOB, reject("one")).then_nothing();
    given.clone().when(ALICE, hang_up("one")).then_nothing();
    given.when(ALICE, end("one", EndReason::Abandoned)).then_nothing();
}

#[test]
fn a_member_calls_another_member_of_this_server() {
    let given = public().joined(&[BOB]);
    given.clone().when(ALICE, call("one", ALICE)).then_code("CALL_TO_SELF");
    given.clone().when(ALICE, call("one", CAROL)).then_code("TARGET_NOT_IN_ROOM");
    given.clone().when(CAROL, call("one", ALICE)).then_code("NOT_A_MEMBER");
    let far = "@far:else.example";
    let given = given.and(far, join());
    given.clone().when(ALICE, call("one", far)).then_code("CALLEE_ELSEWHERE");
    let (min, max) = CALL_LIFETIME_SECONDS.into_inner();
    for (seconds, is_fit) in [(min - 1, false), (min, true), (max, true), (max + 1, false)] {
        let call = PlaceCall::new(user(BOB).to_owned(), CallMedia::Video, seconds);
        let call = PlaceCall { ids: Some((id("one"), party("caller"))), ..call };
        let outcome = given.clone().when(ALICE, RoomCommand::PlaceCall(call));
        assert_eq!(outcome.result.is_ok(), is_fit, "{seconds}");
    }
}

#[test]
fn of_two_users_who_call_each_other_the_second_is_told_of_the_first_call() {
    let given = ringing();
    let (room_id, call_id) = (given.room.id().to_owned(), id("one"));
    let first = Rejection::CallInProgress { room_id: room_id.clone(), call_id: call_id.clone() };
    given.clone().when(BOB, call("two", ALICE)).then_err(&first);
    given.clone().when(ALICE, call("two", BOB)).then_err(&first);
    given.clone().when(ALICE, call("two", CAROL)).then_err(&first);
    assert_eq!(Rejection::call_named_in(&first.to_string()), Some((room_id, call_id)));
    given.clone().when(CAROL, call("two", ALICE)).then_code("BUSY_IN_CALL");
    let given = given.and(BOB, answer("one"));
    given.when(CAROL, call("two", BOB)).then_code("BUSY_IN_CALL");
}

#[test]
fn a_callee_who_ignores_the_caller_is_never_busy() {
    let given = ringing().and(BOB, answer("one"));
    let RoomCommand::PlaceCall(call) = call("two", BOB) else { unreachable!() };
    let unheard = RoomCommand::PlaceCall(PlaceCall { is_ignored: true, ..call });
    assert_eq!(given.when(CAROL, unheard).result.unwrap().len(), 1);
}

#[test]
fn a_call_rings_for_its_lifetime() {
    let mut given = ringing();
    let timeout = end("one", EndReason::InviteTimeout);
    given.clone().when(ALICE, &timeout).then_nothing();
    given.now += 90_000;
    given.clone().when(BOB, answer("one")).then_code("CALL_ENDED");
    let given = given.and(ALICE, &timeout);
    given.then_ended("one", EndReason::InviteTimeout, ALICE);
    assert!(given.call("one").is_missed());
    let mut answered = ringing().and(BOB, answer("one"));
    answered.now += 90_000;
    answered.when(ALICE, timeout).then_nothing();
}

#[test]
fn the_server_ends_calls_for_its_own_reasons() {
    for (reason, name) in [
        (EndReason::Abandoned, "org.rookery.abandoned"),
        (EndReason::LoggedOut, "org.rookery.logged_out"),
        (EndReason::Deactivated, "org.rookery.deactivated"),
    ] {
        let (event, given) = ringing().when(ALICE, end("one", reason)).then_one();
        assert_eq!(event.content_as::<serde_json::Value>().unwrap()["reason"], name);
        given.then_ended("one", reason, ALICE);
    }
}

#[test]
fn a_party_who_goes_ends_the_call_at_that_event() {
    let kick = RoomCommand::Kick { user: user(BOB).to_owned(), reason: None };
    let ban = RoomCommand::Ban { user: user(BOB).to_owned(), reason: None };
    for (sender, command, reason) in [
        (BOB, leave(), EndReason::Left),
        (ALICE, kick, EndReason::Kicked),
        (ALICE, ban, EndReason::Banned),
    ] {
        for given in [ringing(), ringing().and(BOB, answer("one"))] {
            let answered = given.call("one").answer().cloned();
            let given = given.and(sender, &command);
            given.then_ended("one", reason, sender);
            assert_eq!(given.call("one").answer(), answered.as_ref());
        }
    }
    // A new name of a party, and the leave of another user, end nothing.
    let profile = Profile { displayname: Some("Bob".to_owned()), avatar_url: None };
    let given = ringing().and(BOB, RoomCommand::SetMemberProfile { profile }).and(CAROL, leave());
    assert!(given.call("one").is_active());
}

#[test]
fn a_party_who_loses_the_power_to_hang_up_ends_the_call_at_that_event() {
    let raised = |events_default| {
        let change = PowerLevelsChange { events_default, ..PowerLevelsChange::default() };
        RoomCommand::SetPowerLevels { change }
    };
    let given = ringing().and(ALICE, raised(Some(10)));
    given.then_ended("one", EndReason::PowerLost, ALICE);
    given.clone().when(BOB, call("two", CAROL)).then_code("INSUFFICIENT_POWER");
    given.clone().when(ALICE, call("two", BOB)).then_code("FORBIDDEN");
    // A change that takes nothing from the parties.
    let users = [(user(CAROL).to_owned(), Some(7))].into();
    let change = PowerLevelsChange { users, ..PowerLevelsChange::default() };
    assert!(ringing().and(ALICE, RoomCommand::SetPowerLevels { change }).call("one").is_active());
}

#[test]
fn a_room_that_closes_ends_its_calls() {
    let given = ringing();
    let replacement = "!other:rook.example".try_into().unwrap();
    let events = given.clone().when(ALICE, RoomCommand::Close { replacement }).result.unwrap();
    let last = events.last().unwrap();
    let mut room = given.room.clone();
    let changes = room.call_changes(&RoomEvent::new(Envelope::local(None, None), last.clone()));
    let ended = CallStep::Ended { reason: EndReason::RoomReplaced, answer: None };
    assert_eq!(changes.iter().map(|change| &change.step).collect::<Vec<_>>(), [&ended]);
    for event in &events {
        room.evolve(&stated(&room, event));
    }
    let given = Given { room, ..given };
    given.clone().when(BOB, answer("one")).then_code("ROOM_REPLACED");
    given.clone().when(BOB, reject("one")).then_nothing();
    given.when(ALICE, call("two", BOB)).then_code("ROOM_REPLACED");
}

#[test]
fn an_invite_is_not_redacted_while_its_call_goes_on() {
    let given = ringing();
    let event_id = given.call("one").invite.clone();
    let redact = RoomCommand::Redact { event_id: event_id.clone(), reason: None };
    given.clone().when(ALICE, &redact).then_code("NOT_REDACTABLE");
    let given = given.and(BOB, reject("one"));
    let redaction = given.clone().when(ALICE, &redact).then_one().0;
    let erased = Erased { event_id, position: 1, index: 0, slot: None };
    let envelope = Envelope { erases: vec![erased], ..Envelope::local(None, None) };
    let mut room = given.room;
    room.evolve(&RoomEvent::new(envelope, redaction));
    assert_eq!(room.calls().get(&id("one")), None);
}

#[test]
fn events_of_calls_are_sent_by_the_mutations_of_calls() {
    let sent = |event_type: &str| RoomCommand::SendEvent {
        event_type: event_type.to_owned(),
        content: serde_json::Map::new(),
    };
    let state = |event_type: &str| RoomCommand::SetState {
        event_type: event_type.to_owned(),
        state_key: String::new(),
        content: serde_json::Map::new(),
    };
    for (kind, mutation) in [
        ("m.call.invite", "placeCall"),
        ("m.call.answer", "answerCall"),
        ("m.call.reject", "rejectCall"),
        ("m.call.hangup", "hangUpCall"),
        ("m.call.candidates", "sendCallSignal"),
        ("m.call.negotiate", "sendCallSignal"),
    ] {
        assert!(is_call_type(kind));
        for command in [sent(kind), state(kind)] {
            let refused = room().when(ALICE, command).result.unwrap_err();
            assert_eq!(refused.code(), "RESERVED_TYPE");
            assert!(refused.to_string().ends_with(mutation), "{refused}");
        }
    }
    assert_eq!(room().when(ALICE, state("m.call.member")).result.unwrap().len(), 1);
}

/// The envelope of an event of another server.
fn foreign() -> Envelope {
    let origin = Origin::Server("else.example".try_into().unwrap());
    Envelope { origin, status: EventStatus::Accepted, ..Envelope::local(None, None) }
}

#[test]
fn events_of_calls_of_other_servers_change_no_call() {
    let given = ringing();
    let (answered, _) = given.clone().when(BOB, answer("one")).then_one();
    let mut room = given.room.clone();
    for pdu in [&answered, given.events.last().unwrap()] {
        let event = RoomEvent::new(foreign(), Arc::clone(pdu));
        assert_eq!(room.call_changes(&event), []);
        room.evolve(&event);
    }
    assert_eq!(room.calls().get(&id("one")), Some(given.call("one")));
    assert_eq!(room.calls().len(), 1);
}

#[test]
fn an_event_of_another_server_that_removes_a_party_ends_the_call() {
    let kick = RoomCommand::Kick { user: user(BOB).to_owned(), reason: None };
    let given = ringing();
    let (kicked, _) = given.clone().when(ALICE, kick).then_one();
    let mut event = RoomEvent::new(foreign(), kicked);
    event.envelope.calls = given.room.call_changes(&event);
    let mut room = given.room.clone();
    room.evolve(&event);
    Given { room, ..given }.then_ended("one", EndReason::Kicked, ALICE);
}

#[test]
fn a_room_has_so_many_calls_at_a_time() {
    let max = Bound::Calls.max();
    let (_, given) = room().when(ALICE, call("one", BOB)).then_one();
    let invite = given.events.last().unwrap();
    let mut room = given.room.clone();
    for number in 1..max {
        let mut event = RoomEvent::new(Envelope::local(None, None), Arc::clone(invite));
        event.envelope.calls = room.call_changes(&event);
        event.envelope.calls[0].call_id = id(&format!("call{number}"));
        room.evolve(&event);
    }
    let given = Given { room, ..given };
    given.when(CAROL, call("two", DAVE)).then_err(&Rejection::Bound(Bound::Calls));
}

#[test]
fn the_last_calls_that_ended_are_remembered_and_no_others() {
    let mut given = room();
    for number in 0..=ENDED_CALLS_KEPT {
        let name = format!("call{number}");
        given = given.and(ALICE, call(&name, BOB)).and(BOB, reject(&name));
    }
    assert_eq!(given.room.calls().len(), ENDED_CALLS_KEPT);
    given.clone().when(ALICE, hang_up("call0")).then_code("NO_SUCH_CALL");
    given.when(ALICE, hang_up("call1")).then_nothing();
}
