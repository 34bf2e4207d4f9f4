//! The latest durable records in memory, for live readers.
//!
//! **Invariant:** the records are consecutive and end at the tail as of the last addition.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::RwLock;
use rookery_log::{Position, Record, fill_page};

/// The approximate memory of a record beside its events.
const RECORD_BYTES: usize = 320;
const EVENT_BYTES: usize = 120;

pub(crate) struct Recent {
    bytes_max: usize,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    records: VecDeque<Arc<Record>>,
    bytes: usize,
}

impl Recent {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, held: RwLock::default() }
    }

    /// Adds durable records that follow the present ones.
    pub(crate) fn extend(&self, records: impl IntoIterator<Item = Arc<Record>>) {
        let mut held = self.held.write();
        for record in records {
            held.bytes += weight(&record);
            held.records.push_back(record);
        }
        while held.bytes > self.bytes_max {
            let Some(first) = held.records.pop_front() else { break };
            held.bytes -= weight(&first);
        }
    }

    /// Drops all records.
    pub(crate) fn clear(&self) {
        *self.held.write() = Held::default();
    }

    /// Replaces the record at the same position, if it is held.
    pub(crate) fn replace(&self, record: Arc<Record>) {
        let mut held = self.held.write();
        let Held { records, bytes } = &mut *held;
        let Some(first) = records.front().map(|record| record.position) else { return };
        let Some(index) = record.position.0.checked_sub(first.0) else { return };
        let place = usize::try_from(index).ok().and_then(|index| records.get_mut(index));
        if let Some(place) = place {
            *bytes = *bytes - weight(place) + weight(&record);
            *place = record;
        }
    }

    pub(crate) fn get(&self, position: Position) -> Option<Arc<Record>> {
        let held = self.held.read();
        let first = held.records.front()?.position;
        let index = usize::try_from(position.0.checked_sub(first.0)?).ok()?;
        held.records.get(index).cloned()
    }

    /// The records after `after` up to `last`, at most `limit`; `None` if some of them are not
    /// here.
    pub(crate) fn page(
        &self,
        after: Position,
        last: Position,
        limit: usize,
    ) -> Option<Vec<Arc<Record>>> {
        let held = self.held.read();
        let first = held.records.front()?.position;
        let from = usize::try_from((after.0 + 1).checked_sub(first.0)?).ok()?;
        let wanted = last.0.saturating_sub(after.0).min(limit as u64);
        let to = from + usize::try_from(wanted).ok()?;
        (to <= held.records.len()).then(|| fill_page(held.records.range(from..to).cloned()))
    }
}

fn weight(record: &Record) -> usize {
    RECORD_BYTES + record.commit.events.len() * EVENT_BYTES + record.commit.len_bytes()
}
