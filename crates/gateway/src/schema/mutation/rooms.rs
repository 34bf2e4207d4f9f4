//! Mutations that make rooms and set their state.

use async_graphql::{Context, Enum, InputObject, Json, Object, Result};
use rookery_command::Actor;
use rookery_domain::{CreateRoom, HistoryVisibility, Invitee, Preset, RoomCommand, RoomVersionId};

use super::{
    acted::{act, room_payload},
    entered::{Deliver, Entered, Wish, entered_payload},
    messages::object,
    power::{PowerLevelsInput, change},
};
use crate::schema::{
    context::{app, retry, session},
    types::{
        errors::fault::Fault,
        filter::{FilterInput, chosen},
        rooms::room::{HistoryVisibilityEnum, JoinRuleInput},
        values::scalars::{RoomAliasScalar, RoomIdScalar, UserIdScalar},
    },
};

/// How a new room starts, where you say nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Preset")]
pub(crate) enum RoomPreset {
    /// By invitation; every member may invite.
    Private,
    /// Open to everybody.
    Public,
}

/// The room to make. All of it comes about at once or not at all.
#[derive(InputObject)]
pub(crate) struct CreateRoomInput {
    /// Its name.
    name: Option<String>,
    /// What it is about.
    topic: Option<String>,
    /// The `mxc:` address of its picture.
    avatar_url: Option<String>,
    /// The alias it goes by.
    alias: Option<RoomAliasScalar>,
    /// Whom to invite.
    #[graphql(default)]
    invite: Vec<UserIdScalar>,
    /// What holds where the other fields say nothing.
    #[graphql(default_with = "RoomPreset::Private")]
    preset: RoomPreset,
    /// How users get in.
    join_rule: Option<JoinRuleInput>,
    /// Who may read what.
    history_visibility: Option<HistoryVisibilityEnum>,
    /// Whether it stands in the public directory.
    #[graphql(default)]
    listed: bool,
    /// What differs from the usual power levels.
    power_levels: Option<PowerLevelsInput>,
    /// Whether the invites are to a conversation of two.
    #[graphql(default)]
    is_direct: bool,
    /// The type of the room, such as `m.space`; none for a conversation.
    room_type: Option<String>,
    /// The Matrix room version: `10`, `11` or `12`; `12` if you name none.
    room_version: Option<String>,
    /// On which way this device gets what the room shows.
    #[graphql(default)]
    deliver: Deliver,
    /// Which events of it.
    filter: Option<FilterInput>,
    /// The same as a stored filter, in place of `filter`.
    filter_id: Option<String>,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// Some state of a type of your own.
#[derive(InputObject)]
pub(crate) struct SetRoomStateInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The type, such as `com.example.board`.
    #[graphql(name = "type")]
    event_type: String,
    /// Which of several; a user ID only if it is yours.
    #[graphql(default)]
    state_key: String,
    /// The content: a JSON object without fractions.
    content: Json<serde_json::Value>,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// Defines the input of a mutation that sets one thing of a room.
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

setting_input!(SetRoomNameInput, "A room's name.",
    name: String = "The name; empty to take it away.");
setting_input!(SetRoomTopicInput, "What a room is about.",
    topic: String = "The topic; empty to take it away.");
setting_input!(SetRoomAvatarInput, "A room's picture.",
    avatar_url: Option<String> = "Its `mxc:` address; null to take it away.");
setting_input!(SetRoomAliasesInput, "The aliases that a room goes by: these and no others.",
    canonical: Option<RoomAliasScalar> = "The one to show.",
    alternative: Option<Vec<RoomAliasScalar>> = "Others.");
setting_input!(SetJoinRuleInput, "How users get into a room.",
    join_rule: JoinRuleInput = "The rule.");
setting_input!(SetHistoryVisibilityInput, "Who may read what is sent from now on.",
    visibility: HistoryVisibilityEnum = "The setting.");
setting_input!(SetPowerLevelsInput, "What users may do. What you leave out stays as it is.",
    power_levels: PowerLevelsInput = "What changes.");
setting_input!(SetRoomListedInput, "Whether a room stands in the public directory.",
    listed: bool = "Whether it does.");

entered_payload!(CreateRoomPayload, "What came of creating a room.");
room_payload!(SetRoomStatePayload, "What came of setting state.");
room_payload!(SetRoomNamePayload, "What came of naming a room.");
room_payload!(SetRoomTopicPayload, "What came of setting a topic.");
room_payload!(SetRoomAvatarPayload, "What came of setting a picture.");
room_payload!(SetRoomAliasesPayload, "What came of setting aliases.");
room_payload!(SetJoinRulePayload, "What came of setting the join rule.");
room_payload!(SetHistoryVisibilityPayload, "What came of setting the history visibility.");
room_payload!(SetPowerLevelsPayload, "What came of setting power levels.");
room_payload!(SetRoomListedPayload, "What came of listing a room, or not.");

/// Mutations that make rooms and set their state.
#[derive(Default)]
pub(crate) struct RoomMutation;

#[Object]
impl RoomMutation {
    /// Creates a room and joins it.
    async fn create_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room to make. All of it comes about at once or not at all.")]
        input: CreateRoomInput,
    ) -> Result<CreateRoomPayload> {
        let actor = Actor { deliver: input.deliver.stored(), ..session(context).actor()? };
        let retry = retry(input.action_id)?;
        let version = input.room_version.as_deref();
        let version = version.map(|version| room_version("roomVersion", version));
        let filter = chosen(context, input.filter, input.filter_id).await?;
        let wish = Wish { deliver: input.deliver, filter };
        let command = CreateRoom {
            version: version.transpose()?,
            preset: input.preset.into(),
            name: input.name,
            topic: input.topic,
            avatar_url: input.avatar_url,
            alias: input.alias.map(|alias| alias.0),
            invite: input.invite.into_iter().map(|user| Invitee::from(user.0)).collect(),
            join_rule: input.join_rule.map(JoinRuleInput::rule).transpose()?,
            history_visibility: input.history_visibility.map(HistoryVisibility::from),
            listed: input.listed,
            power_levels: input.power_levels.map(change).unwrap_or_default(),
            is_direct: input.is_direct,
            room_type: input.room_type,
        };
        let result = app(context).commands.create_room(&actor, &command, retry).await;
        Ok(Entered::of(context, result, wish).await?.into())
    }

