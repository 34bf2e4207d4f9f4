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
use rookery_domain::{OwnedEventId, OwnedRoomId, RoomId};
use rookery_graphql_edge::Budget;
use rookery_log::Position;
use rookery_projection::Reactions;
use rookery_view::{
    Meter, ROWS_OF_A_UNIT, Scans, TimelineError, TimelineEvent, TimelinePage, Viewer, Wanted,
};

use crate::schema::{
    context::App,
    types::{errors::fault::Fault, rooms::face::Face},
};

/// How many rooms, events and similar items are remembered for a request, of each kind.
const REMEMBERED_MAX: usize = 1_000;

/// The remembered reads of a request.
#[derive(Default)]
struct Memory {
    scans: Scans,
    /// The commits whose events are in the answer.
    kept: Mutex<HashSet<Position>>,
    faces: Mutex<HashMap<OwnedRoomId, (Position, Arc<Face>)>>,
    counts: Mutex<HashMap<CountKey, usize>>,
    reactions: Mutex<HashMap<EventMoment, Arc<[Reacted]>>>,
}

/// An event, and the position as of which its relations are shown.
type EventMoment = (OwnedEventId, Option<Position>);

/// The users who reacted with one key, and whether the viewer is one of them.
pub(crate) type Reacted = (Reactions, bool);

/// A room, a membership, and the moment as of which the room is shown.
pub(crate) type CountKey = (OwnedRoomId, rookery_domain::Membership, Option<Position>);

/// The reads of one request.
pub(crate) struct Reads<'a> {
    budget: Option<&'a Budget>,
    memory: Arc<Memory>,
}

/// The reads of the request of `context`.
pub(crate) fn reads<'a>(context: &Context<'a>) -> Reads<'a> {
    let budget = context.data_opt::<Budget>();
    let memory = budget.map(Budget::attached::<Memory>).unwrap_or_default();
    Reads { budget, memory }
}

impl Reads<'_> {
    /// Charges the work for this many rows, members or similar items.
    pub(crate) fn look_at_rows(&self, rows: usize) -> Result<(), Fault> {
        self.look_at(rows.div_ceil(ROWS_OF_A_UNIT))
    }

    /// Charges this many units of work.
    pub(crate) fn look_at(&self, units: usize) -> Result<(), Fault> {
        let taken = self.budget.map_or(Ok(()), |budget| budget.look_at(units));
        taken.map_err(|error| Fault::exhausted(&error))
    }

    /// Yields to others, if this request has used its slice.
    pub(crate) async fn pause(&self) -> Result<(), Fault> {
        let Some(budget) = self.budget else { return Ok(()) };
        budget.pause().await.map_err(|error| Fault::exhausted(&error))
    }

    /// Charges the bytes of events in the answer, each commit once.
    pub(crate) async fn keep(&self, events: &[TimelineEvent]) -> Result<(), Fault> {
        let Some(budget) = self.budget else { return Ok(()) };
        let bytes = {
            let mut kept = self.memory.kept.lock();
            let commits = events.iter().map(|event| &event.committed);
            let new = commits.filter(|committed| kept.insert(committed.position));
            new.map(|committed| committed.len_bytes).sum()
        };
        budget.keep(bytes).await.map_err(|error| Fault::exhausted(&error))
    }

    /// A page of a timeline whose events are in the answer.
    pub(crate) async fn timeline(
        &self,
        app: &App,
        room: &RoomId,
        viewer: &Viewer,
        wanted: Wanted<'_>,
    ) -> Result<Result<TimelinePage, TimelineError>, Fault> {
        let within = (self as &dyn Meter, &self.memory.scans);
        let page = app.models.timeline_within(room, viewer, wanted, within).await;
        if let Ok(page) = &page {
            self.keep(&page.events).await?;
        }
        Ok(page)
    }

    /// The timeline reads of the request.
    pub(crate) fn scans(&self) -> &Scans {
        &self.memory.scans
    }

    /// The snapshot of a room at a position, read once.
    pub(crate) fn face(
        &self,
        room: &OwnedRoomId,
        at: Position,
        read: impl FnOnce() -> Face,
    ) -> Arc<Face> {
        let mut faces = self.memory.faces.lock();
        if let Some((position, face)) = faces.get(room)
            && *position == at
        {
            return Arc::clone(face);
        }
        let face = Arc::new(read());
        if faces.len() < REMEMBERED_MAX {
            faces.insert(room.clone(), (at, Arc::clone(&face)));
        }
        face
    }

    /// A count that was made before.
    pub(crate) fn count(&self, key: &CountKey) -> Option<usize> {
        self.memory.counts.lock().get(key).copied()
    }

    /// Remembers a count.
    pub(crate) fn counted(&self, key: CountKey, count: usize) {
        let mut counts = self.memory.counts.lock();
        if counts.len() < REMEMBERED_MAX {
            counts.insert(key, count);
        }
    }

    /// The reactions to an event, collected once.
    pub(crate) fn reactions(
        &self,
        event: &OwnedEventId,
        until: Option<Position>,
        collect: impl FnOnce() -> Result<Vec<Reacted>, async_graphql::Error>,
    ) -> Result<Arc<[Reacted]>, async_graphql::Error> {
        let key = (event.clone(), until);
        if let Some(known) = self.memory.reactions.lock().get(&key) {
            return Ok(Arc::clone(known));
        }
        let collected: Arc<[Reacted]> = collect()?.into();
        let mut reactions = self.memory.reactions.lock();
        if reactions.len() < REMEMBERED_MAX {
            reactions.insert(key, Arc::clone(&collected));
        }
        Ok(collected)
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
}
