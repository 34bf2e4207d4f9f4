//! The turn of one action.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rookery_actions::{ActionKind, Line};

use super::Action;
use crate::{HandleError, stream::state::SharedAppend};

/// The right of an action to be the next one in the log. It ends when its commit is in flight, or
/// when this is dropped.
pub(crate) struct ActionTurn {
    line: Arc<Line>,
    pub(crate) action: Action,
    serial: u64,
    before: u64,
    placed: AtomicBool,
}

impl ActionTurn {
    pub(super) fn new(line: &Arc<Line>, action: Action, serial: u64, before: u64) -> Self {
        let placed = AtomicBool::new(false);
        Self { line: Arc::clone(line), action, serial, before, placed }
    }

    /// The commit of the action is in flight.
    pub(crate) fn place(&self, append: &SharedAppend) {
        self.placed.store(true, Ordering::Relaxed);
        self.line.placed(self.action.number, append.clone());
        self.line.pass(self.serial);
    }

    /// Whether the commit of the action is or was in flight.
    pub(crate) fn is_placed(&self) -> bool {
        self.placed.load(Ordering::Relaxed)
    }

    /// Starts again if another writer was faster.
    ///
    /// # Errors
    /// [`HandleError::Contended`] if the place cannot be restored: whether the action is too late
    /// depends on others in flight.
    pub(crate) fn begin(&self) -> Result<(), HandleError> {
        if !self.placed.swap(false, Ordering::Relaxed)
            || self.line.retake(self.serial, self.action.number, self.before)
        {
            return Ok(());
        }
        Err(HandleError::Contended { attempts: 1 })
    }

    /// Another gateway has carried out an action with this number. The line here did not know of
    /// it; a retry asks the log.
    pub(super) fn overtaken(&self) -> HandleError {
        self.lose();
        HandleError::Contended { attempts: 1 }
    }

    /// The action is not carried out now, and is expected again after `wait`. Later actions do not
    /// go before it.
    pub(super) fn put_off(&self, kind: ActionKind, wait: Duration) {
        self.line.put_off(self.action.number, kind, wait);
    }

    /// The outcome of the action is unknown.
    pub(super) fn lose(&self) {
        self.line.forget();
    }
}

impl Drop for ActionTurn {
    fn drop(&mut self) {
        if self.is_placed() {
            self.line.orphan(self.action.number);
        }
        self.line.pass(self.serial);
    }
}
