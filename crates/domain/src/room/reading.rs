//! The settings of a room as plain values, read from its state.

use ruma_common::{OwnedRoomAliasId, UserId};
use serde::de::DeserializeOwned;

use super::{
    Room,
    settings::{self, Setting},
};
use crate::{HistoryVisibility, JoinRule, Membership, Pdu};

impl Room {
    /// How users may join.
    #[must_use]
    pub fn join_rule(&self) -> JoinRule {
        self.setting(&settings::JOIN_RULE).unwrap_or(JoinRule::Invite)
    }

    /// Whether the room is empty and nobody can come back: it has no member, no invite, and a join
    /// rule that needs a member to admit others.
    #[must_use]
    pub fn is_deserted(&self) -> bool {
        let invited = |(_, membership, _): (&str, Membership, _)| membership == Membership::Invite;
        self.is_created()
            && self.joined_count() == 0
            && self.join_rule() != JoinRule::Public
            && !self.members().any(invited)
    }

    /// The users who may read events that are sent now.
    #[must_use]
    pub fn history_visibility(&self) -> HistoryVisibility {
        self.setting(&settings::HISTORY_VISIBILITY).unwrap_or_default()
    }

    /// Whether the room is listed in the public directory.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.setting(&settings::LISTED).unwrap_or(false)
    }

    /// The name; `None` if it is missing or empty.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.setting(&settings::NAME).flatten()
    }

    /// The topic; `None` if it is missing or empty.
    #[must_use]
    pub fn topic(&self) -> Option<String> {
        self.setting(&settings::TOPIC).flatten()
    }

    /// The `mxc:` address of the room's picture.
    #[must_use]
    pub fn avatar_url(&self) -> Option<String> {
        self.setting(&settings::AVATAR).flatten()
    }

    /// The type of the room, such as `m.space`; `None` for a conversation.
    #[must_use]
    pub fn room_type(&self) -> Option<String> {
        self.setting(&settings::ROOM_TYPE).flatten()
    }

    /// The alias to show.
    #[must_use]
    pub fn canonical_alias(&self) -> Option<OwnedRoomAliasId> {
        self.setting(&settings::CANONICAL_ALIAS).flatten()?.try_into().ok()
    }

    /// The other aliases of the room.
    #[must_use]
    pub fn alternative_aliases(&self) -> Vec<OwnedRoomAliasId> {
        let aliases = self.setting(&settings::OTHER_ALIASES).unwrap_or_default();
        aliases.into_iter().filter_map(|alias| alias.try_into().ok()).collect()
    }

    /// Whether the user may learn that this room exists: the room is open in some way, or the user
    /// has a membership in it. For all other users the server answers that there is no such room.
    /// The caller decides whether a restricted room is open to the user.
    #[must_use]
    pub fn exists_for(&self, user: &UserId) -> bool {
        let rule = self.join_rule();
        let open = rule == JoinRule::Public || rule.is_knockable();
        let readable = self.history_visibility() == HistoryVisibility::WorldReadable;
        self.is_created() && (open || readable || self.membership(user) != Membership::None)
    }

    fn setting<T>(&self, setting: &Setting<T>) -> Option<T> {
        setting.of(self.state(setting.kind(), "").map(|event| &**event))
    }

    pub(super) fn field<T: DeserializeOwned>(&self, kind: &str, key: &str) -> Option<T> {
        field(self.state(kind, "")?, key)
    }
}

/// One key of the content; `None` if it is missing or of another type.
pub(super) fn field<T: DeserializeOwned>(event: &Pdu, key: &str) -> Option<T> {
    let mut content: serde_json::Value = event.content_as()?;
    serde_json::from_value(content.get_mut(key)?.take()).ok()
}
