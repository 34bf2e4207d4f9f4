//! Followers of the projector that have to keep step with it: indexes beside the models, and routing.

use std::sync::Arc;

use rookery_log::Position;

use crate::{Committed, Models, ReadModels};

/// Is called by the projector for each batch of commits, in the order of these methods.
///
/// **Invariant:** an observer holds no [`ReadModels`]: these own their observers.
/// **Invariant:** an observer does not block: commits wait for it.
pub trait Observer: Send + Sync {
    /// `committed` is about to be applied to `models`.
    fn before(&self, _models: &Models, _committed: &Committed) {}

    /// `committed` has been applied to `models`.
    fn after(&self, _models: &Models, _committed: &Committed) {}

    /// The commit that the observer keeps for a position, if any.
    fn held(&self, _position: Position) -> Option<Arc<Committed>> {
        None
    }

    /// Content of a commit was redacted: puts `clean` in the place of what [`Self::held`] gives for its position.
    fn replace(&self, _clean: &Arc<Committed>) {}

    /// All of `commits` have been applied, and the checkpoint is about to move over them.
    fn applied(&self, _models: &ReadModels, _commits: &[Arc<Committed>]) {}

    /// The checkpoint has moved over the last batch.
    fn moved(&self) {}

    /// The projector begins to write snapshots. Observers may report counters.
    fn saving(&self) {}

    /// Rows have changed otherwise than by commits: a rebuild took over, or a parked stream was tried again.
    fn reset(&self) {}
}

impl ReadModels {
    /// Lets `observer` see every commit after the position that `make` gets.
    pub fn observe<O: Observer + 'static>(&self, make: impl FnOnce(Position) -> O) -> Arc<O> {
        // The projector holds this lock from before it applies a batch until the checkpoint has moved.
        let mut observers = self.core.observers.write();
        let observer = Arc::new(make(self.checkpoint_now()));
        observers.push(Arc::clone(&observer) as Arc<dyn Observer>);
        observer
    }

    /// Tells the observers that rows have changed otherwise than by commits.
    pub(crate) fn reset_observers(&self) {
        self.core.observers.read().iter().for_each(|observer| observer.reset());
    }
}
