//! What a stream does not tell, so that a client can prove that it missed nothing else.
//!
//! **Invariant:** of a room that the viewer is in, each sequence number is that of an event that
//! was told, or stands here, once.

use std::collections::HashMap;

use async_graphql::{Enum, SimpleObject};
use rookery_delivery::Skipped;
use rookery_domain::OwnedRoomId;

use crate::{
    schema::types::values::scalars::{Long, RoomIdScalar},
    sharing::{SharedBy, shared},
};

/// Ranges after which a chunk ends, even if there is nothing else in it.
const RANGES_MAX: usize = 1_024;

/// Why an event is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum SkipReason {
    /// It arrived late, and you did not ask for such events. It stands in the timeline.
    Late,
    /// It is state that had been superseded before it arrived. It stands in the timeline.
    Superseded,
    /// The server did not accept it: nobody is shown it.
    Hidden,
    /// Your filter leaves it out.
    Filtered,
    /// It came with the answer to your join, and you asked for it there alone.
    Answered,
}

impl From<Skipped> for SkipReason {
    fn from(why: Skipped) -> Self {
        match why {
            Skipped::Hidden => Self::Hidden,
            Skipped::Superseded => Self::Superseded,
        }
    }
}

/// Events of a room that are not told, with sequence numbers that follow one another.
#[derive(Clone, Debug, PartialEq, Eq, SimpleObject)]
pub(crate) struct SkippedEvents {
    /// The room.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    room_id: RoomIdScalar,
    /// The sequence number of the first.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    first: Long,
    /// The sequence number of the last.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    last: Long,
    /// Why they are not told.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    reason: SkipReason,
}

/// What was skipped since the last chunk.
#[derive(Default)]
pub(crate) struct Skips {
    ranges: Vec<SkippedEvents>,
    /// The latest range of each room.
    latest: HashMap<OwnedRoomId, usize>,
}

impl Skips {
    pub(crate) fn note(&mut self, room: OwnedRoomId, sequence: u64, reason: SkipReason) {
        let before = Long::of_count(sequence.saturating_sub(1));
        let sequence = Long::of_count(sequence);
        let latest = self.latest.get(&room).map(|latest| &mut self.ranges[*latest]);
        if let Some(latest) = latest
            && latest.reason == reason
            && latest.last == before
        {
            latest.last = sequence;
            return;
        }
        self.latest.insert(room.clone(), self.ranges.len());
        let room_id = RoomIdScalar(room);
        self.ranges.push(SkippedEvents { room_id, first: sequence, last: sequence, reason });
    }

    pub(crate) fn is_full(&self) -> bool {
        self.ranges.len() >= RANGES_MAX
    }

    pub(crate) fn take(&mut self) -> Vec<SkippedEvents> {
        self.latest.clear();
        std::mem::take(&mut self.ranges)
    }
}
