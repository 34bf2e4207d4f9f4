//! Visibility of one room for one viewer.
//!
//! **Invariant:** the viewer's membership and the room's setting at the event decide, by the order
//! of arrival in that room, never those at the time of the request.
//! **Invariant:** nothing is visible where these are not known, because a model has parked the
//! room.
//! **Invariant:** the cost of a sight does not depend on the length of the histories: it borrows
//! them.

use rookery_domain::{HistoryVisibility, Membership, OwnedUserId, Viewing, sees_state, visible};
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
    membership: &'a [MembershipChange],
    visibility: &'a [VisibilityChange],
    /// How many changes of the membership there are up to the last join; 0 if there is none.
    joins_end: usize,
}

impl<'a> Sight<'a> {
    /// The sight of a user with this membership history in a room with that history of settings.
    pub(crate) fn new(
        all: bool,
        horizon: Option<u64>,
        membership: &'a [MembershipChange],
        visibility: &'a [VisibilityChange],
    ) -> Self {
        let joins = membership.iter().rposition(|change| change.membership == Membership::Join);
        let joins_end = joins.map_or(0, |last| last + 1);
        Self { all, horizon, membership, visibility, joins_end }
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
        let next = self.membership.partition_point(|change| change.sequence <= sequence);
        let at = next.checked_sub(1).map(|at| self.membership[at]);
        visible(&Viewing {
            // The history lacks only own member events between joined and joined, which are visible
            // in any case.
            own_membership: at.is_some_and(|change| change.sequence == sequence && change.own),
            membership: at.map(|change| change.membership).unwrap_or_default(),
            joined_later: next < self.joins_end,
            visibility: self.setting_at(sequence),
        })
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
        let before = self.membership.partition_point(|change| change.sequence < sequence);
        let membership = before.checked_sub(1).map(|at| self.membership[at].membership);
        let before = self.visibility.partition_point(|change| change.sequence < sequence);
        sees_state(membership.unwrap_or_default(), self.setting_after(before))
    }

    /// The setting at an event. For an event that changes it, the more open of the old and the new
    /// one.
    fn setting_at(&self, sequence: u64) -> HistoryVisibility {
        let before = self.visibility.partition_point(|change| change.sequence < sequence);
        let after = self.visibility.partition_point(|change| change.sequence <= sequence);
        self.setting_after(before).max(self.setting_after(after))
    }

    /// The setting after this many changes.
    fn setting_after(&self, changes: usize) -> HistoryVisibility {
        let change = changes.checked_sub(1).map(|at| self.visibility[at]);
        change.map(|change| change.setting).unwrap_or_default()
    }
}
