//! Commands about rooms.

pub(crate) mod aliases;
pub(crate) mod bounds;
pub(crate) mod creation;
pub(crate) mod departure;
pub(crate) mod guesses;
mod permissions;
pub(crate) mod referred;
pub(crate) mod upgrade;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::BoxFuture;
use rookery_domain::{
    Context, Envelope, Fact, Invitee, KnownEvent, Membership, OwnedRoomId, Pdu, Profile, Room,
    RoomCommand, RoomEvent, RoomId, normal_alias,
};
use rookery_log::{StreamId, StreamKind};

use crate::{
    Actor, Command, Commands, HandleError, Outcome, Retry,
    calls::new_party,
    elsewhere,
    stream::{
        handle::{ATTEMPTS_MAX, Decided, Handled, Request},
        state::StreamState,
    },
    users::profile::unless_gone,
};

/// A decided command in flight; [`Commands::finish`] waits for it.
pub struct Started {
    request: Request,
    room_id: OwnedRoomId,
    stream_state: Arc<StreamState<Room>>,
    decided: Decided,
}

impl Commands {
    /// Carries out a command in a room as a part of another command or of a process. It does not
    /// wait for a turn.
    pub(crate) async fn in_room_unnumbered(
        &self,
        actor: &Actor,
        room: &RoomId,
        command: &RoomCommand,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        self.rates.charge(actor, &Command::InRoom { room, command })?;
        self.act_in_room(actor, room, command, &actor.request(retry)).await
    }

    pub(crate) async fn act_in_room(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        self.within_bounds(actor, command).await?;
        self.tell_first(actor, room_id).await?;
        match command {
            RoomCommand::SetAliases { canonical, alternative } => {
                let wanted = canonical.iter().chain(alternative);
                let wanted: Vec<_> = wanted.map(|alias| normal_alias(alias)).collect();
                self.set_aliases(actor, room_id, command, &wanted, request).await
            }
            RoomCommand::Join { reason, member_of: None } => {
                let member_of = self.admitting_room(actor, room_id).await?;
                let command = RoomCommand::Join { reason: reason.clone(), member_of };
                self.plain(actor, room_id, &command, request).await
            }
            RoomCommand::Invite { invitee, .. }
                if self.is_asked_elsewhere(actor, &invitee.user) =>
            {
                Box::pin(self.invite_elsewhere(actor, room_id, command, request)).await
            }
            RoomCommand::Leave { reason, .. } => {
                match Box::pin(self.leave_elsewhere(actor, room_id, reason.as_deref(), request))
                    .await?
                {
                    Some(outcome) => Ok(outcome),
                    None => self.plain(actor, room_id, command, request).await,
                }
            }
            RoomCommand::Invite { invitee, reason } => {
                let profile = self.invitee_profile(actor, &invitee.user).await?;
                let invitee = Invitee { profile, ..invitee.clone() };
                let command = RoomCommand::Invite { invitee, reason: reason.clone() };
                self.plain(actor, room_id, &command, request).await
            }
            // On the heap, as all that few commands need.
            RoomCommand::PlaceCall(call) => {
                Box::pin(self.place_call(actor, room_id, call, request)).await
            }
            RoomCommand::AnswerCall { call_id, .. } => {
                Box::pin(self.answer_call(actor, room_id, call_id, request)).await
            }
            RoomCommand::RejectCall { call_id, .. } => {
                let (call_id, party_id) = (call_id.clone(), Some(new_party()?));
                let command = RoomCommand::RejectCall { call_id, party_id };
                self.plain(actor, room_id, &command, request).await
            }
            RoomCommand::HangUpCall { call_id, reason, .. } => {
                let (call_id, party_id) = (call_id.clone(), Some(new_party()?));
                let command = RoomCommand::HangUpCall { call_id, reason: *reason, party_id };
                self.plain(actor, room_id, &command, request).await
            }
            command => self.plain(actor, room_id, command, request).await,
        }
    }

