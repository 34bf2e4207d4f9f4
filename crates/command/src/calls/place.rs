//! Placing and answering calls.

use rookery_domain::{
    Account, Call, CallId, EndReason, OwnedRoomId, PartyId, PlaceCall, Profile, Rejection, Room,
    RoomCommand, RoomId, UserId,
};
use rookery_log::CommandId;

use crate::{
    Actor, Commands, HandleError, Outcome,
    commands::milliseconds,
    stream::handle::{Request, random},
};

impl Commands {
    /// Places a call. The room decides first, so a user who is not in the room learns nothing about
    /// the callee.
    pub(crate) async fn place_call(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        call: &PlaceCall,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let is_ignored = self.ignores(&call.callee, &actor.user).await?;
        let ids = Some((call_id(request)?, new_party()?));
        let command = RoomCommand::PlaceCall(PlaceCall { ids, is_ignored, ..call.clone() });
        let claims = if is_ignored {
            self.call_claims.take(&[&actor.user]).await
        } else {
            self.call_claims.take(&[&actor.user, &call.callee]).await
        };
        if !self.was_carried_out(request).await? {
            self.check_in_room(actor, room_id, &command, request).await?;
            self.check_users(actor, &call.callee, is_ignored).await?;
        }
        let outcome = self.plain(actor, room_id, &command, request).await;
        drop(claims);
        outcome
    }

    /// Answers a call, unless the actor is in another one by now.
    pub(crate) async fn answer_call(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        call_id: &CallId,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let (call_id, party_id) = (call_id.clone(), Some(new_party()?));
        let command = RoomCommand::AnswerCall { call_id: call_id.clone(), party_id };
        let claims = self.call_claims.take(&[&actor.user]).await;
        if !self.was_carried_out(request).await?
            && self.check_in_room(actor, room_id, &command, request).await?
        {
            // Other calls that only ring keep nobody from answering this one.
            let other = self.call_of(actor, &actor.user, |call| call.rings_at(&actor.user)).await?;
            if let Some(other) = other {
                return Err(other.into_refusal());
            }
        }
        let outcome = self.plain(actor, room_id, &command, request).await;
        drop(claims);
        outcome
    }

    /// Refuses what the room refuses. Returns whether the command would change anything.
    async fn check_in_room(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        request: &Request,
    ) -> Result<bool, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let (context, profile) = (self.context(actor, &[]), Profile::default());
        let decide = |room: Option<&Room>| {
            Self::decide_room(room, &context, command, &profile, &request.envelope)
        };
        let facts = self.core.read_state(&self.rooms, &stream_state, decide).await??;
        Ok(!facts.is_empty())
    }

    /// Refuses a call if one of both users is in a call. A callee who ignores the caller is never
    /// busy: the caller learns nothing, and the call rings out.
    async fn check_users(
        &self,
        actor: &Actor,
        callee: &UserId,
        is_ignored: bool,
    ) -> Result<(), HandleError> {
        if self.ignores(&actor.user, callee).await? {
            return Err(Rejection::CalleeIgnored(callee.to_owned()).into());
        }
        if let Some(own) = self.call_of(actor, &actor.user, |_| false).await? {
            return Err(own.into_refusal());
        }
        if is_ignored {
            return Ok(());
        }
        if self.call_of(actor, callee, |_| false).await?.is_some() {
            return Err(Rejection::BusyInCall(callee.to_owned()).into());
        }
        if !self.rates.take_incoming_call(actor, callee) {
            return Err(Rejection::CalledTooOften(callee.to_owned()).into());
        }
        Ok(())
    }

    /// The call of `user` that keeps them from another one, other than those that `is_harmless`
    /// names. A call from a user whom they ignore does not, until they answer it. A call that rings
    /// after its lifetime ends here.
    async fn call_of(
        &self,
        actor: &Actor,
        user: &UserId,
        is_harmless: impl Fn(&Call) -> bool,
    ) -> Result<Option<InProgress>, HandleError> {
        let tail = *self.core.log.tail().borrow();
        for (room_id, call_id) in self.call_lookup.active_calls(user, tail).await? {
            let Some(call) = self.active_call(&room_id, &call_id).await? else { continue };
            if call.has_expired(milliseconds(actor.now)) {
                self.end_call(&room_id, &call, &call.caller, EndReason::InviteTimeout, actor.now)
                    .await?;
                continue;
            }
            let is_ignored = call.rings_at(user) && self.ignores(user, &call.caller).await?;
            if is_ignored || is_harmless(&call) {
                continue;
            }
            return Ok(Some(InProgress { room_id, call_id }));
        }
        Ok(None)
    }

    /// The active call of a room with this ID.
    pub(super) async fn active_call(
        &self,
        room_id: &RoomId,
        call_id: &CallId,
    ) -> Result<Option<Call>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let active = |room: Option<&Room>| {
            room?.calls().get(call_id).filter(|call| call.is_active()).cloned()
        };
        self.core.read_state(&self.rooms, &stream_state, active).await
    }

    async fn ignores(&self, user: &UserId, other: &UserId) -> Result<bool, HandleError> {
        let stream_state = self.accounts.state_of(user.as_str());
        let ignores =
            |account: Option<&Account>| account.is_some_and(|it| it.ignored().contains(other));
        self.core.read_state(&self.accounts, &stream_state, ignores).await
    }

    /// Whether a command with the same ID was carried out: then its first result is the answer. The
    /// order of actions has checked this for a numbered action.
    async fn was_carried_out(&self, request: &Request) -> Result<bool, HandleError> {
        match request.command.filter(|_| request.turn.is_none()) {
            Some(command) => Ok(self.core.log.find(command).await?.is_some()),
            None => Ok(false),
        }
    }
}

/// A call that keeps a user from another one.
struct InProgress {
    room_id: OwnedRoomId,
    call_id: CallId,
}

impl InProgress {
    fn into_refusal(self) -> HandleError {
        Rejection::CallInProgress { room_id: self.room_id, call_id: self.call_id }.into()
    }
}

/// The ID of a device in a call.
pub(crate) fn new_party() -> Result<PartyId, HandleError> {
    random().map(PartyId::of)
}

/// The ID of the call that a command places. It follows from the ID of the command, if it has one.
fn call_id(request: &Request) -> Result<CallId, HandleError> {
    Ok(match request.command {
        Some(command) => CallId::of(CommandId::derive(&[b"call", &command.0]).0),
        None => CallId::of(random()?),
    })
}
