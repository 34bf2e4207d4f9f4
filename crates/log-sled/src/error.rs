//! Why a log cannot be opened, and why a ready-made record cannot be appended.

use std::{
    io,
    path::{Path, PathBuf},
};

use rookery_log::{Epoch, Position, Unavailable};

/// Why a log was not opened. Its files are as they were.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it open.
    #[error("the log in {dir} is in use: stop the server that has it open, or use another folder")]
    InUse {
        /// The data folder.
        dir: PathBuf,
    },
    /// It was written by newer software.
    #[error(
        "the log in {dir} has format {found}, and this software reads up to {known}: \
         use the version that wrote it, or a newer one"
    )]
    TooNew {
        /// The data folder.
        dir: PathBuf,
        /// The format version of the log.
        found: u32,
        /// The newest format version that this software knows.
        known: u32,
    },
    /// It is the log of another history than the one asked for.
    #[error("the log in {dir} is of the history {found}, not of {wanted}: use another folder")]
    OtherEpoch {
        /// The data folder.
        dir: PathBuf,
        /// The history of the log.
        found: Epoch,
        /// The history that was asked for.
        wanted: Epoch,
    },
    /// It ends before the place that it is known to have reached: acknowledged commits are gone.
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
        /// The last position that is known to have been there.
        to: Position,
    },
    /// What is stored is not what was written.
    #[error(
        "the log in {dir} is damaged: {damage}. Its files are as they were. Restore a backup, or save \
         what is whole with `rookery log salvage`"
    )]
    Damaged {
        /// The data folder.
        dir: PathBuf,
        /// What is wrong, and where.
        damage: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The answer.
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

/// Why a ready-made record was not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It does not follow the last record, or is not what its hash says: do not retry.
    #[error("the record at position {position} does not fit here: {why}")]
    Discontinuous {
        /// The position that the record claims.
        position: Position,
        /// What does not fit.
        why: &'static str,
    },
    /// The log takes no writes.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
