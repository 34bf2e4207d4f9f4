//! Joins of rooms, and requests to join: here, or through other servers.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use rookery_domain::{
    AccountEvent, ElsewhereEnd, Fact, OwnedRoomId, OwnedServerName, Rejection, RemoteAsk, Room,
    RoomAliasId, RoomCommand, RoomId, RoomOrAliasId, UserId,
};

use crate::{Actor, Commands, HandleError, Outcome, rooms::outcome, stream::handle::Request};

/// Most servers that are asked for one room.
const SERVERS_ASKED_MAX: usize = 10;

/// Most replaced rooms of a user that are looked at for one join.
const REPLACED_MAX: usize = 100;

/// How this server stands to a room.
enum Standing {
    /// Its users are in it, or nobody of another server is: its state here is that of the room. So it
    /// is for a server that talks with no other, and gets rooms as files.
    Here,
    /// Only users of other servers are in it, so its state here may be old. The servers are named
    /// only to users who may know of the room.
    Left(Vec<OwnedServerName>),
    /// It is not here.
    Unknown,
}

impl Commands {
    /// Joins a room, or asks to join it: here if this server is in it, otherwise through other
    /// servers.
    pub(crate) async fn enter_room(
        &self,
        actor: &Actor,
        room: &RoomOrAliasId,
        command: &RoomCommand,
        via: &[OwnedServerName],
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let room_id = match <&RoomId>::try_from(room) {
            Ok(room_id) => Some(room_id.to_owned()),
            Err(alias) if alias.server_name() == self.server_name => {
                Some(self.room_of_alias(alias).await?)
            }
            Err(alias) => self.resolve_alias(alias).await?,
        };
        let Some(room_id) = room_id else {
            let home = <&RoomAliasId>::try_from(room).ok().map(RoomAliasId::server_name);
            return self.begin_to_enter(actor, room, command, via, home, request).await;
        };
        let known = match self.standing(&actor.user, &room_id).await? {
            Standing::Here => {
                let entered = self.act_in_room(actor, &room_id, command, request).await;
                let Err(HandleError::Rejected(
                    refusal @ (Rejection::NobodyCanAdmit | Rejection::NotInAllowedRoom),
                )) = entered
                else {
                    return entered;
                };
                // A user of another server may be able to let the user in.
                let servers = self.servers_in(&room_id).await?;
                if servers.is_empty() || !self.talks_with_servers() {
                    return Err(refusal.into());
                }
                servers
            }
            Standing::Left(servers) => servers,
            Standing::Unknown => Vec::new(),
        };
        let invited = self.elsewhere(&actor.user).await?;
        let invited = invited.get(&room_id).map(|it| it.standing.via.clone()).unwrap_or_default();
        let mut via: Vec<_> = via.iter().cloned().chain(invited).chain(known).collect();
        if via.is_empty() && self.talks_with_servers() {
            via = self.servers_of_replaced(&actor.user, &room_id).await?;
        }
        let room: &RoomOrAliasId = (&*room_id).into();
        self.begin_to_enter(actor, room, command, &via, room_id.server_name(), request).await
    }

    /// Begins a join, or a request to join, through other servers.
    async fn begin_to_enter(
        &self,
        actor: &Actor,
        room: &RoomOrAliasId,
        command: &RoomCommand,
        via: &[OwnedServerName],
        home: Option<&rookery_domain::ServerName>,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let mut named = BTreeSet::new();
        let all = via.iter().map(|server| &**server).chain(home);
        let others = all.filter(|server| *server != self.server_name);
        let via: Vec<OwnedServerName> = others
            .filter(|server| named.insert(*server))
            .map(ToOwned::to_owned)
            .take(SERVERS_ASKED_MAX)
            .collect();
        if via.is_empty() {
            return Err(HandleError::NoSuchRoom);
        }
        self.within_bounds(actor, command).await?;
        let room_id = <&RoomId>::try_from(room).ok().map(ToOwned::to_owned);
        let room = room.to_owned();
        let ask = match command {
            RoomCommand::Join { reason, .. } => {
                RemoteAsk::Join { room, via, reason: reason.clone() }
            }
            RoomCommand::Knock { reason } => RemoteAsk::Knock { room, via, reason: reason.clone() },
            _ => return Err(HandleError::NoSuchRoom),
        };
        self.begin_remote(actor, ask, room_id, Vec::new(), request).await
    }

