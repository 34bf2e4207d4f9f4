//! How rooms are closed to a user.

use rookery_domain::Membership;

/// How a room was closed to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The user left.
    Left,
    /// Somebody removed the user.
    Kicked,
    /// Somebody banned the user.
    Banned,
    /// The user declined the invite or took back the knock.
    Declined,
    /// Somebody took back the invite or refused the knock.
    Withdrawn,
    /// State resolution found that the user was never rightly in the room.
    Resolved,
}

impl Closing {
    /// How a change of the membership, by the user herself or not, closes a room to her.
    #[must_use]
    pub fn of(before: Membership, after: Membership, by_self: bool) -> Option<Self> {
        use Membership::{Ban, Invite, Join, Knock, Leave};
        match (before, after) {
            // No event leads from a join to an invite, but resolution may.
            (Join, Membership::None | Invite | Knock) => Some(Self::Resolved),
            (_, Join | Invite | Knock)
            | (Ban, _)
            | (Membership::None | Leave, Leave | Membership::None) => None,
            (_, Ban) => Some(Self::Banned),
            (Join, _) if by_self => Some(Self::Left),
            (Join, _) => Some(Self::Kicked),
            (Invite | Knock, _) if by_self => Some(Self::Declined),
            (Invite | Knock, _) => Some(Self::Withdrawn),
        }
    }
}
