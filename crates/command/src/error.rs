//! Why a command had no effect, or none that is known.

use std::time::Duration;

use rookery_domain::{FactError, Rejection};
use rookery_log::{Position, ReadError, Unavailable};

use crate::users::rates::{ActionKind, seconds};

/// What became of a command that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// A rule refused it: tell the user, do not retry.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// There is no such room, or none that the user may know of.
    #[error("there is no such room, or you may not see it")]
    NoSuchRoom,
    /// The device has used this action ID for something else: take the next one.
    #[error("this device has used this action ID for something else; take the next one")]
    ActionIdReused,
    /// The device has counted on meanwhile: it was not carried out, and will not be under this ID.
    #[error(
        "action {last} of this device was carried out before this one came, so this one was not; \
         send it again under a new action ID if it is still wanted"
    )]
    ActionTooLate {
        /// The greatest number that was carried out.
        last: u64,
    },
    /// The device was logged out while the action waited for its turn: it was not carried out.
    #[error("the device was logged out while this action waited; log in again")]
    LoggedOut,
    /// A rule refused it when it came first: tell the user the same again.
    #[error("{message}")]
    RefusedBefore {
        /// The code of the rule.
        code: String,
        /// What the user was told.
        message: String,
    },
    /// Others keep writing to the same stream: safe to retry.
    #[error("lost the race {attempts} times; try again")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// The user has done much of this in a short time: nothing was done, so the same action can be sent again later.
    #[error("too many {kind} in a short time; try again in {} s", seconds(*.wait))]
    RateLimited {
        /// Of what it was too much.
        kind: ActionKind,
        /// After which time it can be done.
        wait: Duration,
    },
    /// The command makes more than one commit may hold: ask for less at once.
    #[error("the command makes more or larger events than one commit may hold")]
    TooLarge,
    /// The outcome is unknown: retry with the same action ID.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The log holds something that this version cannot read: an operator has to look.
    #[error("cannot read the log at position {position}: {reason}")]
    Unreadable {
        /// The commit.
        position: Position,
        /// What is wrong with it.
        reason: String,
    },
}

impl HandleError {
    /// The code of a refusal that a retry of the action gets again; none for what is worth a retry.
    pub(crate) fn kept_code(&self) -> Option<&str> {
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

    /// Whether it is certain that nothing was written.
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
