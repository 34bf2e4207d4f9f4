//! Facts as the log stores them: the only code that converts events to bytes and back.
//!
//! A room event is stored as the PDU's own JSON, with its envelope beside it. Account and alias
//! events are stored as JSON too. Their ID is a salted hash of that JSON. So content can be erased
//! while the chain over the IDs stays valid, and nobody can confirm a guess of erased content.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use ruma_common::{OwnedEventId, OwnedRoomId, OwnedUserId};
use serde::{Deserialize, Serialize};

use crate::{
    ActionOutcome, Elsewhere, ElsewhereEnd, Filter, Fingerprint, JsonObject, Pdu, PduError,
    RemoteAction, RemoteOutcome, RoomEvent, RoomPreferences,
};

/// A change of a user's account data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AccountEvent {
    /// The user's profile changed to this one.
    ProfileChanged {
        /// The name to show; `None` to show the user ID.
        displayname: Option<String>,
        /// The `mxc:` address of the avatar.
        avatar_url: Option<String>,
    },
    /// The user has read a room up to an event.
    ReceiptMoved {
        /// The room.
        room_id: OwnedRoomId,
        /// The last event that the user read.
        event_id: OwnedEventId,
        /// Its sequence in the room.
        sequence: u64,
        /// Only the user may know.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        private: bool,
    },
    /// The user has logged in on a new device.
    DeviceAdded {
        /// The device.
        device_id: String,
        /// The user's name for the device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// A device of the user was removed and logged out.
    DeviceRemoved {
        /// The device.
        device_id: String,
    },
    /// An action of a device was carried out. The note follows the events that the action made in
    /// this stream. It stands alone if the action made no events. For an action with events in a
    /// room, their envelopes hold the same data.
    ActionNoted {
        /// The device.
        device: String,
        /// The device's number for the action.
        action: u64,
        /// The fingerprint of the action.
        fingerprint: Fingerprint,
        /// The outcome of the action.
        outcome: ActionOutcome,
    },
    /// The user has stored a filter.
    FilterCreated {
        /// The ID of the filter: a hash of its content.
        filter_id: String,
        /// The filter.
        filter: Filter,
    },
    /// The user has deleted a filter.
    FilterDeleted {
        /// Its ID.
        filter_id: String,
    },
    /// The user's preferences for a room changed to these.
    RoomPreferencesChanged {
        /// The room.
        room_id: OwnedRoomId,
        /// The preferences.
        preferences: RoomPreferences,
    },
    /// The user ignores another user from now on.
    UserIgnored {
        /// The other user.
        user_id: OwnedUserId,
    },
    /// The user ignores another user no longer.
    UserUnignored {
        /// The other user.
        user_id: OwnedUserId,
    },
    /// The user has stored account data.
    DataChanged {
        /// The room that it is about; `None` for data about no room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<OwnedRoomId>,
        /// Its type.
        kind: String,
        /// The content.
        content: JsonObject,
    },
    /// The user has begun an action that other servers have to answer.
    RemoteBegun {
        /// The action.
        action: Box<RemoteAction>,
    },
    /// Such an action has ended.
    RemoteEnded {
        /// The action.
        action: Box<RemoteAction>,
        /// How it ended.
        outcome: RemoteOutcome,
    },
    /// The user is invited to a room that is not here, or has asked to join one.
    ElsewhereChanged {
        /// The invite, or the request.
        standing: Box<Elsewhere>,
    },
    /// Such an invite or request has ended without a join.
    ElsewhereEnded {
        /// The room.
        room_id: OwnedRoomId,
        /// How it ended.
        how: ElsewhereEnd,
        /// The user who ended it.
        by: OwnedUserId,
    },
    /// The user has deleted account data.
    DataDeleted {
        /// The room that it was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room_id: Option<OwnedRoomId>,
        /// Its type.
        kind: String,
    },
}

/// A change of an alias.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum AliasEvent {
    /// The alias points to this room now.
    Claimed {
        /// The room.
        room_id: OwnedRoomId,
        /// The user who claimed it.
        by: OwnedUserId,
    },
    /// The alias was removed.
    Released {
        /// The user who released it.
        by: OwnedUserId,
    },
}

/// The subject of a stream, which decides how its events are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A room.
    Room,
    /// A user's account data.
    Account,
    /// An alias.
    Alias,
}

/// One event of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// In a room.
    Room(RoomEvent),
    /// To a user's account data.
    Account(AccountEvent),
    /// To an alias.
    Alias(AliasEvent),
}

/// The three parts in which the log keeps an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFact {
    /// The ID, which covers the content.
    pub id: String,
    /// The envelope, which is never erased.
    pub envelope: Bytes,
    /// The event.
    pub content: Bytes,
}

impl StoredFact {
    /// Whether the ID of an account or alias event matches its content.
    #[must_use]
    pub fn is_of_its_id(&self) -> bool {
        self.id == salted_id(&self.envelope, &self.content)
    }
}

/// A stored event cannot be read: either the program is older than the log, or the log is damaged.
#[derive(Debug, thiserror::Error)]
pub enum FactError {
    /// The text is not an event ID.
    #[error("not an event ID: {0}")]
    Id(String),
    /// The PDU cannot be read.
    #[error(transparent)]
    Pdu(#[from] PduError),
    /// The JSON of the envelope, or of an account or alias event, cannot be read.
    #[error("not an event that this version knows: {0}")]
    Json(#[from] serde_json::Error),
}

impl Fact {
    /// Turns the fact into what the log stores. `salt` is random, 16 bytes, and only used for
    /// account and alias events.
    #[must_use]
    pub fn store(&self, salt: [u8; 16]) -> StoredFact {
        match self {
            Self::Room(event) => StoredFact {
                id: event.pdu.event_id.to_string(),
                envelope: json(&event.envelope),
                content: event.pdu.json.clone(),
            },
            Self::Account(event) => salted(salt, json(event)),
            Self::Alias(event) => salted(salt, json(event)),
        }
    }

    /// Reads a fact back.
    ///
    /// # Errors
    /// [`FactError`] if this version of the software cannot read it.
    pub fn read(
        subject: Subject,
        id: &str,
        envelope: &[u8],
        content: &Bytes,
    ) -> Result<Self, FactError> {
        Ok(match subject {
            Subject::Room => {
                let event_id = OwnedEventId::try_from(id).map_err(|_| FactError::Id(id.into()))?;
                let pdu = Arc::new(Pdu::parse(event_id, content.clone())?);
                Self::Room(RoomEvent::new(serde_json::from_slice(envelope)?, pdu))
            }
            Subject::Account => Self::Account(serde_json::from_slice(content)?),
            Subject::Alias => Self::Alias(serde_json::from_slice(content)?),
        })
    }
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("plain data serialises").into()
}

/// The salt is the envelope; the ID is BLAKE3 keyed with nothing over salt and content.
fn salted(salt: [u8; 16], content: Bytes) -> StoredFact {
    let (id, envelope) = (salted_id(&salt, &content), Bytes::copy_from_slice(&salt));
    StoredFact { id, envelope, content }
}

fn salted_id(salt: &[u8], content: &[u8]) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(salt);
    hasher.update(content);
    URL_SAFE_NO_PAD.encode(hasher.finalize().as_bytes())
}
