//! A log that counts its reads, for tests of cost.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use crate::{
    Appending, Backlog, CommandId, Commit, Epoch, ErasableLog, EraseError, EventLog, Guard, Hash,
    Head, Position, ReadError, Record, Scope, StreamId, Unavailable,
};

/// A log with counters of its reads.
pub struct CountedLog {
    log: Arc<dyn ErasableLog>,
    reads: AtomicU64,
    records: AtomicU64,
}

/// The counters of a log's reads: both only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// Calls of [`EventLog::read`] and [`EventLog::get`].
    pub reads: u64,
    /// The records that these calls returned.
    pub records: u64,
}

impl CountedLog {
    /// Counts the reads of `log` that go through this.
    #[must_use]
    pub fn new(log: Arc<dyn ErasableLog>) -> Self {
        Self { log, reads: AtomicU64::new(0), records: AtomicU64::new(0) }
    }

    /// The counts so far.
    #[must_use]
    pub fn counts(&self) -> ReadCounts {
        let load = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        ReadCounts { reads: load(&self.reads), records: load(&self.records) }
    }

    fn counted(
        &self,
        read: Result<Vec<Arc<Record>>, ReadError>,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let records = read.as_ref().map_or(0, Vec::len);
        self.records.fetch_add(records as u64, Ordering::SeqCst);
        read
    }
}

impl ReadCounts {
    /// The counts since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self { reads: self.reads - before.reads, records: self.records - before.records }
    }
}

#[async_trait]
impl EventLog for CountedLog {
    fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    fn append(&self, commit: Commit, guard: Guard) -> Appending {
        self.log.append(commit, guard)
    }

    fn backlog(&self) -> Option<Backlog> {
        self.log.backlog()
    }

    async fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        self.counted(self.log.read(scope, after, limit).await)
    }

    async fn get(&self, positions: &[Position]) -> Result<Vec<Arc<Record>>, ReadError> {
        self.counted(self.log.get(positions).await)
    }

    async fn head(&self, stream: &StreamId) -> Result<Head, ReadError> {
        self.log.head(stream).await
    }

    async fn find(&self, command: CommandId) -> Result<Option<Position>, ReadError> {
        self.log.find(command).await
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.log.tail()
    }

    fn fault(&self) -> watch::Receiver<Option<Unavailable>> {
        self.log.fault()
    }

    async fn tail_hash(&self) -> Result<(Position, Hash), ReadError> {
        self.log.tail_hash().await
    }
}

#[async_trait]
impl ErasableLog for CountedLog {
    async fn erase(&self, position: Position, index: usize, left: Bytes) -> Result<(), EraseError> {
        self.log.erase(position, index, left).await
    }
}
