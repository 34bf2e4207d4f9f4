//! The settings of a room: the state event that holds each of them, and how it is read.
//!
//! **Invariant:** nothing else reads a setting out of its event: rooms, read models and previews of
//! invites ask here.
//! **Invariant:** reading is lenient: a field of another type counts as missing.

use serde_json::Value;

use super::DIRECTORY_TYPE;
use crate::{HistoryVisibility, JoinRule, Pdu, UserLevels};

/// A setting, held by the state event of one type with an empty state key.
#[derive(Clone, Copy, Debug)]
pub struct Setting<T> {
    kind: &'static str,
    read: fn(&Pdu) -> T,
}

impl<T> Setting<T> {
    /// The type of the event that holds it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The value in the event that holds it; `None` without such an event.
    #[must_use]
    pub fn of(&self, held: Option<&Pdu>) -> Option<T> {
        held.map(self.read)
    }
}

/// A text, which is `None` if it is missing or empty.
type Text = Setting<Option<String>>;

/// The name.
pub const NAME: Text = Setting { kind: "m.room.name", read: |event| text(event, "name") };

/// The topic.
pub const TOPIC: Text = Setting { kind: "m.room.topic", read: |event| text(event, "topic") };

/// The `mxc:` address of the picture.
pub const AVATAR: Text = Setting { kind: "m.room.avatar", read: |event| text(event, "url") };

/// The alias to show.
pub const CANONICAL_ALIAS: Text =
    Setting { kind: "m.room.canonical_alias", read: |event| text(event, "alias") };

/// The other aliases.
pub const OTHER_ALIASES: Setting<Vec<String>> =
    Setting { kind: CANONICAL_ALIAS.kind, read: |event| texts(event, "alt_aliases") };

/// How users may join.
pub const JOIN_RULE: Setting<JoinRule> = Setting { kind: "m.room.join_rules", read: JoinRule::of };

/// The users who may read events that are sent now.
pub const HISTORY_VISIBILITY: Setting<HistoryVisibility> =
    Setting { kind: "m.room.history_visibility", read: HistoryVisibility::of };

/// The power of users.
pub const USER_LEVELS: Setting<UserLevels> =
    Setting { kind: "m.room.power_levels", read: UserLevels::of };

/// The type of the room, such as `m.space`; `None` for a conversation.
pub const ROOM_TYPE: Text = Setting { kind: "m.room.create", read: |event| text(event, "type") };

/// Whether the public directory lists the room.
pub const LISTED: Setting<bool> = Setting {
    kind: DIRECTORY_TYPE,
    read: |event| field(event, "listed").and_then(|value| value.as_bool()).unwrap_or(false),
};

/// The types of the events that hold settings.
pub const KINDS: [&str; 9] = [
    NAME.kind,
    TOPIC.kind,
    AVATAR.kind,
    CANONICAL_ALIAS.kind,
    JOIN_RULE.kind,
    HISTORY_VISIBILITY.kind,
    USER_LEVELS.kind,
    ROOM_TYPE.kind,
    LISTED.kind,
];

/// A text of the content; `None` if it is missing or empty.
fn text(event: &Pdu, key: &str) -> Option<String> {
    match field(event, key)? {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn texts(event: &Pdu, key: &str) -> Vec<String> {
    let Some(Value::Array(values)) = field(event, key) else { return Vec::new() };
    values.iter().filter_map(|value| Some(value.as_str()?.to_owned())).collect()
}

fn field(event: &Pdu, key: &str) -> Option<Value> {
    let mut content: Value = event.content_as()?;
    Some(content.get_mut(key)?.take())
}
