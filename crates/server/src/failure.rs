//! Why a command of the program failed: one line for the person at the terminal.

use std::{fmt, io, path::Path};

/// A sentence that states the problem and the next step.
#[derive(Debug)]
pub struct Failure {
    message: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    InUse,
    ReaderGone,
    Other,
}

impl Failure {
    /// A failure with this message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), kind: Kind::Other }
    }

    /// A failure about a file.
    #[must_use]
    pub fn file(what: &str, path: &Path, error: impl fmt::Display) -> Self {
        Self::new(format!("{what} {}: {error}", path.display()))
    }

    /// The reader of the standard output has gone: the program says nothing.
    #[must_use]
    pub fn reader_gone() -> Self {
        let message = "the reader of the standard output has gone".to_owned();
        Self { message, kind: Kind::ReaderGone }
    }

    /// Whether the cause is a server that runs on the data directory.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.kind == Kind::InUse
    }

    /// Whether the cause is that the reader of the standard output has gone.
    #[must_use]
    pub fn is_reader_gone(&self) -> bool {
        self.kind == Kind::ReaderGone
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Errors whose own text is right for an operator.
macro_rules! failures {
    ($($error:ty),+ $(,)?) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::new(error.to_string())
            }
        }
    )+};
}

failures!(
    io::Error,
    crate::config::ConfigError,
    crate::config::FolderError,
    crate::config::IdentityError,
    crate::data_directory::contents::Changed,
    rookery_ndjson::ImportError,
    rookery_accounts::NewUserError,
    rookery_accounts::Unavailable,
    rookery_accounts::UserError,
    rookery_command::HandleError,
    rookery_import::Failed,
    rookery_import::irc::SourceError,
    rookery_log::ReadError,
    rookery_log_sled::ImportError,
    rookery_projection::OpenError,
    rookery_projection::RebuildError,
    rookery_services::DirectoryError,
);

impl From<rookery_log_sled::OpenError> for Failure {
    fn from(error: rookery_log_sled::OpenError) -> Self {
        let in_use = matches!(error, rookery_log_sled::OpenError::InUse { .. });
        Self { message: error.to_string(), kind: if in_use { Kind::InUse } else { Kind::Other } }
    }
}

impl From<rookery_accounts::OpenError> for Failure {
    fn from(error: rookery_accounts::OpenError) -> Self {
        let in_use = matches!(error, rookery_accounts::OpenError::InUse { .. });
        Self { message: error.to_string(), kind: if in_use { Kind::InUse } else { Kind::Other } }
    }
}
