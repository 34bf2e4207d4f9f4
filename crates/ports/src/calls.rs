//! The write side's queries for calls.

use async_trait::async_trait;
use rookery_domain::{CallId, OwnedRoomId, UserId};
use rookery_log::{Position, Unavailable};

/// The active calls of users, from a read model.
#[async_trait]
pub trait CallLookup: Send + Sync + 'static {
    /// The active calls of `user` in all rooms, as of `at_least` or later. A call that has ended since
    /// may be among them.
    ///
    /// # Errors
    /// [`Unavailable`] if the read model does not get there in time.
    async fn active_calls(
        &self,
        user: &UserId,
        at_least: Position,
    ) -> Result<Vec<(OwnedRoomId, CallId)>, Unavailable>;
}
