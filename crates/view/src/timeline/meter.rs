//! Reading on behalf of one request: a long read asks before it looks at more, and what the request has looked at before
//! it does not read again.
//!
//! **Invariant:** a read that nobody meters is bounded all the same, by the limits of one call.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use rookery_domain::{OwnedRoomId, RoomId};
use rookery_log::Position;
use rookery_projection::RowKey;

use super::{Anchor, TimelineEvent};

/// Asked between the steps of a long read.
#[async_trait::async_trait]
pub trait Meter: Send + Sync {
    /// Takes the work of looking at so many things; `false` if the request may look at no more.
    fn look_at(&self, units: usize) -> bool;

    /// Lets others have their turn; `false` if the request has ended.
    async fn pause(&self) -> bool;
}

/// Bounds nothing beyond the limits of one call.
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

/// Rows, members and the like that count as one unit of work. An event that is read counts as one, and one for each
/// [`EVENT_UNIT_BYTES`] of its commit.
pub const ROWS_OF_A_UNIT: usize = 16;

/// See [`ROWS_OF_A_UNIT`].
pub const EVENT_UNIT_BYTES: usize = 1024;

/// Bytes of events that are kept for a second look.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// What a request has read of timelines. It is of one viewer.
#[derive(Default)]
pub struct Scans(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    steps: BTreeMap<StepKey, Arc<Scanned>>,
    len_bytes: usize,
}

/// From where a step of a scan goes, and how far.
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

/// What a step has found.
pub(super) struct Scanned {
    /// The events that the viewer may see.
    pub(super) events: Vec<TimelineEvent>,
    /// How many there are, with those that were not read.
    pub(super) seen: usize,
    /// Rows that were looked at.
    pub(super) rows: usize,
    pub(super) resume: Option<RowKey>,
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