    /// How this server stands to a room, for a user.
    async fn standing(&self, user: &UserId, room_id: &RoomId) -> Result<Standing, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let look = |room: Option<&Room>| {
            let Some(room) = room.filter(|room| room.has_begun() && room.is_created()) else {
                return Standing::Unknown;
            };
            let is_here = room.joined_count() == 0 || room.joined_of(&self.server_name) > 0;
            if is_here || !self.talks_with_servers() {
                Standing::Here
            } else if room.exists_for(user) {
                Standing::Left(room.servers().map(|(server, _)| server.to_owned()).collect())
            } else {
                Standing::Left(Vec::new())
            }
        };
        self.core.read_state(&self.rooms, &stream_state, look).await
    }

    /// Whether a user of this server is in a room.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    pub fn is_in_room<'a>(
        &'a self,
        room_id: &'a RoomId,
    ) -> BoxFuture<'a, Result<bool, HandleError>> {
        Box::pin(async move {
            let stream_state = self.rooms.state_of(room_id.as_str());
            let look = |room: Option<&Room>| {
                let room = room.filter(|room| room.is_created());
                room.is_some_and(|room| room.joined_of(&self.server_name) > 0)
            };
            self.core.read_state(&self.rooms, &stream_state, look).await
        })
    }

    /// The other servers in the rooms of a user that a room has replaced.
    async fn servers_of_replaced(
        &self,
        user: &UserId,
        room_id: &RoomId,
    ) -> Result<Vec<OwnedServerName>, HandleError> {
        #[derive(serde::Deserialize)]
        struct Tombstone {
            replacement_room: OwnedRoomId,
        }
        let mut servers = Vec::new();
        for replaced in self.memberships.replaced_rooms(user, REPLACED_MAX).await? {
            let stream_state = self.rooms.state_of(replaced.as_str());
            let look = |room: Option<&Room>| {
                let tombstone = room?.state("m.room.tombstone", "")?.content_as::<Tombstone>()?;
                (tombstone.replacement_room == *room_id).then_some(())
            };
            if self.core.read_state(&self.rooms, &stream_state, look).await?.is_some() {
                servers.extend(self.servers_in(&replaced).await?);
            }
        }
        Ok(servers)
    }

    /// The other servers in a room.
    async fn servers_in(&self, room_id: &RoomId) -> Result<Vec<OwnedServerName>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let look = |room: Option<&Room>| {
            let servers = room.into_iter().flat_map(Room::servers).map(|(server, _)| server);
            let others = servers.filter(|server| *server != self.server_name);
            others.take(SERVERS_ASKED_MAX).map(ToOwned::to_owned).collect()
        };
        self.core.read_state(&self.rooms, &stream_state, look).await
    }

    /// Declines an invite to a room that is not here, or withdraws a request to join one. `None` if
    /// the user has neither.
    pub(crate) async fn leave_elsewhere(
        &self,
        actor: &Actor,
        room_id: &RoomId,
        reason: Option<&str>,
        request: &Request,
    ) -> Result<Option<Outcome>, HandleError> {
        let rooms = self.elsewhere(&actor.user).await?;
        let Some(standing) = rooms.get(room_id).map(|it| it.standing.clone()) else {
            return Ok(None);
        };
        let (room_id, by) = (room_id.to_owned(), actor.user.clone());
        let how = ElsewhereEnd::Declined;
        let ended = AccountEvent::ElsewhereEnded { room_id: room_id.clone(), how, by };
        if self.talks_with_servers() {
            let (via, reason) = (standing.via, reason.map(ToOwned::to_owned));
            let ask = RemoteAsk::Leave { room_id: room_id.clone(), via, reason };
            let left = self.begin_remote(actor, ask, Some(room_id), vec![ended], request).await?;
            // It has its effect here, whatever the other server answers.
            return Ok(Some(Outcome { remote: None, ..left }));
        }
        let facts = vec![Fact::Account(ended)];
        let decide = |_: Option<&_>| Ok(request.noted(facts.clone()));
        let stream_state = self.accounts.state_of(actor.user.as_str());
        let handled = self.core.handle(&self.accounts, &stream_state, request, decide).await?;
        Ok(Some(outcome(request, Some(room_id), handled)))
    }
}
