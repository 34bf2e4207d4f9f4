//! The trees of the engine, behind calls that answer with an error instead of a panic.
//!
//! **Invariant:** what is read has been checked: version, checksum, place, and all parts there.

use std::{fs::File, path::Path, sync::Arc};

use bytes::{Bytes, BytesMut};
use rookery_log::{CommandId, Hash, Position, ReadError, Record, StreamId, Unavailable};
use sled::{IVec, Tree};

use crate::{
    OpenError,
    format::{self, Body, Damage, Sealed, Stored},
    index::{Index, Subject},
    keys, quiet,
};

/// Why the engine did not do something.
#[derive(Clone, Debug)]
pub(crate) enum StoreError {
    /// It refuses, or the operating system does.
    Refused(Arc<str>),
    /// What it read makes no sense to it.
    Damaged(Arc<str>),
}

impl StoreError {
    /// What a reader of `position` is told.
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

/// The open engine.
pub(crate) struct Store {
    /// `None` only while it is being dropped.
    trees: Option<Trees>,
    /// Our own handle of the engine's file, for the real sync.
    pub(crate) file: File,
    /// Where to find records by stream and by command.
    pub(crate) index: Index,
    /// Keeps the data folder ours; released after the engine is closed.
    _lock: File,
}

struct Trees {
    db: sled::Db,
    commits: Tree,
    chunks: Tree,
}

impl Drop for Store {
    fn drop(&mut self) {
        // The engine flushes and syncs when it is dropped, and panics if it cannot.
        let trees = self.trees.take();
        if let Err(panic) = quiet::catch(move || drop(trees)) {
            tracing::warn!(panic, "the engine of the log did not close cleanly");
        }
    }
}

impl Store {
    /// The engine, with the indexes in `dir` as far as they are of use.
    pub(crate) fn open(
        dir: &Path,
        db: sled::Db,
        file: File,
        lock: File,
    ) -> Result<Self, OpenError> {
        let damaged = |error: StoreError| OpenError::damaged(dir, error.text());
        let trees = call(move || {
            Ok(Trees {
                commits: db.open_tree(keys::COMMITS)?,
                chunks: db.open_tree(keys::CHUNKS)?,
                db,
            })
        });
        let trees = trees.map_err(damaged)?;
        let hash_at = |position| hash_at(&trees, position);
        let index = Index::open(&dir.join("index"), hash_at)?;
        Ok(Self { trees: Some(trees), file, index, _lock: lock })
    }

    fn trees(&self) -> &Trees {
        self.trees.as_ref().expect("the trees are there until the store is dropped")
    }

    /// The last position that has a record, whole or not.
    pub(crate) fn last(&self) -> Result<Option<Position>, StoreError> {
        let last = call(|| self.trees().commits.last())?;
        Ok(last.and_then(|(key, _)| keys::read_position(&key)))
    }

    /// The record at `position`, its header only.
    pub(crate) fn stored(&self, position: Position) -> Result<Option<Stored>, ReadError> {
        let value = call(|| self.trees().commits.get(keys::position(position)));
        let Some(value) = value.map_err(|error| error.at(position))? else {
            return Ok(None);
        };
        Stored::read(bytes(value), position).map(Some).map_err(|damage| damage.at(position))
    }

    /// The record at `position`, or `None` if there is nothing.
    pub(crate) fn record(&self, position: Position) -> Result<Option<Record>, ReadError> {
        self.stored(position)?.map(|stored| self.whole(&stored)).transpose()
    }

