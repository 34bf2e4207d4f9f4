//! The indexes of the log: the commits of each stream, and the commit of each command.
//!
//! They are derived, so they do not need the log's durability, and they get random keys, which a
//! tree writes slowly. New entries stay in memory. When there are enough, a thread writes them to a
//! sorted file, a run, and it merges runs of one size into a larger one. After a crash the entries
//! that were only in memory are derived again at the next start.
//!
//! An entry is 25 bytes: kind of the subject (1), the subject (16), position (8, big-endian).
//!
//! **Invariant:** entries are of commits on stable storage.
//! **Invariant:** runs cover consecutive ranges of positions; the entries in memory follow them.
//! **Invariant:** a damaged run is derived again from the log, and its entries are never used.
//! **Invariant:** memory is bounded except for about 3 bytes a commit (filters and fences of runs).

mod compact;
mod mend;
mod run;

use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use parking_lot::{Mutex, RwLock};
use rookery_log::{CommandId, Hash, Position, Record, StreamId};

use self::run::Run;
use crate::{OnPanic, OpenError, engine::store::StoreError, threads};

/// How many entries become a run.
const TABLE_MAX: usize = 64 * 1024;

/// The subject of an entry, in sort order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Subject([u8; 17]);

impl Subject {
    /// The commits of a stream. The subject is 16 bytes of the BLAKE3 hash of its name, so a reader
    /// of the entry has to check the record.
    pub(crate) fn stream(stream: &StreamId) -> Self {
        Self::new(b's', &blake3::hash(stream.as_str().as_bytes()).as_bytes()[..16])
    }

    /// The commit of a command.
    pub(crate) fn command(command: CommandId) -> Self {
        Self::new(b'c', &command.0)
    }

    fn new(kind: u8, id: &[u8]) -> Self {
        let mut bytes = [kind; 17];
        bytes[1..].copy_from_slice(id);
        Self(bytes)
    }

    fn at(self, position: Position) -> Entry {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..17].copy_from_slice(&self.0);
        bytes[17..].copy_from_slice(&position.0.to_be_bytes());
        bytes
    }
}

const ENTRY_BYTES: usize = 25;

/// A subject at a position.
type Entry = [u8; ENTRY_BYTES];

fn position_of(entry: &Entry) -> Position {
    entry.last_chunk().map(|bytes| Position(u64::from_be_bytes(*bytes))).unwrap_or_default()
}

struct State {
    /// Oldest first.
    runs: Arc<Vec<Arc<Run>>>,
    /// Entries that are being written to a run.
    frozen: Arc<BTreeSet<Entry>>,
    /// Entries that came later.
    table: BTreeSet<Entry>,
    /// The last record that has entries.
    last: (Position, Hash),
    /// The last record that has entries outside `table`.
    frozen_last: (Position, Hash),
}

impl State {
    fn of(runs: Vec<Arc<Run>>) -> Self {
        let origin = (Position::ORIGIN, Hash::ORIGIN);
        let last = runs.last().map_or(origin, |run| (run.span.to, run.span.hash));
        let (frozen, table) = (Arc::default(), BTreeSet::new());
        Self { runs: Arc::new(runs), frozen, table, last, frozen_last: last }
    }
}

struct Shared {
    dir: PathBuf,
    state: RwLock<State>,
    /// Locked while other runs are put into `state`.
    changing: Mutex<()>,
}

