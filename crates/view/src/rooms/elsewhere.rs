//! Rooms that this server is not in, as far as a user who is invited, or has asked to join, sees them.
//!
//! **Invariant:** another server said all that is shown of such a room. It decides nothing.

use rookery_domain::{Elsewhere, ElsewhereSince, Membership, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::MembershipChange;

use super::RoomSnapshot;
use crate::{Access, ClosedRoom, View, WantedRooms};

impl View<'_> {
    /// The invite of `user` to a room that this server is not in, or their request to join it. `None`
    /// if the user is a member or is invited here.
    #[must_use]
    pub fn elsewhere(&self, room: &RoomId, user: &UserId) -> Option<&ElsewhereSince> {
        let standing = self.preferences(user)?.elsewhere().get(room)?;
        let here = self.room(room).map(|room| room.membership(user)).unwrap_or_default();
        (!matches!(here, Membership::Join | Membership::Invite)).then_some(standing)
    }

    /// The room as `viewer` sees it now; empty if they may know nothing of it.
    #[must_use]
    pub fn snapshot(&self, room: &RoomId, viewer: &UserId) -> RoomSnapshot {
        if let Some(elsewhere) = self.elsewhere(room, viewer) {
            return RoomSnapshot::elsewhere(&elsewhere.standing);
        }
        self.room(room).map(|room| RoomSnapshot::of(&room, viewer)).unwrap_or_default()
    }

    /// The invites of `user` to rooms that this server is not in, within these bounds, newest first.
    pub(crate) fn invites_elsewhere(
        &self,
        user: &UserId,
        WantedRooms { at, since, before, .. }: WantedRooms,
    ) -> Vec<(Position, &Elsewhere)> {
        let Some(preferences) = self.preferences(user) else { return Vec::new() };
        let ignored = self.ignored_by(user);
        let found = preferences.elsewhere().iter().filter_map(|(room, it)| {
            let (begun, standing) = (Position(it.since), &it.standing);
            let is_wanted = standing.membership == Membership::Invite
                && since < begun
                && begun <= at
                && begun < before
                && !ignored.contains(&standing.preview.inviter)
                && self.elsewhere(room, user).is_some();
            is_wanted.then_some((begun, standing))
        });
        let mut found: Vec<_> = found.collect();
        found.sort_unstable_by_key(|(begun, _)| std::cmp::Reverse(*begun));
        found
    }

    /// The standings of `user` in rooms elsewhere that ended between the two positions and began
    /// before.
    pub(crate) fn closed_elsewhere(
        &self,
        user: &UserId,
        since: Position,
        at: Position,
    ) -> Vec<ClosedRoom> {
        let Some(preferences) = self.preferences(user) else { return Vec::new() };
        let closed = preferences.elsewhere().closed().filter(|(_, closed)| {
            closed.since <= since.0 && since.0 < closed.at && closed.at <= at.0
        });
        let closed = closed.map(|(room, closed)| ClosedRoom {
            room_id: room.to_owned(),
            change: MembershipChange {
                sequence: 0,
                position: Position(closed.at),
                membership: Membership::Leave,
                own: true,
            },
            before: Membership::Invite,
            by_following: false,
        });
        closed.collect()
    }
}

impl RoomSnapshot {
    /// A room that this server is not in.
    pub(crate) fn elsewhere(standing: &Elsewhere) -> Self {
        let preview = &standing.preview;
        Self {
            access: Access::Outside,
            name: preview.name.clone(),
            topic: preview.topic.clone(),
            avatar_url: preview.avatar_url.clone(),
            canonical_alias: preview.canonical_alias.clone(),
            join_rule: Some(preview.join_rule.clone()),
            version: Some(standing.version.to_string()),
            room_type: preview.room_type.clone(),
            ..Self::default()
        }
    }
}
