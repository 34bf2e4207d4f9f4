//! Work that follows from commits.
//!
//! A process reads the log from a checkpoint of its own and does what follows from each commit that concerns
//! it. Most of this is done by the command itself before it answers, which then says so ([`Progress::done`]);
//! the process does what is left: after a crash, after a failure, after another gateway's commit.
//!
//! **Invariant:** the checkpoint moves only after the effect is durable, so a crash repeats work and never skips it.
//! **Invariant:** every effect is idempotent: commands have names that derive from process, position and room.
//! **Invariant:** a damaged record is named, counted and skipped. It keeps nothing else from being done.
//! **Invariant:** opening and saving move no checkpoint past a commit with work that was not done.

mod aliases;
mod checkpoint;
pub(crate) mod erase;
mod erasures;
mod profiles;
mod progress;

use std::future::Future;

use rookery_log::{LoggedEvent, Record, StreamKind};

pub(crate) use self::{
    aliases::AliasProcess, checkpoint::Checkpoint, erasures::EraseProcess,
    profiles::ProfileProcess, progress::Progress,
};
use crate::HandleError;

/// Why a process has not done what follows from a commit.
#[derive(Debug)]
pub(crate) enum Undone {
    /// It can be done later: nothing after this commit is done before.
    Later(String),
    /// Trying again would change nothing: it is named, counted and left.
    Skipped(String),
}

/// Work of one kind.
pub(crate) trait Process: Sync {
    /// Names the checkpoint, and the process in what operators read.
    const NAME: &'static str;

    /// Whether something may follow from a commit. It is asked of every commit, so it is cheap.
    fn concerns(record: &Record) -> bool;

    /// Does what follows from a commit. `false` if that was nothing.
    fn handle(&self, record: &Record) -> impl Future<Output = Result<bool, Undone>> + Send;
}

/// How a process is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Which one.
    pub name: &'static str,
    /// All commits up to here are done.
    pub position: rookery_log::Position,
    /// How many commits were skipped since the start, because of damage.
    pub skipped: u64,
    /// Why it does not go on at the moment.
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

/// The events of a room's commit that may be state; `None` for messages, which most commits are.
fn state_events(record: &Record) -> Option<&[LoggedEvent]> {
    const MESSAGE: &[u8] = b"\"type\":\"m.room.message\"}";
    let (StreamKind::Room, _) = record.commit.stream.split()? else { return None };
    let messages = record.commit.events.iter().all(|event| event.content.ends_with(MESSAGE));
    (!messages).then_some(&record.commit.events)
}

/// Whether any of `events` has the bytes `text`, as canonical JSON writes them.
fn mention(events: &[LoggedEvent], text: &str) -> bool {
    events.iter().any(|event| memchr::memmem::find(&event.content, text.as_bytes()).is_some())
}
