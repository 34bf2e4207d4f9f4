//! Invites of users of other servers, and other events of users of this server that a server has to
//! sign before they are part of a room.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rookery_domain::{
    CreateRoom, Envelope, EventStatus, Fact, Incoming, Invitee, Pdu, Profile, RemoteAsk, Room,
    RoomCommand, RoomId, RoomVersionId, UserId,
};
use rookery_graph::Verdict;
use rookery_log::{AppendError, CommandId, Millis};
use serde_json::value::RawValue;

use crate::{
    Actor, Commands, HandleError, Outcome, Received, Retry,
    rooms::outcome,
    stream::handle::{Handled, Request},
};

/// How often an event is taken before the caller has to retry.
const ATTEMPTS_MAX: u32 = 3;

/// An event that was decided and is in no log.
#[derive(Clone, Debug)]
pub struct Drafted {
    /// The version of the room.
    pub version: RoomVersionId,
    /// The event.
    pub pdu: Arc<Pdu>,
}

impl Commands {
    /// Whether another server has to answer before the user can be invited.
    pub(crate) fn is_asked_elsewhere(&self, actor: &Actor, user: &UserId) -> bool {
        user.server_name() != self.server_name
            && actor.device.is_some()
            && self.talks_with_servers()
    }

    /// Begins the invite of a user of another server, if the room allows it.
    pub(crate) async fn invite_elsewhere(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        command: &RoomCommand,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let RoomCommand::Invite { invitee, reason } = command else {
            return Err(HandleError::NoSuchRoom);
        };
        let room_id = room_id.to_owned();
        if self.draft(actor, &room_id, command).await?.is_none() {
            let tail = *self.core.log.tail().borrow();
            return Ok(outcome(request, Some(room_id), Handled::nothing(tail)));
        }
        let Invitee { user, is_direct, .. } = invitee.clone();
        let ask = RemoteAsk::Invite {
            room_id: room_id.clone(),
            user_id: user,
            is_direct,
            reason: reason.clone(),
        };
        self.begin_remote(actor, ask, Some(room_id), Vec::new(), request).await
    }

    /// Begins the invites of users of other servers that come with a new room. A retry begins those
    /// that a stop of the server left out.
    pub(crate) async fn invite_from_elsewhere(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        created: &CreateRoom,
    ) -> Result<(), HandleError> {
        let is_elsewhere = |it: &&Invitee| self.is_asked_elsewhere(actor, &it.user);
        for invitee in created.invite.iter().filter(is_elsewhere) {
            let named: [&[u8]; 3] = [b"invite", room_id.as_bytes(), invitee.user.as_bytes()];
            let request = actor.request(Retry::Named(CommandId::derive(&named)));
            let ask = RemoteAsk::Invite {
                room_id: room_id.to_owned(),
                user_id: invitee.user.clone(),
                is_direct: created.is_direct,
                reason: None,
            };
            let room = Some(room_id.to_owned());
            self.begin_remote(actor, ask, room, Vec::new(), &request).await?;
        }
        Ok(())
    }

    /// The event that a command would make in a room now; `None` if the command changes nothing. The
    /// event is not appended.
    ///
    /// # Errors
    /// The refusal; [`HandleError`] if the log cannot be read.
    pub fn draft<'a>(
        &'a self,
        actor: &'a Actor,
        room_id: &'a RoomId,
        command: &'a RoomCommand,
    ) -> BoxFuture<'a, Result<Option<Drafted>, HandleError>> {
        Box::pin(async move {
            let context = self.context(actor, &[]);
            let envelope = Envelope::local(actor.device.clone(), None);
            let look = |room: Option<&Room>| {
                let version = room.and_then(Room::version).cloned();
                let profile = Profile::default();
                let facts = Self::decide_room(room, &context, command, &profile, &envelope)?;
                let event = facts.into_iter().find_map(|fact| match fact {
                    Fact::Room(event) => Some(event.pdu),
                    Fact::Account(_) | Fact::Alias(_) => None,
                });
                Ok::<_, HandleError>(version.zip(event))
            };
            let stream_state = self.rooms.state_of(room_id.as_str());
            let drafted = self.core.read_state(&self.rooms, &stream_state, look).await??;
            Ok(drafted.map(|(version, pdu)| Drafted { version, pdu }))
        })
    }

    /// Takes an event of a user of this server that this server made and signed, and that another
    /// server has seen. The caller has checked that. An event that the room does not allow now is
    /// not appended. `device` is the device that asked for it.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written. Call this again.
    pub fn accept_own<'a>(
        &'a self,
        room_id: &'a RoomId,
        version: &'a RoomVersionId,
        event: &'a RawValue,
        device: Option<String>,
        now: Millis,
    ) -> BoxFuture<'a, Result<Received, HandleError>> {
        Box::pin(async move {
            let refused = |reason: String| Ok(Received::Refused { reason });
            let pdu = Incoming::read(event, version).map(Incoming::unverified);
            let pdu = match pdu {
                Ok(pdu) => Arc::new(pdu),
                Err(error) => return refused(error.to_string()),
            };
            if pdu.sender.server_name() != self.server_name || pdu.room_id != *room_id {
                return refused("it is not an event of this server in this room".to_owned());
            }
            for _ in 0..ATTEMPTS_MAX {
                if let Some(received) = self.append_own(&pdu, device.clone(), now).await? {
                    return Ok(received);
                }
            }
            Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
        })
    }

    /// Appends an event of this server where it belongs. `None` if another writer came first.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "mutations and processes run in tasks of their own"
    )]
    async fn append_own(
        &self,
        pdu: &Arc<Pdu>,
        device: Option<String>,
        now: Millis,
    ) -> Result<Option<Received>, HandleError> {
        if let Some(backlog) = self.core.log.backlog() {
            backlog.await;
        }
        let stream_state = self.rooms.state_of(pdu.room_id.as_str());
        let mut slot = stream_state.loaded.lock().await;
        let (mut loaded, mut graph) =
            self.federation.graphs.settled(&self.core, &stream_state, &mut slot).await?;
        let origin = Envelope::local(device, None).origin;
        let received = match graph.graph.receive(pdu, origin, true) {
            Verdict::Known(status) => Received::Known { status },
            Verdict::Missing(missing) => Received::Held { missing },
            Verdict::Refused(reason) => Received::Refused { reason },
            Verdict::Crowded => Received::Refused { reason: "the room is crowded".to_owned() },
            Verdict::Decided(decided) if decided.event.envelope.status != EventStatus::Accepted => {
                // The graph has counted it, so it is read again.
                let reason = decided.reason.unwrap_or_default();
                *slot = Some(loaded);
                return Ok(Some(Received::Refused { reason }));
            }
            Verdict::Decided(mut decided) => {
                let room = loaded.state.as_ref();
                let changes = room.map(|room| room.call_changes(&decided.event));
                decided.event.envelope.calls = changes.unwrap_or_default();
                let facts = [Fact::Room(decided.event)];
                match self.append(&stream_state, &mut loaded, &facts, now).await {
                    Ok(position) => {
                        graph.graph.commit(position.0);
                        (graph.position, graph.last) = (position, loaded.last);
                        Received::Accepted { position }
                    }
                    Err(AppendError::Conflict { .. }) => return Ok(None),
                    Err(AppendError::Unfit) => return Err(HandleError::TooLarge),
                    Err(AppendError::Unavailable(unavailable)) => return Err(unavailable.into()),
                }
            }
        };
        self.rooms.weigh(&stream_state.stream, loaded.state.as_ref().map_or(0, Room::weight_bytes));
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(Some(received))
    }
}
