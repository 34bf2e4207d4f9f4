//! What one viewer may see of one room.
//!
//! **Invariant:** what decides is the viewer's membership and the room's setting at the event, by
//! the order of arrival in that room, never what they are at the time of asking.
//! **Invariant:** where these are not known, because a model had to set the room aside, nothing is
//! seen.

use rookery_domain::{HistoryVisibility, Membership, OwnedUserId, Viewing, sees_state, visible};

use crate::{MembershipChange, VisibilityChange};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The server itself, which sees everything: exports, administration.
    Server,
    /// A user.
    User(OwnedUserId),
}

/// The histories that decide what a viewer sees, copied out of the models at one checkpoint.
#[derive(Clone, Debug)]
pub struct Sight {
    pub(crate) all: bool,
    /// The last event that the histories know of, where a model had to set the room aside.
    pub(crate) horizon: Option<u64>,
    pub(crate) membership: Vec<MembershipChange>,
    pub(crate) visibility: Vec<VisibilityChange>,
}

impl Sight {
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
        let later = &self.membership[next..];
        visible(&Viewing {
            // Of one's own member events the history lacks those alone that find and leave one
            // joined: these are seen anyway.
            own_membership: at.is_some_and(|change| change.sequence == sequence && change.own),
            membership: at.map(|change| change.membership).unwrap_or_default(),
            joined_later: later.iter().any(|change| change.membership == Membership::Join),
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
