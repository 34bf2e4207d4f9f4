//! Mutations about who is in a room.

use async_graphql::{Context, InputObject, Object, Result};
use rookery_command::{Actor, HandleError, Outcome};
use rookery_domain::{Invitee, RoomCommand};

use super::{
    acted::{Acted, act, room_payload},
    entered::{Deliver, Entered, Wish, entered_payload},
};
use crate::schema::{
    context::{app, retry, session},
    types::{
        errors::fault::Fault,
        filter::{FilterInput, chosen},
        values::scalars::{RoomAliasScalar, RoomIdScalar, UserIdScalar},
    },
};

/// Which room to ask to be let into: by ID or by alias, one of the two.
#[derive(InputObject)]
pub(crate) struct KnockOnRoomInput {
    /// The room, by ID.
    room_id: Option<RoomIdScalar>,
    /// The room, by alias.
    alias: Option<RoomAliasScalar>,
    /// Why, for the members to read.
    reason: Option<String>,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// Which room to join: by ID or by alias, one of the two.
#[derive(InputObject)]
pub(crate) struct JoinRoomInput {
    /// The room, by ID.
    room_id: Option<RoomIdScalar>,
    /// The room, by alias.
    alias: Option<RoomAliasScalar>,
    /// Why, for the others to read.
    reason: Option<String>,
    /// On which way this device gets what the room shows.
    #[graphql(default)]
    deliver: Deliver,
    /// Which events of it.
    filter: Option<FilterInput>,
    /// The same as a stored filter, in place of `filter`.
    filter_id: Option<String>,
    /// Your number for this action: 1, 2, 3 ... on each device. A retry with the same number
    /// gives the first result again.
    action_id: Option<i32>,
}

/// Which room to leave, or which invite to decline.
#[derive(InputObject)]
pub(crate) struct LeaveRoomInput {
    /// The room.
    room_id: RoomIdScalar,
    /// Why, for the others to read.
    reason: Option<String>,
    /// A member who can change the power levels from then on. Needed if you are the last one who can and others are still in
    /// the room: without it you are refused with `WOULD_LOCK_OUT`.
    successor: Option<UserIdScalar>,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// Which user, in which room.
#[derive(InputObject)]
pub(crate) struct MemberInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The user.
    user_id: UserIdScalar,
    /// Why, for the others to read.
    reason: Option<String>,
    /// Your number for this action.
    action_id: Option<i32>,
}

entered_payload!(JoinRoomPayload, "What came of joining a room.");
room_payload!(KnockOnRoomPayload, "What came of asking to be let in.");
room_payload!(LeaveRoomPayload, "What came of leaving a room.");
room_payload!(RejectInvitePayload, "What came of declining an invite.");
room_payload!(InviteUserPayload, "What came of inviting a user.");
room_payload!(KickUserPayload, "What came of removing a user.");
room_payload!(BanUserPayload, "What came of banning a user.");
room_payload!(UnbanUserPayload, "What came of lifting a ban.");

/// Mutations about who is in a room.
#[derive(Default)]
pub(crate) struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Joins a room, by ID or by alias.
    async fn join_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which room to join: by ID or by alias, one of the two.")]
        input: JoinRoomInput,
    ) -> Result<JoinRoomPayload> {
        let JoinRoomInput { room_id, alias, reason, deliver, filter, filter_id, action_id } = input;
        let actor = Actor { deliver: deliver.stored(), ..session(context).actor()? };
        let wish = Wish { deliver, filter: chosen(context, filter, filter_id).await? };
        let command = RoomCommand::Join { reason, member_of: None };
        let result = enter(context, &actor, (room_id, alias), command, action_id).await?;
        Ok(Entered::of(context, result, wish).await?.into())
    }

    /// Asks to be let into a room whose join rule is `KNOCK`.
    async fn knock_on_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which room to ask to be let into: by ID or by alias, one of the two.")]
        input: KnockOnRoomInput,
    ) -> Result<KnockOnRoomPayload> {
        let KnockOnRoomInput { room_id, alias, reason, action_id } = input;
        let command = RoomCommand::Knock { reason };
        let actor = session(context).actor()?;
        let result = enter(context, &actor, (room_id, alias), command, action_id).await?;
        Ok(Acted::of(context, result).await?.into())
    }

    /// Leaves a room, declines an invite, or takes back a knock.
    async fn leave_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which room to leave, or which invite to decline.")] input: LeaveRoomInput,
    ) -> Result<LeaveRoomPayload> {
        let successor = input.successor.map(|user| user.0);
        let command = RoomCommand::Leave { reason: input.reason, successor };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Declines an invite.
    async fn reject_invite(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which room to leave, or which invite to decline.")] input: LeaveRoomInput,
    ) -> Result<RejectInvitePayload> {
        let command = RoomCommand::Reject { reason: input.reason };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Invites a user.
    async fn invite_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which user, in which room.")] input: MemberInput,
    ) -> Result<InviteUserPayload> {
        let MemberInput { room_id, user_id, reason, action_id } = input;
        let command = RoomCommand::Invite { invitee: Invitee::from(user_id.0), reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Removes a member, takes back an invite, or refuses a knock. The user may come back.
    async fn kick_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which user, in which room.")] input: MemberInput,
    ) -> Result<KickUserPayload> {
        let MemberInput { room_id, user_id, reason, action_id } = input;
        let command = RoomCommand::Kick { user: user_id.0, reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Removes a user and keeps the user out.
    async fn ban_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which user, in which room.")] input: MemberInput,
    ) -> Result<BanUserPayload> {
        let MemberInput { room_id, user_id, reason, action_id } = input;
        let command = RoomCommand::Ban { user: user_id.0, reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Lifts a ban. The user is not back until joining or being invited again.
    async fn unban_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which user, in which room.")] input: MemberInput,
    ) -> Result<UnbanUserPayload> {
        let MemberInput { room_id, user_id, reason, action_id } = input;
        let command = RoomCommand::Unban { user: user_id.0, reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }
}

/// Carries out a command in the room that is meant, by ID or by alias.
async fn enter(
    context: &Context<'_>,
    actor: &Actor,
    (room_id, alias): (Option<RoomIdScalar>, Option<RoomAliasScalar>),
    command: RoomCommand,
    action_id: Option<i32>,
) -> Result<Result<Outcome, HandleError>> {
    let (commands, retry) = (&app(context).commands, retry(action_id)?);
    match (room_id, alias) {
        (Some(room_id), None) => Ok(commands.room(actor, &room_id.0, &command, retry).await),
        // In its turn, as an action before it may have to do with the alias.
        (None, Some(alias)) => Ok(commands.room_by_alias(actor, &alias.0, &command, retry).await),
        _ => Err(Fault::bad_input("give either `roomId` or `alias`").into()),
    }
}
