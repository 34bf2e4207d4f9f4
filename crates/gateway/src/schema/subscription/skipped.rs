//! Events that a stream leaves out, so that a client can prove that it missed no others.
//!
//! **Invariant:** in a room of the viewer, each sequence number belongs to an event on the stream
//! or appears here, once.

use std::collections::HashMap;

use async_graphql::{Enum, SimpleObject};
use rookery_delivery::Skipped;
use rookery_domain::OwnedRoomId;
use rookery_schema::{
    marks::{SharedBy, shared},
    types::values::scalars::{Long, RoomIdScalar},
};

/// A chunk ends at this many ranges, even without items.
const RANGES_MAX: usize = 1_024;

/// The reason why an event is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum SkipReason {
    /// It arrived late, and you did not ask for late events. It is in the timeline.
    Late,
    /// It is state that was superseded before it arrived. It is in the timeline.
    Superseded,
    /// It is history that a user of this server asked for. It is in the timeline, before events that
    /// you have.
    Past,
    /// The server did not accept it: nobody can see it.
    Hidden,
    /// You ignore its sender. It is in the timeline once you ignore them no longer.
    Ignored,
    /// Your filter excludes it.
    Filtered,
    /// You have set it aside with `park`.
    Parked,
    /// It came with the answer to your join, and you asked for it only there.
    Answered,
}

impl From<Skipped> for SkipReason {
    fn from(why: Skipped) -> Self {
        match why {
            Skipped::Hidden => Self::Hidden,
            Skipped::Superseded => Self::Superseded,
            Skipped::Ignored => Self::Ignored,
            Skipped::Past => Self::Past,
        }
    }
}

/// Consecutive events of a room that are left out.
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
    /// The reason.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    reason: SkipReason,
}

/// The events left out since the last chunk.
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
