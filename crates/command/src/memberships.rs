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
}
