//! Rows of a timeline: the place of an event, and the encoding of blocks of rows.

use rookery_domain::{EventStatus, Pdu, RoomEvent, StateHolder};
use rookery_log::Position;
use serde::{Deserialize, Serialize};

use crate::Committed;

/// The place of an event in the timeline of its room: depth first, then the order of arrival.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RowKey {
    /// The depth in the event.
    pub depth: u64,
    /// Its commit.
    pub position: Position,
    /// Its index in the commit.
    pub index: u16,
}

impl RowKey {
    /// The place of an event that is at `index` of the commit at `position`.
    #[must_use]
    pub fn of(pdu: &Pdu, position: Position, index: usize) -> Self {
        // A commit has at most `COMMIT_EVENTS_MAX` events.
        Self { depth: pdu.depth, position, index: u16::try_from(index).unwrap_or(u16::MAX) }
    }

    /// The place of the event that holds a slot since the event at `index` of `committed`.
    #[must_use]
    pub fn of_holder(holder: &StateHolder<'_>, committed: &Committed, index: usize) -> Self {
        let Some(place) = holder.place else {
            return Self::of(holder.pdu, committed.position, index);
        };
        let position = place.position.map_or(committed.position, Position);
        Self { depth: holder.pdu.depth, position, index: place.index }
    }
}

/// The flags of a row's event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flags(pub(crate) u8);

impl Flags {
    const STATE: u8 = 1;
    const HIDDEN: u8 = 2;
    const LATE: u8 = 4;
    const SUPERSEDED: u8 = 8;
    const OUTLIER: u8 = 16;
    const PAST: u8 = 32;
    const STATED: u8 = 64;

    /// The flags of the event itself. Whether it is late depends on the events before its arrival.
    #[must_use]
    pub fn of(event: &RoomEvent) -> Self {
        let is_state = event.pdu.state_key.is_some();
        let is_hidden = event.envelope.status != EventStatus::Accepted;
        let is_outlier = event.envelope.status == EventStatus::Outlier;
        let mut flags = 0;
        let own = [
            (Self::STATE, is_state),
            (Self::HIDDEN, is_hidden),
            (Self::OUTLIER, is_outlier),
            (Self::PAST, event.envelope.past.is_some()),
            (Self::STATED, event.envelope.before.is_some()),
        ];
        own.iter().filter(|(_, holds)| *holds).for_each(|(flag, _)| flags |= flag);
        if is_state && !is_hidden && !event.holds_its_slot() {
            flags |= Self::SUPERSEDED;
        }
        Self(flags)
    }

    /// These flags, with late set if `late`.
    #[must_use]
    pub fn late_if(self, late: bool) -> Self {
        if late { Self(self.0 | Self::LATE) } else { self }
    }

    /// Whether it is a state event.
    #[must_use]
    pub fn is_state(self) -> bool {
        self.0 & Self::STATE != 0
    }

    /// Whether a check on receipt refused it, so that it is never shown.
    #[must_use]
    pub fn is_hidden(self) -> bool {
        self.0 & Self::HIDDEN != 0
    }

    /// Whether it is known without its place in the room.
    #[must_use]
    pub fn is_outlier(self) -> bool {
        self.0 & Self::OUTLIER != 0
    }

    /// Whether it was fetched after events that follow it.
    #[must_use]
    pub fn is_past(self) -> bool {
        self.0 & Self::PAST != 0
    }

    /// Whether events before it were missing when it arrived.
    #[must_use]
    pub fn is_stated(self) -> bool {
        self.0 & Self::STATED != 0
    }

    /// Whether it arrived after an event that comes later in the timeline.
    #[must_use]
    pub fn is_late(self) -> bool {
        self.0 & Self::LATE != 0
    }

    /// Whether it is a state event that did not get its slot: another event had the better claim
    /// when it arrived.
    #[must_use]
    pub fn is_superseded(self) -> bool {
        self.0 & Self::SUPERSEDED != 0
    }
}

/// One event of a timeline, as a reference into the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimelineRow {
    /// Its place in the timeline.
    pub key: RowKey,
    /// Its sequence in the room, in order of arrival: 1, 2, 3 ...
    pub sequence: u64,
    /// Its flags.
    pub flags: Flags,
    /// The state event that it replaced, if it is a state event.
    pub replaced: Option<RowKey>,
}

/// Rows in order, encoded: each as its differences from the one before.
///
/// The format is part of the stored format of the timelines, versions 1 and 2.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    pub(crate) count: u32,
    first: RowKey,
    last: TimelineRow,
}

impl Block {
    pub(crate) fn from_rows(rows: &[TimelineRow]) -> Self {
        let mut block = Self::default();
        for row in rows {
            block.push(row);
        }
        block.bytes.shrink_to_fit();
        block
    }

    pub(crate) fn first(&self) -> Option<RowKey> {
        (self.count > 0).then_some(self.first)
    }

    pub(crate) fn last(&self) -> Option<RowKey> {
        (self.count > 0).then_some(self.last.key)
    }

