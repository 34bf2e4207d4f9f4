//! A log in memory, for tests and as the reference implementation of the contract.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    AppendError, Appended, Appending, CommandId, Commit, Epoch, ErasableLog, EraseError, EventLog,
    Guard, Hash, Head, Position, ReadError, Record, Revision, Scope, StreamId, Unavailable,
    page::{PAGE_MAX, fill_page},
};

/// Keeps all commits in memory. Its "stable storage" lasts as long as the process.
pub struct MemoryLog {
    epoch: Epoch,
    state: Mutex<State>,
    tail: watch::Sender<Position>,
    fault: watch::Sender<Option<Unavailable>>,
}

#[derive(Default)]
struct State {
    records: Vec<Arc<Record>>,
    streams: HashMap<StreamId, Vec<Position>>,
    commands: HashMap<CommandId, Position>,
}

impl State {
    fn record(&self, position: Position) -> Option<&Arc<Record>> {
        let index = usize::try_from(position.0.checked_sub(1)?).ok()?;
        self.records.get(index)
    }

    fn record_mut(&mut self, position: Position) -> Option<&mut Arc<Record>> {
        let index = usize::try_from(position.0.checked_sub(1)?).ok()?;
        self.records.get_mut(index)
    }

    fn head(&self, stream: &StreamId) -> Head {
        self.streams
            .get(stream)
            .and_then(|positions| self.record(*positions.last()?))
            .map(|last| last.head())
            .unwrap_or_default()
    }

    fn append(
        &mut self,
        epoch: Epoch,
        commit: Commit,
        guard: Guard,
    ) -> Result<Appended, AppendError> {
        if let Some(first) = commit.command.and_then(|id| self.record(*self.commands.get(&id)?)) {
            return Ok(Appended {
                position: first.position,
                revision: first.revision,
                repeated: true,
            });
        }
        if !commit.fits() {
            return Err(AppendError::Unfit);
        }
        let head = self.head(&commit.stream);
        if head.guard() != guard {
            return Err(AppendError::Conflict { actual: head.revision });
        }
        let position = Position(self.records.len() as u64 + 1);
        let revision = Revision(head.revision.0 + commit.events.len() as u64);
        let previous = self.records.last().map_or(Hash::ORIGIN, |last| last.hash);
        self.streams.entry(commit.stream.clone()).or_default().push(position);
        self.commands.extend(commit.command.map(|id| (id, position)));
        self.records.push(Arc::new(Record::chain(epoch, position, revision, previous, commit)));
        Ok(Appended { position, revision, repeated: false })
    }
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            state: Mutex::default(),
            tail: watch::Sender::new(Position::ORIGIN),
            fault: watch::Sender::new(None),
        }
    }
}

#[async_trait]
impl EventLog for MemoryLog {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn append(&self, commit: Commit, guard: Guard) -> Appending {
        let mut state = self.state.lock();
        let result = state.append(self.epoch, commit, guard);
        if matches!(result, Ok(Appended { repeated: false, .. })) {
            self.tail.send_replace(Position(state.records.len() as u64));
        }
        Box::pin(std::future::ready(result))
    }

    async fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        let limit = limit.min(PAGE_MAX);
        let state = self.state.lock();
        Ok(match scope {
            Scope::All => {
                let start = usize::try_from(after.0).unwrap_or(usize::MAX);
                fill_page(state.records.iter().skip(start).take(limit).cloned())
            }
            Scope::Stream(stream) => {
                let positions = state.streams.get(stream).map_or(&[][..], Vec::as_slice);
                let start = positions.partition_point(|position| *position <= after);
                let page = positions[start..].iter().take(limit);
                fill_page(page.filter_map(|position| state.record(*position).cloned()))
            }
        })
    }

    async fn get(&self, positions: &[Position]) -> Result<Vec<Arc<Record>>, ReadError> {
        let state = self.state.lock();
        Ok(positions.iter().filter_map(|position| state.record(*position).cloned()).collect())
    }

    async fn head(&self, stream: &StreamId) -> Result<Head, ReadError> {
        Ok(self.state.lock().head(stream))
    }

    async fn find(&self, command: CommandId) -> Result<Option<Position>, ReadError> {
        Ok(self.state.lock().commands.get(&command).copied())
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.tail.subscribe()
    }

    fn fault(&self) -> watch::Receiver<Option<Unavailable>> {
        self.fault.subscribe()
    }

    async fn tail_hash(&self) -> Result<(Position, Hash), ReadError> {
        let state = self.state.lock();
        Ok(state
            .records
            .last()
            .map_or((Position::ORIGIN, Hash::ORIGIN), |last| (last.position, last.hash)))
    }
}

#[async_trait]
impl ErasableLog for MemoryLog {
    async fn erase(&self, position: Position, index: usize, left: Bytes) -> Result<(), EraseError> {
        let mut state = self.state.lock();
        let record = state.record(position).ok_or(EraseError::Absent { position, index })?;
        let erased = Arc::new(record.erased(index, left)?);
        if let Some(record) = state.record_mut(position) {
            *record = erased;
        }
        Ok(())
    }
}
