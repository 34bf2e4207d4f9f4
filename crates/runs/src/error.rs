//! Errors of reading and writing runs.

use std::{
    error::Error,
    fmt, io,
    path::{Path, PathBuf},
};

/// Why a run cannot be read or written.
#[derive(Debug)]
pub enum RunError {
    /// The operating system refused.
    Io {
        /// The file of the run.
        path: PathBuf,
        /// The answer of the operating system.
        error: io::Error,
    },
    /// The bytes in the file are not those that were written.
    Damaged {
        /// The file of the run.
        path: PathBuf,
        /// The number of the damaged block; `None` for the tables behind the blocks.
        block: Option<usize>,
    },
}

impl RunError {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| Self::Io { path: path.to_owned(), error }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "the index file {}: {error}", path.display()),
            Self::Damaged { path, block: Some(block) } => {
                write!(f, "block {block} of the index file {} is damaged", path.display())
            }
            Self::Damaged { path, block: None } => {
                write!(f, "the index file {} is not whole", path.display())
            }
        }
    }
}

impl Error for RunError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::Damaged { .. } => None,
        }
    }
}

impl From<RunError> for io::Error {
    fn from(error: RunError) -> Self {
        let kind = match &error {
            RunError::Io { error, .. } => error.kind(),
            RunError::Damaged { .. } => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}
