//! The work that follows from commits of the write side.

mod aliases;
mod calls;
pub(crate) mod erase;
mod erasures;
mod profiles;

use rookery_log::{LoggedEvent, Record, StreamKind};

pub use rookery_processes::ProcessStatus;
pub(crate) use rookery_processes::{Checkpoint, Process, Progress, Undone};

pub(crate) use self::{
    aliases::AliasProcess, calls::CallProcess, erasures::EraseProcess, profiles::ProfileProcess,
};
use crate::HandleError;

impl From<HandleError> for Undone {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Unavailable(_)
            | HandleError::Contended { .. }
            | HandleError::RateLimited { .. } => Self::Later(error.to_string()),
            HandleError::Rejected(_)
            | HandleError::NoSuchRoom
            | HandleError::ActionIdReused
            | HandleError::ActionTooLate { .. }
            | HandleError::LoggedOut
            | HandleError::RefusedBefore { .. }
            | HandleError::TooLarge
            | HandleError::Unreadable { .. } => Self::Skipped(error.to_string()),
        }
    }
}

impl From<Undone> for HandleError {
    fn from(undone: Undone) -> Self {
        let (Undone::Later(reason) | Undone::Skipped(reason)) = undone;
        Self::Unavailable(rookery_log::Unavailable { reason: reason.into() })
    }
}

/// The events of a room's commit that may be state; `None` for commits of messages, which are most.
fn state_events(record: &Record) -> Option<&[LoggedEvent]> {
    const MESSAGE: &[u8] = b"\"type\":\"m.room.message\"}";
    let (StreamKind::Room, _) = record.commit.stream.split()? else { return None };
    let messages = record.commit.events.iter().all(|event| event.content.ends_with(MESSAGE));
    (!messages).then_some(&record.commit.events)
}

/// Whether any of `events` contains the bytes `text`, as canonical JSON writes them.
fn mention(events: &[LoggedEvent], text: &str) -> bool {
    events.iter().any(|event| memchr::memmem::find(&event.content, text.as_bytes()).is_some())
}
