//! The changes of a room that a client knows.
//!
//! **Invariant:** an extended copy is complete: the missed events and the gap, if there is one,
//! join the copy; and every changed slot of the state is present with its last event.

use std::collections::BTreeSet;

use rookery_domain::{Filter, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::{RowKey, TimelineRow};

use crate::{Access, Meter, Reader, TimelineError, TimelineEvent};

/// Events that are read before others get a turn.
const READ_AT_ONCE: usize = 256;

/// The changes of a room since a position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedEvents {
    /// The position of the answer.
    pub at: Position,
    /// The events between, in the order of the timeline.
    pub rows: Vec<TimelineRow>,
}

/// The last of the missed events, and whether there are more.
#[derive(Clone, Debug, Default)]
pub struct LastMissed {
    /// The events, in the order of the timeline.
    pub events: Vec<TimelineEvent>,
    /// Whether the client missed more events, before these.
    pub has_more: bool,
}

impl Reader {
    /// Up to `limit` of the missed events that the client wants, the last ones. As on the stream,
    /// late events are only for clients that ask for them. Empty if `viewer` is no longer in the
    /// room.
    ///
    /// # Errors
    /// [`TimelineError`] if the log cannot be read, or if the budget of the request is used up.
    pub async fn last_missed(
        &self,
        (room, viewer): (&RoomId, &UserId),
        missed: &MissedEvents,
        (filter, limit): (Option<&Filter>, usize),
        meter: &dyn Meter,
    ) -> Result<LastMissed, TimelineError> {
        if !self.is_inside(room, viewer) {
            return Ok(LastMissed::default());
        }
        let includes_late = filter.is_some_and(|filter| filter.include_late);
        let rows = missed.rows.iter().filter(|row| includes_late || !row.flags.is_late());
        let mut rows: Vec<_> = rows.copied().collect();
        let filter = filter.filter(|filter| !filter.wants_every_event());
        let ignored = self.view().ignored_by(viewer);
        if filter.is_none() && ignored.is_empty() {
            let end = rows.len().saturating_sub(limit + 1);
            rows.drain(..end);
        }
        let mut events = self.missed_events(&rows, meter).await?;
        events.retain(|event| {
            let pdu = &event.event().pdu;
            !ignored.hide(pdu) && filter.is_none_or(|filter| filter.wants(pdu))
        });
        let first = events.len().saturating_sub(limit);
        Ok(LastMissed { has_more: first > 0, events: events.split_off(first) })
    }

    /// The events that hold the slots of the state that the missed events changed, by type and state
    /// key. Empty if `viewer` is no longer in the room.
    ///
    /// # Errors
    /// As [`Self::last_missed`], and if a file of the models cannot be read.
    pub async fn missed_state(
        &self,
        (room, viewer): (&RoomId, &UserId),
        missed: &MissedEvents,
        meter: &dyn Meter,
    ) -> Result<Vec<RowKey>, TimelineError> {
        let mut slots = BTreeSet::new();
        for event in self.missed_events(&missed.rows, meter).await? {
            let changes = event.event().state_changes();
            slots.extend(changes.map(|it| (it.kind.into_owned(), it.state_key.to_owned())));
        }
        meter.take_rows(slots.len())?;
        if !self.is_inside(room, viewer) {
            return Ok(Vec::new());
        }
        self.held_at(room, &slots, missed.at, meter).await
    }

    fn is_inside(&self, room: &RoomId, viewer: &UserId) -> bool {
        self.view().room_for(room, viewer, Access::Inside).is_some()
    }

    async fn missed_events(
        &self,
        rows: &[TimelineRow],
        meter: &dyn Meter,
    ) -> Result<Vec<TimelineEvent>, TimelineError> {
        let mut events = Vec::with_capacity(rows.len());
        for some in rows.chunks(READ_AT_ONCE) {
            meter.turn().await?;
            let read = self.events(some).await?;
            meter.show(&read).await?;
            meter.take(read.len())?;
            events.extend(read);
        }
        Ok(events)
    }
}
