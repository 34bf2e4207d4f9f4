//! One call, folded from the events that change it.

use ruma_common::{MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedUserId, UserId};
use serde::{Deserialize, Serialize};

use super::{CallChange, CallId, CallMedia, CallStep, EndReason, PartyId, content::InviteContent};
use crate::{Envelope, Origin, RoomEvent};

/// A call between two users.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Its ID.
    pub id: CallId,
    /// The event that placed it.
    pub invite: OwnedEventId,
    /// The user who calls.
    pub caller: OwnedUserId,
    /// The ID of the caller's device in the call.
    pub caller_party: PartyId,
    /// The caller's device. For the server's own use: no other user may see it.
    pub caller_device: Option<String>,
    /// The user who is called.
    pub callee: OwnedUserId,
    /// Whether it has a picture.
    pub media: CallMedia,
    /// When it was placed.
    pub placed_at: MilliSecondsSinceUnixEpoch,
    /// When it ends if nobody answers.
    pub expires_at: MilliSecondsSinceUnixEpoch,
    /// How far it has come.
    pub state: CallState,
}

/// How far a call has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallState {
    /// It rings at the devices of the callee.
    Ringing,
    /// A device of the callee answered.
    Answered {
        /// The answer.
        answer: Answer,
        /// The callee's device. For the server's own use: no other user may see it.
        device: Option<String>,
    },
    /// It ended.
    Ended(End),
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The ID of the answering device in the call.
    pub party: PartyId,
    /// When it answered.
    pub at: MilliSecondsSinceUnixEpoch,
}

/// The end of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The answer before it; `None` if nobody answered.
    pub answer: Option<Answer>,
    /// The reason.
    pub reason: EndReason,
    /// The sender of the event that ended it. The server ends a call in the name of a party.
    pub by: OwnedUserId,
    /// When it ended, by the clock of that event.
    pub at: MilliSecondsSinceUnixEpoch,
}

impl Call {
    /// The call that an event places. `None` if it places none, or if its content was redacted.
    #[must_use]
    pub fn placed(event: &RoomEvent) -> Option<Self> {
        let change = event.envelope.calls.iter().find(|change| change.is_placed())?;
        let content: InviteContent = event.pdu.content_as()?;
        let pdu = &event.pdu;
        let expires_at = u64::from(pdu.origin_server_ts.0).saturating_add(content.lifetime);
        Some(Self {
            id: change.call_id.clone(),
            invite: pdu.event_id.clone(),
            caller: pdu.sender.clone(),
            caller_party: content.party_id,
            caller_device: device(&event.envelope),
            callee: content.invitee,
            media: content.media,
            placed_at: pdu.origin_server_ts,
            expires_at: MilliSecondsSinceUnixEpoch(js_int::UInt::new_saturating(expires_at)),
            state: CallState::Ringing,
        })
    }

    /// The call that `invite` placed and `end` ended. `None` if they are not of one call, or if the
    /// content of the invite was redacted.
    #[must_use]
    pub fn past(invite: &RoomEvent, end: &RoomEvent) -> Option<Self> {
        let mut call = Self::placed(invite)?;
        end.envelope.calls.iter().for_each(|change| call.follow(change, end));
        (!call.is_active()).then_some(call)
    }

    /// Folds a step that an event makes. A step of another call, and a step after the end, changes
    /// nothing.
    pub fn follow(&mut self, change: &CallChange, event: &RoomEvent) {
        if change.call_id != self.id || !self.is_active() {
            return;
        }
        let at = event.pdu.origin_server_ts;
        match &change.step {
            CallStep::Answered { party } if self.answer().is_none() => {
                let (answer, device) = (Answer::new(party.clone(), at), device(&event.envelope));
                self.state = CallState::Answered { answer, device };
            }
            CallStep::Ended { reason, answer } => {
                let by = event.pdu.sender.clone();
                let end = End { answer: answer.clone(), reason: *reason, by, at };
                self.state = CallState::Ended(end);
            }
            CallStep::Placed | CallStep::Answered { .. } => {}
        }
    }

    /// Whether it rings or was answered, and did not end.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !matches!(self.state, CallState::Ended(_))
    }

    /// The answer, also that of a call that has ended since.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        match &self.state {
            CallState::Ringing => None,
            CallState::Answered { answer, .. } => Some(answer),
            CallState::Ended(end) => end.answer.as_ref(),
        }
    }

    /// Whether the user calls or is called.
    #[must_use]
    pub fn is_of(&self, user: &UserId) -> bool {
        self.caller == user || self.callee == user
    }

    /// Whether it rings for the user.
    #[must_use]
    pub fn rings_at(&self, user: &UserId) -> bool {
        self.state == CallState::Ringing && self.callee == user
    }

    /// The ID of the user's device in the call: `None` for the callee before the answer, and for
    /// other users.
    #[must_use]
    pub fn party_of(&self, user: &UserId) -> Option<&PartyId> {
        if self.caller == user {
            return Some(&self.caller_party);
        }
        self.answer().filter(|_| self.callee == user).map(|answer| &answer.party)
    }

    /// Whether this device of the user is the one that placed or answered the active call. `None` is
    /// an actor without a device.
    #[must_use]
    pub fn is_with(&self, user: &UserId, device: Option<&str>) -> bool {
        if self.caller == user {
            return self.is_active() && self.caller_device.as_deref() == device;
        }
        match &self.state {
            CallState::Answered { device: answering, .. } => {
                self.callee == user && answering.as_deref() == device
            }
            CallState::Ringing | CallState::Ended(_) => false,
        }
    }

    /// Whether it still rings after its lifetime.
    #[must_use]
    pub fn has_expired(&self, now: MilliSecondsSinceUnixEpoch) -> bool {
        self.state == CallState::Ringing && now >= self.expires_at
    }

    /// Whether the callee missed it: it ended without an answer, and not by the callee.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        match &self.state {
            CallState::Ended(end) => {
                end.answer.is_none() && end.reason != EndReason::Rejected && end.by != self.callee
            }
            CallState::Ringing | CallState::Answered { .. } => false,
        }
    }
}

fn device(envelope: &Envelope) -> Option<String> {
    match &envelope.origin {
        Origin::Local { device, .. } => device.clone(),
        Origin::Server(_) => None,
    }
}
