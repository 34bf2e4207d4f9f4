//! The commits that share one sync, and who waits for it.

use std::{collections::HashMap, sync::Arc};

use rookery_log::{AppendError, Appended, CommandId, EraseError, Record, Unavailable};
use tokio::sync::oneshot;

use super::Reply;
use crate::{ImportError, engine::store::StoreError};

/// A group under way.
#[derive(Default)]
pub(crate) struct Group {
    records: Vec<Arc<Record>>,
    erased: Vec<Arc<Record>>,
    commands: HashMap<CommandId, Appended>,
    answers: Vec<Answer>,
}

enum Answer {
    Append(Reply, Result<Appended, AppendError>),
    Import(oneshot::Sender<Result<Appended, ImportError>>, Result<Appended, ImportError>),
    Erase(oneshot::Sender<Result<(), EraseError>>, Result<(), EraseError>),
}

impl Group {
    /// Adds a record that is in the engine.
    pub(crate) fn add(&mut self, record: Record) {
        let (position, revision) = (record.position, record.revision);
        if let Some(command) = record.commit.command {
            self.commands.insert(command, Appended { position, revision, repeated: false });
        }
        self.records.push(Arc::new(record));
    }

    /// What `command` made in this group.
    pub(crate) fn made_by(&self, command: CommandId) -> Option<Appended> {
        self.commands.get(&command).copied()
    }

    /// The records of the group. They must not be seen before the sync.
    pub(crate) fn take_records(&mut self) -> Vec<Arc<Record>> {
        std::mem::take(&mut self.records)
    }

    /// Adds a record that is in the engine without something that it had.
    pub(crate) fn add_erased(&mut self, record: Record) {
        self.erased.push(Arc::new(record));
    }

    /// The records of which something was erased. Whoever waits is told after the sync.
    pub(crate) fn take_erased(&mut self) -> Vec<Arc<Record>> {
        std::mem::take(&mut self.erased)
    }

    /// Keeps the outcome of an erasure until the group is settled.
    pub(crate) fn erase(
        &mut self,
        answer: oneshot::Sender<Result<(), EraseError>>,
        outcome: Result<Result<(), EraseError>, StoreError>,
    ) -> Result<(), StoreError> {
        let (outcome, failure) = unsettled(outcome);
        self.answers.push(Answer::Erase(answer, outcome));
        failure
    }

    /// Keeps the outcome of an append until the group is settled.
    pub(crate) fn append(
        &mut self,
        answer: Reply,
        outcome: Result<Result<Appended, AppendError>, StoreError>,
    ) -> Result<(), StoreError> {
        let (outcome, failure) = unsettled(outcome);
        self.answers.push(Answer::Append(answer, outcome));
        failure
    }

    /// Keeps the outcome of an import until the group is settled.
    pub(crate) fn import(
        &mut self,
        answer: oneshot::Sender<Result<Appended, ImportError>>,
        outcome: Result<Result<Appended, ImportError>, StoreError>,
    ) -> Result<(), StoreError> {
        let (outcome, failure) = unsettled(outcome);
        self.answers.push(Answer::Import(answer, outcome));
        failure
    }

    /// Answers all: with what was decided if the group is on stable storage, else that it is not known.
    pub(crate) fn answer(self, settled: &Result<(), Unavailable>) {
        for answer in self.answers {
            let settled = settled.clone();
            // Nobody may be waiting any more: an append goes on without its caller.
            match answer {
                Answer::Append(answer, outcome) => {
                    answer.send(settled.map_err(AppendError::from).and(outcome));
                }
                Answer::Import(answer, outcome) => {
                    drop(answer.send(settled.map_err(ImportError::from).and(outcome)));
                }
                Answer::Erase(answer, outcome) => {
                    drop(answer.send(settled.map_err(EraseError::from).and(outcome)));
                }
            }
        }
    }
}

/// A failed decision breaks the log down, so its outcome is never sent as it stands.
fn unsettled<T, E: From<Unavailable>>(
    outcome: Result<Result<T, E>, StoreError>,
) -> (Result<T, E>, Result<(), StoreError>) {
    match outcome {
        Ok(outcome) => (outcome, Ok(())),
        Err(error) => (Err(Unavailable { reason: error.text().into() }.into()), Err(error)),
    }
}
