//! What the server notes beside each PDU. It is hashed into the log's chain and never erased.

use ruma_common::OwnedServerName;
use serde::{Deserialize, Serialize};

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
    },
    /// Another server.
    Server(OwnedServerName),
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
}

impl Envelope {
    /// The envelope of an accepted event that this server made.
    #[must_use]
    pub fn local(device: Option<String>, action: Option<u64>) -> Self {
        Self { origin: Origin::Local { device, action }, status: EventStatus::Accepted }
    }
}
