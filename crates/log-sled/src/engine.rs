//! The engine's trees of records and their parts. Calls return an error where sled panics.
//!
//! **Invariant:** every record that is read has been checked: version, checksum, place, and the
//! presence of all parts.

pub(crate) mod disk;
mod eviction;
pub(crate) mod keys;
pub(crate) mod quiet;
pub(crate) mod records;
pub(crate) mod store;

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use rookery_log::{Hash, PageBytes, Position, ReadError, Record};
use sled::{IVec, Tree};

use crate::{
    engine::{
        eviction::Eviction,
        records::Records,
        store::{StoreError, call},
    },
    format::{Damage, Sealed, Stored},
};

/// The open engine. Dropping it closes it.
pub(crate) struct Engine {
    /// `None` only while it is being dropped.
    trees: Option<Trees>,
    eviction: Eviction,
}

struct Trees {
    db: sled::Db,
    commits: Tree,
    chunks: Tree,
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The engine flushes and syncs when it is dropped, and panics if it cannot.
        let trees = self.trees.take();
        if let Err(panic) = quiet::catch(move || drop(trees)) {
            tracing::warn!(panic, "the engine of the log did not close cleanly");
        }
    }
}

impl Engine {
    pub(crate) fn open(db: sled::Db) -> Result<Self, StoreError> {
        let trees = call(move || {
            Ok(Trees {
                commits: db.open_tree(keys::COMMITS)?,
                chunks: db.open_tree(keys::CHUNKS)?,
                db,
            })
        });
        Ok(Self { trees: Some(trees?), eviction: Eviction::default() })
    }

    fn trees(&self) -> &Trees {
        self.trees.as_ref().expect("the trees are there until the engine is dropped")
    }

    /// Accesses the page of `key` again, so that the engine looks for pages to evict in time. An
    /// error is left to the next operation that needs the page.
    fn access(tree: &Tree, key: &[u8], times: u64) {
        let accessed = call(|| (0..times).try_for_each(|_| tree.get(key).map(drop)));
        if let Err(error) = accessed {
            tracing::debug!(error = error.text(), "cannot access a page again");
        }
    }

    /// The hash in the header of the record at `position`.
    pub(crate) fn hash_at(&self, position: Position) -> Option<Hash> {
        self.stored(position).ok()?.map(|stored| stored.hash)
    }

    /// The records after `after` up to `last`, at most `limit`. A gap is damage.
    pub(crate) fn page(
        &self,
        after: Position,
        last: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        let wanted = last.0.saturating_sub(after.0).min(limit as u64);
        let mut page = Vec::with_capacity(usize::try_from(wanted).unwrap_or(limit));
        let mut size = PageBytes::default();
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
            let Some((key, value)) = value else {
                return Err(Damage::from("the record is missing").at(expected));
            };
            Self::access(&self.trees().commits, &key, self.eviction.due(value.len()));
            let stored =
                Stored::read(bytes(value), expected).map_err(|damage| damage.at(expected))?;
            let record = Arc::new(self.whole(&stored)?);
            let is_full = size.add(&record);
            page.push(record);
            if is_full {
                break;
            }
            expected = expected.next();
        }
        Ok(page)
    }

    /// Writes a chunk of a record into the engine. Chunks come before the record's value, so a
    /// record without one never existed.
    pub(crate) fn insert_chunk(
        &self,
        position: Position,
        index: u32,
        chunk: Vec<u8>,
    ) -> Result<(), StoreError> {
        let (tree, key) = (&self.trees().chunks, keys::chunk(position, index));
        let due = self.eviction.due_inserted(chunk.len());
        call(|| tree.insert(key, chunk))?;
        Self::access(tree, &key, due);
        Ok(())
    }

    /// Writes the value of a record into the engine, after its chunks.
    pub(crate) fn insert_value(
        &self,
        position: Position,
        sealed: Sealed,
    ) -> Result<(), StoreError> {
        let (tree, key) = (&self.trees().commits, keys::position(position));
        let due = self.eviction.due_inserted(sealed.value.len());
        call(|| tree.insert(key, sealed.value))?;
        Self::access(tree, &key, due);
        Ok(())
    }

    /// Removes the chunks of the record at `position` that are not in `kept`.
    pub(crate) fn keep_chunks(
        &self,
        position: Position,
        kept: &Range<u32>,
    ) -> Result<(), StoreError> {
        let (from, to) = (keys::chunk(position, 0), keys::chunk(position, u32::MAX));
        call(|| {
            for key in self.trees().chunks.range(from..=to).keys() {
                let key = key?;
                if !keys::read_chunk(&key).is_some_and(|index| kept.contains(&index)) {
                    self.trees().chunks.remove(key)?;
                }
            }
            Ok(())
        })
    }

    /// Removes records beyond `last`, and chunks without a record: they were never acknowledged.
    /// Returns the number of records.
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

    /// Makes the engine write all of its data to its file. This is not durable before
    /// [`crate::Disk::sync_data`].
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        call(|| self.trees().db.flush()).map(drop)
    }
}

impl Records for Engine {
    fn last(&self) -> Result<Option<Position>, StoreError> {
        let last = call(|| self.trees().commits.last())?;
        Ok(last.and_then(|(key, _)| keys::read_position(&key)))
    }

    fn value(&self, position: Position) -> Result<Option<Bytes>, StoreError> {
        let (tree, key) = (&self.trees().commits, keys::position(position));
        let value = call(|| tree.get(key))?;
        let length = value.as_ref().map_or(0, |value| value.len());
        Self::access(tree, &key, self.eviction.due_alone(position, length));
        Ok(value.map(bytes))
    }

    fn chunk(&self, position: Position, index: u32) -> Result<Option<Bytes>, StoreError> {
        let (tree, key) = (&self.trees().chunks, keys::chunk(position, index));
        let value = call(|| tree.get(key))?;
        // The chunks before and behind it are on the same page.
        let length = value.as_ref().map_or(0, |value| 2 * value.len());
        Self::access(tree, &key, self.eviction.due(length));
        Ok(value.map(bytes))
    }
}

fn bytes(value: IVec) -> Bytes {
    Bytes::from_owner(value)
}
