//! Errors of opening a log and of importing a record.

use std::{
    io,
    path::{Path, PathBuf},
};

use rookery_log::{Epoch, Position, Unavailable};

/// A log was not opened. Its files are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this process, has it open.
    #[error("the log in {dir} is in use: stop the server that has it open, or use another folder")]
    InUse {
        /// The data folder.
        dir: PathBuf,
    },
    /// A newer version of the program wrote it.
    #[error(
        "the log in {dir} has format {found}, and this software reads up to {known}: \
         use the version that wrote it, or a newer one"
    )]
    TooNew {
        /// The data folder.
        dir: PathBuf,
        /// The format version of the log.
        found: u32,
        /// The newest format version that this program knows.
        known: u32,
    },
    /// The log is of another epoch than the requested one.
    #[error("the log in {dir} is of the history {found}, not of {wanted}: use another folder")]
    OtherEpoch {
        /// The data folder.
        dir: PathBuf,
        /// The epoch of the log.
        found: Epoch,
        /// The requested epoch.
        wanted: Epoch,
    },
    /// The log ends before a position that it is known to have reached: acknowledged commits are
    /// missing.
    #[error(
        "the log in {dir} ends before its anchor: positions {from} to {to} are missing. Its files are \
         as they were. Restore a backup, or save what is whole with `rookery log salvage`; or, to go \
         on without these commits, delete the files `anchor` and `head` there"
    )]
    Missing {
        /// The data folder.
        dir: PathBuf,
        /// The first position that is missing.
        from: Position,
        /// The last position that the log is known to have reached.
        to: Position,
    },
    /// The stored data is damaged.
    #[error(
        "the log in {dir} is damaged: {damage}. Its files are as they were. Restore a backup, or save \
         what is whole with `rookery log salvage`"
    )]
    Damaged {
        /// The data folder.
        dir: PathBuf,
        /// The damage and its place.
        damage: String,
    },
    /// The operating system returned an error.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// The operation.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn damaged(dir: &Path, damage: impl Into<String>) -> Self {
        Self::Damaged { dir: dir.to_owned(), damage: damage.into() }
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// A record was not imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It does not follow the last record, or its hash does not match: do not retry.
    #[error("the record at position {position} does not fit here: {why}")]
    Discontinuous {
        /// The position that the record claims.
        position: Position,
        /// The mismatch.
        why: &'static str,
    },
    /// The log accepts no writes.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
