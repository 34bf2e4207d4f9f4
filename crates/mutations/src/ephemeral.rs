//! Mutations about typing, presence and read receipts.

use std::time::Duration;

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use rookery_command::{Command, ReadMark};
use rookery_domain::{Rejection, RoomId};
use rookery_ephemeral::{STATUS_BYTES_MAX, TYPING_DEFAULT, TYPING_MAX};
use rookery_schema::{
    context::{app, retry, session},
    types::{
        errors::{
            fault::Fault,
            refusal::{Refusal, RefusalCode, refused},
        },
        rooms::room::Room,
        users::{presence::PresenceEnum, user::User},
        values::scalars::{EventIdScalar, PositionScalar, RoomIdScalar},
    },
};
use rookery_view::NotJoined;

use super::acted::shows;

/// Whether you are typing in a room.
#[derive(InputObject)]
pub(crate) struct SetTypingInput {
    /// The room. You have to be a member.
    room_id: RoomIdScalar,
    /// Whether you are typing on this device.
    is_typing: bool,
    /// How many seconds typing lasts unless you repeat it: from 1 to 120, 30 by default. It also
    /// ends when you send a message or leave the room, and when the last socket of this device
    /// closes.
    timeout_seconds: Option<i32>,
}

/// The result of `setTyping`.
#[derive(SimpleObject)]
pub(crate) struct SetTypingPayload {
    /// The room. Null if it was refused.
    room: Option<Room>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Your presence.
#[derive(InputObject)]
pub(crate) struct SetPresenceInput {
    /// The presence of this device. Others see the best presence of your devices. It ends when the
    /// device's last socket closes, or a minute after its last poll.
    presence: PresenceEnum,
    /// Your status message, at most 256 bytes. Leave it out for none.
    status_message: Option<String>,
}

/// The result of `setPresence`.
#[derive(SimpleObject)]
pub(crate) struct SetPresencePayload {
    /// You. Others see at most one change in a second.
    user: User,
    /// Why it was refused. Always null: a user may always do this.
    refusal: Option<Refusal>,
}

/// Your read receipt in a room.
#[derive(InputObject)]
pub(crate) struct MarkRoomReadInput {
    /// The room. You have to be a member.
    room_id: RoomIdScalar,
    /// The last event that you have read. An earlier event than before changes nothing.
    event_id: EventIdScalar,
    /// Show the receipt only to your own devices.
    #[graphql(default)]
    is_private: bool,
    /// Your number for this action: 1, 2, 3 ... on each device.
    action_id: Option<i32>,
}

/// The result of `markRoomRead`.
#[derive(SimpleObject)]
pub(crate) struct MarkRoomReadPayload {
    /// The room, with its new counts. Null if it was refused, or if the server takes longer than a
    /// second to show the effect.
    room: Option<Room>,
    /// Ask for this `minPosition` to see the effect. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about typing, presence and read receipts.
#[derive(Default)]
pub(crate) struct EphemeralMutation;

#[Object]
impl EphemeralMutation {
    /// Sets whether you are typing in a room. The server does not store it.
    async fn set_typing(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whether you are typing in a room.")] input: SetTypingInput,
    ) -> Result<SetTypingPayload> {
        let (app, session) = (app(context), session(context));
        let (user, device) = (session.viewer()?, session.device_id()?);
        let how_long = how_long(input.timeout_seconds)?;
        app.fresh(session, None).await?;
        if let Some(refusal) = unless_joined(context, &input.room_id.0)? {
            let refusal = Some(refusal.in_input_of(context));
            return Ok(SetTypingPayload { room: None, refusal });
        }
        if input.is_typing
            && let Some(refusal) = unless_replaced(context, &input.room_id.0).await?
        {
            let refusal = Some(refusal.in_input_of(context));
            return Ok(SetTypingPayload { room: None, refusal });
        }
        let how_long = input.is_typing.then_some(how_long);
        app.ephemeral.type_in(&input.room_id.0, user, device, how_long);
        unless_over(context)?;
        Ok(SetTypingPayload { room: Some(Room::new(input.room_id.0)), refusal: None })
    }

