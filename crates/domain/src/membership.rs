//! Settings of a room's members and openness, as read from its state events.

use ruma_common::OwnedRoomId;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{JsonObject, Pdu};

/// The relation of a user to a room.
///
/// Source: Matrix client-server specification, `m.room.member`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// The room has no member event of the user.
    #[default]
    None,
    /// The user was joined, invited or knocking, and is no longer.
    Leave,
    /// The user asked to join.
    Knock,
    /// The user may join.
    Invite,
    /// The user is a member.
    Join,
    /// The user is banned.
    Ban,
}

/// The users who may read the history of a room.
///
/// Source: Matrix client-server specification, "Room history visibility".
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum HistoryVisibility {
    /// Members, for events sent while they were joined.
    Joined,
    /// Members, for events sent since they were invited.
    Invited,
    /// Members, for all events sent before they left. The default where the room has no setting.
    #[default]
    Shared,
    /// Everybody.
    WorldReadable,
}

/// How users may join a room.
///
/// Source: Matrix client-server specification, `m.room.join_rules`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinRule {
    /// Everybody may join.
    Public,
    /// Invited users may join. Unknown rules are read as this one.
    Invite,
    /// Invited users may join; others may knock.
    Knock,
    /// Invited users and members of these rooms may join.
    Restricted(Vec<OwnedRoomId>),
    /// Invited users and members of these rooms may join; others may knock.
    KnockRestricted(Vec<OwnedRoomId>),
}

impl Membership {
    /// The name in `m.room.member` events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None | Self::Leave => "leave",
            Self::Knock => "knock",
            Self::Invite => "invite",
            Self::Join => "join",
            Self::Ban => "ban",
        }
    }

    /// The membership in a member event; [`Membership::Leave`] if it is missing or unknown.
    #[must_use]
    pub fn of(event: &Pdu) -> Self {
        #[derive(Deserialize)]
        struct Content {
            membership: Membership,
        }
        match event.content_as::<Content>() {
            Some(Content { membership: Self::None }) | None => Self::Leave,
            Some(content) => content.membership,
        }
    }
}

impl HistoryVisibility {
    /// The name in `m.room.history_visibility` events.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Joined => "joined",
            Self::Invited => "invited",
            Self::Shared => "shared",
            Self::WorldReadable => "world_readable",
        }
    }

    /// The setting in an `m.room.history_visibility` event; `Shared` if it is missing or unknown.
    #[must_use]
    pub fn of(event: &Pdu) -> Self {
        #[derive(Deserialize)]
        struct Content {
            history_visibility: HistoryVisibility,
        }
        event.content_as::<Content>().map(|content| content.history_visibility).unwrap_or_default()
    }
}

impl JoinRule {
    /// The name in `m.room.join_rules` events.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Invite => "invite",
            Self::Knock => "knock",
            Self::Restricted(_) => "restricted",
            Self::KnockRestricted(_) => "knock_restricted",
        }
    }

    /// The rule in an `m.room.join_rules` event; `Invite` if it is missing or unknown.
    #[must_use]
    pub fn of(event: &Pdu) -> Self {
        #[derive(Deserialize)]
        struct Content {
            join_rule: String,
            #[serde(default)]
            allow: Vec<Value>,
        }
        let Some(content) = event.content_as::<Content>() else { return Self::Invite };
        let rooms = || content.allow.iter().filter_map(allowed_room).collect();
        match content.join_rule.as_str() {
            "public" => Self::Public,
            "knock" => Self::Knock,
            "restricted" => Self::Restricted(rooms()),
            "knock_restricted" => Self::KnockRestricted(rooms()),
            _ => Self::Invite,
        }
    }

    /// The rooms whose members may join without an invite.
    #[must_use]
    pub fn allowed_rooms(&self) -> &[OwnedRoomId] {
        match self {
            Self::Restricted(rooms) | Self::KnockRestricted(rooms) => rooms,
            Self::Public | Self::Invite | Self::Knock => &[],
        }
    }

    /// Whether users without an invite may knock.
    #[must_use]
    pub fn is_knockable(&self) -> bool {
        matches!(self, Self::Knock | Self::KnockRestricted(_))
    }

    /// The content of the state event.
    pub(crate) fn content(&self) -> JsonObject {
        let mut content = JsonObject::new();
        content.insert("join_rule".into(), self.as_str().into());
        if matches!(self, Self::Restricted(_) | Self::KnockRestricted(_)) {
            let allow = self.allowed_rooms().iter();
            let allow = allow.map(|room| json!({ "type": ROOM_MEMBERSHIP, "room_id": room }));
            content.insert("allow".into(), allow.collect());
        }
        content
    }
}

/// The only kind of condition in the specification.
const ROOM_MEMBERSHIP: &str = "m.room_membership";

fn allowed_room(condition: &Value) -> Option<OwnedRoomId> {
    (condition.get("type")?.as_str()? == ROOM_MEMBERSHIP).then_some(())?;
    condition.get("room_id")?.as_str()?.try_into().ok()
}
