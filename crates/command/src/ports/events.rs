//! What the write side asks of the read side about single events.

use async_trait::async_trait;
use rookery_domain::{KnownEvent, OwnedEventId, UserId};
use rookery_log::{Position, Unavailable};

/// Events by their IDs, as some read model knows them.
#[async_trait]
pub trait EventLookup: Send + Sync + 'static {
    /// Those of `events` that there are, in any order and of whatever room, as `viewer` sees them,
    /// as of `at_least` or later.
    ///
    /// # Errors
    /// [`Unavailable`] if the read model does not get there in time, or cannot be read.
    async fn known(
        &self,
        events: &[OwnedEventId],
        viewer: &UserId,
        at_least: Position,
    ) -> Result<Vec<KnownEvent>, Unavailable>;

    /// The same for commands that erase nothing: what a redaction would erase may be left out, so that the cost does not grow
    /// with the edits.
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
