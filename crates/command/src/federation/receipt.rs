//! What became of an event that another server sent.

use rookery_domain::{EventStatus, OwnedEventId};
use rookery_log::Position;

/// The answer to one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The event; none if it has no form from which its ID would follow.
    pub event_id: Option<OwnedEventId>,
    /// What became of it.
    pub received: Received,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is part of the room.
    Accepted {
        /// Its commit.
        position: Position,
    },
    /// It was right where it stands, but the room has moved on and forbids it: kept, not shown.
    SoftFailed {
        /// Its commit.
        position: Position,
        /// The rule.
        reason: String,
    },
    /// It was never allowed: kept so that it is known again, never shown, without effect.
    Rejected {
        /// Its commit.
        position: Position,
        /// The rule.
        reason: String,
    },
    /// It was in the log already.
    Known {
        /// What was decided of it then.
        status: EventStatus,
    },
    /// It waits for these events, which it names: send them.
    Held {
        /// Their IDs.
        missing: Vec<OwnedEventId>,
    },
    /// It is no event of this room, or not properly signed: forgotten.
    Refused {
        /// Why.
        reason: String,
    },
}

impl Receipt {
    pub(super) fn refused(event_id: Option<OwnedEventId>, reason: impl Into<String>) -> Self {
        Self { event_id, received: Received::Refused { reason: reason.into() } }
    }
}
