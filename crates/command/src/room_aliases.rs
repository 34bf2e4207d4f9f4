//! Aliases of rooms: claimed before the room says that it goes by them, released after it does not.

use rookery_domain::{
    Alias, AliasCommand, Fact, OwnedRoomAliasId, OwnedRoomId, OwnedUserId, Profile, RoomCommand,
    RoomId,
};

use crate::{Actor, Commands, HandleError, Outcome, Retry, handle::Request};

impl Commands {
    /// Claims the aliases that are new, tells the room, then lets go of those it no longer has.
    pub(crate) async fn set_aliases(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        wanted: &[OwnedRoomAliasId],
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let cell = self.rooms.cell(room_id.as_str());
        let profile = Profile::default();
        let before = self
            .core
            .look(&self.rooms, &cell, |room| {
                let context = self.context(actor, &[]);
                Self::decide_room(room, &context, command, &profile, &request.envelope)?;
                let Some(room) = room else { return Ok(Vec::new()) };
                let shown = room.canonical_alias().into_iter();
                Ok::<_, HandleError>(shown.chain(room.alternative_aliases()).collect())
            })
            .await??;
        let mut claimed = Vec::new();
        for alias in wanted.iter().filter(|alias| !before.contains(alias)) {
            match self.claim_alias(actor, alias, room_id).await {
                Ok(()) => claimed.push(alias),
                Err(error) => {
                    self.release_aliases(actor, claimed, room_id).await?;
                    return Err(error);
                }
            }
        }
        match self.plain(actor, room_id, command, request).await {
            Ok(outcome) => {
                let gone = before.iter().filter(|alias| !wanted.contains(alias)).collect();
                self.release_aliases(actor, gone, room_id).await?;
                Ok(outcome)
            }
            Err(error) => {
                self.release_aliases(actor, claimed, room_id).await?;
                Err(error)
            }
        }
    }

    async fn release_aliases(
        &self,
        actor: &Actor,
        aliases: Vec<&OwnedRoomAliasId>,
        room_id: &RoomId,
    ) -> Result<(), HandleError> {
        for alias in aliases {
            self.release_alias(actor, alias, room_id).await?;
        }
        Ok(())
    }

    /// Points `alias` to the room. A claim that its owner could not finish (the server stopped
    /// between the claim and the creation of the room) may be taken over by that owner.
    pub(crate) async fn claim_alias(
        &self,
        actor: &Actor,
        alias: &OwnedRoomAliasId,
        room_id: &RoomId,
    ) -> Result<(), HandleError> {
        let cell = self.aliases.cell(alias.as_str());
        let holder = self.core.look(&self.aliases, &cell, |alias| alias.and_then(claim)).await?;
        let unfinished = match &holder {
            Some((held_by, by)) => *by == actor.user && !self.room_exists(held_by).await?,
            None => false,
        };
        let decide = |state: Option<&Alias>| {
            let fresh = Alias::default();
            let state = state.unwrap_or(&fresh);
            let abandoned = unfinished && claim(state) == holder;
            let state = if abandoned { &fresh } else { state };
            let command = AliasCommand::Claim { room_id: room_id.to_owned() };
            let events = state.decide(alias, &command, &actor.user, &self.server_name)?;
            Ok(events.into_iter().map(Fact::Alias).collect())
        };
        let request = actor.request(Retry::Unnamed);
        self.core.handle(&self.aliases, &cell, &request, decide).await.map(drop)
    }

    pub(crate) async fn release_alias(
        &self,
        actor: &Actor,
        alias: &OwnedRoomAliasId,
        room_id: &RoomId,
    ) -> Result<(), HandleError> {
        let cell = self.aliases.cell(alias.as_str());
        let decide = |state: Option<&Alias>| {
            let Some(state) = state.filter(|alias| alias.room_id() == Some(room_id)) else {
                return Ok(Vec::new());
            };
            // Who may change the aliases of the room has been decided with the room.
            let command = AliasCommand::Release { with_power: true };
            let events = state.decide(alias, &command, &actor.user, &self.server_name)?;
            Ok(events.into_iter().map(Fact::Alias).collect())
        };
        let request = actor.request(Retry::Unnamed);
        self.core.handle(&self.aliases, &cell, &request, decide).await.map(drop)
    }
}

fn claim(alias: &Alias) -> Option<(OwnedRoomId, OwnedUserId)> {
    Some((alias.room_id()?.to_owned(), alias.claimed_by()?.to_owned()))
}
