//! The users who created a room, and the power that this gives them.

use ruma_common::{OwnedUserId, RoomVersionId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Pdu, Power};

/// The users who created a room.
///
/// Source: Matrix specification, authorisation rules of each room version. From version 11 on the
/// sender of the create event is the creator. From version 12 on there may be more, and creators
/// stand above all levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Creators {
    users: Vec<OwnedUserId>,
    above_levels: bool,
}

impl Creators {
    /// The creators of a room without a create event.
    pub(in crate::room) const NOBODY: Self = Self { users: Vec::new(), above_levels: false };

    /// Reads the create event. In a room of an unknown version its sender is the creator.
    #[must_use]
    pub fn of(create: &Pdu) -> Self {
        let content: Value = create.content_as().unwrap_or_default();
        let version = content.get("room_version").and_then(Value::as_str).unwrap_or("1");
        let rules = RoomVersionId::try_from(version).ok().and_then(|version| version.rules());
        let user = |value: &Value| OwnedUserId::try_from(value.as_str()?).ok();
        let Some(rules) = rules.map(|rules| rules.authorization) else {
            return Self { users: vec![create.sender.clone()], above_levels: false };
        };
        let named = content.get("creator").filter(|_| !rules.use_room_create_sender);
        let mut users = vec![named.and_then(user).unwrap_or_else(|| create.sender.clone())];
        if rules.additional_room_creators {
            let others = content.get("additional_creators").and_then(Value::as_array);
            users.extend(others.into_iter().flatten().filter_map(user));
        }
        Self { users, above_levels: rules.explicitly_privilege_room_creators }
    }

    /// The creators. The first of them made the room.
    #[must_use]
    pub fn users(&self) -> &[OwnedUserId] {
        &self.users
    }

    /// How much power `user` has. `level` is the user's level; `None` in a room without power
    /// levels.
    ///
    /// Source: Matrix server-server specification, authorisation rules, on rooms without power
    /// levels.
    #[must_use]
    pub fn power_of(&self, user: &UserId, level: Option<i64>) -> Power {
        let creates = self.users.iter().any(|creator| creator == user);
        match level {
            _ if creates && self.above_levels => Power::Infinite,
            Some(level) => Power::Level(level),
            None => Power::Level(if creates { 100 } else { 0 }),
        }
    }
}
