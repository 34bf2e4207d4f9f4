//! Joins of rooms of other servers.
//!
//! **Invariant:** the state of a room that a user of this server is in is never replaced by the answer to
//! another join: such a join is an event like any other.

use rookery_command::{
    BegunAction, Command, HandleError, Received, Retry, ServerKeys, StatedState,
};
use rookery_domain::{
    Envelope, EventStatus, Incoming, Membership, OwnedRoomId, OwnedServerName, Rejection,
    RemoteOutcome, Room, RoomAliasId, RoomCommand, RoomId, RoomOrAliasId, ServerName,
};
use rookery_log::{Millis, Position};
use serde_json::value::RawValue;

use super::{
    failures::Failures,
    signatures::{verified, with_signatures_of},
    template::{Completed, VERSIONS, Wish},
    worker::{Limits, logged_out},
};
use crate::{client::Remote, home::Home};

/// Most servers that are asked for one join.
const SERVERS_MAX: usize = 10;

/// How many events are fetched for a join that follows events which are not here.
const MISSING_MAX: usize = 50;

/// Most ends of a room that are named in a request.
const ENDS_MAX: usize = 20;

/// The room that a user wants to enter, and the servers that may help.
pub(super) struct Wanted {
    pub(super) room: OwnedRoomId,
    pub(super) servers: Vec<OwnedServerName>,
}

/// Finds the room of an alias, and the servers that are in it.
pub(super) async fn find(
    home: &Home,
    remote: &Remote,
    room: &RoomOrAliasId,
    via: &[OwnedServerName],
) -> Result<Wanted, RemoteOutcome> {
    let mut servers = via.to_vec();
    let room = if let Ok(room) = <&RoomId>::try_from(room) {
        room.to_owned()
    } else {
        let Ok(alias) = <&RoomAliasId>::try_from(room) else {
            return Err(RemoteOutcome::from(&Rejection::NoSuchRoom));
        };
        let target = remote.alias(alias.server_name(), alias).await.map_err(|error| {
            let mut failures = Failures::default();
            failures.call(error);
            failures.outcome()
        })?;
        servers.insert(0, alias.server_name().to_owned());
        servers.extend(target.servers.into_iter().take(SERVERS_MAX));
        target.room_id
    };
    let mut named = std::collections::BTreeSet::new();
    servers.retain(|server| *server != home.own.server_name && named.insert(server.clone()));
    servers.truncate(SERVERS_MAX);
    Ok(Wanted { room, servers })
}

/// Joins a room, through one server after the other.
pub(super) async fn join(
    home: &Home,
    limits: &Limits,
    begun: &BegunAction,
    (room, via, reason): (&RoomOrAliasId, &[OwnedServerName], Option<&str>),
) -> Result<RemoteOutcome, HandleError> {
    let remote = home.remote();
    let wanted = match find(home, &remote, room, via).await {
        Ok(wanted) => wanted,
        Err(refused) => return Ok(refused),
    };
    let mut failures = Failures::default();
    if home.commands.is_in_room(&wanted.room).await?
        && let Some(outcome) = join_here(home, begun, &wanted.room, reason).await?
    {
        return Ok(outcome);
    }
    let _expecting = limits.expect(&wanted.room);
    for server in &wanted.servers {
        let joining = Joining { home, limits, remote: &remote, begun, room: &wanted.room, server };
        match joining.join(reason, &mut failures).await? {
            Some(outcome) => return Ok(outcome),
            None => {
                tracing::debug!(room = %wanted.room, %server, "cannot join through this server");
            }
        }
    }
    Ok(failures.outcome())
}

/// Joins a room that this server is in. `None` if only another server can let the user in.
async fn join_here(
    home: &Home,
    begun: &BegunAction,
    room: &RoomId,
    reason: Option<&str>,
) -> Result<Option<RemoteOutcome>, HandleError> {
    let actor = begun.actor(home.now());
    let command = RoomCommand::Join { reason: reason.map(ToOwned::to_owned), member_of: None };
    let command = Command::InRoom { room, command: &command };
    match home.commands.execute(&actor, command, Retry::Unnamed).await {
        Ok(joined) => {
            let event_id = joined.events.last().map(|event| event.event_id.clone());
            let (room_id, position) = (room.to_owned(), joined.position.0);
            Ok(Some(RemoteOutcome::Done { room_id, event_id, position }))
        }
        Err(HandleError::Rejected(Rejection::NobodyCanAdmit | Rejection::NotInAllowedRoom)) => {
            Ok(None)
        }
        Err(error) => match error.kept_code() {
            Some(code) => {
                let (code, message) = (code.to_owned(), error.to_string());
                Ok(Some(RemoteOutcome::Refused { code, message }))
            }
            None => Err(error),
        },
    }
}

/// A join through one server.
struct Joining<'a> {
    home: &'a Home,
    limits: &'a Limits,
    remote: &'a Remote,
    begun: &'a BegunAction,
    room: &'a RoomId,
    server: &'a ServerName,
}

