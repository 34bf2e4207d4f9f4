//! What the write side asks of the read side.

use async_trait::async_trait;
use rookery_domain::{OwnedRoomId, UserId};
use rookery_log::{Position, Unavailable};

/// Which rooms a user is in, as some read model knows it.
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

    /// In how many rooms `user` is what, as far as the read model has come: what is on its way may be missing. Costs the same
    /// however many there are.
    ///
    /// # Errors
    /// [`Unavailable`] if nobody knows.
    async fn rooms_of(&self, _user: &UserId) -> Result<RoomCounts, Unavailable> {
        Ok(RoomCounts::default())
    }

    /// Whether there is a user of this ID who can be invited.
    ///
    /// # Errors
    /// [`Unavailable`] if nobody knows.
    async fn exists(&self, _user: &UserId) -> Result<bool, Unavailable> {
        Ok(true)
    }
}

/// In how many rooms a user is what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoomCounts {
    /// Rooms that the user has joined.
    pub joined: usize,
    /// Rooms that the user is invited to.
    pub invited: usize,
    /// Rooms that the user asks to be let into.
    pub knocking: usize,
    /// Aliases that the user has given to rooms.
    pub aliases: usize,
}
