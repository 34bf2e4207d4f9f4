//! The jobs of the writer thread.

use bytes::Bytes;
use rookery_log::{Appended, Commit, EraseError, Guard, Position, Record, Unavailable};

use super::Reply;
use crate::{ImportError, format::Draft, wake::Answer};

/// A job of the writer.
pub(crate) enum Job {
    /// Append a commit.
    Append { commit: Commit, guard: Guard, draft: Draft, answer: Reply },
    /// Append a record that has its position already.
    Import { record: Box<Record>, draft: Draft, answer: Answer<Result<Appended, ImportError>> },
    /// Erase the content of an event.
    Erase { position: Position, index: usize, left: Bytes, answer: Answer<Result<(), EraseError>> },
    /// Finish the earlier jobs, and end.
    Close,
}

impl Job {
    pub(super) fn events(&self) -> usize {
        match self {
            Self::Append { commit, .. } => commit.events.len(),
            Self::Import { record, .. } => record.commit.events.len(),
            Self::Erase { .. } => 1,
            Self::Close => 0,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Append { draft, .. } | Self::Import { draft, .. } => draft.len(),
            Self::Erase { .. } | Self::Close => 0,
        }
    }

    pub(super) fn refuse(self, unavailable: Unavailable) {
        match self {
            Self::Append { answer, .. } => answer.send(Err(unavailable.into())),
            Self::Import { answer, .. } => answer.send(Err(unavailable.into())),
            Self::Erase { answer, .. } => answer.send(Err(unavailable.into())),
            Self::Close => {}
        }
    }
}
