//! How a server stands to a room now.

use std::collections::BTreeSet;

use rookery_command::{Commands, HandleError};
use rookery_domain::{
    Membership, OwnedServerName, Room, RoomId, RoomVersionId, ServerName, UserId,
};

use super::acl;

/// How a server stands to a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The version of the room; `None` if there is no such room.
    pub(crate) version: Option<RoomVersionId>,
    /// Whether a user of the server is joined.
    pub(crate) has_member: bool,
    /// Whether the lists of the room let the server take part.
    pub(crate) is_let_in: bool,
}

impl Standing {
    /// The standing of `server` in `room` now.
    pub(crate) async fn of(
        commands: &Commands,
        server: &ServerName,
        room: &RoomId,
    ) -> Result<Self, HandleError> {
        let look = |room: Option<&Room>| Self {
            version: room.filter(|room| room.is_created()).and_then(Room::version).cloned(),
            has_member: room.is_some_and(|room| room.joined_of(server) > 0),
            is_let_in: room.is_none_or(|room| is_let_in(room, server)),
        };
        commands.look_at_room(room, look).await
    }
}

/// Whether the lists of a room let a server take part.
pub(super) fn is_let_in(room: &Room, server: &ServerName) -> bool {
    acl::allows(room.state("m.room.server_acl", "").map(|acl| &**acl), server)
}

/// The joined users.
pub(super) fn joined(room: &Room) -> impl Iterator<Item = &UserId> {
    let joined = room.members().filter(|(_, membership, _)| *membership == Membership::Join);
    joined.filter_map(|(user, ..)| <&UserId>::try_from(user).ok())
}

/// The servers of the joined users.
pub(crate) fn servers(room: &Room) -> BTreeSet<OwnedServerName> {
    room.servers().map(|(server, _)| server.to_owned()).collect()
}
