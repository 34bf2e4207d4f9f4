//! Why a client does not get what it asks for.

use std::io;

/// Why a client does not get what it asks for.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Look at firewalls on the way, and whether the relay runs.
    #[error("no answer came")]
    Silent,
    /// The relay says why.
    #[error("refused with {code}: {reason}")]
    Refused {
        /// The error code.
        code: u16,
        /// Its reason.
        reason: String,
    },
    /// The other side is no relay, or does not have the secret of the credentials.
    #[error("the answer {0}")]
    Malformed(&'static str),
    /// Look at the connection.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Trouble {
    /// The error code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }
}
