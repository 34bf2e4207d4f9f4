//! Why a command had no effect, or none that is known.

use rookery_domain::{FactError, Rejection};
use rookery_log::{Position, ReadError, Unavailable};

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
    /// Others keep writing to the same stream: safe to retry.
    #[error("lost the race {attempts} times; try again")]
    Contended {
        /// How often it was tried.
        attempts: u32,
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
