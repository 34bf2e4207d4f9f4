//! Commands about rooms.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{
    Alias, AliasCommand, Context, CreateRoom, Envelope, Fact, Invitee, JsonObject, KnownEvent,
    Membership, Origin, OwnedRoomAliasId, OwnedRoomId, OwnedUserId, Pdu, Profile, Room,
    RoomCommand, RoomEvent, RoomId,
};
use rookery_log::{Millis, StreamId};

use crate::{
    Actor, Commands, HandleError, Outcome, Retry,
    cell::Cell,
    handle::{ATTEMPTS_MAX, Decided, Handled, Request, random},
};

/// Whose command it was, for the answer.
struct By {
    received: Millis,
    origin: Origin,
}

impl By {
    fn new(actor: &Actor, retry: Retry) -> Self {
        Self { received: actor.now, origin: actor.envelope(retry).origin }
    }
}

/// A command that is decided and on its way to the log; [`Commands::finish`] waits for it.
pub struct Started {
    by: By,
    room_id: OwnedRoomId,
    cell: Arc<Cell<Room>>,
    decided: Decided,
}

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
        let request = actor.request(retry);
        if let Some(name) = request.command
            && let Some(position) = self.core.log.find(name).await?
        {
            let first = self.core.result_at::<Room>(position).await?;
            return first
                .filter(|(_, handled)| has_made(command, handled))
                .and_then(|(stream, handled)| created(&By::new(actor, retry), &stream, handled))
                .ok_or(HandleError::ActionIdReused);
        }
        let profile = self.profile(&actor.user).await?;
        let mut command = command.clone();
        for invitee in &mut command.invite {
            invitee.profile = self.profile(&invitee.user).await?;
        }
        let nonce = URL_SAFE_NO_PAD.encode(random()?);
        let context = self.context(actor, &[]);
        let (room, events) = Room::create(&command, &profile, &nonce, &context)?;
        let room_id = room.id().to_owned();
        if let Some(alias) = &command.alias {
            self.claim_alias(actor, alias, &room_id).await?;
        }
        let facts = accepted(&actor.envelope(retry), events);
        let cell = self.rooms.cell(room_id.as_str());
        let handled = self.core.handle(&self.rooms, &cell, &request, |_| Ok(facts.clone())).await;
        if handled.is_err()
            && let Some(alias) = &command.alias
        {
            self.release_alias(actor, alias, &room_id).await?;
        }
        Ok(outcome(&By::new(actor, retry), room_id, handled?))
    }

    /// Carries out a command in a room.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub async fn room(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        match command {
            RoomCommand::SetAliases { canonical, alternative } => {
                let wanted: Vec<_> = canonical.iter().chain(alternative).cloned().collect();
                self.set_aliases(actor, room_id, command, &wanted, retry).await
            }
            RoomCommand::Join { reason, member_of: None } => {
                let member_of = self.admitting_room(actor, room_id).await?;
                let command = RoomCommand::Join { reason: reason.clone(), member_of };
                self.plain(actor, room_id, &command, retry).await
            }
            RoomCommand::Invite { invitee, reason } => {
                let profile = self.profile(&invitee.user).await?;
                let invitee = Invitee { user: invitee.user.clone(), profile };
                let command = RoomCommand::Invite { invitee, reason: reason.clone() };
                self.plain(actor, room_id, &command, retry).await
            }
            command => self.plain(actor, room_id, command, retry).await,
        }
    }

    /// For a room that admits the members of others: one of those that the actor is a member of.
    async fn admitting_room(
        &self,
        actor: &Actor,
        room_id: &RoomId,
    ) -> Result<Option<OwnedRoomId>, HandleError> {
        let cell = self.rooms.cell(room_id.as_str());
        let rule = self.core.look(&self.rooms, &cell, |room| room.map(Room::join_rule)).await?;
        let Some(rule) = rule else { return Ok(None) };
        for allowed in rule.allowed_rooms() {
            let cell = self.rooms.cell(allowed.as_str());
            let joined = |room: Option<&Room>| {
                room.is_some_and(|room| room.membership(&actor.user) == Membership::Join)
            };
            if self.core.look(&self.rooms, &cell, joined).await? {
                return Ok(Some(allowed.clone()));
            }
        }
        Ok(None)
    }

    async fn plain(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        let profile = self.profile_for(actor, command).await?;
        let referred = self.referred(actor, command).await?;
        let known = &referred.events;
        let handled = self.carry_out(actor, room_id, command, &profile, known, retry).await?;
        if handled.repeated.is_some() && !self.may_have_made(actor, command, known, &handled) {
            return Err(HandleError::ActionIdReused);
        }
        if matches!(command, RoomCommand::Join { .. }) {
            self.follow_profile(actor, room_id, profile).await?;
        }
        Ok(outcome(&By::new(actor, retry), room_id.to_owned(), handled))
    }

    /// Loads, decides and appends, with the profile that a member event is to carry.
    async fn carry_out(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        profile: &Profile,
        known: &[KnownEvent],
        retry: Retry,
    ) -> Result<Handled, HandleError> {
        let cell = self.rooms.cell(room_id.as_str());
        let request = actor.request(retry);
        let context = self.context(actor, known);
        let decide = |room: Option<&Room>| {
            Self::decide_room(room, &context, command, profile, &actor.envelope(retry))
        };
        for _ in 0..ATTEMPTS_MAX {
            let decided = self.decide_anywhere(&cell, &request, &decide).await?;
            if let Some(handled) = self.core.settle(&cell, decided).await? {
                return Ok(handled);
            }
        }
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// Decides ahead of the disk; or, in a room that needs its graph for that, after it.
    async fn decide_anywhere(
        &self,
        cell: &Cell<Room>,
        request: &Request,
        decide: &(impl Fn(Option<&Room>) -> Result<Vec<Fact>, HandleError> + Send + Sync),
    ) -> Result<Decided, HandleError> {
        let needs_graph = AtomicBool::new(false);
        let ahead = |room: Option<&Room>| {
            let facts = decide(room)?;
            if !facts.is_empty() && room.is_some_and(Room::needs_graph) {
                needs_graph.store(true, Ordering::Relaxed);
                return Err(HandleError::Contended { attempts: 0 });
            }
            Ok(facts)
        };
        match self.core.decide(&self.rooms, cell, request, &ahead).await {
            Err(_) if needs_graph.load(Ordering::Relaxed) => {
                self.decide_in_graph(cell, request, decide).await
            }
            decided => decided,
        }
    }

    /// Decides a command and puts it on its way without waiting for the disk, so that one caller
    /// can have many under way. They are applied in the order in which they were started.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub async fn start(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        retry: Retry,
    ) -> Result<Started, HandleError> {
        let profile = self.profile_for(actor, command).await?;
        let cell = self.rooms.cell(room_id.as_str());
        let request = actor.request(retry);
        let referred = self.referred(actor, command).await?;
        let context = self.context(actor, &referred.events);
        let decide = |room: Option<&Room>| {
            Self::decide_room(room, &context, command, &profile, &actor.envelope(retry))
        };
        let decided = self.decide_anywhere(&cell, &request, &decide).await?;
        Ok(Started { by: By::new(actor, retry), room_id: room_id.to_owned(), cell, decided })
    }

    /// Waits until a started command is durable.
    ///
    /// # Errors
    /// [`HandleError::Contended`] if another writer came first: nothing was written; else as
    /// [`Self::room`].
    pub async fn finish(&self, started: Started) -> Result<Outcome, HandleError> {
        let Started { by, room_id, cell, decided } = started;
        match self.core.settle(&cell, decided).await? {
            Some(handled) => Ok(outcome(&by, room_id, handled)),
            None => Err(HandleError::Contended { attempts: 1 }),
        }
    }

    fn decide_room(
        room: Option<&Room>,
        context: &Context<'_>,
        command: &RoomCommand,
        profile: &Profile,
        envelope: &Envelope,
    ) -> Result<Vec<Fact>, HandleError> {
        let room = room.filter(|room| room.is_created()).ok_or(HandleError::NoSuchRoom)?;
        match room.decide(command, profile, context) {
            Ok(events) => {
                let erases = context.erased_by(command);
                Ok(accepted(&Envelope { erases, ..envelope.clone() }, events))
            }
            Err(_) if !room.exists_for(context.sender) => Err(HandleError::NoSuchRoom),
            Err(rejection) => Err(rejection.into()),
        }
    }

    /// Whether a commit that bears the name of this command can be the work of it.
    fn may_have_made(
        &self,
        actor: &Actor,
        command: &RoomCommand,
        known: &[KnownEvent],
        handled: &Handled,
    ) -> bool {
        let context = self.context(actor, known);
        handled.facts.iter().all(|fact| match fact {
            Fact::Room(event) => command.may_have_made(&event.pdu, &context),
            Fact::Account(_) | Fact::Alias(_) => false,
        })
    }

    /// Only member events carry a profile; other commands need none.
    async fn profile_for(
        &self,
        actor: &Actor,
        command: &RoomCommand,
    ) -> Result<Profile, HandleError> {
        match command {
            RoomCommand::Join { .. } | RoomCommand::Knock { .. } => self.profile(&actor.user).await,
            _ => Ok(Profile::default()),
        }
    }

    /// A profile may change between the decision to join and the join. Nobody else would tell the
    /// room then, because the reader who spreads profiles did not know of the join yet.
    async fn follow_profile(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        used: Profile,
    ) -> Result<(), HandleError> {
        let profile = self.profile(&actor.user).await?;
        if profile == used {
            return Ok(());
        }
        // What follows the join is no part of its answer.
        let actor = &Actor { deliver: None, ..actor.clone() };
        let command = RoomCommand::SetMemberProfile { profile };
        self.carry_out(actor, room_id, &command, &used, &[], Retry::Unnamed).await.map(drop)
    }

    /// Claims the aliases that are new, tells the room, then lets go of those it no longer has.
    async fn set_aliases(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        wanted: &[OwnedRoomAliasId],
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        let cell = self.rooms.cell(room_id.as_str());
        let profile = Profile::default();
        let before = self
            .core
            .look(&self.rooms, &cell, |room| {
                let context = self.context(actor, &[]);
                Self::decide_room(room, &context, command, &profile, &actor.envelope(retry))?;
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
        match self.plain(actor, room_id, command, retry).await {
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

    async fn release_alias(
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

pub(crate) fn accepted(envelope: &Envelope, events: Vec<Arc<Pdu>>) -> Vec<Fact> {
    let fact = |pdu| Fact::Room(RoomEvent::new(envelope.clone(), pdu));
    events.into_iter().map(fact).collect()
}

/// Whether the first events of a room are those that `command` asks for, by what tells rooms apart.
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
            == command.alias.as_ref().map(ToString::to_string)
}

/// The outcome of a creation, if that is what the commit was.
fn created(by: &By, stream: &StreamId, handled: Handled) -> Option<Outcome> {
    let (_, room_id) = stream.split()?;
    let room_id = RoomId::parse(room_id).ok()?;
    (handled.first_sequence == 1).then(|| outcome(by, room_id, handled))
}

/// What the generic part found, as an answer to `actor`.
fn outcome(by: &By, room_id: OwnedRoomId, handled: Handled) -> Outcome {
    let Handled { position, facts, first_sequence, repeated } = handled;
    let pdu = |fact| match fact {
        Fact::Room(event) => Some(event.pdu),
        Fact::Account(_) | Fact::Alias(_) => None,
    };
    let events = facts.into_iter().filter_map(pdu).collect();
    let received = repeated.unwrap_or(by.received);
    let origin = by.origin.clone();
    Outcome {
        position,
        room_id,
        events,
        first_sequence,
        repeated: repeated.is_some(),
        received,
        origin,
    }
}
