//! Errors of a command that had no effect, or an unknown one.

use std::time::Duration;

use rookery_actions::ActionKind;
use rookery_domain::{FactError, Rejection};
use rookery_log::{Position, ReadError, Unavailable};

use crate::users::rates::seconds;

/// A command did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// A rule refused it. Show the refusal to the user, and do not retry.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The room does not exist, or the user may not know of it.
    #[error("there is no such room, or you may not see it")]
    NoSuchRoom,
    /// The device has used this action ID for another action. Take the next ID.
    #[error("this device has used this action ID for another action; take the next one")]
    ActionIdReused,
    /// The device has used a greater action ID. This action was not carried out, and never will be
    /// under this ID.
    #[error(
        "action {last} of this device was carried out before this one arrived, so this one was not; to carry it out, send it again under a new action ID"
    )]
    ActionTooLate {
        /// The greatest number that was carried out.
        last: u64,
    },
    /// The device was logged out while the action waited for its turn. It was not carried out.
    #[error("the device was logged out while this action waited; log in again")]
    LoggedOut,
    /// A rule refused it the first time. Give the user the same answer.
    #[error("{message}")]
    RefusedBefore {
        /// The code of the rule.
        code: String,
        /// The message of the first answer.
        message: String,
    },
    /// Other writers kept changing the same stream. A retry is safe.
    #[error("lost the race {attempts} times; try again")]
    Contended {
        /// The number of attempts.
        attempts: u32,
    },
    /// The user has exceeded a rate limit. Nothing was done, so the same action can be sent again
    /// later.
    #[error("too many {kind} in a short time; try again in {} s", seconds(*.wait))]
    RateLimited {
        /// The kind of action.
        kind: ActionKind,
        /// The time to wait.
        wait: Duration,
    },
    /// The command makes more than one commit may hold. Split it.
    #[error("the command makes more or larger events than one commit may hold")]
    TooLarge,
    /// The outcome is unknown: retry with the same action ID.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The log holds data that this version cannot read. An operator has to act.
    #[error("cannot read the log at position {position}: {reason}")]
    Unreadable {
        /// The commit.
        position: Position,
        /// The reason.
        reason: String,
    },
}

impl HandleError {
    /// The code of a refusal that a retry of the action gets again; `None` for errors that are
    /// worth a retry.
    #[must_use]
    pub fn kept_code(&self) -> Option<&str> {
        match self {
            Self::Rejected(rejection) => Some(rejection.code()),
            Self::NoSuchRoom => Some("NO_SUCH_ROOM"),
            Self::TooLarge => Some("TOO_MANY"),
            Self::RefusedBefore { code, .. } => Some(code),
            Self::ActionIdReused
            | Self::ActionTooLate { .. }
            | Self::LoggedOut
            | Self::Contended { .. }
            | Self::RateLimited { .. }
            | Self::Unavailable(_)
            | Self::Unreadable { .. } => None,
        }
    }

    /// Whether certainly nothing was written.
    pub(crate) fn is_final(&self) -> bool {
        self.kept_code().is_some() || matches!(self, Self::Contended { .. })
    }

    pub(crate) fn unreadable(position: Position, error: &FactError) -> Self {
        Self::Unreadable { position, reason: error.to_string() }
    }
}

impl From<ReadError> for HandleError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged { position, damage } => {
                Self::Unreadable { position, reason: damage.to_string() }
            }
            ReadError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}