    /// Sets state of a type of your own.
    async fn set_room_state(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Some state of a type of your own.")] input: SetRoomStateInput,
    ) -> Result<SetRoomStatePayload> {
        let SetRoomStateInput { room_id, event_type, state_key, content, action_id } = input;
        let command = RoomCommand::SetState { event_type, state_key, content: object(content)? };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Names a room.
    async fn set_room_name(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A room's name.")] input: SetRoomNameInput,
    ) -> Result<SetRoomNamePayload> {
        let command = RoomCommand::SetName { name: input.name };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Says what a room is about.
    async fn set_room_topic(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What a room is about.")] input: SetRoomTopicInput,
    ) -> Result<SetRoomTopicPayload> {
        let command = RoomCommand::SetTopic { topic: input.topic };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Gives a room a picture.
    async fn set_room_avatar(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A room's picture.")] input: SetRoomAvatarInput,
    ) -> Result<SetRoomAvatarPayload> {
        let command = RoomCommand::SetAvatar { url: input.avatar_url };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Sets the aliases that a room goes by, and lets go of those it had before.
    async fn set_room_aliases(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The aliases that a room goes by: these and no others.")]
        input: SetRoomAliasesInput,
    ) -> Result<SetRoomAliasesPayload> {
        let alternative = input.alternative.unwrap_or_default();
        let command = RoomCommand::SetAliases {
            canonical: input.canonical.map(|alias| alias.0),
            alternative: alternative.into_iter().map(|alias| alias.0).collect(),
        };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Says how users get into a room.
    async fn set_join_rule(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How users get into a room.")] input: SetJoinRuleInput,
    ) -> Result<SetJoinRulePayload> {
        let command = RoomCommand::SetJoinRule { rule: input.join_rule.rule()? };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Says who may read what is sent from now on.
    async fn set_history_visibility(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who may read what is sent from now on.")]
        input: SetHistoryVisibilityInput,
    ) -> Result<SetHistoryVisibilityPayload> {
        let command = RoomCommand::SetHistoryVisibility { visibility: input.visibility.into() };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Changes what users may do in a room. Nobody can grant a level above her own.
    async fn set_power_levels(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What users may do. What you leave out stays as it is.")]
        input: SetPowerLevelsInput,
    ) -> Result<SetPowerLevelsPayload> {
        let command = RoomCommand::SetPowerLevels { change: change(input.power_levels) };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Puts a room into the public directory, or takes it out.
    async fn set_room_listed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whether a room stands in the public directory.")]
        input: SetRoomListedInput,
    ) -> Result<SetRoomListedPayload> {
        let command = RoomCommand::SetListed { listed: input.listed };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }
}

/// The room version that an argument names.
pub(super) fn room_version(argument: &str, text: &str) -> Result<RoomVersionId, Fault> {
    RoomVersionId::try_from(text)
        .map_err(|_| Fault::bad_input(format!("`{argument}` is {text:?}: use `10`, `11` or `12`")))
}
