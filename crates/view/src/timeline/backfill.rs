//! The port to other servers' history.

use async_trait::async_trait;
use rookery_domain::{OwnedEventId, RoomId};
use rookery_log::{Millis, Position, Unavailable};

/// Asks other servers for events that this server does not have.
#[async_trait]
pub trait Backfill: Send + Sync {
    /// Asks for up to `limit` events of `room` before the events `before`, and appends them after
    /// the checks of all events of other servers. Returns the position of the last commit; `None`
    /// if no server has any.
    ///
    /// # Errors
    /// [`Unavailable`] if the log cannot be written. A server that does not answer is not an error.
    async fn fetch_before(
        &self,
        room: &RoomId,
        before: &[OwnedEventId],
        limit: usize,
    ) -> Result<Option<Position>, Unavailable>;

    /// Asks for events of `room` until those at the moment `at` are here, within bounds. Returns the
    /// position of the last commit; `None` if no server has older events.
    ///
    /// # Errors
    /// As [`Self::fetch_before`].
    async fn fetch_back_to(
        &self,
        _room: &RoomId,
        _at: Millis,
    ) -> Result<Option<Position>, Unavailable> {
        Ok(None)
    }
}

/// No other servers are connected, so no server has more events.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoOtherServers;

#[async_trait]
impl Backfill for NoOtherServers {
    async fn fetch_before(
        &self,
        _: &RoomId,
        _: &[OwnedEventId],
        _: usize,
    ) -> Result<Option<Position>, Unavailable> {
        Ok(None)
    }
}
