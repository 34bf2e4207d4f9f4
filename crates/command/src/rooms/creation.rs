//! Creation of rooms.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{CreateRoom, Room, normal_alias};

use crate::{
    Actor, Commands, HandleError, Outcome,
    rooms::{accepted, outcome, room_of},
    stream::handle::{Request, random},
    users::profile::unless_gone,
};

impl Commands {
    /// Creates a room: all of its first events are one commit.
    pub(crate) async fn create_room_now(
        &self,
        actor: &Actor,
        command: &CreateRoom,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        if let (Some(name), None) = (request.command, &request.turn)
            && let Some(position) = self.core.log.find(name).await?
        {
            let first = self.core.result_at::<Room>(position).await?;
            let (stream, handled) = first.ok_or(HandleError::ActionIdReused)?;
            let room_id = room_of(&stream).ok_or(HandleError::ActionIdReused)?;
            return Ok(outcome(request, Some(room_id), handled));
        }
        self.may_create(actor, command).await?;
        let profile = self.profile(&actor.user).await?;
        let whole = command;
        let mut command = command.clone();
        command.invite.retain(|invitee| !self.is_asked_elsewhere(actor, &invitee.user));
        for invitee in &mut command.invite {
            invitee.profile = self.invitee_profile(actor, &invitee.user).await?;
        }
        let nonce = URL_SAFE_NO_PAD.encode(random()?);
        let context = self.context(actor, &[]);
        let (room, events) = Room::create(&command, &profile, &nonce, &context)?;
        let room_id = room.id().to_owned();
        let claim = match &command.alias {
            Some(alias) => Some(self.claim(actor, &normal_alias(alias), &room_id).await?),
            None => None,
        };
        let facts = accepted(&request.envelope, events);
        let stream_state = self.rooms.state_of(room_id.as_str());
        let handled =
            self.core.handle(&self.rooms, &stream_state, request, |_| Ok(facts.clone())).await;
        self.conclude_claims(actor, claim.into_iter().collect(), &room_id, &handled).await?;
        let handled = handled?;
        // The profile may have changed meanwhile, and its process did not know of the new room.
        unless_gone(self.follow_profile(actor, &room_id, profile).await)?;
        self.profiles.done(handled.position);
        self.invite_from_elsewhere(actor, &room_id, whole).await?;
        Ok(outcome(request, Some(room_id), handled))
    }
}
