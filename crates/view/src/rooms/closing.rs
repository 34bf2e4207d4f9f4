//! The ways in which a room is closed to a user.

use rookery_domain::Membership;

/// The way in which a room was closed to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The user left.
    Left,
    /// Another user removed the user.
    Kicked,
    /// Another user banned the user.
    Banned,
    /// The user declined the invite or withdrew the knock.
    Declined,
    /// Another user withdrew the invite or refused the knock.
    Withdrawn,
    /// State resolution found that the user was never validly in the room.
    Resolved,
    /// No member, alias or room ID is in a namespace of the user's service any more.
    Unfollowed,
}

impl Closing {
    /// How a change of the membership, by the user or by another one, closes a room to the user.
    #[must_use]
    pub fn of(before: Membership, after: Membership, by_self: bool) -> Option<Self> {
        use Membership::{Ban, Invite, Join, Knock, Leave};
        match (before, after) {
            // No event leads from a join to an invite, but state resolution may.
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
