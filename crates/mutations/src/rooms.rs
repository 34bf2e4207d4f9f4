//! Mutations that create rooms and set their state.

mod power;
pub(super) mod upgrade;

use async_graphql::{Context, Enum, InputObject, Json, Object, Result};
use rookery_command::{Actor, Command};
use rookery_domain::{CreateRoom, HistoryVisibility, Invitee, Preset, RoomCommand, RoomVersionId};
use rookery_schema::{
    context::{app, retry, session},
    types::{
        errors::fault::Fault,
        filter::{FilterBy, chosen},
        rooms::room::{HistoryVisibilityEnum, JoinRuleInput},
        values::scalars::{RoomAliasScalar, RoomIdScalar, Uri, UserIdScalar},
    },
};

use self::power::{PowerLevelsInput, change};
use super::{
    acted::{act, room_payload},
    entered::{Deliver, Entered, Wish, entered_payload},
    messages::object,
};

/// The defaults of a new room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Preset")]
pub(crate) enum RoomPreset {
    /// Users join by invite; every member may invite.
    Private,
    /// Open to everybody.
    Public,
}

/// The room to create. All of it is created at once, or nothing.
#[derive(InputObject)]
pub(crate) struct CreateRoomInput {
    /// Its name.
    name: Option<String>,
    /// The topic.
    topic: Option<String>,
    /// The `mxc:` address of its avatar.
    avatar_url: Option<Uri>,
    /// Its canonical alias.
    alias: Option<RoomAliasScalar>,
    /// The users to invite.
    #[graphql(default)]
    invite: Vec<UserIdScalar>,
    /// The defaults for the other fields.
    #[graphql(default_with = "RoomPreset::Private")]
    preset: RoomPreset,
    /// How users may join.
    join_rule: Option<JoinRuleInput>,
    /// The users who may read the history.
    history_visibility: Option<HistoryVisibilityEnum>,
    /// Whether the public directory lists it.
    #[graphql(default)]
    is_listed: bool,
    /// The changes of the default power levels.
    power_levels: Option<PowerLevelsInput>,
    /// Whether the invites are to a direct conversation.
    #[graphql(default)]
    is_direct: bool,
    /// The type of the room, such as `m.space`; null for a conversation.
    room_type: Option<String>,
    /// The Matrix room version: `10`, `11` or `12`; `12` by default.
    room_version: Option<String>,
    /// How this device receives the snapshot of the room.
    #[graphql(default)]
    deliver: Deliver,
    /// The filter for its events.
    filter: Option<FilterBy>,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// State of your own type.
#[derive(InputObject)]
pub(crate) struct SetRoomStateInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The type, such as `com.example.board`.
    #[graphql(name = "type")]
    event_type: String,
    /// The state key; a user ID only if it is yours.
    #[graphql(default)]
    state_key: String,
    /// The content: a JSON object without fractions.
    content: Json<serde_json::Value>,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// Defines the input of a mutation for one setting of a room.
macro_rules! setting_input {
    ($name:ident, $doc:literal, $($field:ident: $type:ty = $field_doc:literal),+) => {
        #[doc = $doc]
        #[derive(InputObject)]
        pub(crate) struct $name {
            /// The room.
            room_id: RoomIdScalar,
            $(#[doc = $field_doc] $field: $type,)+
            /// Your number for this action.
            action_id: Option<i32>,
        }
    };
}

setting_input!(SetRoomNameInput, "The name of a room.",
    name: String = "The name; empty to remove it.");
setting_input!(SetRoomTopicInput, "The topic of a room.",
    topic: String = "The topic; empty to remove it.");
setting_input!(SetRoomAvatarInput, "The avatar of a room.",
    avatar_url: Option<Uri> = "Its `mxc:` address; null to remove it.");
setting_input!(SetRoomAliasesInput, "The aliases of a room: these and no others.",
    canonical: Option<RoomAliasScalar> = "The alias to show.",
    alternative: Option<Vec<RoomAliasScalar>> = "Others.");
setting_input!(SetJoinRuleInput, "How users may join a room.",
    join_rule: JoinRuleInput = "The rule.");
setting_input!(SetHistoryVisibilityInput, "The users who may read events that are sent from now on.",
    visibility: HistoryVisibilityEnum = "The setting.");
setting_input!(SetPowerLevelsInput, "The power levels of a room. Fields that you leave out stay.",
    power_levels: PowerLevelsInput = "The changes.");
setting_input!(SetRoomListedInput, "Whether the public directory lists a room.",
    is_listed: bool = "Whether it is listed.");

entered_payload!(CreateRoomPayload, "The result of `createRoom`.");
room_payload!(SetRoomStatePayload, "The result of `setRoomState`.");
room_payload!(SetRoomNamePayload, "The result of `setRoomName`.");
room_payload!(SetRoomTopicPayload, "The result of `setRoomTopic`.");
room_payload!(SetRoomAvatarPayload, "The result of `setRoomAvatar`.");
room_payload!(SetRoomAliasesPayload, "The result of `setRoomAliases`.");
room_payload!(SetJoinRulePayload, "The result of `setJoinRule`.");
room_payload!(SetHistoryVisibilityPayload, "The result of `setHistoryVisibility`.");
room_payload!(SetPowerLevelsPayload, "The result of `setPowerLevels`.");
room_payload!(SetRoomListedPayload, "The result of `setRoomListed`.");

/// Mutations that create rooms and set their state.
#[derive(Default)]
pub(crate) struct RoomMutation;

#[Object]
impl RoomMutation {
    /// Creates a room and joins it.
    async fn create_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room to create. All of it is created at once, or nothing.")]
        input: CreateRoomInput,
    ) -> Result<CreateRoomPayload> {
        let actor = Actor { deliver: input.deliver.stored(), ..session(context).actor()? };
        let retry = retry(input.action_id)?;
        let version = input.room_version.as_deref();
        let version = version.map(|version| room_version("roomVersion", version));
        let filter = chosen(context, input.filter).await?;
        let wish = Wish { deliver: input.deliver, filter };
        let command = CreateRoom {
            version: version.transpose()?,
            preset: input.preset.into(),
            name: input.name,
            topic: input.topic,
            avatar_url: input.avatar_url.map(|url| url.0),
            alias: input.alias.map(|alias| alias.0),
            invite: input.invite.into_iter().map(|user| Invitee::from(user.0)).collect(),
            join_rule: input.join_rule.map(JoinRuleInput::rule).transpose()?,
            history_visibility: input.history_visibility.map(HistoryVisibility::from),
            listed: input.is_listed,
            power_levels: input.power_levels.map(change).unwrap_or_default(),
            is_direct: input.is_direct,
            room_type: input.room_type,
        };
        let result = app(context)
            .commands
            .execute(&actor, Command::CreateRoom { room: &command }, retry)
            .await;
        Ok(Entered::of(context, result, wish).await?.into())
    }

    /// Sets state of your own type.
    async fn set_room_state(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "State of your own type.")] input: SetRoomStateInput,
    ) -> Result<SetRoomStatePayload> {
        let SetRoomStateInput { room_id, event_type, state_key, content, action_id } = input;
        let command = RoomCommand::SetState { event_type, state_key, content: object(content)? };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Sets the name of a room.
    async fn set_room_name(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The name of a room.")] input: SetRoomNameInput,
    ) -> Result<SetRoomNamePayload> {
        let command = RoomCommand::SetName { name: input.name };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Sets the topic of a room.
    async fn set_room_topic(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The topic of a room.")] input: SetRoomTopicInput,
    ) -> Result<SetRoomTopicPayload> {
        let command = RoomCommand::SetTopic { topic: input.topic };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Sets the avatar of a room.
    async fn set_room_avatar(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The avatar of a room.")] input: SetRoomAvatarInput,
    ) -> Result<SetRoomAvatarPayload> {
        let command = RoomCommand::SetAvatar { url: input.avatar_url.map(|url| url.0) };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Sets the aliases of a room, and releases those that it had before.
    async fn set_room_aliases(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The aliases of a room: these and no others.")] input: SetRoomAliasesInput,
    ) -> Result<SetRoomAliasesPayload> {
        let alternative = input.alternative.unwrap_or_default();
        let command = RoomCommand::SetAliases {
            canonical: input.canonical.map(|alias| alias.0),
            alternative: alternative.into_iter().map(|alias| alias.0).collect(),
        };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Sets how users may join a room.
    async fn set_join_rule(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How users may join a room.")] input: SetJoinRuleInput,
    ) -> Result<SetJoinRulePayload> {
        let command = RoomCommand::SetJoinRule { rule: input.join_rule.rule()? };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Sets who may read events that are sent from now on.
    async fn set_history_visibility(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The users who may read events that are sent from now on.")]
        input: SetHistoryVisibilityInput,
    ) -> Result<SetHistoryVisibilityPayload> {
        let command = RoomCommand::SetHistoryVisibility { visibility: input.visibility.into() };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Changes the power levels of a room. Nobody can grant a level above their own.
    async fn set_power_levels(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The power levels of a room. Fields that you leave out stay.")]
        input: SetPowerLevelsInput,
    ) -> Result<SetPowerLevelsPayload> {
        let command = RoomCommand::SetPowerLevels { change: change(input.power_levels) };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Lists a room in the public directory, or removes it from there.
    async fn set_room_listed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whether the public directory lists a room.")] input: SetRoomListedInput,
    ) -> Result<SetRoomListedPayload> {
        let command = RoomCommand::SetListed { listed: input.is_listed };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }
}

/// The room version in an argument.
pub(super) fn room_version(argument: &str, text: &str) -> Result<RoomVersionId, Fault> {
    RoomVersionId::try_from(text)
        .map_err(|_| Fault::bad_input(format!("`{argument}` is {text:?}: use `10`, `11` or `12`")))
}
