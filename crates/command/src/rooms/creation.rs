//! Creation of rooms.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{CreateRoom, Fact, JsonObject, Room, normal_alias};

use crate::{
    Actor, Commands, HandleError, Outcome, Retry,
    actions::{Asked, Entry},
    rooms::{accepted, outcome, outcome_again, room_of},
    stream::handle::{Handled, Request, random},
    users::profile::unless_gone,
};

impl Commands {
    /// Creates a room: all of its first events are one commit.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub async fn create_room(
        &self,
        actor: &Actor,
        command: &CreateRoom,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        let request = match self.enter(actor, retry, &Asked::Create { room: command }).await? {
            Entry::Now(request) => request,
            Entry::Again(first) => {
                let first = first.unless(|first| has_made(command, &first.handled))?;
                return outcome_again(actor, retry, first);
            }
        };
        let result = self.create(actor, command, &request).await;
        self.conclude(actor, &request, result).await
    }

    async fn create(
        &self,
        actor: &Actor,
        command: &CreateRoom,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        if let (Some(name), None) = (request.command, &request.turn)
            && let Some(position) = self.core.log.find(name).await?
        {
            let first = self.core.result_at::<Room>(position).await?;
            let first = first.filter(|(_, handled)| has_made(command, handled));
            let (stream, handled) = first.ok_or(HandleError::ActionIdReused)?;
            let room_id = room_of(&stream).ok_or(HandleError::ActionIdReused)?;
            return Ok(outcome(request, room_id, handled));
        }
        self.may_create(actor, command).await?;
        let profile = self.profile(&actor.user).await?;
        let mut command = command.clone();
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
        let cell = self.rooms.cell(room_id.as_str());
        let handled = self.core.handle(&self.rooms, &cell, request, |_| Ok(facts.clone())).await;
        self.conclude_claims(actor, claim.into_iter().collect(), &room_id, &handled).await?;
        let handled = handled?;
        // The profile may have changed meanwhile, and its process did not know of the new room.
        unless_gone(self.follow_profile(actor, &room_id, profile).await)?;
        self.profiles.done(handled.position);
        Ok(outcome(request, room_id, handled))
    }
}

/// Whether the first events of a room are those of `command`, judged by the fields that distinguish
/// rooms.
fn has_made(command: &CreateRoom, handled: &Handled) -> bool {
    let said = |kind: &str, key: &str| {
        let pdus = handled.facts.iter().filter_map(|fact| match fact {
            Fact::Room(event) => Some(&event.pdu),
            Fact::Account(_) | Fact::Alias(_) => None,
        });
        let mut found = pdus.filter(|pdu| pdu.kind.to_string() == kind);
        let content: Option<JsonObject> = found.next().and_then(|pdu| pdu.content_as());
        Some(content?.get(key)?.as_str()?.to_owned())
    };
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    said("m.room.name", "name") == given(&command.name)
        && said("m.room.topic", "topic") == given(&command.topic)
        && said("m.room.canonical_alias", "alias")
            == command.alias.as_ref().map(|alias| normal_alias(alias).to_string())
}
