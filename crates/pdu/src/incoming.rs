//! An event as another server sent it, with the checks that need no knowledge of the room.
//!
//! Source: Matrix server-server specification, "Checks performed on receipt of a PDU", the first
//! three, and "Validating hashes and signatures on received events".
//!
//! **Invariant:** a [`Pdu`] comes out only if it has the form of its room's version and every
//! required server has signed it. If the content does not match its hash, the content is redacted.

use std::collections::BTreeMap;

use ruma_common::{
    CanonicalJsonObject, CanonicalJsonValue, EventId, MilliSecondsSinceUnixEpoch, OwnedEventId,
    OwnedRoomId, OwnedServerName, RoomVersionId, ServerName, canonical_json::redact_in_place,
    room_version_rules::RoomVersionRules, serde::Base64,
};
use ruma_signatures::{
    PublicKeyMap, Verified, reference_hash, required_server_signatures_to_verify_event,
    verify_event,
};
use ruma_state_res::check_pdu_format;
use serde_json::value::RawValue;

use crate::{
    Pdu, PduError,
    limits::{CONTENT_DEPTH_MAX, PDU_BYTES_MAX},
    versions::supported_rules,
};

/// An event of the right form, before its signatures are checked.
#[derive(Debug)]
pub struct Incoming {
    /// The event, unless its content turns out to be another than its hash says.
    pdu: Pdu,
    object: CanonicalJsonObject,
    rules: RoomVersionRules,
}

/// Public keys of servers, by server name and key ID.
#[derive(Clone, Debug, Default)]
pub struct PublicKeys(PublicKeyMap);

/// The bytes are not an event. The server does not store them, not even as a rejected event.
#[derive(Debug, thiserror::Error)]
pub enum IncomingError {
    /// It is larger than any event.
    #[error("the event has {bytes} bytes, and the most is {PDU_BYTES_MAX}")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is not JSON, or not canonical JSON.
    #[error("the event is not canonical JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It does not have the form of its room's version.
    #[error("the event does not have the form of its room's version: {0}")]
    Form(String),
    /// It nests too deep to be read again after it was stored.
    #[error("the event nests deeper than {CONTENT_DEPTH_MAX}")]
    TooDeep,
    /// This server does not know the version of the room.
    #[error("this server does not know room version {0}")]
    UnknownVersion(RoomVersionId),
    /// A signature is missing or wrong.
    #[error("the signatures do not hold: {0}")]
    Signatures(String),
}

impl PublicKeys {
    /// Adds a key. `key_id` is its algorithm and name, such as `ed25519:a_1`.
    pub fn insert(&mut self, server: &ServerName, key_id: &str, key: [u8; 32]) {
        let keys = self.0.entry(server.to_string()).or_default();
        keys.insert(key_id.to_owned(), Base64::new(key.to_vec()));
    }
}

impl Incoming {
    /// Reads an event of a room of this version.
    ///
    /// # Errors
    /// [`IncomingError`] if it does not have the form of one.
    pub fn read(json: &RawValue, version: &RoomVersionId) -> Result<Self, IncomingError> {
        let bytes = json.get().len();
        if bytes > PDU_BYTES_MAX {
            return Err(IncomingError::TooLarge { bytes });
        }
        let rules = supported_rules(version)
            .ok_or_else(|| IncomingError::UnknownVersion(version.clone()))?;
        let mut object: CanonicalJsonObject = serde_json::from_str(json.get())?;
        check_pdu_format(&object, &rules.event_format).map_err(IncomingError::Form)?;
        if object.get("content").is_some_and(|content| nests_deeper(content, CONTENT_DEPTH_MAX)) {
            return Err(IncomingError::TooDeep);
        }
        // `unsigned` is data that other servers add; it is not part of the event.
        object.remove("unsigned");
        let hash = reference_hash(&object, &rules);
        let hash = hash.map_err(|error| IncomingError::Form(error.to_string()))?;
        let event_id = OwnedEventId::try_from(format!("${hash}"))
            .map_err(|error| IncomingError::Form(error.to_string()))?;
        Ok(Self { pdu: pdu(event_id, &object)?, object, rules })
    }

