//! The port, and what every log promises. The contract is tested by [`crate::contract`].

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use crate::{CommandId, Commit, Epoch, EventKey, Hash, Position, Record, Revision, StreamId};

/// Most records that one read may ask for.
pub const PAGE_MAX: usize = 4_096;

/// Bytes of started appends from which on a caller has to wait before it starts another one, see
/// [`EventLog::backlog`].
pub const APPENDS_IN_FLIGHT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The condition of an append: the stream of the commit still ends with the event that the decision
/// behind the commit was built on.
///
/// It names that event, and does not count events: an append that was built on another append,
/// which failed, does not fit behind whatever came in the place of that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// The last event of the stream, as the decision read it; `None` for an empty stream.
    pub last: Option<EventKey>,
}

impl Guard {
    /// Holds while nobody has written to the stream.
    pub const EMPTY: Self = Self { last: None };

    /// Holds while the event with this ID is the last one of the stream.
    #[must_use]
    pub fn after(event_id: &str) -> Self {
        Self { last: Some(EventKey::of(event_id)) }
    }
}

/// Where a commit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place in the log.
    pub position: Position,
    /// The revision of its stream after it.
    pub revision: Revision,
    /// The command had been appended before: this is the first result, and nothing was written.
    pub repeated: bool,
}

/// Where a stream ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// How many events it holds.
    pub revision: Revision,
    /// Its last commit; [`Position::ORIGIN`] for an empty stream.
    pub position: Position,
    /// Its last event; `None` for an empty stream.
    pub last: Option<EventKey>,
}

impl Head {
    /// The guard of an append that was decided on the stream up to here.
    #[must_use]
    pub const fn guard(self) -> Guard {
        Guard { last: self.last }
    }
}

/// Which records to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// Those of one stream.
    Stream(StreamId),
}

/// The log takes no writes, or cannot be read. Says why, for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log is unavailable: {reason}")]
pub struct Unavailable {
    /// What happened, and what an operator can do about it.
    pub reason: Arc<str>,
}

/// Why a commit was not appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The stream has moved on: load, decide again, retry.
    #[error("the stream has moved on to revision {actual}")]
    Conflict {
        /// Where the stream ends now.
        actual: Revision,
    },
    /// The commit is empty or over the limits ([`Commit::fits`]): do not retry.
    #[error("the commit is empty or too large")]
    Unfit,
    /// The outcome is unknown: retry with the same command ID once the log is back.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why records could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A record is not what was written. Names the place and the damage.
    #[error("the log is damaged at position {position}: {damage}")]
    Damaged {
        /// The first record that cannot be trusted.
        position: Position,
        /// What is wrong with it.
        damage: Arc<str>,
    },
    /// The log cannot be read now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why content was not erased.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EraseError {
    /// There is no such event among the durable commits: do not retry.
    #[error("there is no event {index} at position {position}")]
    Absent {
        /// The position asked for.
        position: Position,
        /// The index asked for.
        index: usize,
    },
    /// What is to be left is longer than what is there: do not retry.
    #[error("what is left of an event cannot be longer than the event")]
    Longer,
    /// The record cannot be read: erasing would hide the damage.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// The outcome is unknown: erase again once the log is back.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// An append under way. It goes on if this is dropped.
pub type Appending = Pin<Box<dyn Future<Output = Result<Appended, AppendError>> + Send>>;

/// Ends when the log has room for another append.
pub type Backlog = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The source of truth: one totally ordered sequence of commits that only grows.
///
/// 1. Positions are 1, 2, 3 ... without holes; every reader sees the same order.
/// 2. A commit is there whole or not at all, and stays.
/// 3. An append is on stable storage when it answers; nobody reads a commit before that.
/// 4. A stale guard gives [`AppendError::Conflict`] and writes nothing.
/// 5. The same command ID gives the first result again and writes nothing, whatever the guard
///    says, for as long as the log lives.
/// 6. Appends that one caller starts one after the other are applied in that order, also when it
///    does not wait for their answers.
/// 7. A reader that catches up and then follows [`Self::tail`] sees each commit exactly once.
/// 8. The content of an event can be erased, and nothing else of it: see [`Self::erase`].
/// 9. An append that builds on another append that failed fails too, and writes nothing: its guard
///    names an event that never came.
/// 10. The log says when [`APPENDS_IN_FLIGHT_BYTES_MAX`] bytes of appends have no answer yet
///     (back-pressure): see [`Self::backlog`].
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// The history that this log is in.
    fn epoch(&self) -> Epoch;

    /// Appends `commit` if `guard` holds; the answer comes once it is on stable storage.
    ///
    /// The commit has its place in the order of appends when this returns, before the answer.
    fn append(&self, commit: Commit, guard: Guard) -> Appending;

    /// `None` while the log takes appends; else what a caller waits for before it starts another
    /// one: fewer than [`APPENDS_IN_FLIGHT_BYTES_MAX`] bytes of appends are without an answer then.
    ///
    /// The bound is exceeded by no more than what callers start at once when a wait ends.
    fn backlog(&self) -> Option<Backlog> {
        None
    }

    /// Puts `left` in the place of the content of the event at `index` of the commit at `position`,
    /// for good. ID, envelope and hashes stay as they are, and so does the chain. Once it answers,
    /// no read gives the content any more, also after a restart. Erasing again changes nothing. A
    /// crash on the way leaves the record whole, with the content or without it.
    ///
    /// The engine may keep the bytes of the content in its files until it is compacted.
    ///
    /// # Errors
    /// [`EraseError`], which says whether to try again.
    async fn erase(&self, position: Position, index: usize, left: Bytes) -> Result<(), EraseError>;

    /// Reads up to `limit` durable records (at most [`PAGE_MAX`]) of `scope` after `after`, in
    /// order. Fewer than `limit` means that the end was reached.
    async fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError>;

    /// Reads the records at these positions, in the order asked for, leaving out those beyond the tail.
    async fn get(&self, positions: &[Position]) -> Result<Vec<Arc<Record>>, ReadError>;

    /// Where `stream` ends, as far as it is durable.
    async fn head(&self, stream: &StreamId) -> Result<Head, ReadError>;

    /// The place of the commit that `command` made, if there is one.
    async fn find(&self, command: CommandId) -> Result<Option<Position>, ReadError>;

    /// Watches the last durable position: a doorbell, not a channel.
    fn tail(&self) -> watch::Receiver<Position>;

    /// Watches whether the log takes writes: `None` while it does, else why not.
    fn fault(&self) -> watch::Receiver<Option<Unavailable>>;

    /// The hash of the last durable record.
    async fn tail_hash(&self) -> Result<(Position, Hash), ReadError>;
}
