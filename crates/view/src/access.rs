//! How much of a room a user may see.
//!
//! **Invariant:** every answer about a room follows from the [`Access`] of its viewer. Each event has
//! a rule of its own: see [`Sight`](crate::Sight).

use rookery_domain::{HistoryVisibility, JoinRule, Membership, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::Summary;

use crate::{RoomView, View};

/// How much of a room a viewer may see. Each event has a rule of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing, as if there were no such room.
    #[default]
    Nothing,
    /// That it exists, and the events sent while the viewer was there.
    Past,
    /// Also its name, topic, avatar, aliases and counts.
    Outside,
    /// Everything, with members and state.
    Inside,
}

impl Access {
    /// The access of a user with this membership to a room with these settings.
    fn of(membership: Membership, summary: &Summary) -> Self {
        let open = |rule: &JoinRule| *rule == JoinRule::Public || rule.is_knockable();
        let is_open = summary.listed || summary.join_rule.as_ref().is_some_and(open);
        let is_readable = summary.history_visibility() == HistoryVisibility::WorldReadable;
        match membership {
            Membership::Join => Self::Inside,
            _ if is_readable => Self::Inside,
            Membership::Invite => Self::Outside,
            _ if is_open => Self::Outside,
            Membership::None => Self::Nothing,
            Membership::Leave | Membership::Knock | Membership::Ban => Self::Past,
        }
    }
}

/// A user who has not joined a room wants to act there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotJoined {
    /// The user may know of the room.
    #[error("you are not a member of this room; join it first")]
    NotAMember,
    /// There is no such room, as far as the user may know.
    #[error("there is no such room, or you may not see it")]
    NoSuchRoom,
}

impl RoomView<'_> {
    /// The access of `viewer` to the room.
    #[must_use]
    pub fn access(&self, viewer: &UserId) -> Access {
        Access::of(self.membership(viewer), self.summary())
    }

    /// Whether `user` is a joined member. A bot is none of a room that its service only follows.
    #[must_use]
    pub fn is_joined(&self, user: &UserId) -> bool {
        self.member(user).is_some_and(|member| member.membership == Membership::Join)
    }
}

impl View<'_> {
    /// The room, if `viewer` has at least this access to it.
    #[must_use]
    pub fn room_for(&self, room: &RoomId, viewer: &UserId, least: Access) -> Option<RoomView<'_>> {
        self.room(room).filter(|room| room.access(viewer) >= least)
    }

    /// Whether `viewer` may know that the room exists.
    #[must_use]
    pub fn knows_room(&self, room: &RoomId, viewer: &UserId) -> bool {
        self.room_for(room, viewer, Access::Past).is_some()
    }

    /// Whether `user` is joined to the room.
    #[must_use]
    pub fn is_joined(&self, room: &RoomId, user: &UserId) -> bool {
        self.room(room).is_some_and(|room| room.is_joined(user))
    }

    /// Checks that `user` has joined the room.
    ///
    /// # Errors
    /// [`NotJoined`], which tells the user no more than they may know.
    pub fn check_joined(&self, room: &RoomId, user: &UserId) -> Result<(), NotJoined> {
        match self.room(room) {
            Some(room) if room.is_joined(user) => Ok(()),
            Some(room) if room.access(user) > Access::Nothing => Err(NotJoined::NotAMember),
            _ => Err(NotJoined::NoSuchRoom),
        }
    }

    /// The last commit in the room, if `viewer` may see everything in it.
    #[must_use]
    pub fn activity_for(&self, room: &RoomId, viewer: &UserId) -> Option<Position> {
        self.room_for(room, viewer, Access::Inside).map(|room| room.activity())
    }
}

#[cfg(test)]
mod tests {
    use rookery_projection::VisibilityChange;

    use super::*;

    fn summary(join_rule: Option<JoinRule>, setting: HistoryVisibility, listed: bool) -> Summary {
        let visibility = vec![VisibilityChange { position: Position(1), sequence: 1, setting }];
        let mut summary = Summary::default();
        summary.join_rule = join_rule;
        summary.visibility = visibility;
        summary.listed = listed;
        summary
    }

    const ALL: [Membership; 6] = [
        Membership::None,
        Membership::Leave,
        Membership::Knock,
        Membership::Ban,
        Membership::Invite,
        Membership::Join,
    ];

    fn of_all(summary: &Summary) -> [Access; 6] {
        ALL.map(|membership| Access::of(membership, summary))
    }

    #[test]
    fn a_closed_room_is_nothing_to_strangers_and_the_past_to_former_members() {
        use Access::{Inside, Nothing, Outside, Past};
        let shared = HistoryVisibility::Shared;
        for rule in [None, Some(JoinRule::Invite), Some(JoinRule::Restricted(Vec::new()))] {
            let closed = summary(rule, shared, false);
            assert_eq!(of_all(&closed), [Nothing, Past, Past, Past, Outside, Inside]);
        }
    }

    #[test]
    fn everybody_sees_an_open_room_from_outside() {
        use Access::{Inside, Outside};
        let shared = HistoryVisibility::Shared;
        for open in [
            summary(Some(JoinRule::Public), shared, false),
            summary(Some(JoinRule::Knock), shared, false),
            summary(Some(JoinRule::KnockRestricted(Vec::new())), shared, false),
            summary(Some(JoinRule::Invite), shared, true),
        ] {
            assert_eq!(of_all(&open), [Outside, Outside, Outside, Outside, Outside, Inside]);
        }
    }

    #[test]
    fn everybody_sees_all_of_a_world_readable_room() {
        let readable = summary(None, HistoryVisibility::WorldReadable, false);
        assert_eq!(of_all(&readable), [Access::Inside; 6]);
    }
}
