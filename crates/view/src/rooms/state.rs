//! Pages of a room's state.
//!
//! **Invariant:** only viewers inside the room see its state.

use rookery_domain::{RoomId, UserId};
use rookery_log::Position;

use super::WantedSlots;
use crate::{Access, Meter, Reader, TimelineError, TimelineEvent};

/// The type and the state key of a slot.
pub type Slot = (String, String);

/// The requested state of a room.
#[derive(Clone, Copy, Debug, Default)]
pub struct WantedState<'a> {
    /// Of this type only.
    pub kind: Option<&'a str>,
    /// With this state key only.
    pub state_key: Option<&'a str>,
    /// After this slot, by type and state key.
    pub after: Option<&'a Slot>,
    /// As of the commit at this position; as of now for `None`.
    pub as_of: Option<Position>,
    /// The greatest number of events.
    pub limit: usize,
}

impl Reader {
    /// The events that hold the state of the room, by type and state key. Empty unless `viewer` is
    /// inside.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read, or if the budget of the
    /// request is used up.
    pub async fn state(
        &self,
        room: &RoomId,
        viewer: &UserId,
        wanted: WantedState<'_>,
        meter: &dyn Meter,
    ) -> Result<Vec<TimelineEvent>, TimelineError> {
        let WantedState { kind, state_key, after, as_of, limit } = wanted;
        let (mut after, mut keys) = (after.cloned(), Vec::new());
        // In a sync, the state is of its position too: later changes are on the stream.
        let at = as_of.unwrap_or(Position(u64::MAX));
        while keys.len() < limit {
            // The models are released between the steps.
            meter.turn().await?;
            let page = {
                let view = self.view();
                let Some(found) = view.room_for(room, viewer, Access::Inside) else { break };
                let after = after.as_ref().map(|(kind, key)| (&**kind, &**key));
                found.slots(WantedSlots { kind, state_key, after, at, limit: limit - keys.len() })
            };
            meter.take_rows(page.looked)?;
            keys.extend(self.held_at(room, &page.slots, at, meter).await?);
            after = page.resume;
            if after.is_none() {
                break;
            }
        }
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let events = self.events_at(room, &keys).await?;
        meter.show(&events).await?;
        Ok(events)
    }
}
