//! Redaction of events.
//!
//! **Invariant:** the ID and the signatures of an event stay valid without its content. Both cover
//! the part that remains, and the hash of the part that goes.

use ruma_common::{
    CanonicalJsonObject, OwnedEventId, RoomVersionId, canonical_json::redact_in_place,
    room_version_rules::RoomVersionRules,
};
use ruma_signatures::{content_hash, reference_hash};

use crate::Pdu;

/// An event cannot be redacted. Events that this server made never fail in this way.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// The room's version is unknown, so the server does not know which keys to remove.
    #[error("{event_id} cannot be redacted: room version {version} is unknown")]
    Version {
        /// The event.
        event_id: OwnedEventId,
        /// The room's version.
        version: RoomVersionId,
    },
    /// It is not canonical JSON, or lacks a required field.
    #[error("{event_id} cannot be redacted: {reason}")]
    Malformed {
        /// The event.
        event_id: OwnedEventId,
        /// The reason.
        reason: String,
    },
    /// Its ID does not match it, so none of it may be erased.
    #[error("{event_id} cannot be redacted: its ID does not match its content")]
    OtherId {
        /// The event.
        event_id: OwnedEventId,
    },
    /// Its ID covers the hash of other content.
    #[error("{event_id} has other content than its ID covers")]
    OtherContent {
        /// The event.
        event_id: OwnedEventId,
    },
}

impl Pdu {
    /// The redacted form of the event, for a room of this version.
    ///
    /// Source: Matrix specification, room versions 10 to 12, "Redactions".
    ///
    /// # Errors
    /// [`RedactError`] if the version is unknown or the event is malformed.
    pub fn redacted(&self, version: &RoomVersionId) -> Result<Self, RedactError> {
        let (rules, mut object) = (self.rules_of(version)?, self.object()?);
        redact_in_place(&mut object, &rules.redaction, None)
            .map_err(|error| self.malformed(&error))?;
        let json = serde_json::to_vec(&object).map_err(|error| self.malformed(&error))?;
        Self::parse(self.event_id.clone(), json.into()).map_err(|error| self.malformed(&error))
    }

    /// Checks that the ID is the hash of the event, for a room of this version. The event may be
    /// whole or redacted.
    ///
    /// Source: Matrix specification, room versions 4 to 12, "Event IDs".
    ///
    /// # Errors
    /// [`RedactError`] if it is not, or if the version is unknown.
    pub fn check_id(&self, version: &RoomVersionId) -> Result<(), RedactError> {
        self.check_id_of(&self.object()?, &self.rules_of(version)?)
    }

    /// Checks the ID and the content of the event, for a room of this version. The ID must match
    /// the event. The content must match its hash, or be redacted completely.
    ///
    /// Source: Matrix server-server specification, "Validating hashes and signatures on received
    /// events".
    ///
    /// # Errors
    /// [`RedactError`] if one does not match, or if the version is unknown.
    pub fn check_content(&self, version: &RoomVersionId) -> Result<(), RedactError> {
        let (rules, object) = (self.rules_of(version)?, self.object()?);
        self.check_id_of(&object, &rules)?;
        let hash = content_hash(&object).map_err(|error| self.malformed(&error))?;
        let said = object.get("hashes").and_then(|hashes| hashes.as_object()?.get("sha256"));
        if said.and_then(|said| said.as_str()) == Some(&hash.encode()) {
            return Ok(());
        }
        let mut left = object.clone();
        redact_in_place(&mut left, &rules.redaction, None)
            .map_err(|error| self.malformed(&error))?;
        if left == object {
            Ok(())
        } else {
            Err(RedactError::OtherContent { event_id: self.event_id.clone() })
        }
    }

    fn check_id_of(
        &self,
        object: &CanonicalJsonObject,
        rules: &RoomVersionRules,
    ) -> Result<(), RedactError> {
        let hash = reference_hash(object, rules).map_err(|error| self.malformed(&error))?;
        if self.event_id.as_str().strip_prefix('$') == Some(&*hash) {
            Ok(())
        } else {
            Err(RedactError::OtherId { event_id: self.event_id.clone() })
        }
    }

    fn rules_of(&self, version: &RoomVersionId) -> Result<RoomVersionRules, RedactError> {
        let event_id = || self.event_id.clone();
        let unknown = || RedactError::Version { event_id: event_id(), version: version.clone() };
        version.rules().ok_or_else(unknown)
    }

    fn object(&self) -> Result<CanonicalJsonObject, RedactError> {
        serde_json::from_slice(&self.json).map_err(|error| self.malformed(&error))
    }

    fn malformed(&self, reason: &impl ToString) -> RedactError {
        RedactError::Malformed { event_id: self.event_id.clone(), reason: reason.to_string() }
    }
}
