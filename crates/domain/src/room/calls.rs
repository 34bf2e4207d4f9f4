//! The steps that an event makes in the calls of its room.
//!
//! **Invariant:** an event of another server makes no step of its own. It can only end calls, as a
//! leave, a ban, a change of power levels or a redaction.

use ruma_common::{OwnedRoomId, UserId};
use ruma_events::TimelineEventType;

use super::{Room, reading};
use crate::{
    Call, CallChange, EndReason, EventStatus, Membership, Origin, Power, PowerLevels, RoomEvent,
    StateChange, calls,
};

/// The types of the events that a party may have to send while a call goes on.
const OF_PARTIES: [&str; 3] = [calls::ANSWER, calls::REJECT, calls::HANGUP];

impl Room {
    /// The steps of calls that an event makes, whose other effects its envelope states. The caller
    /// writes them into the envelope ([`Envelope::calls`](crate::Envelope::calls)).
    #[must_use]
    pub fn call_changes(&self, event: &RoomEvent) -> Vec<CallChange> {
        let is_local = matches!(event.envelope.origin, Origin::Local { .. });
        if is_local && event.envelope.status == EventStatus::Accepted {
            let own = self.own_step(event);
            if own.is_some() {
                return own.into_iter().collect();
            }
        }
        if self.calls.active().len() == 0 {
            return Vec::new();
        }
        let mut ended: Vec<CallChange> = Vec::new();
        let mut end = |call: &Call, reason| {
            if !ended.iter().any(|change| change.call_id == call.id) {
                ended.push(CallChange::ended(&call.id, reason, call.answer()));
            }
        };
        for change in event.state_changes() {
            self.ended_by_state(&change, &mut end);
        }
        for erased in event.erases() {
            let of_invite = |call: &&Call| call.invite == erased.event_id;
            self.calls.active().filter(of_invite).for_each(|call| end(call, EndReason::Redacted));
        }
        ended
    }

    /// The step of a call's own event, which a command of this server made.
    fn own_step(&self, event: &RoomEvent) -> Option<CallChange> {
        use TimelineEventType::{CallAnswer, CallHangup, CallInvite, CallReject};
        let is_of_calls =
            matches!(event.pdu.kind, CallInvite | CallAnswer | CallReject | CallHangup);
        let step = is_of_calls.then(|| calls::read_step(&event.pdu)).flatten()?;
        let call = self.calls.get(&step.call_id);
        Some(step.with_answer(call.and_then(Call::answer)))
    }

    /// The calls that a change of the state ends.
    fn ended_by_state(&self, change: &StateChange<'_>, end: &mut impl FnMut(&Call, EndReason)) {
        let holder = change.holder.map(|holder| holder.pdu);
        match (&*change.kind, change.state_key) {
            ("m.room.member", user) => {
                let membership = holder.map_or(Membership::Leave, |holder| Membership::of(holder));
                let Ok(user) = <&UserId>::try_from(user) else { return };
                let reason = match membership {
                    Membership::Join => return,
                    Membership::Ban => EndReason::Banned,
                    _ if holder.is_none_or(|holder| holder.sender == user) => EndReason::Left,
                    _ => EndReason::Kicked,
                };
                self.calls.active_of(user).for_each(|call| end(call, reason));
            }
            ("m.room.power_levels", "") => {
                let levels = holder.map(|holder| PowerLevels::of(holder));
                let lacks = |user: &UserId| self.missing_power(user, levels.as_ref()).is_some();
                let lacking = |call: &&Call| lacks(&call.caller) || lacks(&call.callee);
                self.calls
                    .active()
                    .filter(lacking)
                    .for_each(|call| end(call, EndReason::PowerLost));
            }
            ("m.room.tombstone", "") => {
                let replaced = |holder| reading::field::<OwnedRoomId>(holder, "replacement_room");
                if holder.and_then(|holder| replaced(holder)).is_some() {
                    self.calls.active().for_each(|call| end(call, EndReason::RoomReplaced));
                }
            }
            _ => {}
        }
    }

    /// The type of an event that a party of a call must be able to send, and that `user` may not
    /// under these power levels. `None` are the levels of a room without power levels.
    pub(super) fn missing_power(
        &self,
        user: &UserId,
        levels: Option<&PowerLevels>,
    ) -> Option<&'static str> {
        let power = self.power_under(user, levels);
        let unset = PowerLevels::UNSET;
        let levels = levels.unwrap_or(&unset);
        let lacks = |kind: &&str| power < Power::Level(levels.event(kind, false));
        OF_PARTIES.into_iter().find(lacks)
    }
}
