//! The names and avatars of users, and the users of whom others may know.

use std::collections::BTreeSet;

use rookery_domain::{Membership, OwnedUserId, Profile, ProfileAudience, RoomId, UserId};
use rookery_projection::Member;

use crate::{Access, Meter, RoomView, TimelineError, View, rooms::profile_of};

/// Members of a user's rooms that are checked for each found one, at most.
const CHECKED_TIMES: usize = 4;

impl View<'_> {
    /// Whether everybody may learn from the models that `user` exists: a user in rooms, or with a
    /// profile.
    #[must_use]
    pub fn knows_user(&self, user: &UserId) -> bool {
        let joined = self.rooms_count(user, Membership::Join);
        joined.is_some_and(|joined| joined > 0) || self.profile(user).is_some()
    }

    /// Name and avatar of `user`, also as shown in a room. Viewers who may see the room, or whom the
    /// user has invited, get those of the room. All others get the user's own profile, if they may
    /// see it: see [`Self::sees_profile`].
    ///
    /// # Errors
    /// [`TimelineError::Exhausted`] if the budget of the request is used up.
    pub fn profile_for(
        &self,
        user: &UserId,
        room: Option<&RoomId>,
        (viewer, audience): (&UserId, ProfileAudience),
        meter: &dyn Meter,
    ) -> Result<Profile, TimelineError> {
        let room = room.and_then(|room| self.room(room));
        if let Some(room) = room.filter(|room| is_shown_in(room, user, viewer)) {
            return Ok(room.member(user).map(profile_of).unwrap_or_default());
        }
        let is_seen = self.sees_profile(user, (viewer, audience), meter)?;
        let profile = self.profile(user).filter(|_| is_seen);
        Ok(profile.cloned().unwrap_or_default())
    }

    /// Name and avatar of `user` as all members of the room see them.
    #[must_use]
    pub fn profile_in(&self, room: &RoomId, user: &UserId) -> Profile {
        let room = self.room(room);
        room.and_then(|room| room.member(user).map(profile_of)).unwrap_or_default()
    }

    /// Whether `viewer` may see the own profile of `user`: the user, users who share a room with the
    /// user, bots whose services follow a room of the user, and, if the operator allows it, all users of the server.
    ///
    /// # Errors
    /// [`TimelineError::Exhausted`] if the budget of the request is used up.
    pub fn sees_profile(
        &self,
        user: &UserId,
        (viewer, audience): (&UserId, ProfileAudience),
        meter: &dyn Meter,
    ) -> Result<bool, TimelineError> {
        if audience == ProfileAudience::Users || viewer == user {
            return Ok(true);
        }
        meter.take_rows(self.shared_looked(viewer, user) + self.follows_looked(viewer, user))?;
        Ok(self.share_a_room(viewer, user) || self.follows(viewer, user))
    }

    /// Whether `viewer` may see the presence of `user`: the user, and users who share a room with
    /// the user.
    ///
    /// # Errors
    /// [`TimelineError::Exhausted`] if the budget of the request is used up.
    pub fn sees_presence(
        &self,
        user: &UserId,
        viewer: &UserId,
        meter: &dyn Meter,
    ) -> Result<bool, TimelineError> {
        meter.take_rows(self.shared_looked(viewer, user))?;
        Ok(viewer == user || self.share_a_room(viewer, user))
    }

    /// Up to `limit` of the users whose presence `viewer` may see, those of small rooms first.
    #[must_use]
    pub fn companions(&self, viewer: &UserId, limit: usize) -> Vec<OwnedUserId> {
        let joined = self.memberships_of(viewer).filter(|(_, it)| *it == Membership::Join);
        let mut rooms: Vec<_> = joined.filter_map(|(room, _)| self.room(room)).collect();
        rooms.sort_by_key(RoomView::joined_count);
        let mut companions = BTreeSet::from([viewer.to_owned()]);
        let members = rooms.iter().flat_map(RoomView::members);
        for (user, member) in members.take(CHECKED_TIMES * limit) {
            if companions.len() >= limit {
                break;
            }
            if member.membership == Membership::Join {
                companions.insert(user.clone());
            }
        }
        companions.into_iter().collect()
    }

    /// Those of the users who are joined to the room, if `viewer` is, and whom `viewer` does not
    /// ignore. Only members see who is typing, and a user who has left is not typing, even before
    /// that was noticed.
    pub fn joined_among(
        &self,
        room: &RoomId,
        viewer: &UserId,
        users: impl IntoIterator<Item = OwnedUserId>,
    ) -> impl Iterator<Item = OwnedUserId> {
        let room = self.room(room).filter(|room| room.is_joined(viewer));
        let (users, ignored) = (users.into_iter(), self.ignored_by(viewer));
        let is_joined = move |user: &OwnedUserId| room.is_some_and(|room| room.is_joined(user));
        users.filter(move |user| is_joined(user) && !ignored.contains(user))
    }
}

/// A viewer who left sees the old messages, but not later names of their senders.
fn is_shown_in(room: &RoomView<'_>, user: &UserId, viewer: &UserId) -> bool {
    let invited_by =
        |member: &Member| member.membership == Membership::Invite && member.sender == *user;
    room.access(viewer) == Access::Inside || room.member(viewer).is_some_and(invited_by)
}
