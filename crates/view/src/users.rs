//! Users that the log knows, with or without an account.
//!
//! **Invariant:** only a user's own actions make them known: an invite or a ban by another user may
//! name an ID that nobody has.

use rookery_domain::{Membership, RoomId, ServerName, UserId};
use rookery_log::{Position, StreamId};
use rookery_projection::StreamKey;

use crate::{RoomView, View};

impl View<'_> {
    /// Whether the log holds an action of `user`: account data, a join or a knock.
    ///
    /// An active user is found first. For an ID that others only invite or ban, each of their rooms
    /// is checked.
    #[must_use]
    pub fn is_known(&self, user: &UserId) -> bool {
        if self.models().user(user).is_some() {
            return true;
        }
        let acts = |membership| matches!(membership, Membership::Join | Membership::Knock);
        let memberships = || self.models().rooms_of_users().all(user);
        memberships().any(|(_, membership)| acts(membership))
            || memberships().any(|(room, _)| self.has_acted_in(room, user))
    }

    fn has_acted_in(&self, room: StreamKey, user: &UserId) -> bool {
        let acts = |membership| matches!(membership, Membership::Join | Membership::Knock);
        let member = self.models().members(room).and_then(|room| room.get(user));
        member.is_some_and(|member| member.history.iter().any(|change| acts(change.membership)))
    }

    /// All users of `server` that the log names, by account data or a membership. Some come twice,
    /// and some never did anything: see [`Self::is_known`].
    pub fn users_named(&self, server: &ServerName) -> impl Iterator<Item = &UserId> {
        let accounts = self.models().accounts();
        accounts
            .chain(self.models().rooms_of_users().users())
            .filter(move |user| user.server_name() == server)
    }

    /// The rooms of the server that were created before this one, the newest first. Only
    /// administrators of the server may see this.
    pub fn rooms_before(&self, before: Option<&RoomId>) -> impl Iterator<Item = RoomView<'_>> {
        let before = before.and_then(|room| self.models().room(room));
        self.models().rooms_before(before).filter_map(|key| self.room_at(key))
    }

    /// The streams of account data that have commits after `position`.
    pub fn accounts_after(&self, position: Position) -> impl Iterator<Item = &StreamId> {
        self.models().accounts_after(position)
    }
}
