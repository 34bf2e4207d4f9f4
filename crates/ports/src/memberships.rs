//! The write side's queries for users and their rooms.

use async_trait::async_trait;
use rookery_domain::{OwnedRoomId, RoomAliasId, UserId};
use rookery_log::{Position, Unavailable};

/// The rooms of users, from a read model.
#[async_trait]
pub trait Memberships: Send + Sync + 'static {
    /// The rooms that `user` has joined, as of `at_least` or later.
    ///
    /// # Errors
    /// [`Unavailable`] if the read model does not get there in time.
    async fn joined_rooms(
        &self,
        user: &UserId,
        at_least: Position,
    ) -> Result<Vec<OwnedRoomId>, Unavailable>;

    /// The numbers of rooms of `user`, as far as the read model has come: commits in flight may be
    /// missing. The cost does not depend on the numbers.
    ///
    /// # Errors
    /// [`Unavailable`] if they are not known.
    async fn rooms_of(&self, _user: &UserId) -> Result<RoomCounts, Unavailable> {
        Ok(RoomCounts::default())
    }

    /// Whether there is a user with this ID who can be invited.
    ///
    /// # Errors
    /// [`Unavailable`] if that is not known.
    async fn exists(&self, _user: &UserId) -> Result<bool, Unavailable> {
        Ok(true)
    }

    /// Up to `limit` rooms that `user` has joined and that were replaced by another room.
    ///
    /// # Errors
    /// [`Unavailable`] if they are not known.
    async fn replaced_rooms(
        &self,
        _user: &UserId,
        _limit: usize,
    ) -> Result<Vec<OwnedRoomId>, Unavailable> {
        Ok(Vec::new())
    }

    /// Asks the owner of a namespace for an alias that points to no room. Whether a room has it now.
    ///
    /// # Errors
    /// [`Unavailable`] if that is not known.
    async fn make_alias(&self, _alias: &RoomAliasId) -> Result<bool, Unavailable> {
        Ok(false)
    }
}

/// The numbers of rooms and aliases of a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomCounts {
    /// Rooms that the user has joined.
    pub joined: usize,
    /// Rooms that the user is invited to.
    pub invited: usize,
    /// Rooms that the user knocks on.
    pub knocking: usize,
    /// Aliases that the user has given to rooms.
    pub aliases: usize,
}
