//! Any commands about calls, by any device, at any time.

use std::sync::Arc;

use proptest::prelude::*;
use rookery_domain::{
    Call, CallId, Context, EndReason, MilliSecondsSinceUnixEpoch, Pdu, PlaceCall,
    PowerLevelsChange, Profile, RoomCalls, RoomCommand, RoomEvent,
};

use super::{answer, call, end, hang_up, id, of_device, party, reject, room};
use crate::support::{ALICE, BOB, CAROL, DAVE, context, join, leave, stated, user};

const USERS: [&str; 4] = [ALICE, BOB, CAROL, DAVE];
const DEVICES: [&str; 2] = ["PHONE", "LAPTOP"];

fn any_command() -> impl Strategy<Value = RoomCommand> {
    let who = || prop::sample::select(&USERS[..]);
    let level = prop::option::of(prop::sample::select(vec![0_i64, 10, 100]));
    let reason = prop::sample::select(vec![EndReason::InviteTimeout, EndReason::Abandoned]);
    // The numbers of calls; `run` makes them names.
    let which = || prop::sample::select(vec!["0", "1", "2", "3"]);
    prop_oneof![
        6 => who().prop_map(|callee| call("new", callee)),
        4 => which().prop_map(answer),
        2 => which().prop_map(reject),
        3 => which().prop_map(hang_up),
        2 => (which(), reason).prop_map(|(which, reason)| end(which, reason)),
        1 => Just(leave()),
        2 => Just(join()),
        1 => who().prop_map(|it| RoomCommand::Kick { user: user(it).to_owned(), reason: None }),
        1 => level.prop_map(|events_default| RoomCommand::SetPowerLevels {
            change: PowerLevelsChange { events_default, ..PowerLevelsChange::default() },
        }),
    ]
}

/// The command about a call that exists, if it names one by number.
fn named(command: RoomCommand, placed: &[CallId]) -> RoomCommand {
    let real = |number: &CallId| {
        let number: Option<usize> = number.as_str().parse().ok();
        let back = number.and_then(|number| placed.len().checked_sub(number + 1));
        back.map_or_else(|| id("none"), |place| placed[place].clone())
    };
    match command {
        RoomCommand::AnswerCall { call_id, party_id } => {
            RoomCommand::AnswerCall { call_id: real(&call_id), party_id }
        }
        RoomCommand::RejectCall { call_id, party_id } => {
            RoomCommand::RejectCall { call_id: real(&call_id), party_id }
        }
        RoomCommand::HangUpCall { call_id, reason, party_id } => {
            RoomCommand::HangUpCall { call_id: real(&call_id), reason, party_id }
        }
        RoomCommand::EndCall { call_id, reason } => {
            RoomCommand::EndCall { call_id: real(&call_id), reason }
        }
        RoomCommand::PlaceCall(call) => {
            let name = id(&format!("call{}", placed.len()));
            RoomCommand::PlaceCall(PlaceCall { ids: Some((name, party("caller"))), ..call })
        }
        other => other,
    }
}

proptest! {
    /// Calls, after any commands of any devices at any time: each is between two members who may
    /// end it, no caller has two, an ended one never changes, and a fold of the events is the room.
    #[test]
    fn calls_keep_their_invariants(
        steps in prop::collection::vec(
            (
                prop::sample::select(&USERS[..]),
                prop::sample::select(&DEVICES[..]),
                any_command(),
                prop::sample::select(vec![1_u32, 1_000, 60_000]),
            ),
            0..60,
        ),
    ) {
        let (mut given, mut placed, mut log) = (room(), Vec::new(), Vec::<RoomEvent>::new());
        let mut ended: Vec<Call> = Vec::new();
        for (sender, device, command, wait) in steps {
            given.now += wait;
            let command = named(command, &placed);
            let context = Context {
                device: Some(device),
                now: MilliSecondsSinceUnixEpoch(given.now.into()),
                ..context(sender, 0)
            };
            let decided = given.room.decide(&command, &Profile::default(), &context);
            let events: Vec<Arc<Pdu>> = decided.unwrap_or_default();
            if let (RoomCommand::PlaceCall(PlaceCall { ids: Some((id, _)), .. }), false) =
                (&command, events.is_empty())
            {
                placed.push(id.clone());
            }
            for pdu in events {
                let event = of_device(&stated(&given.room, &pdu), device);
                given.room.evolve(&event);
                log.push(event);
            }
            let calls = given.room.calls();
            for call in calls.active() {
                for party in [&call.caller, &call.callee] {
                    for kind in ["m.call.answer", "m.call.reject", "m.call.hangup"] {
                        prop_assert!(given.room.may_send(party, kind, false), "{call:?}");
                    }
                }
                let of_caller = calls.active().filter(|other| other.caller == call.caller);
                prop_assert_eq!(of_caller.count(), 1);
            }
            for call in &ended {
                prop_assert!(calls.get(&call.id).is_none_or(|now| now == call));
            }
            ended = placed.iter().filter_map(|id| calls.get(id)).cloned().collect();
            ended.retain(|call| !call.is_active());
            let mut folded = RoomCalls::default();
            for event in &log {
                folded.evolve(event);
            }
            prop_assert_eq!(&folded, calls);
        }
    }
}
