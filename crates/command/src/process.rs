//! Work that follows from commits.
//!
//! A process reads the log from a checkpoint of its own and does the work that follows from each
//! commit of its kind. The command usually does this work itself before it answers, and reports it
//! ([`Progress::done`]). The process does the remaining work: after a crash, after a failure, after
//! another gateway's commit.
//!
//! **Invariant:** the checkpoint moves only after the effect is durable, so a crash repeats work
//! and never skips it.
//! **Invariant:** every effect is idempotent: commands have IDs that derive from process, position
//! and room.
//! **Invariant:** a damaged record is named, counted and skipped. It blocks no other work.
//! **Invariant:** opening and saving move no checkpoint past a commit with undone work.

mod aliases;
mod calls;
mod checkpoint;
pub(crate) mod erase;
mod erasures;
mod profiles;
mod progress;

use std::future::Future;

use rookery_log::{LoggedEvent, Record, StreamKind};

pub(crate) use self::{
    aliases::AliasProcess, calls::CallProcess, checkpoint::Checkpoint, erasures::EraseProcess,
    profiles::ProfileProcess, progress::Progress,
};
use crate::HandleError;

/// The reason why the work of a commit was not done.
#[derive(Debug)]
pub(crate) enum Undone {
    /// It can be done later. The work of later commits waits for it.
    Later(String),
    /// A retry would change nothing. It is named, counted and skipped.
    Skipped(String),
}

/// Work of one kind.
pub(crate) trait Process: Sync {
    /// The name of the process, for its checkpoint and for operators.
    const NAME: &'static str;

    /// Whether a commit may have work for this process. It is called for every commit, so it is
    /// cheap.
    fn concerns(record: &Record) -> bool;

    /// Does the work of a commit. Returns `false` if there was none.
    fn handle(&self, record: &Record) -> impl Future<Output = Result<bool, Undone>> + Send;
}

/// The status of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Its name.
    pub name: &'static str,
    /// The work of all commits up to here is done.
    pub position: rookery_log::Position,
    /// How many commits were skipped since the start, because of damage.
    pub skipped: u64,
    /// The reason why it does not continue now.
    pub trouble: Option<String>,
}

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
