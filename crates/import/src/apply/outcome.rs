//! The outcome of the steps of an import.

use std::sync::Arc;

use rookery_accounts::{NewUserError, Unavailable};
use rookery_command::HandleError;
use rookery_log::ReadError;
use serde::{Deserialize, Serialize};

/// The outcome of executed steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Commits added to the log, without those of the server's own tasks.
    pub commits: u64,
    /// Lines that a rule refused.
    pub refused: Vec<Refusal>,
    /// Users whose name another person has, and the name that each got instead.
    pub apart: Vec<(String, String)>,
}

impl Applied {
    pub(super) fn refuse(&mut self, file: Arc<str>, line: u64, reason: String) {
        self.refused.push(Refusal { file, line, reason });
    }
}

/// A line whose effect a rule refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The file.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u64,
    /// The rule.
    pub reason: String,
}

/// The import cannot continue: an operator has to act.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failed(String);

impl Failed {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        Self(error.to_string())
    }
}

impl From<NewUserError> for Failed {
    fn from(error: NewUserError) -> Self {
        Self(error.to_string())
    }
}

impl From<Unavailable> for Failed {
    fn from(error: Unavailable) -> Self {
        Self(error.to_string())
    }
}

/// Why a step had no effect.
pub(super) enum StepError {
    /// A rule forbids the step: the import reports the line.
    Refused(String),
    /// The import cannot continue.
    Failed(Failed),
}

impl From<Failed> for StepError {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<HandleError> for StepError {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Rejected(_)
            | HandleError::NoSuchRoom
            | HandleError::ActionIdReused
            | HandleError::ActionTooLate { .. }
            | HandleError::RefusedBefore { .. }
            | HandleError::TooLarge => Self::Refused(error.to_string()),
            HandleError::Contended { .. }
            | HandleError::LoggedOut
            | HandleError::RateLimited { .. }
            | HandleError::Unavailable(_)
            | HandleError::Unreadable { .. } => Self::Failed(Failed(error.to_string())),
        }
    }
}
