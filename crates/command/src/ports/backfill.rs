//! The port to other servers' history.

use async_trait::async_trait;
use rookery_domain::{OwnedEventId, RoomId};
use rookery_log::{Position, Unavailable};

/// Asks other servers for events that this one does not have.
#[async_trait]
pub trait Backfill: Send + Sync {
    /// Asks for up to `limit` events of `room` that come before the events `before`, and lets them
    /// enter the log by the checks that all events of other servers pass. Answers with the last of
    /// their commits; none if nobody has any.
    ///
    /// # Errors
    /// [`Unavailable`] if the log cannot be written. A server that does not answer is no error.
    async fn fetch_before(
        &self,
        room: &RoomId,
        before: &[OwnedEventId],
        limit: usize,
    ) -> Result<Option<Position>, Unavailable>;
}

/// No other servers are connected, so nobody has more than this one.
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
