//! Small changes that share a transaction.
//!
//! Consumers change with each batch and each acknowledgement. Changes that wait at the same time are
//! stored with one sync of the disk.
//!
//! **Invariant:** changes are made in the order in which they were given.
//! **Invariant:** a change is answered after the disk has it, and all changes of a group fail together.

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{Accounts, Unavailable, accounts::Inner, file::change::Change};

/// One of the changes of a group.
type Step = Box<dyn FnOnce(&mut Change<'_>) -> Result<Outcome, Unavailable> + Send>;

/// The result of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was made.
    Made,
    /// The row or its owner does not exist: nothing was changed.
    Absent,
    /// The owner has as many rows as allowed: nothing was changed.
    Full,
}

/// The caller of a change, who waits for its result.
type Caller = oneshot::Sender<Result<Outcome, Unavailable>>;

/// The changes that wait for the next transaction.
#[derive(Default)]
pub(crate) struct Waiting(Mutex<Vec<(Step, Caller)>>);

impl Accounts {
    /// Makes a change in a transaction that it may share with others. A step that answers anything
    /// but [`Outcome::Made`] must have changed nothing.
    pub(crate) async fn change_grouped(
        &self,
        step: impl FnOnce(&mut Change<'_>) -> Result<Outcome, Unavailable> + Send + 'static,
    ) -> Result<Outcome, Unavailable> {
        let gone = || Unavailable::new("the change was interrupted").outcome_unknown();
        let (sender, answer) = oneshot::channel();
        self.inner.waiting.0.lock().push((Box::new(step), sender));
        let turn = self.turn.clone().acquire_owned().await.map_err(|_| gone())?;
        let inner = self.inner.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            inner.change_waiting();
        });
        work.await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Inner {
    /// Makes all waiting changes. The caller may find none: then the caller before it made them.
    fn change_waiting(&self) {
        let (steps, senders): (Vec<_>, Vec<_>) =
            std::mem::take(&mut *self.waiting.0.lock()).into_iter().unzip();
        if steps.is_empty() {
            return;
        }
        let made = self.change(|change| {
            steps.into_iter().map(|step| step(change)).collect::<Result<Vec<_>, Unavailable>>()
        });
        match made {
            Ok(outcomes) => senders.into_iter().zip(outcomes).for_each(|(sender, outcome)| {
                sender.send(Ok(outcome)).ok();
            }),
            Err(fault) => senders.into_iter().for_each(|sender| {
                sender.send(Err(fault.clone())).ok();
            }),
        }
    }
}
