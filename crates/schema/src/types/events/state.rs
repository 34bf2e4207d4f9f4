//! The fields of state events.

use async_graphql::Object;
use rookery_domain::{
    HistoryVisibility, JoinRule, Membership, OwnedRoomAliasId, OwnedRoomId, OwnedUserId,
};

use super::{content::EventContent, power_levels::PowerLevels};
use crate::{
    marks::{SharedBy, shared},
    types::{
        rooms::room::{HistoryVisibilityEnum, JoinRuleKind},
        users::user::{MembershipEnum, User},
        values::{
            list::List,
            scalars::{RoomAliasScalar, RoomIdScalar, UserIdScalar},
            text::{Text, UriText},
        },
    },
};

/// The fields of a user's membership.
#[derive(Clone)]
pub(super) struct MemberFields {
    pub(super) content: EventContent,
    /// The user, from the state key.
    pub(super) user: OwnedUserId,
}

#[Object]
impl MemberFields {
    /// The user whose membership it sets.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn user(&self) -> User {
        User::in_room(self.user.clone(), self.content.pdu().room_id.clone())
    }

    /// The ID of that user.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn user_id(&self) -> UserIdScalar {
        UserIdScalar(self.user.clone())
    }

    /// The membership.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn membership(&self) -> MembershipEnum {
        Membership::of(self.content.pdu()).into()
    }

    /// The display name in the room, from then on.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn display_name(&self) -> Option<Text> {
        self.content.text("displayname")
    }

    /// The `mxc:` address of the avatar in the room, from then on.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn avatar_url(&self) -> Option<UriText> {
        self.content.str("avatar_url").map(|url| UriText(url.to_owned()))
    }

    /// The reason that the sender gave.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn reason(&self) -> Option<Text> {
        self.content.text("reason")
    }

    /// Whether it is an invite to a direct conversation.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn is_direct(&self) -> bool {
        self.content.get("is_direct").and_then(serde_json::Value::as_bool).unwrap_or(false)
    }
}

/// The fields of a room's name.
#[derive(Clone)]
pub(super) struct RoomNameFields(pub(super) EventContent);

#[Object]
impl RoomNameFields {
    /// The name. Null if it was removed.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn name(&self) -> Option<Text> {
        self.0.text("name")
    }
}

/// The fields of a room's topic.
#[derive(Clone)]
pub(super) struct TopicFields(pub(super) EventContent);

#[Object]
impl TopicFields {
    /// The topic. Null if it was removed.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn topic(&self) -> Option<Text> {
        self.0.text("topic")
    }
}

/// The fields of a room's avatar.
#[derive(Clone)]
pub(super) struct AvatarFields(pub(super) EventContent);

#[Object]
impl AvatarFields {
    /// Its `mxc:` address. Null if it was removed.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn avatar_url(&self) -> Option<UriText> {
        self.0.str("url").map(|url| UriText(url.to_owned()))
    }
}

/// The fields of a room's aliases.
#[derive(Clone)]
pub(super) struct AliasFields(pub(super) EventContent);

#[Object]
impl AliasFields {
    /// The alias to show. Null if there is none.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn canonical(&self) -> Option<RoomAliasScalar> {
        self.0.id::<OwnedRoomAliasId>("alias").map(RoomAliasScalar)
    }

    /// All others, in the order of the event.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn alternative(&self) -> List<RoomAliasScalar> {
        let aliases: Vec<OwnedRoomAliasId> = self.0.ids("alt_aliases");
        aliases.into_iter().map(RoomAliasScalar).collect()
    }
}

/// The fields of a room's join rule.
#[derive(Clone)]
pub(super) struct JoinRulesFields(pub(super) EventContent);

#[Object]
impl JoinRulesFields {
    /// How users may join.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn join_rule(&self) -> JoinRuleKind {
        JoinRuleKind::of(&JoinRule::of(self.0.pdu()))
    }

    /// For `RESTRICTED` and `KNOCK_RESTRICTED`: all rooms whose members may join.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn allowed_rooms(&self) -> List<RoomIdScalar> {
        let rooms = match JoinRule::of(self.0.pdu()) {
            JoinRule::Restricted(rooms) | JoinRule::KnockRestricted(rooms) => rooms,
            JoinRule::Public | JoinRule::Invite | JoinRule::Knock => Vec::new(),
        };
        rooms.into_iter().map(RoomIdScalar).collect()
    }
}

/// The fields of a room's history visibility.
#[derive(Clone)]
pub(super) struct HistoryVisibilityFields(pub(super) EventContent);

#[Object]
impl HistoryVisibilityFields {
    /// The users who may read events that are sent from then on.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn visibility(&self) -> HistoryVisibilityEnum {
        HistoryVisibility::of(self.0.pdu()).into()
    }
}

/// The fields of a room's power levels.
#[derive(Clone)]
pub(super) struct PowerLevelsFields(pub(super) EventContent);

#[Object]
impl PowerLevelsFields {
    /// The power levels, with the defaults for those that the event leaves out.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn power_levels(&self) -> PowerLevels {
        PowerLevels::of(self.0.pdu())
    }
}

/// The fields of a room's creation.
#[derive(Clone)]
pub(super) struct CreateFields(pub(super) EventContent);

#[Object]
impl CreateFields {
    /// The Matrix room version.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn version(&self) -> Text {
        self.0.text("room_version").unwrap_or_else(|| Text("1".into()))
    }

    /// The type of the room, such as `m.space`. Null for a conversation.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn room_type(&self) -> Option<Text> {
        self.0.text("type")
    }

    /// The room that it replaced. Null if it replaced none.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn predecessor(&self) -> Option<RoomIdScalar> {
        let room = self.0.get("predecessor")?.get("room_id")?.as_str()?;
        OwnedRoomId::try_from(room).ok().map(RoomIdScalar)
    }
}

/// The fields of a tombstone.
#[derive(Clone)]
pub(super) struct TombstoneFields(pub(super) EventContent);

#[Object]
impl TombstoneFields {
    /// The room that replaces this one.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn replaced_by(&self) -> Option<RoomIdScalar> {
        self.0.id::<OwnedRoomId>("replacement_room").map(RoomIdScalar)
    }
}
