//! Why the program could not do what it was asked to: one line for the person at the terminal.

use std::{fmt, io, path::Path};

/// A sentence that says what is wrong and what to do.
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

    /// Nobody reads the standard output any more: no reason to say anything.
    #[must_use]
    pub fn reader_gone() -> Self {
        let message = "nobody reads the standard output any more".to_owned();
        Self { message, kind: Kind::ReaderGone }
    }

    /// Whether the reason is that a server runs on the data directory.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.kind == Kind::InUse
    }

    /// Whether the reason is that nobody reads the standard output any more.
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

/// Errors whose own words are what an operator has to read.
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
    crate::ndjson::ImportError,
    rookery_accounts::NewUserError,
    rookery_accounts::Unavailable,
    rookery_accounts::UserError,
    rookery_command::HandleError,
    rookery_import::Failed,
    rookery_import::irc::SourceError,
    rookery_log::ReadError,
    rookery_log_sled::ImportError,
    rookery_query::OpenError,
    rookery_query::RebuildError,
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
