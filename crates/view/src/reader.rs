//! The handle on all answers for viewers.

use std::{sync::Arc, time::Duration};

use rookery_log::{Epoch, Position};
use rookery_projection::{ReadModels, Stale};

use crate::{Followings, View, directory::ListedRooms};

/// Answers questions from the read models. Cheap to clone; all clones answer from the same models.
#[derive(Clone)]
pub struct Reader {
    pub(crate) models: ReadModels,
    pub(crate) listed: Arc<ListedRooms>,
    pub(crate) followings: Arc<Followings>,
}

impl Reader {
    /// A reader of these models. A server needs one: it holds the index of the public directory, and
    /// the rooms that services follow.
    #[must_use]
    pub fn new(models: ReadModels) -> Self {
        let listed = models.observe(|_| ListedRooms::default());
        let followings = models.observe(|_| Followings::default());
        Self { models, listed, followings }
    }

    /// Locks the models to read them at one position. Keep it short: the projector waits.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View::of(&self.models, &self.followings)
    }

    /// The models of the answers.
    #[must_use]
    pub fn models(&self) -> &ReadModels {
        &self.models
    }

    /// The rooms that services follow.
    #[must_use]
    pub fn followings(&self) -> &Arc<Followings> {
        &self.followings
    }

    /// The epoch of the log.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.models.epoch()
    }

    /// Waits until the models are at `position` or later, so that a user reads their own writes.
    ///
    /// # Errors
    /// [`Stale`] if they do not get there within `timeout`.
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Result<(), Stale> {
        self.models.wait_for(position, timeout).await
    }
}
