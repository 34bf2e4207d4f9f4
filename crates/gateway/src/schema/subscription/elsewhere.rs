//! Items about rooms that this server is not in, and about actions that other servers have to answer.

use async_graphql::{Enum, SimpleObject};
use rookery_domain::{
    AccountEvent, Fact, Membership, RemoteAsk, RemoteOutcome, RoomAliasId, RoomId, RoomOrAliasId,
};
use rookery_projection::Committed;
use rookery_schema::{
    context::App,
    types::{
        errors::refusal::{Refusal, RefusalCode},
        rooms::{closed::RoomClosed, invite::Invite, room::Room},
        values::scalars::{RoomAliasScalar, RoomIdScalar, UserIdScalar},
    },
};

use super::items::{Invited, StreamItem};

/// The kind of an action that other servers have to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum RemoteActionKind {
    /// To join a room.
    Join,
    /// To be invited to a room.
    Knock,
    /// To invite a user of another server.
    Invite,
}

/// An action of yours that other servers had to answer has ended. If it was a join, `RoomOpened` came
/// before this.
#[derive(Clone, SimpleObject)]
pub(crate) struct RemoteActionEnded {
    /// Its kind.
    action_kind: RemoteActionKind,
    /// Your number for the action, if this device sent it.
    action_id: Option<i32>,
    /// The room. Null if you named an alias, and its server did not say which room it is.
    target_room_id: Option<RoomIdScalar>,
    /// The alias that you named.
    target_alias: Option<RoomAliasScalar>,
    /// The user that you invited.
    target_user_id: Option<UserIdScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The item of a change of rooms elsewhere, for a device.
pub(super) fn elsewhere_item(
    app: &App,
    device: Option<&str>,
    committed: &Committed,
    index: usize,
) -> Option<StreamItem> {
    let Ok(Fact::Account(event)) = committed.facts.get(index)? else { return None };
    match event {
        AccountEvent::ElsewhereChanged { standing } => {
            let user = committed.stream.split().and_then(|(_, user)| user.try_into().ok())?;
            let is_shown = standing.membership == Membership::Invite
                && app.models.view().elsewhere(&standing.preview.room_id, user).is_some();
            let inviter = Invite::elsewhere(standing).filter(|_| is_shown)?.into_inviter();
            let room = Room::new(standing.preview.room_id.clone());
            Some(StreamItem::Invited(Invited { room, inviter, event: None }))
        }
        AccountEvent::ElsewhereEnded { room_id, .. } => {
            RoomClosed::elsewhere(committed, room_id).map(StreamItem::Closed)
        }
        AccountEvent::RemoteEnded { action, outcome } => {
            let number = action.action.filter(|_| action.device.as_deref() == device);
            let (kind, room, user_id) = match &action.ask {
                RemoteAsk::Join { room, .. } => (RemoteActionKind::Join, &**room, None),
                RemoteAsk::Knock { room, .. } => (RemoteActionKind::Knock, &**room, None),
                RemoteAsk::Invite { room_id, user_id, .. } => {
                    let room: &RoomOrAliasId = (&**room_id).into();
                    (RemoteActionKind::Invite, room, Some(UserIdScalar(user_id.clone())))
                }
                RemoteAsk::Leave { .. } => return None,
            };
            let done = match outcome {
                RemoteOutcome::Done { room_id, .. } => Some(room_id.clone()),
                RemoteOutcome::Refused { .. } => None,
            };
            let asked = <&RoomId>::try_from(room).ok().map(ToOwned::to_owned);
            let alias = <&RoomAliasId>::try_from(room).ok().map(ToOwned::to_owned);
            let refusal = match outcome {
                RemoteOutcome::Refused { code, message } => {
                    Some(Refusal::of(RefusalCode::named(code), message.clone()))
                }
                RemoteOutcome::Done { .. } => None,
            };
            Some(StreamItem::RemoteAction(RemoteActionEnded {
                action_kind: kind,
                action_id: number.and_then(|number| number.try_into().ok()),
                target_room_id: done.or(asked).map(RoomIdScalar),
                target_alias: alias.map(RoomAliasScalar),
                target_user_id: user_id,
                refusal,
            }))
        }
        _ => None,
    }
}
