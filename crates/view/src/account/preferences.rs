//! The preferences of a user, and the counts that follow from them.
//!
//! **Invariant:** each look-up is of the user's own preferences. The caller asks for those of the
//! viewer alone.

use std::cmp::Reverse;

use rookery_domain::{RoomPreferences, UserId};
use rookery_log::Position;
use rookery_projection::{Preferences, ReadMarks, Unread};

use crate::{RoomView, RoomsPage, View};

/// The unread messages of a user in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnreadCounts {
    /// All of them, whatever the preferences for the room.
    pub messages: u64,
    /// Those that notify the user.
    pub notifications: u64,
    /// Those that notify the user because they mention the user.
    pub highlights: u64,
}

impl UnreadCounts {
    fn of(unread: Unread, preferences: RoomPreferences) -> Self {
        let notifications = preferences.notifications;
        let of_kind = |is_mention, count| if notifications.include(is_mention) { count } else { 0 };
        let Unread { count: messages, highlights } = unread;
        let highlights = of_kind(true, highlights);
        // The highlights are among the messages.
        let notifications = of_kind(false, messages).max(highlights);
        Self { messages, notifications, highlights }
    }
}

impl RoomView<'_> {
    /// The preferences of `user` for the room.
    #[must_use]
    pub fn preferences(&self, user: &UserId) -> RoomPreferences {
        let (models, _) = self.models();
        let preferences = models.user(user).and_then(|user| models.preferences(user));
        preferences.map(|preferences| preferences.of_room(self.id())).unwrap_or_default()
    }

    /// The unread messages of `user`, if joined.
    #[must_use]
    pub fn unread(&self, user: &UserId) -> UnreadCounts {
        let (models, key) = self.models();
        let account = models.user(user);
        let marks = account.and_then(|account| models.read_marks(account, self.id()));
        let read = marks.and_then(ReadMarks::furthest).map_or(0, |mark| mark.sequence);
        let preferences = account.and_then(|account| models.preferences(account));
        let ignored = preferences.map(Preferences::ignored).cloned().unwrap_or_default();
        let unread = models.unread(key, user, read, &ignored);
        let preferences = preferences.map(|it| it.of_room(self.id())).unwrap_or_default();
        UnreadCounts::of(unread, preferences)
    }
}

impl View<'_> {
    pub(crate) fn preferences(&self, user: &UserId) -> Option<&Preferences> {
        self.models().preferences(self.models().user(user)?)
    }

    /// How many rooms [`Self::favourites_of`] checks.
    #[must_use]
    pub fn favourites_looked(&self, user: &UserId) -> usize {
        self.preferences(user).map_or(0, |preferences| preferences.rooms().len())
    }

    /// Up to `limit` favourite rooms that `user` has joined, most recently active first; `before`
    /// is the [`RoomsPage::next`] of the previous page. The cost grows with the rooms for which the
    /// user has preferences.
    #[must_use]
    pub fn favourites_of(
        &self,
        user: &UserId,
        before: Option<Position>,
        limit: usize,
    ) -> RoomsPage<'_> {
        let rooms = self.preferences(user).into_iter().flat_map(Preferences::rooms);
        let favourites = rooms.filter(|(_, preferences)| preferences.is_favourite);
        let is_joined = |room: &RoomView<'_>| room.reads(user);
        let rooms = favourites.filter_map(|(room, _)| self.room(room)).filter(is_joined);
        let is_later = |room: &RoomView<'_>| before.is_none_or(|before| room.activity() < before);
        let mut rooms: Vec<_> = rooms.filter(is_later).collect();
        rooms.sort_unstable_by_key(|room| Reverse(room.activity()));
        let next = limit.checked_sub(1).filter(|_| rooms.len() > limit);
        let next = next.map(|last| rooms[last].activity());
        rooms.truncate(limit);
        RoomsPage { rooms, next }
    }
}

#[cfg(test)]
mod tests {
    use rookery_domain::Notifications;

    use super::*;

    fn counts(notifications: Notifications) -> UnreadCounts {
        let preferences = RoomPreferences { notifications, ..RoomPreferences::default() };
        UnreadCounts::of(Unread { count: 7, highlights: 2 }, preferences)
    }

    #[test]
    fn notifications_decide_which_unread_messages_notify() {
        let of = |messages, notifications, highlights| UnreadCounts {
            messages,
            notifications,
            highlights,
        };
        assert_eq!(counts(Notifications::All), of(7, 7, 2));
        assert_eq!(counts(Notifications::Mentions), of(7, 2, 2));
        assert_eq!(counts(Notifications::None), of(7, 0, 0), "muted rooms have no highlights");
    }
}
