//! Rows in order: sealed blocks in the store, the open one in memory.
//!
//! **Invariant:** rows are in order across all blocks, and each key has one row.

use std::io;

use serde::{Deserialize, Serialize};

use super::{
    BlockStore, RowKey, TimelineRow,
    row::{Block, insert_row},
    store::BlockRef,
};

/// Rows after which the open block is sealed: about 2 KiB.
const BLOCK_ROWS: u32 = if cfg!(test) { 8 } else { 256 };

/// Rows after which a sealed block that takes late rows is split.
const BLOCK_ROWS_MAX: usize = if cfg!(test) { 12 } else { 512 };

/// Rows of one room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RowList {
    sealed: Vec<BlockRef>,
    open: Block,
    last: Option<RowKey>,
}

impl RowList {
    /// Adds a row in its place. Returns `false` if it is there already.
    pub(crate) fn insert(&mut self, row: &TimelineRow, store: &mut BlockStore) -> io::Result<bool> {
        let belongs_to_open = match self.open.first() {
            Some(first) => first < row.key || self.sealed.is_empty(),
            None => self.last < Some(row.key),
        };
        let inserted =
            if belongs_to_open { self.open.insert(row) } else { self.insert_sealed(row, store)? };
        self.last = self.last.max(Some(row.key));
        if self.open.count >= BLOCK_ROWS {
            self.seal(store);
        }
        Ok(inserted)
    }

    /// Moves the open block into the store. If that fails, the block stays open and grows.
    fn seal(&mut self, store: &mut BlockStore) {
        match store.write(&self.open) {
            Ok(block) => {
                self.sealed.push(block);
                self.open = Block::default();
            }
            Err(error) => tracing::error!("a block of a timeline stays in memory: {error}"),
        }
    }

    fn insert_sealed(&mut self, row: &TimelineRow, store: &mut BlockStore) -> io::Result<bool> {
        let place = self.sealed.partition_point(|block| block.first <= row.key).saturating_sub(1);
        let mut rows = store.read(&self.sealed[place])?;
        if !insert_row(&mut rows, row) {
            return Ok(false);
        }
        let halves = if rows.len() > BLOCK_ROWS_MAX { 2 } else { 1 };
        let chunks = rows.chunks(rows.len().div_ceil(halves));
        let blocks = chunks.map(|rows| store.write(&Block::from_rows(rows)));
        let blocks = blocks.collect::<io::Result<Vec<_>>>()?;
        self.sealed.splice(place..=place, blocks);
        Ok(true)
    }

    pub(crate) fn blocks_mut(&mut self) -> impl Iterator<Item = &mut BlockRef> {
        self.sealed.iter_mut()
    }

    pub(crate) fn reader<'a>(&'a self, store: &'a BlockStore) -> TimelineReader<'a> {
        TimelineReader { rows: self, store }
    }
}

/// Reads rows of one room.
#[derive(Clone, Copy)]
pub struct TimelineReader<'a> {
    rows: &'a RowList,
    store: &'a BlockStore,
}

impl TimelineReader<'_> {
    /// Up to `limit` rows before `key` (from the end for `None`), last one first.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn before(&self, key: Option<RowKey>, limit: usize) -> io::Result<Vec<TimelineRow>> {
        let sealed = &self.rows.sealed;
        let is_before = |row: &TimelineRow| key.is_none_or(|key| row.key < key);
        let mut found = Vec::with_capacity(limit.min(1_024));
        if self.rows.open.first().is_some_and(|first| key.is_none_or(|key| first < key)) {
            found.extend(self.rows.open.rows().into_iter().rev().filter(is_before).take(limit));
        }
        let end = key.map_or(sealed.len(), |key| sealed.partition_point(|block| block.first < key));
        for block in sealed[..end].iter().rev() {
            if found.len() >= limit {
                break;
            }
            let rows = self.store.read(block)?;
            let rows = rows.into_iter().rev().filter(is_before);
            found.extend(rows.take(limit - found.len()));
        }
        Ok(found)
    }

    /// Up to `limit` rows after `key` (from the beginning for `None`), first one first.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn after(&self, key: Option<RowKey>, limit: usize) -> io::Result<Vec<TimelineRow>> {
        let sealed = &self.rows.sealed;
        let is_after = |row: &TimelineRow| key.is_none_or(|key| row.key > key);
        let mut found = Vec::with_capacity(limit.min(1_024));
        let start = key
            .map_or(0, |key| sealed.partition_point(|block| block.first <= key).saturating_sub(1));
        for block in &sealed[start..] {
            if found.len() >= limit {
                return Ok(found);
            }
            let rows = self.store.read(block)?;
            found.extend(rows.into_iter().filter(is_after).take(limit - found.len()));
        }
        let open = self.rows.open.rows();
        let rest = limit.saturating_sub(found.len());
        found.extend(open.into_iter().filter(is_after).take(rest));
        Ok(found)
    }

    /// The row at this place.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn row(&self, key: RowKey) -> io::Result<Option<TimelineRow>> {
        Ok(self.block_of(key)?.into_iter().find(|row| row.key == key))
    }

    /// The rows at these places, in their order. A block is read once for consecutive places in it.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn rows(&self, keys: &[RowKey]) -> io::Result<Vec<TimelineRow>> {
        let mut block: Vec<TimelineRow> = Vec::new();
        let mut rows = Vec::with_capacity(keys.len());
        for key in keys {
            if block.binary_search_by(|row| row.key.cmp(key)).is_err() {
                block = self.block_of(*key)?;
            }
            let found = block.binary_search_by(|row| row.key.cmp(key));
            rows.extend(found.ok().map(|found| block[found]));
        }
        Ok(rows)
    }

    /// The rows of the block that has the row at `key`, if there is one.
    fn block_of(&self, key: RowKey) -> io::Result<Vec<TimelineRow>> {
        if self.rows.open.first().is_some_and(|first| first <= key) {
            return Ok(self.rows.open.rows());
        }
        let sealed = &self.rows.sealed;
        let place = sealed.partition_point(|block| block.first <= key);
        place.checked_sub(1).map_or(Ok(Vec::new()), |place| self.store.read(&sealed[place]))
    }
}
