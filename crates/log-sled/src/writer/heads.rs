//! The ends of recently written streams.
//!
//! **Invariant:** streams of the current group stay here until it is settled.

use std::collections::HashMap;

use rookery_log::{EventKey, Revision, StreamId};

/// How many streams are remembered between groups.
const HELD_MAX: usize = 65_536;

/// The end of a stream.
#[derive(Clone, Copy, Default)]
pub(crate) struct StreamEnd {
    pub(crate) revision: Revision,
    /// Its last event; `None` for an empty stream.
    pub(crate) last: Option<EventKey>,
}

/// The ends of streams after the writer's queued jobs.
#[derive(Default)]
pub(crate) struct Heads(HashMap<StreamId, StreamEnd>);

impl Heads {
    pub(crate) fn get(&self, stream: &StreamId) -> Option<StreamEnd> {
        self.0.get(stream).copied()
    }

    pub(crate) fn set(&mut self, stream: StreamId, end: StreamEnd) {
        self.0.insert(stream, end);
    }

    /// Clears everything if there is too much. The index still knows.
    pub(crate) fn bound(&mut self) {
        if self.0.len() > HELD_MAX {
            self.0.clear();
        }
    }
}
