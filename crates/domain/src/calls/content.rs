//! The contents of the events of calls.
//!
//! In a room with members of other servers, the SDP will have to go into these contents, as Matrix
//! wants it: `offer` in the invite, `answer` in the answer.

use ruma_common::OwnedUserId;
use ruma_events::TimelineEventType;
use serde::Deserialize;
use serde_json::json;

use super::{CallChange, CallId, CallMedia, CallStep, EndReason, PartyId};
use crate::{JsonObject, Pdu};

/// The version of Matrix calls.
const VERSION: &str = "1";

/// The type of the event that places a call.
pub(crate) const INVITE: &str = "m.call.invite";
/// The type of the event that answers a call.
pub(crate) const ANSWER: &str = "m.call.answer";
/// The type of the event by which the callee rejects a call.
pub(crate) const REJECT: &str = "m.call.reject";
/// The type of the event that ends a call.
pub(crate) const HANGUP: &str = "m.call.hangup";

/// The key of the content that says whether the call has a picture. Matrix clients read that from
/// the SDP.
const MEDIA: &str = "org.rookery.media";

/// The fields of an invite that the server reads back.
#[derive(Deserialize)]
pub(super) struct InviteContent {
    pub(super) party_id: PartyId,
    pub(super) invitee: OwnedUserId,
    /// In milliseconds.
    pub(super) lifetime: u64,
    #[serde(rename = "org.rookery.media")]
    pub(super) media: CallMedia,
}

/// Whether events of this type belong to calls: clients make them with the mutations of calls
/// alone. `m.call.member` is left to group calls.
#[must_use]
pub fn is_call_type(kind: &str) -> bool {
    kind.starts_with("m.call.") && kind != "m.call.member"
}

/// The mutation that takes the place of an event of a call, in the words of the GraphQL schema.
pub(crate) fn mutation_for(kind: &str) -> &'static str {
    match kind {
        INVITE => "placeCall",
        ANSWER => "answerCall",
        REJECT => "rejectCall",
        HANGUP => "hangUpCall",
        _ => "sendCallSignal",
    }
}

pub(crate) fn invite(
    call: &CallId,
    party: &PartyId,
    invitee: &OwnedUserId,
    media: CallMedia,
    lifetime_millis: u64,
) -> JsonObject {
    let mut content = common(call, party);
    content.insert("invitee".into(), invitee.as_str().into());
    content.insert("lifetime".into(), lifetime_millis.into());
    content.insert(MEDIA.into(), json!(media));
    content
}

pub(crate) fn answer(call: &CallId, party: &PartyId) -> JsonObject {
    common(call, party)
}

pub(crate) fn reject(call: &CallId, party: &PartyId) -> JsonObject {
    common(call, party)
}

pub(crate) fn hangup(call: &CallId, party: &PartyId, reason: EndReason) -> JsonObject {
    let mut content = common(call, party);
    content.insert("reason".into(), reason.in_hangup().into());
    content
}

/// The step of an event of a call, which a command made. `None` if the event is of another type or
/// malformed.
pub(crate) fn read_step(event: &Pdu) -> Option<CallChange> {
    #[derive(Deserialize)]
    struct Content {
        call_id: CallId,
        party_id: PartyId,
        #[serde(default)]
        reason: String,
    }
    let Content { call_id, party_id, reason } = event.content_as()?;
    let ended = |reason| CallStep::Ended { reason, answer: None };
    let step = match event.kind {
        TimelineEventType::CallInvite => CallStep::Placed,
        TimelineEventType::CallAnswer => CallStep::Answered { party: party_id },
        TimelineEventType::CallReject => ended(EndReason::Rejected),
        TimelineEventType::CallHangup => ended(EndReason::of_hangup(&reason)),
        _ => return None,
    };
    Some(CallChange { call_id, step })
}

fn common(call: &CallId, party: &PartyId) -> JsonObject {
    let mut content = JsonObject::new();
    content.insert("call_id".into(), call.as_str().into());
    content.insert("party_id".into(), party.as_str().into());
    content.insert("version".into(), VERSION.into());
    content
}
