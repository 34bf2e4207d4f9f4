//! The handle on all answers for viewers.

use std::{sync::Arc, time::Duration};

use rookery_log::{Epoch, Position};
use rookery_projection::{ReadModels, Stale};

use crate::{View, directory::ListedRooms};

/// Answers questions from the read models. Cheap to clone; all clones answer from the same models.
#[derive(Clone)]
pub struct Reader {
    pub(crate) models: ReadModels,
    pub(crate) listed: Arc<ListedRooms>,
}

impl Reader {
    /// A reader of these models. One of them serves a whole server: it keeps the index of the public directory.
    #[must_use]
    pub fn new(models: ReadModels) -> Self {
        let listed = models.observe(|_| ListedRooms::default());
        Self { models, listed }
    }

    /// Holds the models still to read them at one position. Briefly: the projector waits.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View::of(&self.models)
    }

    /// The models that the answers come from.
    #[must_use]
    pub fn models(&self) -> &ReadModels {
        &self.models
    }

    /// The epoch of the log.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.models.epoch()
    }

    /// Waits until the models are at `position` or further, so that a user reads what they wrote.
    ///
    /// # Errors
    /// [`Stale`] if they do not get there within `timeout`.
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Result<(), Stale> {
        self.models.wait_for(position, timeout).await
    }
}
