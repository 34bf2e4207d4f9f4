//! What redaction leaves of an event.
//!
//! **Invariant:** the ID and the signatures of an event stay valid without its content: both cover
//! what is left here, and the hash of what goes.

use ruma_common::{
    CanonicalJsonObject, OwnedEventId, RoomVersionId, canonical_json::redact_in_place,
    room_version_rules::RoomVersionRules,
};
use ruma_signatures::{content_hash, reference_hash};

use crate::Pdu;

/// An event cannot be redacted. None of this happens to an event that this server made.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// The room's version is unknown, so it is unknown what may go.
    #[error("{event_id} cannot be redacted: room version {version} is unknown")]
    Version {
        /// The event.
        event_id: OwnedEventId,
        /// The room's version.
        version: RoomVersionId,
    },
    /// It is not canonical JSON, or lacks what every event has.
    #[error("{event_id} cannot be redacted: {reason}")]
    Malformed {
        /// The event.
        event_id: OwnedEventId,
        /// What is wrong.
        reason: String,
    },
    /// Its ID does not cover it: nothing of it may be erased.
    #[error("{event_id} cannot be redacted: its ID is not the hash of it")]
    OtherId {
        /// The event.
        event_id: OwnedEventId,
    },
    /// Its ID covers the hash of another content.
    #[error("{event_id} has another content than the one that its ID covers")]
    OtherContent {
        /// The event.
        event_id: OwnedEventId,
    },
}

impl Pdu {
    /// The event, of a room of this version, without what redaction takes away.
    ///
    /// Source: Matrix specification, room versions 10 to 12, "Redactions".
    ///
    /// # Errors
    /// [`RedactError`] if the version is unknown, or the event is not what it should be.
    pub fn redacted(&self, version: &RoomVersionId) -> Result<Self, RedactError> {
        let (rules, mut object) = (self.rules_of(version)?, self.object()?);
        redact_in_place(&mut object, &rules.redaction, None)
            .map_err(|error| self.malformed(&error))?;
        let json = serde_json::to_vec(&object).map_err(|error| self.malformed(&error))?;
        Self::parse(self.event_id.clone(), json.into()).map_err(|error| self.malformed(&error))
    }

    /// Checks that the ID is the hash of the event, of a room of this version: with all of its
    /// content, or with what redaction leaves of it.
    ///
    /// Source: Matrix specification, room versions 4 to 12, "Event IDs".
    ///
    /// # Errors
    /// [`RedactError`] if it is not, or if the version is unknown.
    pub fn check_id(&self, version: &RoomVersionId) -> Result<(), RedactError> {
        self.check_id_of(&self.object()?, &self.rules_of(version)?)
    }

    /// Checks that the event, of a room of this version, is what its ID says: the ID is that of the
    /// event, and the content is that which the event has the hash of, or nothing is left of it that
    /// redaction takes away.
    ///
    /// Source: Matrix server-server specification, "Validating hashes and signatures on received
    /// events".
    ///
    /// # Errors
    /// [`RedactError`] if it is not, or if the version is unknown.
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
