//! Data that the server stores beside each PDU. The log's hash chain covers it, and it is never
//! erased.

use ruma_common::{OwnedEventId, OwnedServerName, OwnedUserId};
use serde::{Deserialize, Serialize};

use crate::{CallChange, Fingerprint, HistoryVisibility, Membership, Pdu};

/// The source of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A user of this server.
    Local {
        /// The device that sent it; `None` for imports and the server's own tasks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
        /// The device's number for the action.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<u64>,
        /// The fingerprint of the action; `None` for commands without a number, and in older logs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<Fingerprint>,
        /// For a join: how the joining device receives the room's snapshot. `None` means in both
        /// ways.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deliver: Option<Deliver>,
    },
    /// Another server.
    Server(OwnedServerName),
}

/// How a device that joins a room receives the room's snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deliver {
    /// With the answer only, not on the device's stream.
    Response,
    /// On the device's stream only, not with the answer.
    Stream,
}

/// The result of the checks on receipt.
///
/// Source: Matrix server-server specification, "Checks performed on receipt of a PDU".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// Part of the room.
    Accepted,
    /// Kept for the room's history, but not shown.
    SoftFailed,
    /// Forbidden by its own auth events, so never shown.
    Rejected,
    /// Known without its place among the other events, and never shown: an event of the state, or
    /// one that authorises others, from before this server joined the room or from a gap. Its own
    /// auth events allow it.
    Outlier,
}

/// The envelope of a room event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The source of the event.
    pub origin: Origin,
    /// The result of the checks.
    pub status: EventStatus,
    /// The changes of the room's state, where they do not follow from the event alone: every slot
    /// whose holder changed, and no other. `None` is the default: a state event takes its slot, and
    /// any other event changes nothing.
    ///
    /// State resolution writes this field, because events of several servers arrive in different
    /// orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Vec<SlotChange>>,
    /// For an event that follows events which are not here: the state before it, as another server
    /// stated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<StatedBefore>,
    /// An event that arrived earlier follows it, so it is no end of the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub behind: bool,
    /// For an event that was fetched after events that follow it: how it may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub past: Option<Past>,
    /// For a redaction that takes effect: the events whose content leaves the log and every model.
    ///
    /// The write side sets it when it appends the redaction. A reader that folds the room forgets
    /// the content of these events here, because the log no longer holds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erases: Vec<Erased>,
    /// For an edit: the sequence in the room of the message that it replaces, which has the same
    /// sender.
    ///
    /// The write side sets it when it appends the edit, so that no model has to keep the IDs of all
    /// messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<u64>,
    /// The steps that the event makes in calls of the room.
    ///
    /// The write side sets them when it appends the event, so that no reader decides which calls a
    /// leave or a change of power levels ends.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallChange>,
}

/// The state before an event, as another server stated it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedBefore {
    /// Its differences from the room's state at the arrival of the event, or from the state before
    /// [`Self::since`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<SlotChange>,
    /// For an event that was fetched after events that follow it: one of these, which has a stated
    /// state too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<OwnedEventId>,
    /// The event comes after all events that are here: this server joined the room with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub begins: bool,
}

/// How an event may be seen that was fetched after events that follow it. The room's events have its
/// place in the log only, which says nothing of its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// The position of an event that follows it, directly or through others, and was here before.
    pub before: u64,
    /// The room's history visibility at the event. For an event that changes it, the more open of the
    /// old and the new one.
    pub visibility: HistoryVisibility,
    /// The users of this server who were joined or invited at the event, in their order. `None` if
    /// they are those of the event before it in the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<PastMember>>,
}

/// The membership of a user at an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastMember {
    /// The user.
    pub user: OwnedUserId,
    /// The membership.
    pub membership: Membership,
}

/// An event whose content a redaction erases, with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The event.
    #[serde(rename = "event")]
    pub event_id: OwnedEventId,
    /// The position of its commit.
    pub position: u64,
    /// Its index in that commit.
    pub index: u16,
    /// The slot of the room's state that the event was sent for, if it is a state event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
}

/// A slot of a room's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The state key.
    #[serde(rename = "key")]
    pub state_key: String,
}

impl Erased {
    /// Names `event`, which the log holds at `position` and `index`.
    #[must_use]
    pub fn new(event: &Pdu, position: u64, index: u16) -> Self {
        let slot = event.state_slot();
        let slot = slot.map(|(kind, key)| Slot { kind, state_key: key.to_owned() });
        Self { event_id: event.event_id.clone(), position, index, slot }
    }
}

/// A slot of a room's state (type and state key) whose holder changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotChange {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The state key.
    #[serde(rename = "key")]
    pub state_key: String,
    /// The new holder; `None` if the slot is empty now.
    pub holder: Option<Holder>,
}

/// The event that holds a slot, with its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The event.
    #[serde(rename = "event")]
    pub event_id: OwnedEventId,
    /// The position of its commit; `None` for the commit that contains this change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u64>,
    /// Its index in that commit.
    pub index: u16,
}

impl Envelope {
    /// The envelope of an accepted event that this server made.
    #[must_use]
    pub fn local(device: Option<String>, action: Option<u64>) -> Self {
        let origin = Origin::Local { device, action, fingerprint: None, deliver: None };
        Self::accepted(origin)
    }

    /// The envelope of an event that a device's action made.
    #[must_use]
    pub fn acted(device: String, action: u64, fingerprint: Fingerprint) -> Self {
        let (device, action, fingerprint) = (Some(device), Some(action), Some(fingerprint));
        let origin = Origin::Local { device, action, fingerprint, deliver: None };
        Self::accepted(origin)
    }

    fn accepted(origin: Origin) -> Self {
        let (status, erases, calls) = (EventStatus::Accepted, Vec::new(), Vec::new());
        Self {
            origin,
            status,
            state: None,
            before: None,
            behind: false,
            past: None,
            erases,
            edits: None,
            calls,
        }
    }
}
