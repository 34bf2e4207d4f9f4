//! The port to the directories and profiles of other servers.

use async_trait::async_trait;
use rookery_domain::{OwnedRoomId, OwnedServerName, Profile, RoomAliasId, ServerName, UserId};

use crate::{NoOtherServers, RoomSnapshot};

/// Longest cursor of another server, in bytes.
pub const CURSOR_ELSEWHERE_BYTES_MAX: usize = 1_024;

/// The wanted page of the public directory of another server.
#[derive(Clone, Copy, Debug)]
pub struct WantedElsewhere<'a> {
    /// The text that the rooms contain.
    pub search: Option<&'a str>,
    /// The cursor of the page before, as the other server gave it.
    pub after: Option<&'a str>,
    /// The greatest number of rooms.
    pub limit: usize,
}

/// A page of the public directory of another server.
#[derive(Clone, Debug, Default)]
pub struct RoomsElsewhere {
    /// The rooms, as that server describes them.
    pub rooms: Vec<(OwnedRoomId, RoomSnapshot)>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
    /// How many rooms there are, as that server says.
    pub total: Option<u64>,
}

/// The room of an alias, as the server of the alias says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasElsewhere {
    /// The room.
    pub room_id: OwnedRoomId,
    /// Servers that are in the room.
    pub servers: Vec<OwnedServerName>,
}

/// Another server gave no usable answer. The reason is for users.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAnswer(pub String);

/// Asks other servers for what users look up there.
///
/// **Invariant:** an implementation bounds the time and the bytes of an answer, and how often each user asks.
#[async_trait]
pub trait OtherServers: Send + Sync {
    /// A page of the public directory of `server`, on behalf of `viewer`.
    ///
    /// # Errors
    /// [`NoAnswer`].
    async fn public_rooms(
        &self,
        viewer: &UserId,
        server: &ServerName,
        wanted: WantedElsewhere<'_>,
    ) -> Result<RoomsElsewhere, NoAnswer>;

    /// The profile of a user of another server, on behalf of `viewer`; `None` if that server does not answer, or knows no
    /// such user.
    async fn profile(&self, viewer: &UserId, user: &UserId) -> Option<Profile>;

    /// The room of an alias of another server, on behalf of `viewer`; `None` if that server knows no such alias.
    ///
    /// # Errors
    /// [`NoAnswer`].
    async fn alias(
        &self,
        viewer: &UserId,
        alias: &RoomAliasId,
    ) -> Result<Option<AliasElsewhere>, NoAnswer>;
}

#[async_trait]
impl OtherServers for NoOtherServers {
    async fn public_rooms(
        &self,
        _: &UserId,
        _: &ServerName,
        _: WantedElsewhere<'_>,
    ) -> Result<RoomsElsewhere, NoAnswer> {
        Err(talks_with_none())
    }

    async fn profile(&self, _: &UserId, _: &UserId) -> Option<Profile> {
        None
    }

    async fn alias(&self, _: &UserId, _: &RoomAliasId) -> Result<Option<AliasElsewhere>, NoAnswer> {
        Err(talks_with_none())
    }
}

fn talks_with_none() -> NoAnswer {
    NoAnswer("this server does not talk with other servers".to_owned())
}
