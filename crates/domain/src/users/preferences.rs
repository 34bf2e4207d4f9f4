//! Preferences of a user for a room, and which of its messages notify the user.

use serde::{Deserialize, Serialize};

/// The messages of a room that notify a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notifications {
    /// All messages.
    #[default]
    All,
    /// Messages that mention the user, or everybody in the room.
    Mentions,
    /// No messages: the room is muted.
    None,
}

impl Notifications {
    /// Whether a message notifies the user. Nothing else decides this.
    #[must_use]
    pub const fn include(self, is_mention: bool) -> bool {
        match self {
            Self::All => true,
            Self::Mentions => is_mention,
            Self::None => false,
        }
    }
}

/// The preferences of a user for a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoomPreferences {
    /// The messages that notify the user.
    pub notifications: Notifications,
    /// The room is a favourite of the user.
    pub is_favourite: bool,
    /// The user has the room for a conversation with one other user.
    pub is_direct: bool,
}

/// A change of the preferences for a room. Fields that are absent stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RoomPreferencesChange {
    /// The messages that notify the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Notifications>,
    /// Whether the room is a favourite of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_favourite: Option<bool>,
    /// Whether the user has the room for a conversation with one other user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_direct: Option<bool>,
}

impl RoomPreferencesChange {
    /// The preferences after the change.
    pub(crate) fn of(self, before: RoomPreferences) -> RoomPreferences {
        RoomPreferences {
            notifications: self.notifications.unwrap_or(before.notifications),
            is_favourite: self.is_favourite.unwrap_or(before.is_favourite),
            is_direct: self.is_direct.unwrap_or(before.is_direct),
        }
    }
}
