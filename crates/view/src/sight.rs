//! Visibility of one room for one viewer.
//!
//! **Invariant:** the rules of `domain` decide, by the viewer's membership and the room's setting at
//! the event, never by those at the time of the request.
//! **Invariant:** nothing is visible where these are not known, because a model has parked the
//! room.
//! **Invariant:** the cost of a sight does not depend on the length of the histories: it borrows
//! them.

use rookery_domain::{Histories, OwnedUserId};
use rookery_projection::{MembershipChange, VisibilityChange};

/// The viewer of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The server itself, which sees everything, for exports and administration.
    Server,
    /// A user.
    User(OwnedUserId),
}

/// The histories that decide visibility for a viewer, from the models at one checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    all: bool,
    /// The last event that the histories cover, if a model has parked the room.
    horizon: Option<u64>,
    histories: Histories<'a, MembershipChange, VisibilityChange>,
}

impl<'a> Sight<'a> {
    /// The sight of a user with this membership history in a room with that history of settings.
    pub(crate) fn new(
        all: bool,
        horizon: Option<u64>,
        membership: &'a [MembershipChange],
        visibility: &'a [VisibilityChange],
    ) -> Self {
        Self { all, horizon, histories: Histories::new(membership, visibility) }
    }

    /// Whether the viewer may see the event with this sequence number.
    #[must_use]
    pub fn sees(&self, sequence: u64) -> bool {
        if self.all {
            return true;
        }
        if self.horizon.is_some_and(|horizon| sequence > horizon) {
            return false;
        }
        self.histories.sees(sequence)
    }

    /// Whether the viewer may see the content of the event at `replaced`, whose place in the state
    /// the event at `sequence` took: either as an event, or because the viewer could see the state
    /// until then.
    #[must_use]
    pub fn sees_replaced(&self, sequence: u64, replaced: u64) -> bool {
        if self.sees(replaced) {
            return true;
        }
        if self.horizon.is_some_and(|horizon| sequence > horizon) {
            return false;
        }
        self.histories.saw_state_before(sequence)
    }
}
