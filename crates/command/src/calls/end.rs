//! Calls that the server ends.

use futures_util::future::BoxFuture;
use rookery_domain::{Call, CallId, CallState, EndReason, RoomCommand, RoomId, UserId};
use rookery_log::{CommandId, Millis, Position};

use crate::{Actor, Commands, HandleError, Retry, users::profile::unless_gone};

impl Commands {
    /// Ends an active call of `user` for a reason of the server. While it rings, the server ends it
    /// in the name of the caller, and afterwards in the name of `user`. Returns whether it ended now: not
    /// if it had ended before, or if it has a lifetime left ([`EndReason::InviteTimeout`]).
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written. The same call can be ended again.
    pub fn end_active_call<'a>(
        &'a self,
        room_id: &'a RoomId,
        call_id: &'a CallId,
        user: &'a UserId,
        reason: EndReason,
        now: Millis,
    ) -> BoxFuture<'a, Result<bool, HandleError>> {
        Box::pin(async move {
            match self.active_call(room_id, call_id).await? {
                Some(call) if call.is_of(user) => {
                    self.end_call(room_id, &call, user, reason, now).await
                }
                _ => Ok(false),
            }
        })
    }

    pub(super) async fn end_call(
        &self,
        room_id: &RoomId,
        call: &Call,
        user: &UserId,
        reason: EndReason,
        now: Millis,
    ) -> Result<bool, HandleError> {
        let user = if call.state == CallState::Ringing { &call.caller } else { user };
        let actor = Actor {
            user: user.to_owned(),
            device: None,
            now,
            deliver: None,
            received: None,
            service: None,
        };
        let command = RoomCommand::EndCall { call_id: call.id.clone(), reason };
        let name =
            CommandId::derive(&[b"end call", room_id.as_bytes(), call.id.as_str().as_bytes()]);
        let request = actor.request(Retry::Named(name));
        let ended = self.plain(&actor, room_id, &command, &request).await;
        Ok(unless_gone(ended)?.is_some_and(|outcome| outcome.changed && !outcome.repeated))
    }

    /// Ends the calls of devices that were removed. Returns whether there was one.
    pub(crate) async fn end_calls_of_devices(
        &self,
        user: &UserId,
        devices: &[String],
        at_least: Position,
        now: Millis,
    ) -> Result<bool, HandleError> {
        let mut ended = false;
        for (room_id, call_id) in self.call_lookup.active_calls(user, at_least).await? {
            let Some(call) = self.active_call(&room_id, &call_id).await? else { continue };
            if devices.iter().any(|device| call.is_with(user, Some(device))) {
                ended |= self.end_call(&room_id, &call, user, EndReason::LoggedOut, now).await?;
            }
        }
        Ok(ended)
    }
}
