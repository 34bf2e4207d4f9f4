//! The port, with the promises of every log. [`crate::contract`] tests them.

use std::{future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use crate::{CommandId, Commit, Epoch, EventKey, Hash, Position, Record, Revision, StreamId};

/// When this many bytes of appends are in flight, a caller has to wait before it starts another
/// one. See [`EventLog::backlog`].
pub const APPENDS_IN_FLIGHT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The condition of an append: the stream still ends with the event on which the decision was
/// built.
///
/// The guard names that event and does not count events. So an append that was built on a failed
/// append never fits, whatever was appended instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// The last event of the stream, as the decision read it; `None` for an empty stream.
    pub last: Option<EventKey>,
}

impl Guard {
    /// Holds while the stream is empty.
    pub const EMPTY: Self = Self { last: None };

    /// Holds while the event with this ID is the last one of the stream.
    #[must_use]
    pub fn after(event_id: &str) -> Self {
        Self { last: Some(EventKey::of(event_id)) }
    }
}

/// The result of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of the commit.
    pub position: Position,
    /// The revision of its stream after the commit.
    pub revision: Revision,
    /// The command was appended before. This is its first result, and nothing was written.
    pub repeated: bool,
}

/// The end of a stream.
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
    /// The guard of an append that was decided on this end of the stream.
    #[must_use]
    pub const fn guard(self) -> Guard {
        Guard { last: self.last }
    }
}

/// The records to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All records.
    All,
    /// The records of one stream.
    Stream(StreamId),
}

/// The log accepts no writes, or cannot be read. The reason is for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the log is unavailable: {reason}")]
pub struct Unavailable {
    /// The cause, and how an operator can mend it.
    pub reason: Arc<str>,
}

/// An append failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The stream has changed: load, decide again, retry.
    #[error("the stream has changed; its revision is now {actual}")]
    Conflict {
        /// The stream's revision now.
        actual: Revision,
    },
    /// The commit is empty or over the limits ([`Commit::fits`]): do not retry.
    #[error("the commit is empty or too large")]
    Unfit,
    /// The outcome is unknown: retry with the same command ID once the log is back.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Records could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// A record is damaged. Names its position and the damage.
    #[error("the log is damaged at position {position}: {damage}")]
    Damaged {
        /// The first damaged record.
        position: Position,
        /// The damage.
        damage: Arc<str>,
    },
    /// The log cannot be read now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Content was not erased.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EraseError {
    /// There is no such event among the durable commits: do not retry.
    #[error("there is no event {index} at position {position}")]
    Absent {
        /// The position of the request.
        position: Position,
        /// The index of the request.
        index: usize,
    },
    /// The remaining content is longer than the present content: do not retry.
    #[error("the content that is left of an event cannot be longer than the event's content")]
    Longer,
    /// The record cannot be read. Erasing would hide the damage.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// The outcome is unknown: erase again once the log is back.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// An append in flight. It continues if this is dropped.
pub type Appending = Pin<Box<dyn Future<Output = Result<Appended, AppendError>> + Send>>;

/// Ends when the log accepts another append.
pub type Backlog = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The source of truth: one totally ordered sequence of commits that only grows.
///
/// 1. Positions are 1, 2, 3 ... without gaps; every reader sees the same order.
/// 2. A commit is stored whole or not at all, and it stays.
/// 3. An append is on stable storage when it answers. No reader sees the commit earlier.
/// 4. A stale guard gives [`AppendError::Conflict`] and writes nothing.
/// 5. A repeated command ID gives the first result again and writes nothing, whatever the guard is,
///    for the life of the log.
/// 6. Appends that one caller starts one after the other are applied in that order, even if it does
///    not wait for their answers.
/// 7. A reader that catches up and then follows [`Self::tail`] sees each commit exactly once.
/// 8. The content of an event can be erased, and nothing else of it: see [`ErasableLog`].
/// 9. An append that builds on a failed append fails too, and writes nothing: its guard names an
///    event that was never appended.
/// 10. A read is bounded in records and in bytes.
/// 11. The log reports when [`APPENDS_IN_FLIGHT_BYTES_MAX`] bytes of appends are in flight
///     (back-pressure): see [`Self::backlog`].
#[async_trait]
pub trait EventLog: Send + Sync + 'static {
    /// The epoch of this log.
    fn epoch(&self) -> Epoch;

    /// Appends `commit` if `guard` holds. The future ends when the commit is on stable storage.
    ///
    /// The commit has its place in the order of appends when this returns, before the future ends.
    fn append(&self, commit: Commit, guard: Guard) -> Appending;

    /// `None` while the log accepts appends. Otherwise a future that ends when fewer than
    /// [`APPENDS_IN_FLIGHT_BYTES_MAX`] bytes of appends are in flight; a caller waits for it before
    /// its next append.
    ///
    /// Callers that wait at the same time may exceed the bound by the appends that they start
    /// together.
    fn backlog(&self) -> Option<Backlog> {
        None
    }

    /// Reads up to `limit` durable records (at most [`PAGE_MAX`](crate::PAGE_MAX)) of `scope` after `after`, in order.
    /// The read ends earlier once it has [`PAGE_BYTES_MAX`](crate::PAGE_BYTES_MAX) bytes;
    /// [`is_last_page`](crate::is_last_page) says whether more may follow.
    async fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError>;

    /// Reads the records at these positions, in the order of the request, without those beyond the
    /// tail.
    async fn get(&self, positions: &[Position]) -> Result<Vec<Arc<Record>>, ReadError>;

    /// The durable end of `stream`.
    async fn head(&self, stream: &StreamId) -> Result<Head, ReadError>;

    /// The position of the commit that `command` made, if there is one.
    async fn find(&self, command: CommandId) -> Result<Option<Position>, ReadError>;

    /// Watches the last durable position. It only signals that there is more; it carries no
    /// commits.
    fn tail(&self) -> watch::Receiver<Position>;

    /// Watches whether the log accepts writes: `None` while it does, otherwise the reason.
    fn fault(&self) -> watch::Receiver<Option<Unavailable>>;

    /// The hash of the last durable record.
    async fn tail_hash(&self) -> Result<(Position, Hash), ReadError>;
}

/// A log whose content can be erased. Only the owner of the log erases; readers get an [`EventLog`].
#[async_trait]
pub trait ErasableLog: EventLog {
    /// Replaces the content of the event at `index` of the commit at `position` by `left`,
    /// permanently. ID, envelope and hashes stay, and so does the chain.
    ///
    /// After the answer no read returns the content, also after a restart. Erasing again changes
    /// nothing. A crash in between leaves the record whole, with the content or without it.
    ///
    /// The engine may keep the bytes of the content in its files until they are compacted.
    ///
    /// # Errors
    /// [`EraseError`], which says whether to try again.
    async fn erase(&self, position: Position, index: usize, left: Bytes) -> Result<(), EraseError>;
}