    /// For a restricted room: a room whose members it admits and that the actor has joined.
    async fn admitting_room(
        &self,
        actor: &Actor,
        room_id: &RoomId,
    ) -> Result<Option<OwnedRoomId>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let rule = self
            .core
            .read_state(&self.rooms, &stream_state, |room| room.map(Room::join_rule))
            .await?;
        let Some(rule) = rule else { return Ok(None) };
        for allowed in rule.allowed_rooms() {
            let stream_state = self.rooms.state_of(allowed.as_str());
            let joined = |room: Option<&Room>| {
                room.is_some_and(|room| room.membership(&actor.user) == Membership::Join)
            };
            if self.core.read_state(&self.rooms, &stream_state, joined).await? {
                return Ok(Some(allowed.clone()));
            }
        }
        Ok(None)
    }

    pub(crate) async fn plain(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let profile = self.profile_for(actor, command).await?;
        let referred = self.referred(actor, command).await?;
        let known = &referred.events;
        let handled =
            self.decide_in_room(actor, room_id, command, &profile, known, request).await?;
        if matches!(command, RoomCommand::Join { .. }) {
            unless_gone(self.follow_profile(actor, room_id, profile).await)?;
            self.profiles.done(handled.position);
        }
        Ok(outcome(request, Some(room_id.to_owned()), handled))
    }

    /// Loads, decides and appends, with the profile for a member event.
    async fn decide_in_room(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        profile: &Profile,
        known: &[KnownEvent],
        request: &Request,
    ) -> Result<Handled, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let context = self.context(actor, known);
        let decide = |room: Option<&Room>| {
            Self::decide_room(room, &context, command, profile, &request.envelope)
        };
        for _ in 0..ATTEMPTS_MAX {
            let decided = self.decide_anywhere(&stream_state, request, &decide).await?;
            if let Some(handled) = self.core.settle(&stream_state, request, decided).await? {
                return Ok(handled);
            }
        }
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// Decides ahead of the disk, or after it in a room that needs its graph.
    async fn decide_anywhere(
        &self,
        stream_state: &StreamState<Room>,
        request: &Request,
        decide: &(impl Fn(Option<&Room>) -> Result<Vec<Fact>, HandleError> + Send + Sync),
    ) -> Result<Decided, HandleError> {
        let needs_graph = AtomicBool::new(false);
        let ahead = |room: Option<&Room>| {
            let facts = decide(room)?;
            let waits = |fact: &Fact| match (room, fact) {
                (Some(room), Fact::Room(event)) => room.needs_graph(&event.pdu),
                _ => false,
            };
            if facts.iter().any(waits) {
                needs_graph.store(true, Ordering::Relaxed);
                return Err(HandleError::Contended { attempts: 0 });
            }
            Ok(facts)
        };
        match self.core.decide(&self.rooms, stream_state, request, &ahead).await {
            Err(_) | Ok(Decided::Refused(..)) if needs_graph.load(Ordering::Relaxed) => {
                self.decide_in_graph(stream_state, request, decide).await
            }
            decided => decided,
        }
    }

    /// Decides a command and starts its append without waiting for the disk, so that one caller can
    /// have many in flight. They are applied in the order in which they were started.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub fn start<'a>(
        &'a self,
        actor: &'a Actor,
        room_id: &'a RoomId,
        command: &'a RoomCommand,
        retry: Retry,
    ) -> BoxFuture<'a, Result<Started, HandleError>> {
        Box::pin(async move {
            let profile = self.profile_for(actor, command).await?;
            let stream_state = self.rooms.state_of(room_id.as_str());
            let request = actor.request(retry);
            let referred = self.referred(actor, command).await?;
            let context = self.context(actor, &referred.events);
            let decide = |room: Option<&Room>| {
                Self::decide_room(room, &context, command, &profile, &request.envelope)
            };
            for _ in 0..ATTEMPTS_MAX {
                let decided = self.decide_anywhere(&stream_state, &request, &decide).await?;
                if !matches!(decided, Decided::Refused(..)) {
                    return Ok(Started {
                        request,
                        room_id: room_id.to_owned(),
                        stream_state,
                        decided,
                    });
                }
                // The refusal, or another attempt if the state behind it is lost.
                self.core.settle(&stream_state, &request, decided).await?;
            }
            Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
        })
    }

    /// Waits until a started command is durable.
    ///
    /// # Errors
    /// [`HandleError::Contended`] if another writer came first: nothing was written; otherwise as
    /// [`Self::execute`].
    pub fn finish(&self, started: Started) -> BoxFuture<'_, Result<Outcome, HandleError>> {
        Box::pin(async move {
            let Started { request, room_id, stream_state, decided } = started;
            match self.core.settle(&stream_state, &request, decided).await? {
                Some(handled) => Ok(outcome(&request, Some(room_id), handled)),
                None => Err(HandleError::Contended { attempts: 1 }),
            }
        })
    }

    pub(crate) fn decide_room(
        room: Option<&Room>,
        context: &Context<'_>,
        command: &RoomCommand,
        profile: &Profile,
        envelope: &Envelope,
    ) -> Result<Vec<Fact>, HandleError> {
        let room = room.filter(|room| room.is_created()).ok_or(HandleError::NoSuchRoom)?;
        match room.decide(command, profile, context) {
            Ok(events) => {
                let (erases, edits) = (context.erased_by(command), context.edited_by(command));
                let envelope = Envelope { erases, edits, ..envelope.clone() };
                let mut facts = accepted(&envelope, events);
                state_call_changes(Some(room), &mut facts);
                Ok(facts)
            }
            Err(_) if !room.exists_for(context.sender) => Err(HandleError::NoSuchRoom),
            Err(rejection) => Err(rejection.into()),
        }
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

    /// A profile may change between the decision to join and the join. Then this tells the room,
    /// because the process that spreads profiles did not know of the join yet.
    pub(crate) async fn follow_profile(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        used: Profile,
    ) -> Result<(), HandleError> {
        let profile = self.profile(&actor.user).await?;
        if profile == used {
            return Ok(());
        }
        // The event after the join is not part of its answer.
        let actor = &Actor { deliver: None, ..actor.clone() };
        let command = RoomCommand::SetMemberProfile { profile };
        let request = actor.request(Retry::Unnamed);
        self.decide_in_room(actor, room_id, &command, &used, &[], &request).await.map(drop)
    }
}