/// The indexes of an open log.
pub(crate) struct Index {
    shared: Arc<Shared>,
    wake: Mutex<Option<mpsc::Sender<()>>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Index {
    fn drop(&mut self) {
        self.wake.lock().take();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Index {
    /// Opens the runs in `dir` that are intact and of the log with the hash `hash_at(position)` at
    /// each position.
    pub(crate) fn open(
        dir: &Path,
        hash_at: impl Fn(Position) -> Option<Hash>,
        on_panic: OnPanic,
    ) -> Result<Self, OpenError> {
        std::fs::create_dir_all(dir).map_err(OpenError::io("create", dir))?;
        let runs = run::load_all(dir, hash_at).map_err(OpenError::io("read", dir))?;
        let state = RwLock::new(State::of(runs));
        let shared = Arc::new(Shared { dir: dir.to_owned(), state, changing: Mutex::new(()) });
        let (wake, woken) = mpsc::channel();
        let known = Arc::clone(&shared);
        let work = move || compact::run(&known, &woken);
        let thread = threads::start("rookery-index", on_panic, work, || {});
        let thread = thread.map_err(OpenError::io("start a thread for", dir))?;
        Ok(Self { shared, wake: Mutex::new(Some(wake)), thread: Some(thread) })
    }

    /// The last position that has its entries.
    pub(crate) fn last(&self) -> Position {
        self.shared.state.read().last.0
    }

    /// Removes the runs beyond `end`. Call it before entries are added after it.
    pub(crate) fn cut(&self, end: Position) {
        let mut state = self.shared.state.write();
        let (kept, gone) = state.runs.iter().cloned().partition(|run| run.span.to <= end);
        *state = State::of(kept);
        let gone: Vec<Arc<Run>> = gone;
        for run in gone {
            run.remove();
        }
    }

    /// Adds the entries of the records that follow the present ones.
    pub(crate) fn add<'a>(&self, records: impl IntoIterator<Item = &'a Record>) {
        let mut state = self.shared.state.write();
        for record in records {
            let position = record.position;
            state.table.insert(Subject::stream(&record.commit.stream).at(position));
            if let Some(command) = record.commit.command {
                state.table.insert(Subject::command(command).at(position));
            }
            state.last = (position, record.hash);
        }
        if state.table.len() >= TABLE_MAX {
            drop(state);
            // If the thread has ended, entries stay in memory and are derived again after a
            // restart.
            if let Some(wake) = self.wake.lock().as_ref() {
                wake.send(()).unwrap_or_default();
            }
        }
    }

    /// The positions of `subject` within `range`, in order, at most `limit`.
    pub(crate) fn positions(
        &self,
        subject: Subject,
        range: RangeInclusive<Position>,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let entries = subject.at(*range.start())..=subject.at(*range.end());
        let (runs, newer) = {
            let state = self.shared.state.read();
            let newer =
                state.frozen.range(entries.clone()).chain(state.table.range(entries.clone()));
            let newer: Vec<_> = newer.take(limit).map(position_of).collect();
            (Arc::clone(&state.runs), newer)
        };
        let mut found = Vec::new();
        for run in
            runs.iter().filter(|run| run.span.to >= *range.start() && run.span.from < *range.end())
        {
            if found.len() < limit && run.may_have(subject) {
                run.read(&entries, limit - found.len(), &mut found)?;
            }
        }
        found.extend(newer);
        found.truncate(limit);
        Ok(found)
    }

    /// The last position of `subject` at or before `last`.
    pub(crate) fn last_of(
        &self,
        subject: Subject,
        last: Position,
    ) -> Result<Option<Position>, StoreError> {
        let entries = subject.at(Position::ORIGIN)..=subject.at(last);
        let runs = {
            let state = self.shared.state.read();
            let newest = state.table.range(entries.clone()).next_back();
            if let Some(entry) = newest.or_else(|| state.frozen.range(entries.clone()).next_back())
            {
                return Ok(Some(position_of(entry)));
            }
            Arc::clone(&state.runs)
        };
        for run in runs.iter().rev().filter(|run| run.span.from < last) {
            if run.may_have(subject)
                && let Some(position) = run.last(&entries)?
            {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// Calls `each` with the position of every entry: of streams (`true`) or of commands.
    pub(crate) fn walk(&self, mut each: impl FnMut(bool, Position)) -> Result<(), StoreError> {
        let (runs, newer) = {
            let state = self.shared.state.read();
            let newer: Vec<_> = state.frozen.iter().chain(&state.table).copied().collect();
            (Arc::clone(&state.runs), newer)
        };
        let mut visit = |entry: Entry| each(entry[0] == b's', position_of(&entry));
        for run in runs.iter() {
            for entry in run.iter() {
                visit(entry?);
            }
        }
        newer.into_iter().for_each(visit);
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests;
