//! A call, in the form for clients.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result};
use rookery_domain::{CallState, End, MilliSecondsSinceUnixEpoch, PartyId, UserId};
use rookery_log::Millis;
use rookery_view::RoomCall;

use super::kinds::{CallEndReasonEnum, CallMediaEnum, CallStateEnum};
use crate::{
    context::session,
    types::{
        rooms::room::Room,
        users::user::User,
        values::{
            node_id::NodeId,
            scalars::{CallIdScalar, DateTime},
        },
    },
};

/// A call between two users of a room, as of now.
#[derive(Clone)]
pub struct Call(Arc<RoomCall>);

impl From<RoomCall> for Call {
    fn from(call: RoomCall) -> Self {
        Self(Arc::new(call))
    }
}

impl Call {
    /// The call itself.
    pub fn domain(&self) -> &rookery_domain::Call {
        &self.0.call
    }

    fn member(&self, user: &UserId) -> User {
        User::in_room(user.to_owned(), self.0.room_id.clone())
    }

    fn end(&self) -> Option<&End> {
        match &self.0.call.state {
            CallState::Ended(end) => Some(end),
            CallState::Ringing | CallState::Answered { .. } => None,
        }
    }
}

/// The ID of this device in a call: `None` if it neither placed nor answered the call, or if the
/// call has ended.
pub fn own_party(context: &Context<'_>, call: &rookery_domain::Call) -> Result<Option<PartyId>> {
    let session = session(context);
    let viewer = session.viewer()?;
    let device = session.device_id().ok();
    let party = call.party_of(viewer).filter(|_| call.is_with(viewer, device));
    Ok(party.cloned())
}

fn moment(at: MilliSecondsSinceUnixEpoch) -> DateTime {
    DateTime(Millis(at.0.into()))
}

/// A call between two users of a room, as of now.
#[Object]
impl Call {
    /// The global ID of the call.
    pub async fn id(&self) -> ID {
        NodeId::Call(self.0.call.invite.clone()).into()
    }

    /// The ID of the call, which its mutations take.
    async fn call_id(&self) -> CallIdScalar {
        CallIdScalar(self.0.call.id.clone())
    }

    /// The room of the call.
    async fn room(&self) -> Room {
        Room::new(self.0.room_id.clone())
    }

    /// The user who calls.
    async fn caller(&self) -> User {
        self.member(&self.0.call.caller)
    }

    /// The ID of the caller's device in this call.
    async fn caller_party_id(&self) -> &str {
        self.0.call.caller_party.as_str()
    }

    /// The user who is called.
    async fn callee(&self) -> User {
        self.member(&self.0.call.callee)
    }

    /// Whether it has a picture.
    async fn media(&self) -> CallMediaEnum {
        self.0.call.media.into()
    }

    /// How far it has come.
    async fn state(&self) -> CallStateEnum {
        (&self.0.call.state).into()
    }

    /// When it was placed.
    async fn placed_at(&self) -> DateTime {
        moment(self.0.call.placed_at)
    }

    /// When it ends unless somebody answers before.
    async fn expires_at(&self) -> DateTime {
        moment(self.0.call.expires_at)
    }

    /// When it was answered. Null if nobody answered.
    async fn answered_at(&self) -> Option<DateTime> {
        self.0.call.answer().map(|answer| moment(answer.at))
    }

    /// The ID in this call of the device that answered. Null if none answered.
    async fn answered_by_party_id(&self) -> Option<&str> {
        self.0.call.answer().map(|answer| answer.party.as_str())
    }

    /// The ID of your device in this call. Null if your device did not place or answer the call, and
    /// after its end.
    async fn party_id(&self, context: &Context<'_>) -> Result<Option<String>> {
        let party = own_party(context, &self.0.call)?;
        Ok(party.map(|party| party.to_string()))
    }

    /// When it ended. Null before its end.
    async fn ended_at(&self) -> Option<DateTime> {
        self.end().map(|end| moment(end.at))
    }

    /// Why it ended. Null before its end.
    async fn end_reason(&self) -> Option<CallEndReasonEnum> {
        self.end().map(|end| end.reason.into())
    }

    /// The sender of the event that ended it. The server ends a call in the name of a party. Null
    /// before its end.
    async fn ended_by(&self) -> Option<User> {
        self.end().map(|end| self.member(&end.by))
    }

    /// Whether the callee missed it: it ended without an answer, and the callee did not reject it.
    async fn is_missed(&self) -> bool {
        self.0.call.is_missed()
    }
}
