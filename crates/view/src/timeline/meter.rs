//! Budgets of requests: a long read asks before it continues, and the request's earlier reads are
//! not repeated.
//!
//! **Invariant:** a read without a budget is bounded too, by the limits of one call.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use rookery_domain::{OwnedRoomId, RoomId};
use rookery_log::Position;
use rookery_projection::RowKey;

use super::{Anchor, TimelineError, TimelineEvent};

/// Called between the steps of a long read.
#[async_trait::async_trait]
pub trait Meter: Send + Sync {
    /// Charges the work for this many units. Returns `false` if the budget of the request is used
    /// up.
    fn look_at(&self, units: usize) -> bool;

    /// Yields to other tasks. Returns `false` if the request has ended.
    async fn pause(&self) -> bool;

    /// Charges the bytes of events that are in the answer. Returns `false` if the answer would be
    /// too large.
    async fn keep(&self, _events: &[TimelineEvent]) -> bool {
        true
    }
}

impl dyn Meter + '_ {
    /// Charges the work for this many rows, members or similar items.
    pub(crate) fn take_rows(&self, rows: usize) -> Result<(), TimelineError> {
        self.take(rows.div_ceil(ROWS_OF_A_UNIT))
    }

    /// Charges this many units of work.
    pub(crate) fn take(&self, units: usize) -> Result<(), TimelineError> {
        if self.look_at(units) { Ok(()) } else { Err(TimelineError::Exhausted) }
    }

    /// Yields to other tasks.
    pub(crate) async fn turn(&self) -> Result<(), TimelineError> {
        if self.pause().await { Ok(()) } else { Err(TimelineError::Exhausted) }
    }

    /// Charges the bytes of events that are in the answer.
    pub(crate) async fn show(&self, events: &[TimelineEvent]) -> Result<(), TimelineError> {
        if self.keep(events).await { Ok(()) } else { Err(TimelineError::Exhausted) }
    }
}

/// No bounds beyond the limits of one call.
#[derive(Clone, Copy, Debug)]
pub struct Unmetered;

#[async_trait::async_trait]
impl Meter for Unmetered {
    fn look_at(&self, _: usize) -> bool {
        true
    }

    async fn pause(&self) -> bool {
        true
    }
}

/// Rows, members and similar items that count as one unit of work. Reading an event counts as one
/// unit, and one more for each [`EVENT_UNIT_BYTES`] of its commit.
pub const ROWS_OF_A_UNIT: usize = 16;

/// See [`ROWS_OF_A_UNIT`].
pub const EVENT_UNIT_BYTES: usize = 1024;

/// Bytes of events that are kept for repeated reads.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// The timeline reads of a request, which has one viewer.
#[derive(Default)]
pub struct Scans(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    steps: BTreeMap<StepKey, Arc<Scanned>>,
    len_bytes: usize,
}

/// The begin and the length of a step of a scan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StepKey {
    room: OwnedRoomId,
    backward: bool,
    from: Option<RowKey>,
    rows: usize,
    events: usize,
    until: Option<Position>,
}

impl StepKey {
    pub(super) fn new(
        room: &RoomId,
        anchor: Anchor,
        (rows, events): (usize, usize),
        until: Option<Position>,
    ) -> Self {
        let (backward, from) = (anchor.is_backward(), anchor.key());
        Self { room: room.to_owned(), backward, from, rows, events, until }
    }
}

/// The result of a step.
pub(super) struct Scanned {
    /// The events that the viewer may see.
    pub(super) events: Vec<TimelineEvent>,
    /// How many there are, including those that were not read.
    pub(super) seen: usize,
    /// How many rows were visited.
    pub(super) rows: usize,
    pub(super) resume: Option<RowKey>,
    /// The last visited row of an event that has its place in the room.
    pub(super) placed: Option<RowKey>,
    pub(super) position: Position,
}

impl Scanned {
    pub(super) fn len_bytes(&self) -> usize {
        self.events.iter().map(|event| event.committed.len_bytes).sum()
    }
}

impl Scans {
    pub(super) fn get(&self, key: &StepKey) -> Option<Arc<Scanned>> {
        self.0.lock().steps.get(key).map(Arc::clone)
    }

    pub(super) fn keep(&self, key: StepKey, step: &Arc<Scanned>) {
        let mut kept = self.0.lock();
        let len_bytes = kept.len_bytes + step.len_bytes() + 64 * step.events.len();
        if len_bytes <= KEPT_BYTES_MAX {
            kept.len_bytes = len_bytes;
            kept.steps.insert(key, Arc::clone(step));
        }
    }
}