impl Joining<'_> {
    /// The outcome, or `None` with one more failure.
    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn join(
        &self,
        reason: Option<&str>,
        failures: &mut Failures,
    ) -> Result<Option<RemoteOutcome>, HandleError> {
        let user = &*self.begun.user;
        let template = match self.remote.make_join(self.server, self.room, user, &VERSIONS).await {
            Ok(template) => template,
            Err(error) => {
                failures.call(error);
                return Ok(None);
            }
        };
        let profile = self.home.commands.profile(user).await?;
        let wish = Wish {
            room: self.room,
            user,
            membership: "join",
            profile: Some(&profile),
            reason,
            now: self.home.now(),
        };
        let completed = match wish.complete(&self.home.own, &template) {
            Ok(completed) => completed,
            Err(why) => {
                failures.answer(self.server, why);
                return Ok(None);
            }
        };
        // A state may be large, so few are in memory at a time, and one of each user.
        let _of_user = self.limits.large_of(user).await;
        let _large = self.limits.large.acquire().await;
        let (id, signed) = (&completed.pdu.event_id, &completed.signed);
        let answer = self.remote.send_join(self.server, self.room, id, signed).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                failures.call(error);
                return Ok(None);
            }
        };
        let event = match self.cosigned(&completed, answer.event).await {
            Ok(event) => event,
            Err(why) => {
                failures.answer(self.server, why);
                return Ok(None);
            }
        };
        let is_create = |event: &RawValue| {
            Incoming::version_of_create(event).as_ref() == Some(&completed.version)
        };
        if !answer.state.iter().any(|event| is_create(event)) {
            failures.answer(self.server, "its state has no create event of the room's version");
            return Ok(None);
        }
        if !self.home.commands.is_still_wanted(self.begun)? {
            return Ok(Some(RemoteOutcome::from(&logged_out())));
        }
        // Two users who join at once do so one after the other, from here on.
        let _turn = self.limits.turn(self.room.as_str()).await;
        let stated = StatedState {
            origin: self.server,
            room_id: self.room,
            version: &completed.version,
            state: &answer.state,
            auth_chain: &answer.auth_chain,
            holders: &[],
        };
        match self.take(&completed, &stated, &event).await? {
            Received::Accepted { position } => Ok(Some(self.done(&completed, position))),
            Received::Known { status: EventStatus::Accepted } => {
                let tail = *self.home.reader.models().log().tail().borrow();
                let room_id = self.room.to_owned();
                Ok(Some(RemoteOutcome::Done { room_id, event_id: None, position: tail.0 }))
            }
            other => {
                failures
                    .answer(self.server, format!("its state does not let the user in: {other:?}"));
                Ok(None)
            }
        }
    }

    fn done(&self, completed: &Completed, position: Position) -> RemoteOutcome {
        RemoteOutcome::Done {
            room_id: self.room.to_owned(),
            event_id: Some(completed.pdu.event_id.clone()),
            position: position.0,
        }
    }

    /// The join for the log: with the signature of the server whose user lets the user in, if the room
    /// needs it.
    async fn cosigned(
        &self,
        completed: &Completed,
        answered: Option<Box<RawValue>>,
    ) -> Result<Box<RawValue>, String> {
        let Some(authoriser) = &completed.authoriser else {
            return Ok(completed.signed.clone());
        };
        let event = answered.ok_or("it did not sign the join, which the room needs")?;
        let pdu = verified(&self.home.keys, &event, &completed.version).await;
        let pdu = pdu.map_err(|why| format!("its signature of the join does not count: {why}"))?;
        if pdu.event_id != completed.pdu.event_id {
            return Err("it answered with another join".to_owned());
        }
        with_signatures_of(authoriser.server_name(), &completed.signed, &event)
    }

    async fn take(
        &self,
        completed: &Completed,
        stated: &StatedState<'_>,
        event: &RawValue,
    ) -> Result<Received, HandleError> {
        let commands = &self.home.commands;
        let (keys, now): (&dyn ServerKeys, _) = (&self.home.keys, Millis(self.home.now()));
        let device = self.begun.action.device.clone();
        if !commands.is_in_room(self.room).await? {
            let from = Envelope::local(device, None).origin;
            let receipt = commands.accept_join(keys, stated, event, from, now).await?;
            return Ok(receipt.received);
        }
        let user = &self.begun.user;
        let look = |room: Option<&Room>| room.map(|room| room.membership(user)).unwrap_or_default();
        if commands.look_at_room(self.room, look).await? == Membership::Join {
            // The join of another user, whose state has this one, was faster.
            return Ok(Received::Known { status: EventStatus::Accepted });
        }
        let version = &completed.version;
        let own = commands.accept_own(self.room, version, event, device.clone(), now).await?;
        if !matches!(own, Received::Held { .. }) {
            return Ok(own);
        }
        let look = |room: Option<&Room>| {
            let ends = room.map_or(&[][..], Room::forward_extremities);
            ends.iter().take(ENDS_MAX).cloned().collect::<Vec<_>>()
        };
        let ends = commands.look_at_room(self.room, look).await?;
        let latest = [completed.pdu.event_id.clone()];
        let missing =
            self.remote.missing_events(self.server, self.room, &ends, &latest, MISSING_MAX).await;
        if let Ok(mut missing) = missing {
            missing.truncate(MISSING_MAX);
            commands.receive(keys, self.server, self.room, &missing, now).await?;
        }
        let own = commands.accept_own(self.room, version, event, device.clone(), now).await?;
        if !matches!(own, Received::Held { .. }) {
            return Ok(own);
        }
        // It follows events from before the first join of this server, which are not here.
        let from = Envelope::local(device, None).origin;
        let receipt = commands.accept_join_beside(keys, stated, event, from, now).await?;
        Ok(receipt.received)
    }
}