    /// Adds a row after all others.
    pub(crate) fn push(&mut self, row: &TimelineRow) {
        debug_assert!(self.last() < Some(row.key), "rows are pushed in order");
        let before = self.last;
        if self.bytes.capacity() == self.bytes.len() {
            // Doubling would leave a third of the memory of all open blocks unused.
            self.bytes.reserve_exact(64);
        }
        signed(&mut self.bytes, row.key.depth.wrapping_sub(before.key.depth));
        signed(&mut self.bytes, row.key.position.0.wrapping_sub(before.key.position.0));
        varint(&mut self.bytes, row.key.index.into());
        signed(&mut self.bytes, row.sequence.wrapping_sub(before.sequence));
        self.bytes.push(row.flags.0 << 1 | u8::from(row.replaced.is_some()));
        if let Some(replaced) = row.replaced {
            signed(&mut self.bytes, row.key.depth.wrapping_sub(replaced.depth));
            signed(&mut self.bytes, row.key.position.0.wrapping_sub(replaced.position.0));
            varint(&mut self.bytes, replaced.index.into());
        }
        if self.count == 0 {
            self.first = row.key;
        }
        self.last = *row;
        self.count += 1;
    }

    pub(crate) fn rows(&self) -> Vec<TimelineRow> {
        decode(&self.bytes, self.count).unwrap_or_default()
    }

    /// Inserts a row in its place. Returns `false` if it exists already.
    pub(crate) fn insert(&mut self, row: &TimelineRow) -> bool {
        if self.last().is_none_or(|last| last < row.key) {
            self.push(row);
            return true;
        }
        let mut rows = self.rows();
        let inserted = insert_row(&mut rows, row);
        if inserted {
            *self = Self::from_rows(&rows);
        }
        inserted
    }
}

/// Inserts `row` in its place among `rows`, which are in order. Returns `false` if it exists
/// already.
pub(crate) fn insert_row(rows: &mut Vec<TimelineRow>, row: &TimelineRow) -> bool {
    let place = rows.partition_point(|other| other.key < row.key);
    let is_new = rows.get(place).is_none_or(|other| other.key != row.key);
    if is_new {
        rows.insert(place, *row);
    }
    is_new
}

/// Decodes `count` rows. `None` if the bytes are not an output of [`Block::push`].
pub(crate) fn decode(mut bytes: &[u8], count: u32) -> Option<Vec<TimelineRow>> {
    let input = &mut bytes;
    let mut rows = Vec::with_capacity(count as usize);
    let mut row = TimelineRow::default();
    for _ in 0..count {
        row.key.depth = row.key.depth.wrapping_add(read_signed(input)?);
        row.key.position.0 = row.key.position.0.wrapping_add(read_signed(input)?);
        row.key.index = read_varint(input)?.try_into().ok()?;
        row.sequence = row.sequence.wrapping_add(read_signed(input)?);
        let (flags, rest) = input.split_first()?;
        *input = rest;
        row.flags = Flags(flags >> 1);
        row.replaced = if flags & 1 == 0 {
            None
        } else {
            Some(RowKey {
                depth: row.key.depth.wrapping_sub(read_signed(input)?),
                position: Position(row.key.position.0.wrapping_sub(read_signed(input)?)),
                index: read_varint(input)?.try_into().ok()?,
            })
        };
        rows.push(row);
    }
    input.is_empty().then_some(rows)
}

fn varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// A difference, which may be negative: zigzag, then varint.
fn signed(bytes: &mut Vec<u8>, difference: u64) {
    let sign = if difference >> 63 == 0 { 0 } else { u64::MAX };
    varint(bytes, difference << 1 ^ sign);
}

fn read_varint(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn read_signed(input: &mut &[u8]) -> Option<u64> {
    let number = read_varint(input)?;
    Some(number >> 1 ^ 0u64.wrapping_sub(number & 1))
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_map, prelude::*};

    use super::*;

    fn key() -> impl Strategy<Value = RowKey> {
        (any::<u64>(), any::<u64>(), any::<u16>()).prop_map(|(depth, position, index)| RowKey {
            depth,
            position: Position(position),
            index,
        })
    }

    fn rows() -> impl Strategy<Value = Vec<TimelineRow>> {
        let rest = (any::<u64>(), 0u8..128, proptest::option::of(key()));
        btree_map(key(), rest, 0..40).prop_map(|rows| {
            let row = |(key, (sequence, flags, replaced))| TimelineRow {
                key,
                sequence,
                flags: Flags(flags),
                replaced,
            };
            rows.into_iter().map(row).collect()
        })
    }

    proptest! {
        #[test]
        fn block_gives_back_its_rows(rows in rows()) {
            let block = Block::from_rows(&rows);
            prop_assert_eq!(block.rows(), rows.clone());
            prop_assert_eq!(block.first(), rows.first().map(|row| row.key));
            prop_assert_eq!(block.last(), rows.last().map(|row| row.key));
        }

        #[test]
        fn order_of_insertion_does_not_matter(rows in rows(), seed: u64) {
            let mut shuffled = rows.clone();
            shuffled.sort_by_key(|row| row.sequence.wrapping_mul(seed | 1));
            let mut block = Block::default();
            for row in &shuffled {
                prop_assert!(block.insert(row));
                prop_assert!(!block.insert(row), "a row is there once");
            }
            prop_assert_eq!(block.rows(), rows);
        }

        #[test]
        fn any_bytes_decode_or_are_refused(bytes: Vec<u8>, count in 0u32..100) {
            let _: Option<Vec<TimelineRow>> = decode(&bytes, count);
        }
    }
}
