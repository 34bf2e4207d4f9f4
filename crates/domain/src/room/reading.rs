//! What the state of a room says, in plain values.

use ruma_common::{OwnedRoomAliasId, UserId};
use serde::de::DeserializeOwned;

use super::{DIRECTORY_TYPE, Room};
use crate::{HistoryVisibility, JoinRule, Membership, Pdu};

impl Room {
    /// How users get in.
    #[must_use]
    pub fn join_rule(&self) -> JoinRule {
        self.state("m.room.join_rules", "").map_or(JoinRule::Invite, |event| JoinRule::of(event))
    }

    /// Whether nobody is in the room and nobody can come back: no member, no invite, and a join rule
    /// that needs a member to let others in.
    #[must_use]
    pub fn is_deserted(&self) -> bool {
        let invited = |(_, membership, _): (&str, Membership, _)| membership == Membership::Invite;
        self.is_created()
            && self.joined_count() == 0
            && self.join_rule() != JoinRule::Public
            && !self.members().any(invited)
    }

    /// Who may read what is sent now.
    #[must_use]
    pub fn history_visibility(&self) -> HistoryVisibility {
        let event = self.state("m.room.history_visibility", "");
        event.map_or(HistoryVisibility::default(), |event| HistoryVisibility::of(event))
    }

    /// Whether the room stands in the public directory.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.field(DIRECTORY_TYPE, "listed").unwrap_or(false)
    }

    /// The name; none if there is none or it is empty.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        self.text("m.room.name", "name")
    }

    /// What the room is about; none if that is not said or empty.
    #[must_use]
    pub fn topic(&self) -> Option<String> {
        self.text("m.room.topic", "topic")
    }

    /// The `mxc:` address of the room's picture.
    #[must_use]
    pub fn avatar_url(&self) -> Option<String> {
        self.text("m.room.avatar", "url")
    }

    /// The type of the room, such as `m.space`; none for a conversation.
    #[must_use]
    pub fn room_type(&self) -> Option<String> {
        self.text("m.room.create", "type")
    }

    /// The alias to show.
    #[must_use]
    pub fn canonical_alias(&self) -> Option<OwnedRoomAliasId> {
        self.field("m.room.canonical_alias", "alias")
    }

    /// The other aliases that the room goes by.
    #[must_use]
    pub fn alternative_aliases(&self) -> Vec<OwnedRoomAliasId> {
        self.field("m.room.canonical_alias", "alt_aliases").unwrap_or_default()
    }

    /// Whether the user may learn that this room exists: it is open in some way, or the user has
    /// had to do with it. Everybody else gets the answer that there is no such room. Whether a
    /// restricted room is open to her, its caller knows.
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

/// One key of the content; none if it is missing or of another type.
pub(super) fn field<T: DeserializeOwned>(event: &Pdu, key: &str) -> Option<T> {
    let mut content: serde_json::Value = event.content_as()?;
    serde_json::from_value(content.get_mut(key)?.take()).ok()
}
