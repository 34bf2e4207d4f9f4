//! What one viewer may see of one room.
//!
//! **Invariant:** what decides is the viewer's membership and the room's setting at the event, by
//! the order of arrival in that room, never what they are at the time of asking.

use rookery_domain::OwnedUserId;

use crate::{HistoryVisibility, Membership, MembershipChange, VisibilityChange};

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
        let next = self.membership.partition_point(|change| change.sequence <= sequence);
        let at = next.checked_sub(1).map(|at| self.membership[at]);
        // One's own join, leave, kick and ban are always delivered.
        if at.is_some_and(|change| change.sequence == sequence) {
            return true;
        }
        let membership = at.map(|change| change.membership).unwrap_or_default();
        let joins_later =
            self.membership[next..].iter().any(|change| change.membership == Membership::Join);
        let allows = |setting| match setting {
            HistoryVisibility::WorldReadable => true,
            HistoryVisibility::Shared => joins_later,
            HistoryVisibility::Invited => membership == Membership::Invite && joins_later,
            HistoryVisibility::Joined => false,
        };
        membership == Membership::Join || self.settings_at(sequence).any(allows)
    }

    /// The setting at an event; for an event that changes it, also the one before: the more
    /// permissive holds.
    ///
    /// Source: Matrix client-server specification, "Room history visibility", server behaviour.
    fn settings_at(&self, sequence: u64) -> impl Iterator<Item = HistoryVisibility> {
        let after = self.visibility.partition_point(|change| change.sequence <= sequence);
        let before = self.visibility.partition_point(|change| change.sequence < sequence);
        let setting = |end: usize| {
            let change = end.checked_sub(1).map(|at| self.visibility[at]);
            change.map(|change| change.setting).unwrap_or_default()
        };
        [setting(before), setting(after)].into_iter()
    }
}
