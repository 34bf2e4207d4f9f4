//! Decisions about calls.
//!
//! **Invariant:** both parties of an active call are joined, and have the power to answer, reject and
//! hang up. The event that takes one of these from a party ends the call.
//! **Invariant:** a room admits one call of a caller at a time. That a user has one call in all rooms,
//! the write side checks before it asks here.

use std::{borrow::Cow, sync::Arc};

use ruma_common::UserId;

use super::message::draft;
use crate::{
    Bound, Call, CallId, CallState, EndReason, HangUpReason, JsonObject, Membership, PartyId, Pdu,
    PlaceCall, Rejection, calls,
    limits::CALL_LIFETIME_SECONDS,
    room::{Context, Room},
};

/// The event of a command about a call; `None` if the command changes nothing.
type Event = Result<Option<Arc<Pdu>>, Rejection>;

impl Room {
    pub(super) fn place_call(&self, call: &PlaceCall, cx: &Context) -> Event {
        self.require_member(cx.sender)?;
        let PlaceCall { callee, media, lifetime_seconds, ids, is_ignored } = call;
        if callee == cx.sender {
            return Err(Rejection::CallToSelf);
        }
        if self.membership(callee) != Membership::Join {
            return Err(Rejection::TargetNotInRoom(callee.clone()));
        }
        if callee.server_name() != cx.server_name {
            return Err(Rejection::CalleeElsewhere(callee.clone()));
        }
        if !CALL_LIFETIME_SECONDS.contains(lifetime_seconds) {
            let (min, max) = CALL_LIFETIME_SECONDS.into_inner();
            let reason = format!("a call rings for {min} to {max} seconds");
            return Err(Rejection::InvalidContent(reason));
        }
        self.check_free(callee, *is_ignored, cx)?;
        if let Some(kind) = self.missing_power(cx.sender, self.power_levels()) {
            let needed = self.levels().event(kind, false);
            self.require_power(cx.sender, needed, || format!("to send events of type {kind}"))?;
        }
        if let Some(kind) = self.missing_power(callee, self.power_levels()) {
            let rule = format!("{callee} may not send events of type {kind}, and could not answer");
            return Err(Rejection::Forbidden { rule });
        }
        Bound::Calls.admit(self.calls().active().len())?;
        let (id, party) = ids.as_ref().ok_or_else(no_id)?;
        let lifetime = u64::from(*lifetime_seconds) * 1_000;
        self.call_event(calls::INVITE, calls::invite(id, party, callee, *media, lifetime), cx)
    }

    /// Refuses a call of a user who has one here. Two writers may reach this point at once, so it
    /// repeats a part of what the write side has checked.
    fn check_free(&self, callee: &UserId, is_ignored: bool, cx: &Context) -> Result<(), Rejection> {
        let is_bound = |call: &&Call, user: &UserId| {
            call.caller == user || (call.callee == user && call.state != CallState::Ringing)
        };
        let mut active = self.calls().active();
        let own = active.find(|call| {
            is_bound(call, cx.sender) || (call.caller == callee && call.callee == cx.sender)
        });
        if let Some(call) = own {
            let (room_id, call_id) = (self.id.clone(), call.id.clone());
            return Err(Rejection::CallInProgress { room_id, call_id });
        }
        let mut active = self.calls().active();
        if !is_ignored && active.any(|call| is_bound(&call, callee)) {
            return Err(Rejection::BusyInCall(callee.to_owned()));
        }
        Ok(())
    }

    pub(super) fn answer_call(&self, id: &CallId, party: Option<&PartyId>, cx: &Context) -> Event {
        let call = self.call_of(id, cx)?;
        if call.callee != cx.sender {
            return Err(Rejection::NotYourCall(id.clone()));
        }
        match &call.state {
            CallState::Ringing if !call.has_expired(cx.now) => {
                let content = calls::answer(id, party.ok_or_else(no_id)?);
                self.call_event(calls::ANSWER, content, cx)
            }
            CallState::Answered { .. } if call.is_with(cx.sender, cx.device) => Ok(None),
            CallState::Answered { .. } => Err(Rejection::CallAnsweredElsewhere(id.clone())),
            CallState::Ringing | CallState::Ended(_) => Err(Rejection::CallEnded(id.clone())),
        }
    }

    pub(super) fn reject_call(&self, id: &CallId, party: Option<&PartyId>, cx: &Context) -> Event {
        let call = self.call_of(id, cx)?;
        if call.callee != cx.sender {
            return Err(Rejection::NotYourCall(id.clone()));
        }
        match &call.state {
            CallState::Ringing => {
                let content = calls::reject(id, party.ok_or_else(no_id)?);
                self.call_event(calls::REJECT, content, cx)
            }
            CallState::Answered { .. } => Err(Rejection::CallAnsweredElsewhere(id.clone())),
            CallState::Ended(_) => Ok(None),
        }
    }

    pub(super) fn hang_up_call(
        &self,
        id: &CallId,
        reason: HangUpReason,
        party: Option<&PartyId>,
        cx: &Context,
    ) -> Event {
        let call = self.call_of(id, cx)?;
        match &call.state {
            CallState::Ended(_) => Ok(None),
            CallState::Ringing if call.callee == cx.sender => self.reject_call(id, party, cx),
            _ if call.is_with(cx.sender, cx.device) => self.end_call(id, reason.into(), cx),
            CallState::Answered { .. } if call.callee == cx.sender => {
                Err(Rejection::CallAnsweredElsewhere(id.clone()))
            }
            CallState::Ringing | CallState::Answered { .. } => {
                Err(Rejection::NotYourCall(id.clone()))
            }
        }
    }

    pub(super) fn end_call(&self, id: &CallId, reason: EndReason, cx: &Context) -> Event {
        let call = self.call_of(id, cx)?;
        let holds = match reason {
            EndReason::InviteTimeout => call.has_expired(cx.now),
            _ => call.is_active(),
        };
        if !holds {
            return Ok(None);
        }
        // Before the answer the callee has no device in the call: the caller's stands for both.
        let party = call.party_of(cx.sender).unwrap_or(&call.caller_party);
        self.call_event(calls::HANGUP, calls::hangup(id, party, reason), cx)
    }

    /// A call of the sender.
    fn call_of(&self, id: &CallId, cx: &Context) -> Result<&Call, Rejection> {
        self.require_member(cx.sender)?;
        let call = self.calls().get(id).ok_or_else(|| Rejection::NoSuchCall(id.clone()))?;
        if call.is_of(cx.sender) { Ok(call) } else { Err(Rejection::NotYourCall(id.clone())) }
    }

    fn call_event(&self, kind: &str, content: JsonObject, cx: &Context) -> Event {
        self.issue(&draft(Cow::Borrowed(kind), Cow::Owned(content)), cx).map(Some)
    }
}

/// The server makes the IDs before it decides, so this is a fault of its own.
fn no_id() -> Rejection {
    Rejection::InvalidContent("the call has no ID".to_owned())
}
