//! The place of a moment in a timeline.
//!
//! The times of events are those of their senders' servers, so they may go back where the timeline goes on. Then the
//! search finds one of the places where events before the moment meet events after it.
//!
//! **Invariant:** the search reads a number of events that grows with the logarithm of the depth, whatever the timeline
//! holds, and the models are released between them.

use rookery_domain::RoomId;
use rookery_log::{Millis, Position};
use rookery_projection::{RowKey, TimelineRow};

use super::{Anchor, EVENT_UNIT_BYTES, Meter, TimelineError, resolve};
use crate::{Reader, RoomView};

/// How many rows are looked through for one that was not hidden.
const ROWS_MAX: usize = 16;

/// The pages on the two sides of a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// The events at the moment or after it.
    pub from: Anchor,
    /// The events before it.
    pub until: Anchor,
}

impl Reader {
    /// The place of the moment `at` in the timeline of `room`, within the budget `meter` of a request.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn moment(
        &self,
        room: &RoomId,
        at: Millis,
        meter: &dyn Meter,
    ) -> Result<Moments, TimelineError> {
        Search { reader: self, room, at, meter }.run().await
    }
}

struct Search<'a> {
    reader: &'a Reader,
    room: &'a RoomId,
    at: Millis,
    meter: &'a dyn Meter,
}

impl Search<'_> {
    async fn run(&self) -> Result<Moments, TimelineError> {
        let ends = self.look(|room| {
            let (first, last) = (room.rows_after(None, 1)?, room.rows_before(None, 1)?);
            Ok(first.first().zip(last.first()).map(|(first, last)| (first.key, last.key)))
        })?;
        let Some((first, last)) = ends else {
            return Ok(Moments { from: Anchor::Start, until: Anchor::End });
        };
        // The search is among depths: the smallest one whose first event is not before the moment.
        let (mut low, mut high) = (first.depth, last.depth.saturating_add(1));
        while low < high {
            let middle = low + (high - low) / 2;
            match self.first_from(middle)? {
                Some(row) if self.is_before(row).await? => low = row.key.depth.saturating_add(1),
                Some(_) | None => high = middle,
            }
        }
        let Some(mut found) = self.first_from(low)? else {
            return Ok(Moments { from: Anchor::After(last), until: Anchor::End });
        };
        // Events of several servers may have the depth before it, and only the first of them is before the moment.
        let rows = self.look(|room| room.rows_before(Some(found.key), ROWS_MAX))?;
        for row in rows.into_iter().filter(|row| !row.flags.is_hidden()) {
            if self.is_before(row).await? {
                break;
            }
            found = row;
        }
        let from =
            if found.key == first { Anchor::Start } else { Anchor::After(just_before(found.key)) };
        Ok(Moments { from, until: Anchor::Before(found.key) })
    }

    fn look<T>(
        &self,
        look: impl FnOnce(RoomView<'_>) -> std::io::Result<T>,
    ) -> Result<T, TimelineError> {
        let view = self.reader.view();
        let room = view.room(self.room).ok_or(TimelineError::NoSuchRoom)?;
        Ok(look(room)?)
    }

    /// The first row of this depth or a greater one. Rejected events give no time, unless there are many of them.
    fn first_from(&self, depth: u64) -> Result<Option<TimelineRow>, TimelineError> {
        let key = RowKey { depth, ..RowKey::default() };
        let rows = self.look(|room| room.rows_after(Some(key), ROWS_MAX))?;
        let accepted = rows.iter().find(|row| !row.flags.is_hidden());
        Ok(accepted.or(rows.last()).copied())
    }

    /// Whether the event of a row is before the moment. An event that cannot be read is.
    async fn is_before(&self, row: TimelineRow) -> Result<bool, TimelineError> {
        self.meter.turn().await?;
        let event = resolve(self.reader.models(), &[row]).await?.pop();
        let len_bytes = event.as_ref().map_or(0, |event| event.committed.len_bytes);
        self.meter.take(1 + len_bytes / EVENT_UNIT_BYTES)?;
        let sent = event.map(|event| event.event().pdu.origin_server_ts.0.into());
        Ok(sent.is_none_or(|sent: u64| sent < self.at.0))
    }
}

/// The greatest place before another one.
fn just_before(key: RowKey) -> RowKey {
    let RowKey { depth, position, index } = key;
    let greatest = RowKey { depth, position: Position(u64::MAX), index: u16::MAX };
    if let Some(index) = index.checked_sub(1) {
        return RowKey { index, ..key };
    }
    match position.0.checked_sub(1) {
        Some(position) => RowKey { position: Position(position), ..greatest },
        None => RowKey { depth: depth.saturating_sub(1), ..greatest },
    }
}
