//! Mutations about the members of a room.

use async_graphql::{Context, InputObject, Object, Result};
use rookery_command::{Actor, Command, HandleError, Outcome};
use rookery_domain::{Invitee, OwnedServerName, RoomCommand, RoomOrAliasId};
use rookery_schema::{
    context::{retry, session},
    types::{
        errors::fault::Fault,
        filter::{FilterBy, chosen},
        rooms::room::RoomBy,
        values::scalars::{RoomIdScalar, UserIdScalar},
    },
};

use super::{
    acted::{Acted, act, carry_out, remote_payload, room_payload},
    entered::{Deliver, Entered, Wish, entered_payload},
};

/// Most servers that a request names.
const VIA_MAX: usize = 10;

/// The room to knock on.
#[derive(InputObject)]
pub(crate) struct KnockOnRoomInput {
    /// The room, by either its ID or an alias.
    room: RoomBy,
    /// Servers that may be in the room, the best first. They are asked if this server is not in it.
    #[graphql(default)]
    via: Vec<String>,
    /// The reason, shown to the members.
    reason: Option<String>,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// The room to join.
#[derive(InputObject)]
pub(crate) struct JoinRoomInput {
    /// The room, by either its ID or an alias.
    room: RoomBy,
    /// Servers that may be in the room, the best first. They are asked if this server is not in it.
    #[graphql(default)]
    via: Vec<String>,
    /// The reason, shown to the others.
    reason: Option<String>,
    /// How this device receives the snapshot of the room.
    #[graphql(default)]
    deliver: Deliver,
    /// The filter for its events.
    filter: Option<FilterBy>,
    /// Your number for this action: 1, 2, 3 ... on each device. A retry with the same number
    /// returns the first result.
    action_id: Option<i32>,
}

/// The room to leave, or whose invite to decline.
#[derive(InputObject)]
pub(crate) struct LeaveRoomInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The reason, shown to the others.
    reason: Option<String>,
    /// A member who will be able to change the power levels. Needed if you are the last one who can
    /// and others are still in the room: without it the server refuses with `WOULD_LOCK_OUT`.
    successor: Option<UserIdScalar>,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// Defines the input of a mutation about a user in a room.
macro_rules! member_input {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(InputObject)]
        pub(crate) struct $name {
            /// The room.
            room_id: RoomIdScalar,
            /// The user.
            user_id: UserIdScalar,
            /// The reason, shown to the others.
            reason: Option<String>,
            /// Your number for this action.
            action_id: Option<i32>,
        }
    };
}

member_input!(InviteUserInput, "The user to invite, and the room.");
member_input!(KickUserInput, "The user to remove, and the room.");
member_input!(BanUserInput, "The user to ban, and the room.");
member_input!(UnbanUserInput, "The user whose ban to lift, and the room.");

entered_payload!(
    JoinRoomPayload,
    "The result of `joinRoom`.",
    /// Other servers have not answered yet, and the join goes on. `RemoteActionEnded` on your
    /// stream tells how it ends; `RoomOpened` comes before it if you joined. The same action ID
    /// gives the outcome then.
    is_pending: bool
);
remote_payload!(KnockOnRoomPayload, "The result of `knockOnRoom`.");
room_payload!(LeaveRoomPayload, "The result of `leaveRoom`.");
remote_payload!(InviteUserPayload, "The result of `inviteUser`.");
room_payload!(KickUserPayload, "The result of `kickUser`.");
room_payload!(BanUserPayload, "The result of `banUser`.");
room_payload!(UnbanUserPayload, "The result of `unbanUser`.");

/// Mutations about the members of a room.
#[derive(Default)]
pub(crate) struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Joins a room, by ID or by alias.
    async fn join_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room to join.")] input: JoinRoomInput,
    ) -> Result<JoinRoomPayload> {
        let JoinRoomInput { room, via, reason, deliver, filter, action_id } = input;
        let actor = Actor { deliver: deliver.stored(), ..session(context).actor()? };
        let wish = Wish { deliver, filter: chosen(context, filter).await? };
        let command = RoomCommand::Join { reason, member_of: None };
        let result = enter(context, &actor, (&room, &via), command, action_id).await?;
        Ok(Entered::of(context, result, wish).await?.into())
    }

    /// Knocks on a room with the join rule `KNOCK`: asks its members to invite you.
    async fn knock_on_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room to knock on.")] input: KnockOnRoomInput,
    ) -> Result<KnockOnRoomPayload> {
        let KnockOnRoomInput { room, via, reason, action_id } = input;
        let command = RoomCommand::Knock { reason };
        let actor = session(context).actor()?;
        let result = enter(context, &actor, (&room, &via), command, action_id).await?;
        Ok(Acted::of(context, result).await?.into())
    }

    /// Leaves a room, declines an invite, or withdraws a knock.
    async fn leave_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room to leave, or whose invite to decline.")] input: LeaveRoomInput,
    ) -> Result<LeaveRoomPayload> {
        let successor = input.successor.map(|user| user.0);
        let command = RoomCommand::Leave { reason: input.reason, successor };
        Ok(act(context, &input.room_id.0, command, input.action_id).await?.into())
    }

    /// Invites a user.
    async fn invite_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user to invite, and the room.")] input: InviteUserInput,
    ) -> Result<InviteUserPayload> {
        let InviteUserInput { room_id, user_id, reason, action_id } = input;
        let command = RoomCommand::Invite { invitee: Invitee::from(user_id.0), reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Removes a member, withdraws an invite, or refuses a knock. The user may come back.
    async fn kick_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user to remove, and the room.")] input: KickUserInput,
    ) -> Result<KickUserPayload> {
        let KickUserInput { room_id, user_id, reason, action_id } = input;
        let command = RoomCommand::Kick { user: user_id.0, reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Bans a user: removes them, and refuses their joins.
    async fn ban_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user to ban, and the room.")] input: BanUserInput,
    ) -> Result<BanUserPayload> {
        let BanUserInput { room_id, user_id, reason, action_id } = input;
        let command = RoomCommand::Ban { user: user_id.0, reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Lifts a ban. The user has to join again or be invited.
    async fn unban_user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The user whose ban to lift, and the room.")] input: UnbanUserInput,
    ) -> Result<UnbanUserPayload> {
        let UnbanUserInput { room_id, user_id, reason, action_id } = input;
        let command = RoomCommand::Unban { user: user_id.0, reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }
}

/// Carries out a command in the named room, by ID or by alias.
async fn enter(
    context: &Context<'_>,
    actor: &Actor,
    (room, via): (&RoomBy, &[String]),
    command: RoomCommand,
    action_id: Option<i32>,
) -> Result<Result<Outcome, HandleError>> {
    let retry = retry(action_id)?;
    if via.len() > VIA_MAX {
        return Err(Fault::bad_input(format!("`via` names more than {VIA_MAX} servers")).into());
    }
    let server = |name: &String| {
        let server = OwnedServerName::try_from(name.as_str());
        server.map_err(|_| Fault::bad_input(format!("`via` has {name:?}: it is no server name")))
    };
    let via = via.iter().map(server).collect::<Result<Vec<_>, _>>()?;
    // An alias is resolved in its turn, because an earlier action may change it.
    let room: &RoomOrAliasId = match room {
        RoomBy::RoomId(room_id) => (&*room_id.0).into(),
        RoomBy::Alias(alias) => (&*alias.0).into(),
    };
    let command = Command::Enter { room, command: &command, via: &via };
    Ok(carry_out(context, actor, command, retry).await)
}
