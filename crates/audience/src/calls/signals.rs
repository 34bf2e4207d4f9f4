//! The signals of calls, kept up to date with the log.
//!
//! **Invariant:** signals of a call that has ended are gone: whoever adds one looks at the models
//! afterwards, and the follower of the log looks at them after each step of a call.

use std::sync::Arc;

use rookery_domain::{Call, CallId, CallState, OwnedUserId, PartyId, RoomId};
use rookery_ephemeral::{CallDevice, CallParties, Ephemeral};
use rookery_projection::Committed;
use rookery_view::{Reader, RoomCall};

/// The devices of an active call. `None` for a call that ended, or that no device placed.
#[must_use]
pub fn parties(call: &RoomCall) -> Option<CallParties> {
    let RoomCall { room_id, call, .. } = call;
    let Call { caller, callee, caller_device, caller_party, .. } = call;
    let caller = party(caller, caller_device.as_deref()?, caller_party);
    let answered_by = match &call.state {
        CallState::Ringing => None,
        CallState::Answered { answer, device } => {
            Some(party(callee, device.as_deref()?, &answer.party))
        }
        CallState::Ended(_) => return None,
    };
    Some(CallParties { room: room_id.clone(), caller, callee: callee.clone(), answered_by })
}

fn party(user: &OwnedUserId, device: &str, party: &PartyId) -> Arc<CallDevice> {
    let (device, party_id) = (device.into(), party.as_str().into());
    Arc::new(CallDevice { user: user.clone(), device, party_id })
}

/// Applies the present state of a call to its signals.
pub fn settle(ephemeral: &Ephemeral, reader: &Reader, room: &RoomId, id: &CallId) {
    let call = reader.view().active_call(room, id);
    match call.as_ref().map(parties) {
        None => ephemeral.end_call(id.as_str()),
        Some(parties) => {
            if let Some(device) = parties.and_then(|parties| parties.answered_by) {
                ephemeral.answered(id.as_str(), &device);
            }
        }
    }
}

/// Applies the steps of calls that a commit made. The models have them.
pub(crate) fn follow(ephemeral: &Ephemeral, reader: &Reader, committed: &Committed) {
    for (_, event) in committed.room_events() {
        for change in &event.envelope.calls {
            settle(ephemeral, reader, &event.pdu.room_id, &change.call_id);
        }
    }
}

/// Applies the present state of all calls to their signals.
pub(crate) fn settle_all(ephemeral: &Ephemeral, reader: &Reader) {
    for (room, call) in ephemeral.signaling_calls() {
        if let Ok(id) = call.parse() {
            settle(ephemeral, reader, &room, &id);
        }
    }
}
