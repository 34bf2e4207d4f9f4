//! The engine, the indexes over its records, and their errors.

use std::{fs::File, io, ops::Deref, path::Path, sync::Arc};

use rookery_log::{CommandId, PAGE_MAX, Position, ReadError, Record, StreamId, Unavailable};

use crate::{
    OnPanic, OpenError,
    engine::{Engine, quiet, records::Records as _},
    format::Damage,
    index::{Index, Subject},
};

/// A call of the engine failed.
#[derive(Clone, Debug)]
pub(crate) enum StoreError {
    /// The engine or the operating system refuses.
    Refused(Arc<str>),
    /// The engine cannot interpret the data that it read.
    Damaged(Arc<str>),
}

impl StoreError {
    /// The error for a reader of `position`.
    pub(crate) fn at(self, position: Position) -> ReadError {
        match self {
            Self::Refused(reason) => ReadError::Unavailable(Unavailable { reason }),
            Self::Damaged(damage) => ReadError::Damaged { position, damage },
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Refused(text) | Self::Damaged(text) => text,
        }
    }
}

impl Damage {
    pub(crate) fn at(self, position: Position) -> ReadError {
        ReadError::Damaged { position, damage: self.0 }
    }
}

/// Calls the engine.
pub(crate) fn call<T>(work: impl FnOnce() -> sled::Result<T>) -> Result<T, StoreError> {
    match quiet::catch(work) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error @ sled::Error::Corruption { .. })) => {
            Err(StoreError::Damaged(format!("the engine reports {error}").into()))
        }
        Ok(Err(error)) => Err(StoreError::Refused(format!("the engine reports: {error}").into())),
        Err(panic) => Err(StoreError::Damaged(format!("the engine gave up: {panic}").into())),
    }
}

/// The records and their indexes.
pub(crate) struct Store {
    engine: Engine,
    /// Our own handle of the engine's file, for the real sync.
    pub(crate) file: File,
    /// The index of records by stream and by command.
    pub(crate) index: Index,
    /// Locks the data folder; released after the engine is closed.
    lock: File,
}

impl Deref for Store {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Store {
    /// Opens the engine, with the usable indexes in `dir`.
    pub(crate) fn open(
        dir: &Path,
        db: sled::Db,
        file: File,
        lock: File,
        on_panic: OnPanic,
    ) -> Result<Self, OpenError> {
        let engine = Engine::open(db).map_err(|error| OpenError::damaged(dir, error.text()))?;
        let hash_at = |position| engine.hash_at(position);
        let index = Index::open(&dir.join("index"), hash_at, on_panic)?;
        Ok(Self { engine, file, index, lock })
    }

    /// Another handle of the lock of the data folder.
    pub(crate) fn lock(&self) -> io::Result<File> {
        self.lock.try_clone()
    }

    /// The positions of `stream` after `after` up to `last`, at most `limit`, by the index.
    pub(crate) fn positions(
        &self,
        stream: &StreamId,
        after: Position,
        last: Position,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError> {
        let subject = Subject::stream(stream);
        self.indexed(|index| index.positions(subject, after.next()..=last, limit))
    }

    /// Looks up data in the indexes, and derives damaged ones again.
    fn indexed<T>(&self, look: impl Fn(&Index) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match look(&self.index) {
            Err(StoreError::Damaged(_)) => {
                self.mend_index()?;
                look(&self.index)
            }
            looked => looked,
        }
    }

    /// Derives damaged parts of the indexes again from the records.
    pub(crate) fn mend_index(&self) -> Result<(), StoreError> {
        self.index.mend(|after, to| {
            let page = self.page(after, to, PAGE_MAX);
            page.map_err(|error| match error {
                ReadError::Damaged { .. } => StoreError::Damaged(error.to_string().into()),
                ReadError::Unavailable(unavailable) => StoreError::Refused(unavailable.reason),
            })
        })
    }

    /// The last record of `stream` up to `last`.
    pub(crate) fn last_of(
        &self,
        stream: &StreamId,
        last: Position,
    ) -> Result<Option<Record>, ReadError> {
        let subject = Subject::stream(stream);
        let mut upto = last;
        loop {
            let found = self.indexed(|index| index.last_of(subject, upto));
            let found = found.map_err(|error| error.at(last))?;
            let Some(position) = found else { return Ok(None) };
            let record = self.record(position)?;
            if let Some(record) = record.filter(|record| record.commit.stream == *stream) {
                return Ok(Some(record));
            }
            upto = Position(position.0.saturating_sub(1));
        }
    }

    /// The record that `command` made, up to `last`.
    pub(crate) fn made_by(
        &self,
        command: CommandId,
        last: Position,
    ) -> Result<Option<Record>, ReadError> {
        let found = self.indexed(|index| index.last_of(Subject::command(command), last));
        let Some(position) = found.map_err(|error| error.at(last))? else {
            return Ok(None);
        };
        let record = self.record(position)?;
        Ok(record.filter(|record| record.commit.command == Some(command)))
    }

    /// Whether the indexes have `record`.
    pub(crate) fn is_indexed(&self, record: &Record) -> Result<bool, StoreError> {
        let position = record.position;
        let stream = Subject::stream(&record.commit.stream);
        let command = record.commit.command.map(Subject::command);
        for subject in [Some(stream), command].into_iter().flatten() {
            let found = self.indexed(|index| index.positions(subject, position..=position, 1))?;
            if found.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many entries the indexes hold up to `last`: of streams, of commands.
    pub(crate) fn index_sizes(&self, last: Position) -> Result<(u64, u64), StoreError> {
        self.indexed(|index| {
            let (mut streams, mut commands) = (0, 0);
            index.walk(|stream, position| {
                let count = if stream { &mut streams } else { &mut commands };
                *count += u64::from(position <= last);
            })?;
            Ok((streams, commands))
        })
    }
}

/// Removes the remains of a crash during opening, which sled would take for a damaged snapshot.
pub(crate) fn remove_half_snapshots(dir: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
