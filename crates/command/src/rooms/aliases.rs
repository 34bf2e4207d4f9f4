//! Aliases of rooms: claimed before the room lists them, released after it removes them.
//!
//! The process `aliases` handles those left in between by a crash, or by a commit with an unknown
//! outcome.
//!
//! **Invariant:** an alias is released only if it is known that its room does not list it.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use rookery_domain::{
    Alias, AliasCommand, Fact, OwnedRoomAliasId, OwnedRoomId, OwnedUserId, Profile, Rejection,
    Room, RoomAliasId, RoomCommand, RoomId,
};
use rookery_log::Position;

use crate::{Actor, Commands, HandleError, Outcome, Retry, stream::handle::Request};

/// The aliases that commands of this process are about to give to a room.
#[derive(Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<BTreeMap<OwnedRoomAliasId, usize>>>);

impl Claims {
    /// Whether a command is working on `alias`.
    pub(crate) fn is_in_hand(&self, alias: &RoomAliasId) -> bool {
        self.count(alias) > 0
    }

    fn count(&self, alias: &RoomAliasId) -> usize {
        self.0.lock().get(alias).copied().unwrap_or_default()
    }

    fn take(&self, alias: &RoomAliasId) -> InHand {
        *self.0.lock().entry(alias.to_owned()).or_default() += 1;
        InHand { all: self.clone(), alias: alias.to_owned() }
    }
}

/// The right of a command to claim or release an alias, until it is dropped.
struct InHand {
    all: Claims,
    alias: OwnedRoomAliasId,
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut all = self.all.0.lock();
        if let Some(count) = all.get_mut(&self.alias) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.alias);
            }
        }
    }
}

/// An alias that points to a room that does not list it yet.
pub(crate) struct Claimed {
    in_hand: InHand,
    /// The commit of the claim; `None` if the alias pointed to the room before.
    position: Option<Position>,
}

impl Commands {
    /// Claims the new aliases, changes the room's list, then releases those that it no longer has.
    pub(crate) async fn set_aliases(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        wanted: &[OwnedRoomAliasId],
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let profile = Profile::default();
        let before = self
            .core
            .read_state(&self.rooms, &stream_state, |room| {
                let context = self.context(actor, &[]);
                Self::decide_room(room, &context, command, &profile, &request.envelope)?;
                Ok::<_, HandleError>(room.map(shown).unwrap_or_default())
            })
            .await??;
        let new = wanted.iter().filter(|alias| !before.contains(alias)).count();
        self.may_claim(actor, new).await?;
        let mut claimed = Vec::new();
        for alias in wanted.iter().filter(|alias| !before.contains(alias)) {
            match self.claim(actor, alias, room_id).await {
                Ok(claim) => claimed.push(claim),
                Err(error) => {
                    self.release_claims(actor, claimed, room_id).await?;
                    return Err(error);
                }
            }
        }
        let outcome = self.plain(actor, room_id, command, request).await;
        self.conclude_claims(actor, claimed, room_id, &outcome).await?;
        let outcome = outcome?;
        let mut all_settled = true;
        for alias in before.iter().filter(|alias| !wanted.contains(alias)) {
            all_settled &= self.release_unless_used(actor, alias, room_id, 0).await?;
        }
        if all_settled {
            self.releases.done(outcome.position);
        }
        Ok(outcome)
    }

    /// Points `alias` to the room, which is about to list it.
    pub(crate) async fn claim(
        &self,
        actor: &Actor,
        alias: &OwnedRoomAliasId,
        room_id: &RoomId,
    ) -> Result<Claimed, HandleError> {
        let in_hand = self.claims.take(alias);
        let position = self.claim_alias(actor, alias, room_id).await?;
        Ok(Claimed { in_hand, position })
    }

    /// Ends claims after the command of the room: releases those that it refused, and leaves those
    /// with an unknown outcome.
    pub(crate) async fn conclude_claims<T>(
        &self,
        actor: &Actor,
        claimed: Vec<Claimed>,
        room_id: &RoomId,
        told: &Result<T, HandleError>,
    ) -> Result<(), HandleError> {
        match told {
            Ok(_) => {
                let made = claimed.iter().filter_map(|claim| claim.position);
                made.for_each(|position| self.releases.done(position));
            }
            Err(error) if error.is_final() => {
                self.release_claims(actor, claimed, room_id).await?;
            }
            Err(_) => {}
        }
        Ok(())
    }

    async fn release_claims(
        &self,
        actor: &Actor,
        claimed: Vec<Claimed>,
        room_id: &RoomId,
    ) -> Result<(), HandleError> {
        for claim in claimed {
            let alias = &claim.in_hand.alias;
            let settled = self.release_unless_used(actor, alias, room_id, 1).await?;
            if let Some(position) = claim.position.filter(|_| settled) {
                self.releases.done(position);
            }
        }
        Ok(())
    }

    /// Releases an alias, unless another command has let the room list it or is about to: then more
    /// than `own` commands hold it. Returns `false` if those commands decide about the alias.
    async fn release_unless_used(
        &self,
        actor: &Actor,
        alias: &OwnedRoomAliasId,
        room_id: &RoomId,
        own: usize,
    ) -> Result<bool, HandleError> {
        if self.claims.count(alias) > own {
            return Ok(false);
        }
        if !self.goes_by(room_id, alias).await? {
            self.release_alias(actor, alias, room_id).await?;
        }
        Ok(true)
    }

