//! Old commits that were read recently. First in, first out.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use rookery_log::Position;

use super::Committed;

/// The cache, bounded in bytes.
#[derive(Default)]
pub(crate) struct Cache {
    commits: HashMap<Position, Arc<Committed>>,
    order: VecDeque<Position>,
    len_bytes: usize,
}

impl Cache {
    pub(crate) fn get(&self, position: Position) -> Option<&Arc<Committed>> {
        self.commits.get(&position)
    }

    /// Replaces the cached commit at the same position, if there is one.
    pub(crate) fn replace(&mut self, commit: &Arc<Committed>) {
        if let Some(held) = self.commits.get_mut(&commit.position) {
            self.len_bytes = self.len_bytes - cost(held) + cost(commit);
            *held = Arc::clone(commit);
        }
    }

    pub(crate) fn insert(&mut self, commit: Arc<Committed>, bytes_max: usize) {
        let (position, len_bytes) = (commit.position, cost(&commit));
        if self.commits.insert(position, commit).is_some() {
            return;
        }
        self.order.push_back(position);
        self.len_bytes += len_bytes;
        while self.len_bytes > bytes_max
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(commit) = self.commits.remove(&oldest) {
                self.len_bytes -= cost(&commit);
            }
        }
    }
}

/// The approximate memory of a decoded commit: its bytes, which are kept, and its parsed fields.
#[must_use]
pub fn cost(commit: &Committed) -> usize {
    commit.len_bytes * 2 + commit.facts.len() * 512 + 128
}
