//! Preferences for rooms, in the form for clients.

use async_graphql::{Enum, SimpleObject};
use rookery_domain::{Notifications, RoomPreferences};

/// The messages of a room that notify you.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Notifications")]
pub enum RoomNotifications {
    /// All messages.
    All,
    /// Messages that mention you, or everybody in the room.
    Mentions,
    /// No messages: the room is muted.
    None,
}

/// Your preferences for a room. Only you can see them.
#[derive(Clone, Copy, SimpleObject)]
#[graphql(name = "RoomPreferences")]
pub struct RoomPreferencesShown {
    /// The messages that notify you: `ALL` by default.
    notifications: RoomNotifications,
    /// Whether the room is a favourite of yours.
    is_favourite: bool,
    /// Whether you have the room for a conversation with one other user.
    is_direct: bool,
}

impl From<RoomPreferences> for RoomPreferencesShown {
    fn from(preferences: RoomPreferences) -> Self {
        let RoomPreferences { notifications, is_favourite, is_direct } = preferences;
        Self { notifications: notifications.into(), is_favourite, is_direct }
    }
}