    /// Points `alias` to the room. Its owner may take over a claim that was not finished because
    /// the server stopped before it created the room. Any user may take the alias of a room that
    /// nobody can enter again. Returns the position of the commit; `None` if the alias points there
    /// already.
    pub(crate) async fn claim_alias(
        &self,
        actor: &Actor,
        alias: &OwnedRoomAliasId,
        room_id: &RoomId,
    ) -> Result<Option<Position>, HandleError> {
        if self.guesses.are_spent(&actor.user, actor.now) {
            return Err(Rejection::AliasUnavailable { alias: alias.to_owned() }.into());
        }
        self.refuse_reserved_alias(actor, alias)?;
        let stream_state = self.aliases.state_of(alias.as_str());
        let holder = self
            .core
            .read_state(&self.aliases, &stream_state, |alias| alias.and_then(claim))
            .await?;
        let abandoned = match &holder {
            Some((held_by, by)) => {
                (*by == actor.user && !self.room_exists(held_by).await?)
                    || self.aliases_of_deserted(held_by).await?.contains(alias)
            }
            None => false,
        };
        let decide = |state: Option<&Alias>| {
            let fresh = Alias::default();
            let state = state.unwrap_or(&fresh);
            let state = if abandoned && claim(state) == holder { &fresh } else { state };
            let command = AliasCommand::Claim { room_id: room_id.to_owned() };
            let events = state.decide(alias, &command, &actor.user, &self.server_name)?;
            Ok(events.into_iter().map(Fact::Alias).collect())
        };
        let request = actor.request(Retry::Unnamed);
        match self.core.handle(&self.aliases, &stream_state, &request, decide).await {
            Err(HandleError::Rejected(Rejection::AliasTaken { alias })) => {
                Err(self.explain_taken(actor, alias).await?)
            }
            other => {
                let handled = other?;
                Ok((!handled.facts.is_empty()).then_some(handled.position))
            }
        }
    }

    /// The refusal of a claim on a taken alias. If the room that holds it does not exist for the
    /// actor, the refusal is that of a name that nobody may have.
    async fn explain_taken(
        &self,
        actor: &Actor,
        alias: OwnedRoomAliasId,
    ) -> Result<HandleError, HandleError> {
        let Some(holder) = self.resolve_alias(&alias).await? else {
            return Ok(Rejection::AliasTaken { alias }.into());
        };
        let stream_state = self.rooms.state_of(holder.as_str());
        let is_secret = |room: Option<&Room>| {
            room.is_some_and(|room| {
                room.is_created() && !room.is_listed() && !room.exists_for(&actor.user)
            })
        };
        if !self.core.read_state(&self.rooms, &stream_state, is_secret).await? {
            return Ok(Rejection::AliasTaken { alias }.into());
        }
        self.guesses.count(&actor.user, actor.now);
        Ok(Rejection::AliasUnavailable { alias }.into())
    }

    pub(crate) async fn release_alias(
        &self,
        actor: &Actor,
        alias: &RoomAliasId,
        room_id: &RoomId,
    ) -> Result<(), HandleError> {
        let stream_state = self.aliases.state_of(alias.as_str());
        let decide = |state: Option<&Alias>| {
            let Some(state) = state.filter(|alias| alias.room_id() == Some(room_id)) else {
                return Ok(Vec::new());
            };
            // The command of the room has checked that the actor may change the aliases.
            let command = AliasCommand::Release { with_power: true };
            let events = state.decide(alias, &command, &actor.user, &self.server_name)?;
            Ok(events.into_iter().map(Fact::Alias).collect())
        };
        let request = actor.request(Retry::Unnamed);
        self.core.handle(&self.aliases, &stream_state, &request, decide).await.map(drop)
    }

    /// The user who claimed `alias`, if it points to a room.
    pub(crate) async fn holder(
        &self,
        alias: &RoomAliasId,
    ) -> Result<Option<OwnedUserId>, HandleError> {
        let stream_state = self.aliases.state_of(alias.as_str());
        let by = |alias: Option<&Alias>| alias.and_then(claim).map(|(_, by)| by);
        self.core.read_state(&self.aliases, &stream_state, by).await
    }

    /// Whether the room lists `alias`, and users can be in it.
    pub(crate) async fn goes_by(
        &self,
        room_id: &RoomId,
        alias: &OwnedRoomAliasId,
    ) -> Result<bool, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let goes_by = |room: Option<&Room>| {
            room.is_some_and(|room| !room.is_deserted() && shown(room).contains(alias))
        };
        self.core.read_state(&self.rooms, &stream_state, goes_by).await
    }

    /// The aliases of a room that is empty and that nobody can enter again; none of any other room.
    pub(crate) async fn aliases_of_deserted(
        &self,
        room_id: &RoomId,
    ) -> Result<Vec<OwnedRoomAliasId>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let aliases = |room: Option<&Room>| {
            room.filter(|room| room.is_deserted()).map(shown).unwrap_or_default()
        };
        self.core.read_state(&self.rooms, &stream_state, aliases).await
    }
}

/// The aliases that a room lists.
pub(crate) fn shown(room: &Room) -> Vec<OwnedRoomAliasId> {
    room.canonical_alias().into_iter().chain(room.alternative_aliases()).collect()
}

pub(crate) fn claim(alias: &Alias) -> Option<(OwnedRoomId, OwnedUserId)> {
    Some((alias.room_id()?.to_owned(), alias.claimed_by()?.to_owned()))
}
