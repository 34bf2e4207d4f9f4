//! What redaction leaves of an event.
//!
//! **Invariant:** the ID and the signatures of an event stay valid without its content: both cover
//! what is left here, and the hash of what goes.

use ruma_common::{
    CanonicalJsonObject, OwnedEventId, RoomVersionId, canonical_json::redact_in_place,
};
use ruma_signatures::reference_hash;

use crate::{Pdu, PduError};

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
    /// Its ID does not cover what would be left.
    #[error("{event_id} cannot be redacted: its ID is not the hash of it")]
    OtherId {
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
    /// [`RedactError`] if its ID would not hold any more: then nothing may be erased.
    pub fn redacted(&self, version: &RoomVersionId) -> Result<Self, RedactError> {
        let event_id = || self.event_id.clone();
        let unknown = || RedactError::Version { event_id: event_id(), version: version.clone() };
        let malformed = |reason: String| RedactError::Malformed { event_id: event_id(), reason };
        let rules = version.rules().ok_or_else(unknown)?;
        let mut object: CanonicalJsonObject =
            serde_json::from_slice(&self.json).map_err(|error| malformed(error.to_string()))?;
        redact_in_place(&mut object, &rules.redaction, None)
            .map_err(|error| malformed(error.to_string()))?;
        let hash = reference_hash(&object, &rules).map_err(|error| malformed(error.to_string()))?;
        if self.event_id.as_str().strip_prefix('$') != Some(&*hash) {
            return Err(RedactError::OtherId { event_id: event_id() });
        }
        let json = serde_json::to_vec(&object).map_err(|error| malformed(error.to_string()))?;
        Self::parse(event_id(), json.into()).map_err(|error: PduError| malformed(error.to_string()))
    }
}
