//! The timeline of one room: sealed blocks in the store, the open one in memory.
//!
//! **Invariant:** rows are in order across all blocks, and each event has one row.
//! **Invariant:** rows only refer to the log: content that is erased there is gone from here.

use std::io;

use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use super::{
    BlockStore, Flags, RowKey, TimelineRow,
    row::{Block, insert_row},
    slots::{Resolved, Slots},
    store::BlockRef,
};
use crate::{
    Committed,
    models::{Fold, Folded, Still, StreamKey, Unfit},
};

/// Rows after which the open block is sealed: about 2 KiB.
const BLOCK_ROWS: u32 = if cfg!(test) { 8 } else { 256 };

/// Rows after which a sealed block that takes late events is split.
const BLOCK_ROWS_MAX: usize = if cfg!(test) { 12 } else { 512 };

/// The rows of one room, and the holders of its state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoomTimeline {
    slots: Slots,
    sealed: Vec<BlockRef>,
    open: Block,
    last: Option<RowKey>,
    /// The last visible row. An event that arrives before it in the timeline is late.
    last_shown: Option<RowKey>,
    count: u64,
}

impl Fold for RoomTimeline {
    const NAME: &'static str = "timelines";
    const VERSION: u32 = 2;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = BlockStore;

    fn apply(
        &mut self,
        _: StreamKey,
        committed: &Committed,
        store: &mut BlockStore,
    ) -> Result<(), Unfit> {
        for (index, event) in committed.room_events() {
            let key = RowKey::of(&event.pdu, committed.position, index);
            let flags = Flags::of(event).late_if(self.last_shown > Some(key));
            let sequence = committed.sequence(index);
            let mut row = TimelineRow { key, sequence, flags, replaced: None };
            for change in event.state_changes() {
                let holder = change.holder;
                let holder = holder.map(|holder| RowKey::of_holder(&holder, committed, index));
                let before = self.slots.put(&change.kind, change.state_key, holder);
                if holder == Some(key) {
                    row.replaced = before;
                } else {
                    let at = (key.position, key.index);
                    self.slots.note(&change.kind, change.state_key, Resolved { at, before });
                }
            }
            if !row.flags.is_hidden() {
                self.last_shown = self.last_shown.max(Some(key));
            }
            self.insert(&row, store).map_err(|error| Unfit {
                event_id: Some(event.pdu.event_id.to_string()),
                reason: format!("the file of the timelines failed: {error}"),
            })?;
        }
        Ok(())
    }

    /// The digest covers the rows in the files, and does not depend on the blocks that hold them.
    fn still(folded: &Folded<Self>) -> Still {
        let (rows, parked) = (folded.rows.clone(), folded.parked.clone());
        let store = folded.shared.frozen();
        Still::new(move |digester| {
            for (key, row) in &rows {
                let timeline = &row.value;
                let rows = timeline.reader(&store).after(None, usize::MAX)?;
                let (slots, count) = (timeline.slots(), timeline.count());
                digester.add(&(key, row.applied, row.sequence, slots, count, rows));
            }
            digester.add(&parked);
            Ok(())
        })
    }
}

impl RoomTimeline {
    fn insert(&mut self, row: &TimelineRow, store: &mut BlockStore) -> io::Result<()> {
        let belongs_to_open = match self.open.first() {
            Some(first) => first < row.key || self.sealed.is_empty(),
            None => self.last < Some(row.key),
        };
        let inserted =
            if belongs_to_open { self.open.insert(row) } else { self.insert_sealed(row, store)? };
        self.count += u64::from(inserted);
        self.last = self.last.max(Some(row.key));
        if self.open.count >= BLOCK_ROWS {
            self.seal(store);
        }
        Ok(())
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

    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn blocks_mut(&mut self) -> impl Iterator<Item = &mut BlockRef> {
        self.sealed.iter_mut()
    }

    pub(crate) fn reader<'a>(&'a self, store: &'a BlockStore) -> TimelineReader<'a> {
        TimelineReader { timeline: self, store }
    }
}

/// Reads rows of one room.
#[derive(Clone, Copy)]
pub struct TimelineReader<'a> {
    timeline: &'a RoomTimeline,
    store: &'a BlockStore,
}

impl TimelineReader<'_> {
    /// Up to `limit` rows before `key` (from the end for `None`), last one first.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn before(&self, key: Option<RowKey>, limit: usize) -> io::Result<Vec<TimelineRow>> {
        let sealed = &self.timeline.sealed;
        let is_before = |row: &TimelineRow| key.is_none_or(|key| row.key < key);
        let mut found = Vec::with_capacity(limit.min(1_024));
        if self.timeline.open.first().is_some_and(|first| key.is_none_or(|key| first < key)) {
            found.extend(self.timeline.open.rows().into_iter().rev().filter(is_before).take(limit));
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
        let sealed = &self.timeline.sealed;
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
        let open = self.timeline.open.rows();
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
        if self.timeline.open.first().is_some_and(|first| first <= key) {
            return Ok(self.timeline.open.rows());
        }
        let sealed = &self.timeline.sealed;
        let place = sealed.partition_point(|block| block.first <= key);
        place.checked_sub(1).map_or(Ok(Vec::new()), |place| self.store.read(&sealed[place]))
    }
}
