//! The settings of a room as plain values, read from its state.

use ruma_common::{OwnedRoomAliasId, UserId};
use serde::de::DeserializeOwned;

use super::{DIRECTORY_TYPE, Room};
use crate::{HistoryVisibility, JoinRule, Membership, Pdu};

impl Room {
    /// How users may join.
    #[must_use]
    pub fn join_rule(&self) -> JoinRule {
        self.state("m.room.join_rules", "").map_or(JoinRule::Invite, |event| JoinRule::of(event))
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
        let event = self.state("m.room.history_visibility", "");
        event.map_or(HistoryVisibility::default(), |event| HistoryVisibility::of(event))
    }

    /// Whether the room is listed in the public directory.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.field(DIRECTORY_TYPE, "listed").unwrap_or(false)
    }

    /// The name; `None` if it is missing or empty.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.text("m.room.name", "name")
    }

    /// The topic; `None` if it is missing or empty.
    #[must_use]
    pub fn topic(&self) -> Option<String> {
        self.text("m.room.topic", "topic")
    }

    /// The `mxc:` address of the room's picture.
    #[must_use]
    pub fn avatar_url(&self) -> Option<String> {
        self.text("m.room.avatar", "url")
    }

    /// The type of the room, such as `m.space`; `None` for a conversation.
    #[must_use]
    pub fn room_type(&self) -> Option<String> {
        self.text("m.room.create", "type")
    }

    /// The alias to show.
    #[must_use]
    pub fn canonical_alias(&self) -> Option<OwnedRoomAliasId> {
        self.field("m.room.canonical_alias", "alias")
    }

    /// The other aliases of the room.
    #[must_use]
    pub fn alternative_aliases(&self) -> Vec<OwnedRoomAliasId> {
        self.field("m.room.canonical_alias", "alt_aliases").unwrap_or_default()
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

    fn text(&self, kind: &str, key: &str) -> Option<String> {
        self.field::<String>(kind, key).filter(|text| !text.is_empty())
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