    /// The version of the room that a create event opens. A create event has no previous events.
    #[must_use]
    pub fn version_of_create(json: &RawValue) -> Option<RoomVersionId> {
        #[derive(serde::Deserialize)]
        struct Create {
            #[serde(rename = "type")]
            kind: String,
            content: Content,
            prev_events: Vec<OwnedEventId>,
        }
        #[derive(serde::Deserialize)]
        struct Content {
            room_version: Option<RoomVersionId>,
        }
        let create: Create = serde_json::from_str(json.get()).ok()?;
        let opens = create.kind == "m.room.create" && create.prev_events.is_empty();
        opens.then(|| create.content.room_version.unwrap_or(RoomVersionId::V1))
    }

    /// The room that an event names. For a create event without `room_id` it follows from the hash.
    /// Nothing in the event has been checked.
    #[must_use]
    pub fn room_of(json: &RawValue) -> Option<OwnedRoomId> {
        #[derive(serde::Deserialize)]
        struct Homed {
            room_id: Option<OwnedRoomId>,
        }
        let homed: Homed = serde_json::from_str(json.get()).ok()?;
        homed.room_id.or_else(|| {
            let version = Self::version_of_create(json)?;
            let incoming = Self::read(json, &version).ok()?;
            Some(incoming.pdu.room_id)
        })
    }

    /// The event's ID, computed from its bytes.
    #[must_use]
    pub fn event_id(&self) -> &EventId {
        &self.pdu.event_id
    }

    /// Whether it claims to be from a user of this server.
    #[must_use]
    pub fn is_from(&self, server: &ServerName) -> bool {
        self.pdu.sender.server_name() == server
    }

    /// The time at which it was sent, according to its server.
    #[must_use]
    pub fn sent(&self) -> MilliSecondsSinceUnixEpoch {
        self.pdu.origin_server_ts
    }

    /// The servers that must have signed it, each with the IDs of the keys that it used.
    ///
    /// # Errors
    /// [`IncomingError::Signatures`] if they cannot be read.
    pub fn signers(&self) -> Result<BTreeMap<OwnedServerName, Vec<String>>, IncomingError> {
        let needed =
            required_server_signatures_to_verify_event(&self.object, &self.rules.signatures)
                .map_err(|error| IncomingError::Signatures(error.to_string()))?;
        let made = self.object.get("signatures").and_then(CanonicalJsonValue::as_object);
        let keys = |server: &ServerName| {
            let made = made?.get(server.as_str())?.as_object()?;
            Some(made.keys().cloned().collect())
        };
        Ok(needed.into_iter().map(|name| (name.clone(), keys(&name).unwrap_or_default())).collect())
    }

    /// Checks signatures and content hash. If the content does not match its hash, the event is
    /// redacted.
    ///
    /// # Errors
    /// [`IncomingError::Signatures`] if a signature is missing or wrong.
    pub fn verify(mut self, keys: &PublicKeys) -> Result<Pdu, IncomingError> {
        let verified = verify_event(&keys.0, &self.object, &self.rules)
            .map_err(|error| IncomingError::Signatures(error.to_string()))?;
        if verified == Verified::All {
            return Ok(self.pdu);
        }
        redact_in_place(&mut self.object, &self.rules.redaction, None)
            .map_err(|error| IncomingError::Form(error.to_string()))?;
        pdu(self.pdu.event_id, &self.object)
    }
}

impl Incoming {
    /// The event without a check of its signatures. Use it only to look the event up.
    #[must_use]
    pub fn unverified(self) -> Pdu {
        self.pdu
    }
}

fn pdu(event_id: OwnedEventId, object: &CanonicalJsonObject) -> Result<Pdu, IncomingError> {
    let json = serde_json::to_vec(object)?;
    Pdu::parse(event_id, json.into()).map_err(|error| match error {
        PduError::Malformed(error) => IncomingError::Form(error.to_string()),
        error @ PduError::Homeless(_) => IncomingError::Form(error.to_string()),
    })
}

fn nests_deeper(value: &CanonicalJsonValue, levels: usize) -> bool {
    let Some(below) = levels.checked_sub(1) else { return true };
    match value {
        CanonicalJsonValue::Object(object) => {
            object.values().filter(|value| is_nest(value)).any(|value| nests_deeper(value, below))
        }
        CanonicalJsonValue::Array(items) => {
            items.iter().filter(|value| is_nest(value)).any(|value| nests_deeper(value, below))
        }
        _ => false,
    }
}

fn is_nest(value: &CanonicalJsonValue) -> bool {
    matches!(value, CanonicalJsonValue::Object(_) | CanonicalJsonValue::Array(_))
}
