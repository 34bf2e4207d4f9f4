//! The revisions of the streams that were written to lately.
//!
//! **Invariant:** streams of the group under way are never forgotten before it is settled.

use std::collections::HashMap;

use rookery_log::{Revision, StreamId};

/// How many streams are remembered between groups.
const HELD_MAX: usize = 65_536;

/// Revisions of streams, as the writer will leave them.
#[derive(Default)]
pub(crate) struct Heads(HashMap<StreamId, Revision>);

impl Heads {
    pub(crate) fn get(&self, stream: &StreamId) -> Option<Revision> {
        self.0.get(stream).copied()
    }

    pub(crate) fn set(&mut self, stream: StreamId, revision: Revision) {
        self.0.insert(stream, revision);
    }

    /// Forgets everything if it has become too much. The index still knows.
    pub(crate) fn bound(&mut self) {
        if self.0.len() > HELD_MAX {
            self.0.clear();
        }
    }
}
