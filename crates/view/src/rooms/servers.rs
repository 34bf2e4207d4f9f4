//! The servers of rooms, and of the rooms of a user.

use std::collections::BTreeSet;

use rookery_domain::{Membership, OwnedServerName, RoomId, ServerInRoom, ServerName, UserId};
use rookery_log::Position;
use rookery_projection::{RoomMembers, RoomsOfUser};

use super::RoomView;
use crate::{Access, Meter, Reader, TimelineError};

/// Rooms that are looked at before the models are released.
const LOOKED_MAX: usize = if cfg!(test) { 2 } else { 256 };

impl Reader {
    /// The servers with a joined user in a room that `user` has joined; up to `limit` of them.
    pub async fn servers_of(&self, user: &UserId, limit: usize) -> BTreeSet<OwnedServerName> {
        let rooms: Vec<_> = {
            let view = self.view();
            let rooms = view.models().rooms_of_users().of(user);
            let joined = rooms.and_then(|rooms: &RoomsOfUser| rooms.with(Membership::Join));
            joined.into_iter().flatten().copied().collect()
        };
        let mut servers = BTreeSet::new();
        for rooms in rooms.chunks(LOOKED_MAX) {
            {
                let view = self.view();
                let found = rooms.iter().filter_map(|room| view.room_at(*room));
                for server in found.flat_map(|room| room.joined_servers()) {
                    if servers.len() >= limit {
                        return servers;
                    }
                    if !servers.contains(server) {
                        servers.insert(ServerName::to_owned(server));
                    }
                }
            }
            tokio::task::yield_now().await;
        }
        servers
    }
}

impl<'a> RoomView<'a> {
    /// A server that has or had members in the room.
    #[must_use]
    pub fn server(&self, name: &ServerName) -> Option<&'a ServerInRoom<Position>> {
        members(self)?.server(name)
    }

    /// The servers that have or had members in the room, by name, after `name`.
    #[must_use]
    pub fn servers_after(&self, name: Option<&ServerName>) -> &'a [ServerInRoom<Position>] {
        members(self).map_or(&[], |room| room.servers_after(name))
    }

    /// The servers with joined users.
    pub fn joined_servers(&self) -> impl Iterator<Item = &'a ServerName> + use<'a> {
        let servers = self.servers_after(None).iter().filter(|server| server.joined > 0);
        servers.map(|server| &*server.name)
    }
}

fn members<'a>(room: &RoomView<'a>) -> Option<&'a RoomMembers> {
    let (models, key) = room.models();
    models.members(key)
}

impl Reader {
    /// Up to `limit` servers with joined users in a room, by name, after `after`; each with the number of these. Empty unless
    /// `viewer` is inside.
    ///
    /// # Errors
    /// [`TimelineError::Exhausted`] if the budget of the request is used up.
    pub async fn room_servers(
        &self,
        room: &RoomId,
        viewer: &UserId,
        (after, limit): (Option<&ServerName>, usize),
        meter: &dyn Meter,
    ) -> Result<Vec<(OwnedServerName, u64)>, TimelineError> {
        let (mut found, mut after) = (Vec::new(), after.map(ToOwned::to_owned));
        loop {
            meter.turn().await?;
            let looked = {
                let view = self.view();
                let room = view.room_for(room, viewer, Access::Inside);
                let servers = room.map_or(&[][..], |room| room.servers_after(after.as_deref()));
                let servers = &servers[..servers.len().min(LOOKED_MAX)];
                let joined = servers.iter().filter(|server| server.joined > 0);
                let joined = joined.map(|server| (server.name.clone(), server.joined));
                found.extend(joined.take(limit - found.len()));
                after = servers.last().map(|server| server.name.clone());
                servers.len()
            };
            meter.take_rows(looked)?;
            if looked < LOOKED_MAX || found.len() >= limit {
                return Ok(found);
            }
        }
    }
}
