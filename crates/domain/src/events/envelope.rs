//! What the server notes beside each PDU. It is hashed into the log's chain and never erased.

use ruma_common::{OwnedEventId, OwnedServerName};
use serde::{Deserialize, Serialize};

use crate::{Fingerprint, Pdu};

/// Where an event came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A user of this server.
    Local {
        /// The device that sent it; none for the server's own tasks and imports.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
        /// The number that the device gave to the action.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<u64>,
        /// What the action asked for; none for commands without a number, and in logs of before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<Fingerprint>,
        /// Of a join: on which way the device that joined gets what the room shows. None: on both.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deliver: Option<Deliver>,
    },
    /// Another server.
    Server(OwnedServerName),
}

/// On which way a device that joins a room gets what the room shows at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deliver {
    /// With the answer, and not on the device's stream.
    Response,
    /// On the device's stream, and not with the answer.
    Stream,
}

/// What the checks on receipt said.
///
/// Source: Matrix server-server specification, "Checks performed on receipt of a PDU".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventStatus {
    /// Part of the room.
    Accepted,
    /// Kept for the room's history, but not shown.
    SoftFailed,
    /// Forbidden by its own auth events: never shown.
    Rejected,
}

/// The envelope of a room event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Where it came from.
    pub origin: Origin,
    /// What the checks said.
    pub status: EventStatus,
    /// What became of the room's state where that does not follow from the event alone: every slot
    /// whose holder changed, and no other. None says the plain thing: a state event holds its slot,
    /// anything else changes nothing.
    ///
    /// State resolution writes it: events of several servers meet in an order of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<Vec<SlotChange>>,
    /// Of a redaction that takes effect: the events whose content leaves the log and every model.
    ///
    /// Written when the redaction is appended. Whoever folds a room forgets here what these events
    /// said, so that it ends as if they had never said it: the log says it no longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erases: Vec<Erased>,
    /// Of an edit: the number in the room of the message that it replaces, which is of the same sender.
    ///
    /// Written when the edit is appended, so that no model has to keep the IDs of all messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edits: Option<u64>,
}

/// An event whose content a redaction erases, and where the log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The event.
    #[serde(rename = "event")]
    pub event_id: OwnedEventId,
    /// The position of its commit.
    pub position: u64,
    /// Its index in that commit.
    pub index: u16,
    /// The slot of the room's state that it was for, if it is a state event.
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
    /// Names `event`, which the log has at `position` and `index`.
    #[must_use]
    pub fn new(event: &Pdu, position: u64, index: u16) -> Self {
        let slot = event.state_slot();
        let slot = slot.map(|(kind, key)| Slot { kind, state_key: key.to_owned() });
        Self { event_id: event.event_id.clone(), position, index, slot }
    }
}

/// A slot of a room's state (type and state key) that another event holds from now on, or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotChange {
    /// The event type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The state key.
    #[serde(rename = "key")]
    pub state_key: String,
    /// Who holds it now; none if nobody does.
    pub holder: Option<Holder>,
}

/// The event that holds a slot, and where the log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The event.
    #[serde(rename = "event")]
    pub event_id: OwnedEventId,
    /// The position of its commit; none for the commit that says so.
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
        Self { origin, status: EventStatus::Accepted, state: None, erases: Vec::new(), edits: None }
    }

    /// The envelope of an event that an action of a device made.
    #[must_use]
    pub fn acted(device: String, action: u64, fingerprint: Fingerprint) -> Self {
        let (device, action, fingerprint) = (Some(device), Some(action), Some(fingerprint));
        let origin = Origin::Local { device, action, fingerprint, deliver: None };
        Self { origin, status: EventStatus::Accepted, state: None, erases: Vec::new(), edits: None }
    }
}