/// States in the envelope of a command's last event which calls it changes. The events before it
/// only prepare it: a room that closes raises its levels first.
pub(crate) fn state_call_changes(room: Option<&Room>, facts: &mut [Fact]) {
    let Some((room, Fact::Room(event))) = room.zip(facts.last_mut()) else { return };
    event.envelope.calls = room.call_changes(event);
}

pub(crate) fn accepted(envelope: &Envelope, events: Vec<Arc<Pdu>>) -> Vec<Fact> {
    let fact = |pdu| Fact::Room(RoomEvent::new(envelope.clone(), pdu));
    events.into_iter().map(fact).collect()
}

/// Turns the result of the generic part into an answer.
pub(crate) fn outcome(
    request: &Request,
    room_id: Option<OwnedRoomId>,
    handled: Handled,
) -> Outcome {
    let Handled { position, facts, first_sequence, repeated } = handled;
    let changed = !facts.is_empty();
    let remote = facts.iter().find_map(elsewhere::begun_by);
    let pdu = |fact| match fact {
        Fact::Room(event) => Some(event.pdu),
        Fact::Account(_) | Fact::Alias(_) => None,
    };
    Outcome {
        position,
        changed,
        room_id,
        replacement: None,
        events: facts.into_iter().filter_map(pdu).collect(),
        first_sequence,
        repeated: repeated.is_some(),
        received: repeated.unwrap_or(request.received),
        origin: request.envelope.origin.clone(),
        remote,
    }
}

/// The room that a stream is about.
pub(crate) fn room_of(stream: &StreamId) -> Option<OwnedRoomId> {
    let (StreamKind::Room, room_id) = stream.split()? else { return None };
    RoomId::parse(room_id).ok()
}
