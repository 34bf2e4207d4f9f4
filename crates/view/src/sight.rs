//! What one viewer may see of one room.
//!
//! **Invariant:** what decides is the viewer's membership and the room's setting at the event, by
//! the order of arrival in that room, never what they are at the time of asking.
//! **Invariant:** where these are not known, because a model had to set the room aside, nothing is
//! seen.
//! **Invariant:** a sight costs the same, however long the histories are: it borrows them.

use rookery_domain::{HistoryVisibility, Membership, OwnedUserId, Viewing, sees_state, visible};
use rookery_projection::{MembershipChange, VisibilityChange};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The server itself, which sees everything: exports, administration.
    Server,
    /// A user.
    User(OwnedUserId),
}

/// The histories that decide what a viewer sees, as the models have them at one checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    all: bool,
    /// The last event that the histories know of, where a model had to set the room aside.
    horizon: Option<u64>,
    membership: &'a [MembershipChange],
    visibility: &'a [VisibilityChange],
    /// How many changes of the membership there are up to the last join; 0 if there is none.
    joins_end: usize,
}

impl<'a> Sight<'a> {
    /// What somebody sees whose membership has this history, in a room whose setting has that one.
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
            // Of one's own member events the history lacks those alone that find and leave one
            // joined: these are seen anyway.
            own_membership: at.is_some_and(|change| change.sequence == sequence && change.own),
            membership: at.map(|change| change.membership).unwrap_or_default(),
            joined_later: next < self.joins_end,
            visibility: self.setting_at(sequence),
        })
    }

    /// Whether the viewer may see what the event at `replaced` said, whose place in the state the
    /// event at `sequence` took: as an event, or because the state was shown to her until then.
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

    /// The setting at an event; of an event that changes it, the more open of the old and the new.
    fn setting_at(&self, sequence: u64) -> HistoryVisibility {
        let before = self.visibility.partition_point(|change| change.sequence < sequence);
        let after = self.visibility.partition_point(|change| change.sequence <= sequence);
        self.setting_after(before).max(self.setting_after(after))
    }

    /// The setting after so many changes.
    fn setting_after(&self, changes: usize) -> HistoryVisibility {
        let change = changes.checked_sub(1).map(|at| self.visibility[at]);
        change.map(|change| change.setting).unwrap_or_default()
    }
}