    /// Sets your presence on this device. The server does not store it.
    async fn set_presence(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Your presence.")] input: SetPresenceInput,
    ) -> Result<SetPresencePayload> {
        let session = session(context);
        let (user, device) = (session.viewer()?, session.device_id()?);
        let len = input.status_message.as_deref().map_or(0, str::len);
        if len > STATUS_BYTES_MAX {
            let message = format!(
                "`statusMessage` has {len} bytes and the maximum is {STATUS_BYTES_MAX}: make it \
                 shorter"
            );
            return Err(Fault::bad_input(message).into());
        }
        let ephemeral = &app(context).ephemeral;
        ephemeral.choose(user, device, input.presence.into(), input.status_message);
        unless_over(context)?;
        Ok(SetPresencePayload { user: User::new(user.to_owned()), refusal: None })
    }

    /// Moves your read receipt in a room. It is durable when this answers.
    async fn mark_room_read(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Your read receipt in a room.")] input: MarkRoomReadInput,
    ) -> Result<MarkRoomReadPayload> {
        let (app, session) = (app(context), session(context));
        let (actor, retry) = (session.actor()?, retry(input.action_id)?);
        let MarkRoomReadInput { room_id: RoomIdScalar(room_id), event_id, is_private, .. } = input;
        let mark = ReadMark { room_id: room_id.clone(), event_id: event_id.0, private: is_private };
        let result = app.commands.execute(&actor, Command::MarkRead(&mark), retry).await;
        Ok(match refused(context, result)? {
            Ok(marked) => {
                app.wrote(session, marked.position);
                let shown = shows(context, "room", marked.position).await;
                MarkRoomReadPayload {
                    room: shown.then(|| Room::new(room_id)),
                    position: Some(app.token(marked.position)),
                    refusal: None,
                }
            }
            Err(refusal) => {
                MarkRoomReadPayload { room: None, position: None, refusal: Some(refusal) }
            }
        })
    }
}

/// Undoes the effect of a request whose session ended meanwhile: either the end of the session
/// finds the effect, or the request finds here that the session is over.
pub(super) fn unless_over(context: &Context<'_>) -> Result<(), Fault> {
    let session = session(context);
    let is_over = session.identity.as_ref().is_some_and(|identity| identity.revocation().is_some());
    if is_over {
        app(context).ephemeral.logged_out(session.viewer()?, session.device_id()?);
        return Err(Fault::unauthenticated());
    }
    Ok(())
}

fn how_long(seconds: Option<i32>) -> Result<Duration, Fault> {
    let Some(asked) = seconds else { return Ok(TYPING_DEFAULT) };
    let how_long = u64::try_from(asked).ok().map(Duration::from_secs);
    let in_range = how_long.filter(|it| (Duration::from_secs(1)..=TYPING_MAX).contains(it));
    in_range.ok_or_else(|| {
        let max = TYPING_MAX.as_secs();
        Fault::bad_input(format!("`timeoutSeconds` is {asked}: use a number from 1 to {max}"))
    })
}

/// The refusal for a user who has not joined the room.
pub(super) fn unless_joined(
    context: &Context<'_>,
    room_id: &RoomId,
) -> Result<Option<Refusal>, Fault> {
    let viewer = session(context).viewer()?;
    let Err(error) = app(context).models.view().check_joined(room_id, viewer) else {
        return Ok(None);
    };
    let code = match error {
        NotJoined::NotAMember => RefusalCode::NotAMember,
        NotJoined::NoSuchRoom => RefusalCode::NoSuchRoom,
    };
    Ok(Some(Refusal::of(code, error.to_string())))
}

/// The refusal for a room that was replaced.
async fn unless_replaced(context: &Context<'_>, room_id: &RoomId) -> Result<Option<Refusal>> {
    let is_open = {
        let view = app(context).models.view();
        view.room(room_id).is_none_or(|room| room.state("m.room.tombstone", "").is_none())
    };
    if is_open {
        return Ok(None);
    }
    let Some(room) = Room::new(room_id.to_owned()).replacement(context).await? else {
        return Ok(None);
    };
    let message = Rejection::RoomReplaced(room.clone()).to_string();
    Ok(Some(Refusal::of(RefusalCode::RoomReplaced, message).in_favour_of(Some(room))))
}
