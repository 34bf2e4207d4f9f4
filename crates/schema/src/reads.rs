//! The reads of one request: charged to its budget, and never repeated.
//!
//! **Invariant:** a read that may not appear in the answer is charged before it starts.
//! **Invariant:** remembered reads end with the answer, and have one viewer.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_graphql::Context;
use parking_lot::Mutex;
use rookery_domain::{OwnedEventId, OwnedRoomId};
use rookery_graphql_edge::Budget;
use rookery_log::Position;
use rookery_view::{
    Meter, ROWS_OF_A_UNIT, Reacted, RoomSnapshot, Scans, TimelineError, TimelineEvent,
};

use crate::{context::unless_absent, types::errors::fault::Fault};

/// How many rooms, events and similar items are remembered for a request, of each kind.
const REMEMBERED_MAX: usize = 1_000;

/// The remembered reads of a request.
#[derive(Default)]
struct Memory {
    scans: Scans,
    /// The commits whose events are in the answer.
    kept: Mutex<HashSet<Position>>,
    snapshots: Mutex<HashMap<OwnedRoomId, (Position, Arc<RoomSnapshot>)>>,
    counts: Mutex<HashMap<CountKey, usize>>,
    reactions: Mutex<HashMap<EventMoment, Arc<[Reacted]>>>,
}

/// An event, and the position as of which its relations are shown.
pub type EventMoment = (OwnedEventId, Option<Position>);

/// A room, a membership, and the moment as of which the room is shown.
pub type CountKey = (OwnedRoomId, rookery_domain::Membership, Option<Position>);

/// The reads of one request.
pub struct Reads<'a> {
    budget: Option<&'a Budget>,
    memory: Arc<Memory>,
}

/// The reads of the request of `context`.
pub fn reads<'a>(context: &Context<'a>) -> Reads<'a> {
    let budget = context.data_opt::<Budget>();
    let memory = budget.map(Budget::attached::<Memory>).unwrap_or_default();
    Reads { budget, memory }
}

impl Reads<'_> {
    /// Charges the work for this many rows, members or similar items.
    pub fn look_at_rows(&self, rows: usize) -> Result<(), Fault> {
        self.look_at(rows.div_ceil(ROWS_OF_A_UNIT))
    }

    /// Charges this many units of work.
    pub fn look_at(&self, units: usize) -> Result<(), Fault> {
        let taken = self.budget.map_or(Ok(()), |budget| budget.look_at(units));
        taken.map_err(|error| Fault::exhausted(&error))
    }

    /// Yields to others, if this request has used its slice.
    pub async fn pause(&self) -> Result<(), Fault> {
        let Some(budget) = self.budget else { return Ok(()) };
        budget.pause().await.map_err(|error| Fault::exhausted(&error))
    }

    /// Charges the bytes of events in the answer, each commit once.
    pub async fn keep(&self, events: &[TimelineEvent]) -> Result<(), Fault> {
        let Some(budget) = self.budget else { return Ok(()) };
        let bytes = {
            let mut kept = self.memory.kept.lock();
            let commits = events.iter().map(|event| &event.committed);
            let new = commits.filter(|committed| kept.insert(committed.position));
            new.map(|committed| committed.len_bytes).sum()
        };
        budget.keep(bytes).await.map_err(|error| Fault::exhausted(&error))
    }

    /// The result of a read within the budget. A missing room or event is not a fault.
    pub fn found<T>(&self, result: Result<T, TimelineError>) -> Result<Option<T>, Fault> {
        match (&result, self.budget.and_then(Budget::exhausted)) {
            (Err(TimelineError::Exhausted), Some(exhausted)) => Err(Fault::exhausted(&exhausted)),
            _ => unless_absent(result),
        }
    }

    /// The fault of a failed read within the budget.
    pub fn fault(&self, error: TimelineError) -> Fault {
        let reason = error.to_string();
        self.found::<()>(Err(error)).err().unwrap_or_else(|| Fault::internal(&reason))
    }

    /// The budget of the request and its timeline reads.
    pub fn within(&self) -> (&dyn Meter, &Scans) {
        (self, &self.memory.scans)
    }

    /// The snapshot of a room at a position, read once.
    pub fn snapshot(
        &self,
        room: &OwnedRoomId,
        at: Position,
        read: impl FnOnce() -> RoomSnapshot,
    ) -> Arc<RoomSnapshot> {
        let mut snapshots = self.memory.snapshots.lock();
        if let Some((position, snapshot)) = snapshots.get(room)
            && *position == at
        {
            return Arc::clone(snapshot);
        }
        let snapshot = Arc::new(read());
        if snapshots.len() < REMEMBERED_MAX {
            snapshots.insert(room.clone(), (at, Arc::clone(&snapshot)));
        }
        snapshot
    }

    /// A count that was made before.
    pub fn count(&self, key: &CountKey) -> Option<usize> {
        self.memory.counts.lock().get(key).copied()
    }

    /// Remembers a count.
    pub fn counted(&self, key: CountKey, count: usize) {
        let mut counts = self.memory.counts.lock();
        if counts.len() < REMEMBERED_MAX {
            counts.insert(key, count);
        }
    }

    /// The reactions to an event that were collected before.
    pub fn reactions(&self, key: &EventMoment) -> Option<Arc<[Reacted]>> {
        self.memory.reactions.lock().get(key).map(Arc::clone)
    }

    /// Remembers the reactions to an event.
    pub fn reacted(&self, key: EventMoment, collected: &Arc<[Reacted]>) {
        let mut reactions = self.memory.reactions.lock();
        if reactions.len() < REMEMBERED_MAX {
            reactions.insert(key, Arc::clone(collected));
        }
    }
}

#[async_graphql::async_trait::async_trait]
impl Meter for Reads<'_> {
    fn look_at(&self, units: usize) -> bool {
        self.budget.is_none_or(|budget| budget.look_at(units).is_ok())
    }

    async fn pause(&self) -> bool {
        match self.budget {
            Some(budget) => budget.pause().await.is_ok(),
            None => true,
        }
    }

    async fn keep(&self, events: &[TimelineEvent]) -> bool {
        Reads::keep(self, events).await.is_ok()
    }
}
