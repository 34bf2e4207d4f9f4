//! Upgrading a room: creating its replacement, and closing it.
//!
//! It takes several commits: the new room, its aliases, the old room's end. The ID of the first
//! commit derives from the old room and not from the action. So a repeated request continues with
//! the room that exists, and never creates a second one.
//!
//! **Invariant:** the old room closes last. Until then nothing in it has changed, and after it
//! nothing is left to do.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{
    Alias, AliasCommand, Fact, Invitee, JoinRule, Membership, OwnedRoomAliasId, OwnedRoomId,
    OwnedUserId, Rejection, Room, RoomCommand, RoomId, RoomVersionId, UserId,
    limits::{BANS_TAKEN_OVER_MAX, INVITES_MAX},
};
use rookery_log::CommandId;

use crate::{
    Actor, Commands, HandleError, Outcome, Retry,
    rooms::accepted,
    stream::handle::{Request, random},
};

impl Commands {
    /// The room that replaces `room`, if there is one.
    pub(crate) async fn replacement_of(
        &self,
        room: &RoomId,
    ) -> Result<Option<OwnedRoomId>, HandleError> {
        let stream_state = self.rooms.state_of(room.as_str());
        let replaced = |room: Option<&Room>| room.and_then(Room::replaced_by);
        self.core.read_state(&self.rooms, &stream_state, replaced).await
    }

    /// Replaces a room by a new one of `version`. A retry finishes an upgrade that was begun.
    pub(crate) async fn upgrade_room_now(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        version: &RoomVersionId,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let replacement = match self.begun(actor, room_id, version).await? {
            Begun::Closed(replacement) => {
                return self.close(actor, room_id, replacement, request).await;
            }
            Begun::Refused => {
                // The rule that forbids the upgrade also forbids closing the room, whatever the
                // replacement is.
                return self.close(actor, room_id, room_id.to_owned(), request).await;
            }
            Begun::Allowed { invite } => {
                self.make_replacement(actor, room_id, version, invite).await?
            }
        };
        self.move_aliases(actor, room_id, &replacement).await?;
        self.ban_the_rest(actor, room_id, &replacement).await?;
        self.close(actor, room_id, replacement, request).await
    }

    async fn close(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        replacement: OwnedRoomId,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let command = RoomCommand::Close { replacement: replacement.clone() };
        let outcome = self.act_in_room(actor, room_id, &command, request).await?;
        Ok(Outcome { replacement: Some(replacement), ..outcome })
    }