    /// How the record came to be known as incomplete, if it is.
    pub(crate) fn missing_chunk(&self, stored: &Stored) -> Result<Option<u32>, ReadError> {
        let Body::Chunked { count, .. } = stored.body else {
            return Ok(None);
        };
        for index in 0..count {
            let key = keys::chunk(stored.position, index);
            let there = call(|| self.trees().chunks.contains_key(key));
            if !there.map_err(|error| error.at(stored.position))? {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    /// The record behind the header `stored`.
    pub(crate) fn whole(&self, stored: &Stored) -> Result<Record, ReadError> {
        let body = match &stored.body {
            Body::Whole(body) => stored.decode(body),
            Body::Chunked { count, length, checksum } => {
                let body = self.join(stored.position, *count, *length)?;
                if crc32fast::hash(&body) == *checksum {
                    stored.decode(&body)
                } else {
                    Err("the checksum of the whole does not match".into())
                }
            }
        };
        body.map_err(|damage| damage.at(stored.position))
    }

    fn join(&self, position: Position, count: u32, length: u32) -> Result<Bytes, ReadError> {
        let mut body = BytesMut::with_capacity(length as usize);
        for index in 0..count {
            let value = call(|| self.trees().chunks.get(keys::chunk(position, index)))
                .map_err(|error| error.at(position))?;
            let Some(value) = value else {
                let damage = format!("part {} of {count} is missing", index + 1);
                return Err(Damage(damage.into()).at(position));
            };
            let part = format::read_chunk(bytes(value), position, index);
            body.extend_from_slice(&part.map_err(|damage| damage.at(position))?);
        }
        Ok(body.freeze())
    }

    /// The records after `after` up to `last`, at most `limit`. A hole is damage.
    pub(crate) fn page(
        &self,
        after: Position,
        last: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        let wanted = last.0.saturating_sub(after.0).min(limit as u64);
        let mut page = Vec::with_capacity(usize::try_from(wanted).unwrap_or(limit));
        if wanted == 0 {
            return Ok(page);
        }
        let mut expected = after.next();
        let end = Position(after.0 + wanted);
        let from = keys::position(expected);
        let mut entries = self.trees().commits.range(from..=keys::position(end));
        while expected <= end {
            let entry = call(|| entries.next().transpose()).map_err(|error| error.at(expected))?;
            let value = entry.filter(|(key, _)| **key == keys::position(expected));
            let Some((_, value)) = value else {
                return Err(Damage::from("the record is missing").at(expected));
            };
            let stored =
                Stored::read(bytes(value), expected).map_err(|damage| damage.at(expected))?;
            page.push(Arc::new(self.whole(&stored)?));
            expected = expected.next();
        }
        Ok(page)
    }

    /// The positions of `stream` after `after` up to `last`, at most `limit`, as the index has them.
    pub(crate) fn positions(
        &self,
        stream: &StreamId,
        after: Position,
        last: Position,
        limit: usize,
    ) -> Result<Vec<Position>, StoreError> {
        self.index.positions(Subject::stream(stream), after.next()..=last, limit)
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
            let found = self.index.last_of(subject, upto).map_err(|error| error.at(last))?;
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
        let found = self.index.last_of(Subject::command(command), last);
        let Some(position) = found.map_err(|error| error.at(last))? else {
            return Ok(None);
        };
        let record = self.record(position)?;
        Ok(record.filter(|record| record.commit.command == Some(command)))
    }

    /// Puts a record into the engine: its parts first, so that a record without one never was.
    pub(crate) fn insert_chunk(
        &self,
        position: Position,
        index: u32,
        chunk: Vec<u8>,
    ) -> Result<(), StoreError> {
        call(|| self.trees().chunks.insert(keys::chunk(position, index), chunk)).map(drop)
    }

    /// Puts the value of a record into the engine, after its chunks.
    pub(crate) fn insert_value(
        &self,
        position: Position,
        sealed: Sealed,
    ) -> Result<(), StoreError> {
        call(|| self.trees().commits.insert(keys::position(position), sealed.value)).map(drop)
    }

    /// Whether the indexes have `record`.
    pub(crate) fn is_indexed(&self, record: &Record) -> Result<bool, StoreError> {
        let position = record.position;
        let stream = Subject::stream(&record.commit.stream);
        let command = record.commit.command.map(Subject::command);
        for subject in [Some(stream), command].into_iter().flatten() {
            if self.index.positions(subject, position..=position, 1)?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many entries the indexes have, up to `last`: of streams, of commands.
    pub(crate) fn index_sizes(&self, last: Position) -> Result<(u64, u64), StoreError> {
        let (mut streams, mut commands) = (0, 0);
        self.index.walk(|stream, position| {
            let count = if stream { &mut streams } else { &mut commands };
            *count += u64::from(position <= last);
        })?;
        Ok((streams, commands))
    }

    /// Removes what lies beyond `last` and never was: records, and chunks without a record.
    /// Gives how many records.
    pub(crate) fn cut(&self, last: Position) -> Result<usize, StoreError> {
        let from = keys::position(last.next());
        call(|| {
            let mut removed = 0;
            for key in self.trees().commits.range(from..).keys() {
                self.trees().commits.remove(key?)?;
                removed += 1;
            }
            for key in self.trees().chunks.range(from..).keys() {
                self.trees().chunks.remove(key?)?;
            }
            Ok(removed)
        })
    }

    /// Makes the engine write to its file all it holds. Not durable: [`crate::Disk::sync_data`].
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        call(|| self.trees().db.flush()).map(drop)
    }
}

fn hash_at(trees: &Trees, position: Position) -> Option<Hash> {
    let value = call(|| trees.commits.get(keys::position(position))).ok()??;
    Stored::read(bytes(value), position).ok().map(|stored| stored.hash)
}

fn bytes(value: IVec) -> Bytes {
    Bytes::from_owner(value)
}

/// Removes what a crash while opening leaves behind: sled takes it for a damaged snapshot.
pub(crate) fn remove_half_snapshots(dir: &Path) -> std::io::Result<()> {
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
