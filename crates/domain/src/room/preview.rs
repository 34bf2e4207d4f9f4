//! The preview of a room in an invite: the only data of the room that an invited user sees.

use std::sync::Arc;

use ruma_common::{OwnedRoomAliasId, OwnedRoomId, OwnedUserId, UserId};
use serde::{Deserialize, Serialize};

use super::{
    Room,
    settings::{self, Setting},
};
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
        let text = |setting: &Setting<Option<String>>| {
            setting.of(state(setting.kind(), "").as_deref()).flatten()
        };
        let join_rule = settings::JOIN_RULE.of(state(settings::JOIN_RULE.kind(), "").as_deref());
        Self {
            room_id: invite.room_id.clone(),
            inviter: invite.sender.clone(),
            inviter_profile: inviter.map(|event| Profile::of(&event)).unwrap_or_default(),
            reason: content.reason,
            is_direct: content.is_direct.unwrap_or(false),
            name: text(&settings::NAME),
            topic: text(&settings::TOPIC),
            avatar_url: text(&settings::AVATAR),
            canonical_alias: text(&settings::CANONICAL_ALIAS)
                .and_then(|alias| alias.try_into().ok()),
            join_rule: join_rule.unwrap_or(JoinRule::Invite),
            room_type: text(&settings::ROOM_TYPE),
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
