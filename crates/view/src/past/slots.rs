//! The events that held slots of a room's state at an earlier position.
//!
//! **Invariant:** the models are released after a bounded number of changes, and each change is
//! charged.

use std::ops::ControlFlow;

use rookery_domain::RoomId;
use rookery_log::Position;
use rookery_projection::RowKey;

use crate::{Meter, ROWS_OF_A_UNIT, Reader, TimelineError, rooms::SlotWalk};

/// Changes of a slot that are visited before the models are released.
const CHANGES_LOOKED_MAX: usize = if cfg!(test) { 2 } else { 256 };

impl Reader {
    /// The events that held these slots after the commit at `at`, without empty slots. The cost
    /// grows with the changes of the slots since.
    ///
    /// # Errors
    /// [`TimelineError`] if a file of the models cannot be read, or if the budget of the request is
    /// used up.
    pub async fn held_at<'a>(
        &self,
        room: &RoomId,
        slots: impl IntoIterator<Item = &'a (String, String)> + Send,
        at: Position,
        meter: &dyn Meter,
    ) -> Result<Vec<RowKey>, TimelineError> {
        let mut steps = Steps::of(meter);
        let mut held = Vec::new();
        for (kind, state_key) in slots.into_iter().collect::<Vec<_>>() {
            held.extend(self.slot_at(room, (kind, state_key), at, &mut steps).await?);
        }
        Ok(held)
    }

    /// The event that held a slot.
    pub(super) async fn slot_at(
        &self,
        room: &RoomId,
        slot: (&str, &str),
        at: Position,
        steps: &mut Steps<'_>,
    ) -> Result<Option<RowKey>, TimelineError> {
        let mut walk = SlotWalk::default();
        loop {
            if !steps.meter.pause().await {
                return Err(TimelineError::Exhausted);
            }
            let before = walk.as_ref().map_or(0, |walked| walked.steps);
            let found = {
                let view = self.view();
                let Some(found) = view.room(room) else { return Ok(None) };
                found.walk_slot(slot, at, &mut walk, CHANGES_LOOKED_MAX)?
            };
            steps.take(walk.as_ref().map_or(0, |walked| walked.steps) - before)?;
            if let ControlFlow::Break(held) = found {
                return Ok(held);
            }
        }
    }
}

/// Visited changes of slots, some of which are not charged to the request yet.
pub(super) struct Steps<'a> {
    meter: &'a dyn Meter,
    open: usize,
}

impl<'a> Steps<'a> {
    pub(super) fn of(meter: &'a dyn Meter) -> Self {
        Self { meter, open: 0 }
    }

    fn take(&mut self, steps: usize) -> Result<(), TimelineError> {
        let open = self.open + steps;
        self.open = open % ROWS_OF_A_UNIT;
        let units = open / ROWS_OF_A_UNIT;
        if units == 0 || self.meter.look_at(units) { Ok(()) } else { Err(TimelineError::Exhausted) }
    }
}
