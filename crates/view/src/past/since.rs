//! The rows of a room since a position, by a walk back over its timeline.
//!
//! **Invariant:** a walk visits at most [`SCANNED_ROWS_MAX`] rows. It can be interrupted, and
//! continued in a later view.

use std::{io, ops::ControlFlow};

use rookery_log::Position;
use rookery_projection::{RowKey, TimelineRow};

use crate::RoomView;

/// How many rows are visited at most to find those since a position.
pub(super) const SCANNED_ROWS_MAX: usize = 20_000;

/// How many rows a walk back visits first.
const ROWS_MIN: usize = if cfg!(test) { 2 } else { 64 };

impl RoomView<'_> {
    /// The last commit with an accepted event, as of the commit at `at`. `None` if it is too far
    /// back to be found.
    ///
    /// # Errors
    /// If the file of the timelines cannot be read.
    pub fn activity_at(&self, at: Position) -> io::Result<Option<Position>> {
        if self.activity() <= at {
            return Ok(Some(self.activity()));
        }
        Ok(self.look_back(at, SCANNED_ROWS_MAX)?.and_then(|since| since.before))
    }

    /// Walks back until all rows after `after` were visited.
    fn look_back(&self, after: Position, limit: usize) -> io::Result<Option<Since>> {
        let mut look = LookBack::default();
        loop {
            if let ControlFlow::Break(whole) = look.step(self, after, limit)? {
                return Ok(Some(look.since).filter(|_| whole));
            }
        }
    }
}

/// A walk back over the rows after a position. It can be interrupted, and continued in a later
/// view.
#[derive(Default)]
pub(super) struct LookBack {
    pub(super) since: Since,
    /// The sequence after the last event at the start of the walk.
    end: Option<u64>,
    lowest: u64,
    known: u64,
    scanned: usize,
    key: Option<RowKey>,
    chunk: usize,
}

impl LookBack {
    /// How many rows the next step visits at most.
    pub(super) fn chunk(&self) -> usize {
        self.chunk.clamp(ROWS_MIN, 1_024)
    }

    /// Visits some more rows. Sequences have no gaps, so the walk is complete when they reach down
    /// to an earlier one. Breaks with whether it is complete.
    pub(super) fn step(
        &mut self,
        room: &RoomView<'_>,
        after: Position,
        limit: usize,
    ) -> io::Result<ControlFlow<bool>> {
        let end = *self.end.get_or_insert_with(|| {
            self.lowest = room.summary().last_sequence + 1;
            self.lowest
        });
        let chunk = self.chunk();
        let rows = room.rows_before(self.key, chunk)?;
        // Rows since the start of the walk do not count.
        for row in rows.iter().filter(|row| row.sequence < end) {
            if row.key.position > after {
                self.since.rows.push(*row);
                self.lowest = self.lowest.min(row.sequence);
            } else {
                self.known = self.known.max(row.sequence);
                let accepted = Some(row.key.position).filter(|_| !row.flags.is_hidden());
                self.since.before = self.since.before.max(accepted);
            }
        }
        self.scanned += rows.len();
        let whole =
            self.known + 1 == self.lowest && self.since.rows.len() as u64 + self.lowest == end;
        if rows.len() < chunk || (whole && self.since.before.is_some()) {
            self.since.rows.reverse();
            return Ok(ControlFlow::Break(true));
        }
        if self.since.rows.len() > limit || self.scanned > SCANNED_ROWS_MAX {
            return Ok(ControlFlow::Break(false));
        }
        self.key = rows.last().map(|row| row.key);
        self.chunk = chunk * 2;
        Ok(ControlFlow::Continue(()))
    }
}

/// The rows of a room since a position.
#[derive(Default)]
pub(super) struct Since {
    /// The rows after it, in the order of the timeline.
    pub(super) rows: Vec<TimelineRow>,
    /// The last commit up to the position with an accepted event, as far as the walk went.
    pub(super) before: Option<Position>,
}
