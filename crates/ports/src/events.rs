//! The write side's queries for single events.

use async_trait::async_trait;
use rookery_domain::{KnownEvent, OwnedEventId, UserId};
use rookery_log::{Position, Unavailable};

/// Events by their IDs, from a read model.
#[async_trait]
pub trait EventLookup: Send + Sync + 'static {
    /// The existing events among `events`, in any order and of any room, as `viewer` sees them, as
    /// of `at_least` or later.
    ///
    /// # Errors
    /// [`Unavailable`] if the read model does not get there in time, or cannot be read.
    async fn known(
        &self,
        events: &[OwnedEventId],
        viewer: &UserId,
        at_least: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable>;

    /// Like [`Self::known`], for commands that erase nothing. The events that a redaction would
    /// erase may be left out, so the cost does not grow with the edits.
    ///
    /// # Errors
    /// As [`Self::known`].
    async fn known_to_refer(
        &self,
        events: &[OwnedEventId],
        viewer: &UserId,
        at_least: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable> {
        self.known(events, viewer, at_least).await
    }
}
