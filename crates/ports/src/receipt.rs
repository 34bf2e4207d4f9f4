//! The outcome for an event of another server.

use rookery_domain::{EventStatus, OwnedEventId};
use rookery_log::Position;

/// The answer to one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The event; `None` if its form is too broken to compute its ID.
    pub event_id: Option<OwnedEventId>,
    /// The outcome.
    pub received: Received,
}

/// The outcome for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is part of the room.
    Accepted {
        /// Its commit.
        position: Position,
    },
    /// The state before it allows it, but the room's current state forbids it: kept, not shown.
    SoftFailed {
        /// Its commit.
        position: Position,
        /// The rule.
        reason: String,
    },
    /// It was never allowed. It is kept to recognise it again, never shown, and has no effect.
    Rejected {
        /// Its commit.
        position: Position,
        /// The rule.
        reason: String,
    },
    /// It was in the log already.
    Known {
        /// Its status.
        status: EventStatus,
    },
    /// It waits for these events, which it names. Send them.
    Held {
        /// Their IDs; none if the room is not known yet, so that it waits for the create event.
        missing: Vec<OwnedEventId>,
    },
    /// It is not an event of this room, or its signatures are invalid. It was dropped.
    Refused {
        /// The reason.
        reason: String,
    },
}

impl Receipt {
    /// The answer to an event that was dropped.
    #[must_use]
    pub fn refused(event_id: Option<OwnedEventId>, reason: impl Into<String>) -> Self {
        Self { event_id, received: Received::Refused { reason: reason.into() } }
    }
}
