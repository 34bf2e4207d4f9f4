//! Power levels of a room.
//!
//! **Invariant:** they are parsed once, when the state event is folded. A decision parses nothing.

use std::collections::BTreeMap;

use ruma_common::{OwnedUserId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{JsonObject, Pdu};

/// How much power a user has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// A level of the room.
    Level(i64),
    /// A creator of a room of version 12 or newer, above all levels.
    Infinite,
}

/// The power levels of a room.
///
/// Source: Matrix client-server specification, `m.room.power_levels`, with its defaults.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PowerLevels {
    /// The levels of listed users.
    pub users: BTreeMap<OwnedUserId, i64>,
    /// The level of all other users.
    pub users_default: i64,
    /// The level that an event of a type needs.
    pub events: BTreeMap<String, i64>,
    /// The level that other events need.
    pub events_default: i64,
    /// The level that other state events need.
    pub state_default: i64,
    /// The level to invite.
    pub invite: i64,
    /// The level to remove members.
    pub kick: i64,
    /// The level to ban.
    pub ban: i64,
    /// The level to redact the events of others.
    pub redact: i64,
}

/// The levels of users alone, for those who keep the levels of many rooms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserLevels {
    /// The level of each listed user, by user ID.
    users: Vec<(OwnedUserId, i64)>,
    /// The level of all other users.
    users_default: i64,
}

impl UserLevels {
    /// Reads the state event, as [`PowerLevels::of`] does.
    #[must_use]
    pub fn of(event: &Pdu) -> Self {
        let PowerLevels { users, users_default, .. } = PowerLevels::of(event);
        Self { users: users.into_iter().collect(), users_default }
    }

    /// The level of a user, creators aside.
    #[must_use]
    pub fn user(&self, user: &UserId) -> i64 {
        let named = self.users.binary_search_by(|(other, _)| (**other).cmp(user));
        named.map_or(self.users_default, |named| self.users[named].1)
    }
}

impl Default for PowerLevels {
    fn default() -> Self {
        Self::UNSET
    }
}

impl PowerLevels {
    /// The levels of a room without the state event.
    pub const UNSET: Self = Self {
        users: BTreeMap::new(),
        users_default: 0,
        events: BTreeMap::new(),
        events_default: 0,
        state_default: 50,
        invite: 0,
        kick: 50,
        ban: 50,
        redact: 50,
    };

    /// Reads the state event. If it cannot be read, nobody has power, as in ruma's authorisation.
    #[must_use]
    pub fn of(event: &Pdu) -> Self {
        event.content_as().unwrap_or_else(|| Self {
            users_default: i64::MIN,
            state_default: i64::MAX,
            events_default: i64::MAX,
            invite: i64::MAX,
            kick: i64::MAX,
            ban: i64::MAX,
            redact: i64::MAX,
            ..Self::default()
        })
    }

    /// The level of a user, creators aside.
    #[must_use]
    pub fn user(&self, user: &UserId) -> i64 {
        self.users.get(user).copied().unwrap_or(self.users_default)
    }

    /// A numeric setting by its name.
    pub(crate) fn setting(&self, name: &str) -> i64 {
        match name {
            "users_default" => self.users_default,
            "events_default" => self.events_default,
            "state_default" => self.state_default,
            "invite" => self.invite,
            "kick" => self.kick,
            "ban" => self.ban,
            _ => self.redact,
        }
    }

    /// The level that an event of this type needs.
    #[must_use]
    pub fn event(&self, kind: &str, is_state: bool) -> i64 {
        let default = if is_state { self.state_default } else { self.events_default };
        self.events.get(kind).copied().unwrap_or(default)
    }
}

/// A change of a room's power levels; settings that are not named stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PowerLevelsChange {
    /// Users with their new level; `None` removes the entry, so the default applies.
    pub users: BTreeMap<OwnedUserId, Option<i64>>,
    /// Event types with their new level; `None` removes the entry.
    pub events: BTreeMap<String, Option<i64>>,
    /// The level of users without an entry.
    pub users_default: Option<i64>,
    /// The level that messages need.
    pub events_default: Option<i64>,
    /// The level that state events need.
    pub state_default: Option<i64>,
    /// The level to invite.
    pub invite: Option<i64>,
    /// The level to remove members.
    pub kick: Option<i64>,
    /// The level to ban.
    pub ban: Option<i64>,
    /// The level to redact the events of others.
    pub redact: Option<i64>,
}

impl PowerLevelsChange {
    /// The numeric settings that change, with their names in the event.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (&'static str, i64)> {
        [
            ("users_default", self.users_default),
            ("events_default", self.events_default),
            ("state_default", self.state_default),
            ("invite", self.invite),
            ("kick", self.kick),
            ("ban", self.ban),
            ("redact", self.redact),
        ]
        .into_iter()
        .filter_map(|(name, level)| Some((name, level?)))
    }

    /// Writes the change into the content of the state event. Unknown keys stay.
    pub(crate) fn write_to(&self, content: &mut JsonObject) {
        for (name, level) in self.settings() {
            content.insert(name.into(), level.into());
        }
        let users = self.users.iter().map(|(user, level)| (user.as_str(), *level));
        write_entries(content, "users", users);
        let events = self.events.iter().map(|(kind, level)| (kind.as_str(), *level));
        write_entries(content, "events", events);
    }
}

fn write_entries<'a>(
    content: &mut JsonObject,
    map: &str,
    entries: impl Iterator<Item = (&'a str, Option<i64>)>,
) {
    for (key, level) in entries {
        let map = content.entry(map).or_insert_with(|| Value::Object(JsonObject::new()));
        let Value::Object(map) = map else { continue };
        match level {
            Some(level) => map.insert(key.to_owned(), level.into()),
            None => map.remove(key),
        };
    }
}
