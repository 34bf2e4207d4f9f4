//! The preview of a room in an invite: the only data of the room that an invited user sees.

use std::sync::Arc;

use ruma_common::{OwnedRoomAliasId, OwnedRoomId, OwnedUserId, UserId};
use serde::{Deserialize, Serialize};

use super::{Room, reading::field};
use crate::{JoinRule, Membership, Pdu, Profile};

/// The preview for an invited user.
///
/// Source: Matrix client-server specification, "Stripped state".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitePreview {
    /// The room.
    pub room_id: OwnedRoomId,
    /// The user who invites.
    pub inviter: OwnedUserId,
    /// The inviter's name and avatar in the room.
    pub inviter_profile: Profile,
    /// The reason of the invite.
    pub reason: Option<String>,
    /// The invite is to a direct conversation.
    pub is_direct: bool,
    /// The room's name.
    pub name: Option<String>,
    /// The topic.
    pub topic: Option<String>,
    /// The `mxc:` address of its picture.
    pub avatar_url: Option<String>,
    /// Its canonical alias.
    pub canonical_alias: Option<OwnedRoomAliasId>,
    /// How users may join.
    pub join_rule: JoinRule,
    /// Its type, such as `m.space`.
    pub room_type: Option<String>,
    /// Whether messages are encrypted.
    pub is_encrypted: bool,
}

#[derive(Default, Deserialize)]
struct InviteContent {
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    is_direct: Option<bool>,
}

impl InvitePreview {
    /// Reads the preview out of the invite and the room's current state, which `state` looks up by
    /// type and state key.
    #[must_use]
    pub fn read(invite: &Pdu, state: impl Fn(&str, &str) -> Option<Arc<Pdu>>) -> Self {
        let content: InviteContent = invite.content_as().unwrap_or_default();
        let inviter = state("m.room.member", invite.sender.as_str());
        let text = |kind, key| {
            let event = state(kind, "")?;
            field::<String>(&event, key).filter(|text| !text.is_empty())
        };
        Self {
            room_id: invite.room_id.clone(),
            inviter: invite.sender.clone(),
            inviter_profile: inviter.map(|event| Profile::of(&event)).unwrap_or_default(),
            reason: content.reason,
            is_direct: content.is_direct.unwrap_or(false),
            name: text("m.room.name", "name"),
            topic: text("m.room.topic", "topic"),
            avatar_url: text("m.room.avatar", "url"),
            canonical_alias: state("m.room.canonical_alias", "").and_then(|it| field(&it, "alias")),
            join_rule: state("m.room.join_rules", "")
                .map_or(JoinRule::Invite, |event| JoinRule::of(&event)),
            room_type: text("m.room.create", "type"),
            is_encrypted: state("m.room.encryption", "").is_some(),
        }
    }
}

impl Room {
    /// The preview that the user sees while invited; `None` otherwise.
    #[must_use]
    pub fn invite_preview(&self, user: &UserId) -> Option<InvitePreview> {
        let invite = self.state("m.room.member", user.as_str())?;
        (self.membership(user) == Membership::Invite)
            .then(|| InvitePreview::read(invite, |kind, key| self.state(kind, key).cloned()))
    }
}
