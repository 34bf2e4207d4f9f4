//! The commits that share one sync, and the answers that wait for it.

use std::{collections::HashMap, sync::Arc};

use rookery_log::{AppendError, Appended, CommandId, EraseError, Record, Unavailable};

use super::Reply;
use crate::{ImportError, engine::store::StoreError, wake::Answer};

/// The current group.
#[derive(Default)]
pub(crate) struct Group {
    records: Vec<Arc<Record>>,
    erased: Vec<Arc<Record>>,
    commands: HashMap<CommandId, Appended>,
    answers: Vec<Settling>,
}

enum Settling {
    Append(Reply, Result<Appended, AppendError>),
    Import(Answer<Result<Appended, ImportError>>, Result<Appended, ImportError>),
    Erase(Answer<Result<(), EraseError>>, Result<(), EraseError>),
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

    /// The result of `command` in this group.
    pub(crate) fn made_by(&self, command: CommandId) -> Option<Appended> {
        self.commands.get(&command).copied()
    }

    /// The records of the group. Readers must not see them before the sync.
    pub(crate) fn take_records(&mut self) -> Vec<Arc<Record>> {
        std::mem::take(&mut self.records)
    }

    /// Adds a record that is in the engine without its erased content.
    pub(crate) fn add_erased(&mut self, record: Record) {
        self.erased.push(Arc::new(record));
    }

    /// The records with erased content. The answers come after the sync.
    pub(crate) fn take_erased(&mut self) -> Vec<Arc<Record>> {
        std::mem::take(&mut self.erased)
    }

    /// Keeps the outcome of an erasure until the group is settled.
    pub(crate) fn erase(
        &mut self,
        answer: Answer<Result<(), EraseError>>,
        outcome: Result<Result<(), EraseError>, StoreError>,
    ) -> Result<(), StoreError> {
        let (outcome, failure) = unsettled(outcome);
        self.answers.push(Settling::Erase(answer, outcome));
        failure
    }

    /// Keeps the outcome of an append until the group is settled.
    pub(crate) fn append(
        &mut self,
        answer: Reply,
        outcome: Result<Result<Appended, AppendError>, StoreError>,
    ) -> Result<(), StoreError> {
        let (outcome, failure) = unsettled(outcome);
        self.answers.push(Settling::Append(answer, outcome));
        failure
    }

    /// Keeps the outcome of an import until the group is settled.
    pub(crate) fn import(
        &mut self,
        answer: Answer<Result<Appended, ImportError>>,
        outcome: Result<Result<Appended, ImportError>, StoreError>,
    ) -> Result<(), StoreError> {
        let (outcome, failure) = unsettled(outcome);
        self.answers.push(Settling::Import(answer, outcome));
        failure
    }

    /// Answers all jobs: with their outcome if the group is on stable storage, otherwise that the
    /// outcome is unknown.
    pub(crate) fn answer(self, settled: &Result<(), Unavailable>) {
        for answer in self.answers {
            let settled = settled.clone();
            // The caller may be gone: an append continues without it.
            match answer {
                Settling::Append(answer, outcome) => {
                    answer.send(settled.map_err(AppendError::from).and(outcome));
                }
                Settling::Import(answer, outcome) => {
                    answer.send(settled.map_err(ImportError::from).and(outcome));
                }
                Settling::Erase(answer, outcome) => {
                    answer.send(settled.map_err(EraseError::from).and(outcome));
                }
            }
        }
    }
}

/// A failed decision stops the log, so its outcome is never sent unchanged.
fn unsettled<T, E: From<Unavailable>>(
    outcome: Result<Result<T, E>, StoreError>,
) -> (Result<T, E>, Result<(), StoreError>) {
    match outcome {
        Ok(outcome) => (outcome, Ok(())),
        Err(error) => (Err(Unavailable { reason: error.text().into() }.into()), Err(error)),
    }
}