    /// Checks whether the room may be upgraded, or was.
    async fn begun(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        version: &RoomVersionId,
    ) -> Result<Begun, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let context = self.context(actor, &[]);
        let look = |room: Option<&Room>| {
            let room = room.filter(|room| room.exists_for(&actor.user))?;
            let closed = room.replaced_by();
            let allowed = room.check_upgrade(&context).map(|()| whom_to_invite(room, &actor.user));
            Some((closed, allowed))
        };
        let found = self.core.read_state(&self.rooms, &stream_state, look).await?;
        Ok(match found.ok_or(HandleError::NoSuchRoom)? {
            (Some(replacement), _) if self.is_of(&replacement, version).await? => {
                Begun::Closed(replacement)
            }
            (Some(replacement), _) => return Err(Rejection::RoomReplaced(replacement).into()),
            (None, Ok(invite)) => Begun::Allowed { invite },
            (None, Err(_)) => Begun::Refused,
        })
    }

    async fn is_of(&self, room_id: &RoomId, version: &RoomVersionId) -> Result<bool, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let is_of = |room: Option<&Room>| room.and_then(Room::version) == Some(version);
        self.core.read_state(&self.rooms, &stream_state, is_of).await
    }

    /// The replacement of a room: created now, or by an earlier try.
    pub(crate) async fn make_replacement(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        version: &RoomVersionId,
        invite: Vec<OwnedUserId>,
    ) -> Result<OwnedRoomId, HandleError> {
        let parts: [&[u8]; 4] =
            [b"upgrade", room_id.as_bytes(), version.as_str().as_bytes(), actor.user.as_bytes()];
        let name = CommandId::derive(&parts);
        if let Some(made) = self.made_before(name).await? {
            return Ok(made);
        }
        let profile = self.profile(&actor.user).await?;
        let mut invitees = Vec::with_capacity(invite.len());
        for user in invite {
            let profile = self.invitee_profile(actor, &user).await?;
            invitees.push(Invitee { profile, ..Invitee::from(user) });
        }
        let nonce = URL_SAFE_NO_PAD.encode(random()?);
        let stream_state = self.rooms.state_of(room_id.as_str());
        let context = self.context(actor, &[]);
        let make = |room: Option<&Room>| {
            let room = room.ok_or(HandleError::NoSuchRoom)?;
            Ok(room.replacement(version, &profile, &invitees, &nonce, &context)?)
        };
        let new: Result<_, HandleError> =
            self.core.read_state(&self.rooms, &stream_state, make).await?;
        let (room, events) = new?;
        let request = Request { command: Some(name), ..actor.request(Retry::Unnamed) };
        let facts = accepted(&request.envelope, events);
        let stream_state = self.rooms.state_of(room.id().as_str());
        let handled =
            self.core.handle(&self.rooms, &stream_state, &request, |_| Ok(facts.clone())).await;
        match handled {
            Ok(_) => Ok(room.id().to_owned()),
            // Another command was faster: the name belongs to its room.
            Err(HandleError::ActionIdReused) => {
                self.made_before(name).await?.ok_or(HandleError::ActionIdReused)
            }
            Err(error) => Err(error),
        }
    }

    async fn made_before(&self, name: CommandId) -> Result<Option<OwnedRoomId>, HandleError> {
        let Some(position) = self.core.log.find(name).await? else { return Ok(None) };
        let made = self.core.result_at::<Room>(position).await?;
        let room = made.and_then(|(stream, _)| RoomId::parse(stream.split()?.1).ok());
        Ok(room)
    }

    /// Points the aliases to the new room, which took them over.
    pub(crate) async fn move_aliases(
        &self,
        actor: &Actor,
        from: &RoomId,
        to: &RoomId,
    ) -> Result<(), HandleError> {
        let stream_state = self.rooms.state_of(to.as_str());
        let named = |room: Option<&Room>| {
            let room = room?;
            let shown = room.canonical_alias().into_iter();
            Some(shown.chain(room.alternative_aliases()).collect::<Vec<OwnedRoomAliasId>>())
        };
        let aliases =
            self.core.read_state(&self.rooms, &stream_state, named).await?.unwrap_or_default();
        for alias in aliases {
            let stream_state = self.aliases.state_of(alias.as_str());
            let decide = |state: Option<&Alias>| {
                let fresh = Alias::default();
                let command = AliasCommand::Move { from: from.to_owned(), to: to.to_owned() };
                let state = state.unwrap_or(&fresh);
                let events = state.decide(&alias, &command, &actor.user, &self.server_name)?;
                Ok(events.into_iter().map(Fact::Alias).collect())
            };
            let request = actor.request(Retry::Unnamed);
            self.core.handle(&self.aliases, &stream_state, &request, decide).await?;
        }
        Ok(())
    }

    /// Carries out the bans that did not fit into the first commit of the new room, one by one.
    async fn ban_the_rest(
        &self,
        actor: &Actor,
        from: &RoomId,
        to: &RoomId,
    ) -> Result<(), HandleError> {
        let stream_state = self.rooms.state_of(from.as_str());
        let banned = |room: Option<&Room>| {
            let banned = room.into_iter().flat_map(Room::banned);
            let parsed = banned.filter_map(|(user, why)| Some((UserId::parse(user).ok()?, why)));
            parsed.skip(BANS_TAKEN_OVER_MAX).collect::<Vec<_>>()
        };
        for (user, reason) in self.core.read_state(&self.rooms, &stream_state, banned).await? {
            let ban = RoomCommand::Ban { user, reason };
            match self.in_room_unnumbered(actor, to, &ban, Retry::Unnamed).await {
                // A sender without the power to ban leaves the bans to others.
                Ok(_) | Err(HandleError::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The progress of an upgrade.
enum Begun {
    /// The old room is closed.
    Closed(OwnedRoomId),
    /// It may be upgraded. These users have to be invited.
    Allowed {
        /// Empty if users may join without an invite.
        invite: Vec<OwnedUserId>,
    },
    /// A rule forbids it.
    Refused,
}

/// The members who could not join the new room without an invite, at most as many as one commit
/// invites.
fn whom_to_invite(room: &Room, but: &UserId) -> Vec<OwnedUserId> {
    if room.join_rule() == JoinRule::Public {
        return Vec::new();
    }
    let joined = room.members().filter(|(_, membership, _)| *membership == Membership::Join);
    let users = joined.filter_map(|(user, ..)| UserId::parse(user).ok());
    users.filter(|user| user != but).take(INVITES_MAX).collect()
}
