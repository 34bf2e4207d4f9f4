//! Mutations about the user's preferences.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use rookery_command::Command;
use rookery_domain::RoomPreferencesChange;
use rookery_schema::{
    context::{app, retry, session},
    types::{
        errors::refusal::{Refusal, refused},
        rooms::{preferences::RoomNotifications, room::Room},
        users::user::User,
        values::scalars::{PositionScalar, RoomIdScalar, UserIdScalar},
    },
};

use crate::acted::shows;

/// A change of your preferences for a room. Fields that you leave out stay.
#[derive(InputObject)]
pub(crate) struct SetRoomPreferencesInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The messages that notify you.
    notifications: Option<RoomNotifications>,
    /// Whether the room is a favourite of yours.
    is_favourite: Option<bool>,
    /// Whether you have the room for a conversation with one other user.
    is_direct: Option<bool>,
    /// Your number for this action: 1, 2, 3 ... on each device.
    action_id: Option<i32>,
}

/// The result of `setRoomPreferences`.
#[derive(SimpleObject)]
pub(crate) struct SetRoomPreferencesPayload {
    /// The room, with its new preferences and counts. Null if it was refused, or if the server
    /// takes longer than a second to show the effect.
    room: Option<Room>,
    /// Ask for this `minPosition` to see the effect. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Whether to ignore a user.
#[derive(InputObject)]
pub(crate) struct SetUserIgnoredInput {
    /// The user.
    user_id: UserIdScalar,
    /// Whether you ignore the user.
    is_ignored: bool,
    /// Your number for this action: 1, 2, 3 ... on each device.
    action_id: Option<i32>,
}

/// The result of `setUserIgnored`.
#[derive(SimpleObject)]
pub(crate) struct SetUserIgnoredPayload {
    /// The user. Null if it was refused, or if the server takes longer than a second to show the
    /// effect.
    user: Option<User>,
    /// Ask for this `minPosition` to see the effect. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about the user's preferences.
#[derive(Default)]
pub(crate) struct PreferencesMutation;

#[Object]
impl PreferencesMutation {
    /// Ignores a user, or no longer, on all of your devices. You get neither messages nor invites
    /// of an ignored user. Nobody else learns of it.
    async fn set_user_ignored(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whether to ignore a user.")] input: SetUserIgnoredInput,
    ) -> Result<SetUserIgnoredPayload> {
        let (app, session) = (app(context), session(context));
        let (actor, retry) = (session.actor()?, retry(input.action_id)?);
        let SetUserIgnoredInput { user_id: UserIdScalar(user), is_ignored, .. } = input;
        let command = Command::SetUserIgnored { user: &user, is_ignored };
        let result = app.commands.execute(&actor, command, retry).await;
        Ok(match refused(context, result)? {
            Ok(changed) => {
                app.wrote(session, changed.position);
                let shown = shows(context, "user", changed.position).await;
                SetUserIgnoredPayload {
                    user: shown.then(|| User::new(user)),
                    position: Some(app.token(changed.position)),
                    refusal: None,
                }
            }
            Err(refusal) => {
                SetUserIgnoredPayload { user: None, position: None, refusal: Some(refusal) }
            }
        })
    }

    /// Changes your preferences for a room. All of your devices have them, and no other user sees
    /// them.
    async fn set_room_preferences(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "A change of your preferences for a room. Fields that you leave out stay."
        )]
        input: SetRoomPreferencesInput,
    ) -> Result<SetRoomPreferencesPayload> {
        let (app, session) = (app(context), session(context));
        let (actor, retry) = (session.actor()?, retry(input.action_id)?);
        let change = RoomPreferencesChange {
            notifications: input.notifications.map(Into::into),
            is_favourite: input.is_favourite,
            is_direct: input.is_direct,
        };
        let RoomIdScalar(room_id) = input.room_id;
        let command = Command::SetRoomPreferences { room: &room_id, change };
        let result = app.commands.execute(&actor, command, retry).await;
        Ok(match refused(context, result)? {
            Ok(changed) => {
                app.wrote(session, changed.position);
                let shown = shows(context, "room", changed.position).await;
                SetRoomPreferencesPayload {
                    room: shown.then(|| Room::new(room_id)),
                    position: Some(app.token(changed.position)),
                    refusal: None,
                }
            }
            Err(refusal) => {
                SetRoomPreferencesPayload { room: None, position: None, refusal: Some(refusal) }
            }
        })
    }
}
