//! Observers that keep step with the projector: indexes beside the models, and routing.

use std::sync::Arc;

use rookery_log::Position;

use crate::{Committed, Models, ReadModels};

/// The projector calls it for each batch of commits, in the order of these methods.
///
/// **Invariant:** an observer holds no [`ReadModels`]: these own their observers.
/// **Invariant:** an observer does not block: commits wait for it.
pub trait Observer: Send + Sync {
    /// Called before `committed` is applied to `models`.
    fn before(&self, _models: &Models, _committed: &Committed) {}

    /// Called after `committed` was applied to `models`.
    fn after(&self, _models: &Models, _committed: &Committed) {}

    /// Called after all of `commits` were applied, and before the checkpoint moves past them.
    fn applied(&self, _models: &ReadModels, _commits: &[Arc<Committed>]) {}

    /// Called after the checkpoint moved past the last batch.
    fn moved(&self) {}

    /// Called when the projector begins to write snapshots. Observers may report counters.
    fn saving(&self) {}

    /// Called when rows changed without commits: a rebuild took over, or a parked stream was
    /// retried.
    fn reset(&self) {}
}

impl ReadModels {
    /// Registers an observer for every commit after the position that `make` receives.
    pub fn observe<O: Observer + 'static>(&self, make: impl FnOnce(Position) -> O) -> Arc<O> {
        // The projector holds this lock from before it applies a batch until the checkpoint has
        // moved.
        let mut observers = self.core.observers.write();
        let observer = Arc::new(make(self.checkpoint_now()));
        observers.push(Arc::clone(&observer) as Arc<dyn Observer>);
        observer
    }

    /// Calls the observers because rows changed without commits.
    pub(crate) fn reset_observers(&self) {
        self.core.observers.read().iter().for_each(|observer| observer.reset());
    }
}
