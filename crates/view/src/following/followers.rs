//! The services that follow a room, for its members.
//!
//! **Invariant:** only viewers inside the room see them.

use rookery_domain::{OwnedUserId, RoomId, UserId};
use rookery_log::{Millis, Position};

use crate::{Access, View};

/// Since when a service follows a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowedSince {
    /// Since it was added.
    Added(Millis),
    /// Since this commit.
    Commit(Position),
}

/// A service that follows a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomFollower {
    /// The name of the service.
    pub name: String,
    /// Its bot.
    pub bot: OwnedUserId,
    /// Since when.
    pub since: FollowedSince,
}

impl View<'_> {
    /// The services that follow the room, by name. Empty unless `viewer` is inside.
    #[must_use]
    pub fn followers_of(&self, room: &RoomId, viewer: &UserId) -> Vec<RoomFollower> {
        let Some(room) = self.room_for(room, viewer, Access::Inside) else { return Vec::new() };
        let (_, key) = room.models();
        let follower = self.followings().iter().filter_map(|rooms| {
            let followed = rooms.room(key)?;
            let commit = followed.followed_since()?;
            let since = if followed.is_followed_since(rooms.since) {
                FollowedSince::Added(rooms.added)
            } else {
                FollowedSince::Commit(commit)
            };
            let (name, bot) = (rooms.service.name.clone(), rooms.service.bot.clone());
            Some(RoomFollower { name, bot, since })
        });
        let mut followers: Vec<_> = follower.collect();
        followers.sort_by(|one, other| one.name.cmp(&other.name));
        followers
    }
}
