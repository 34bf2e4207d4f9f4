//! Single older commits that were read recently. First in, first out.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use rookery_log::Position;

use super::{Committed, cache::cost};

/// The commits, bounded in bytes.
pub(super) struct Singles {
    commits: HashMap<Position, Arc<Committed>>,
    order: VecDeque<Position>,
    len_bytes: usize,
    bytes_max: usize,
}

impl Singles {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { commits: HashMap::new(), order: VecDeque::new(), len_bytes: 0, bytes_max }
    }

    pub(super) fn get(&self, position: Position) -> Option<&Arc<Committed>> {
        self.commits.get(&position)
    }

    /// Replaces the held commit at the same position, if there is one.
    pub(super) fn replace(&mut self, commit: &Arc<Committed>) {
        if let Some(held) = self.commits.get_mut(&commit.position) {
            self.len_bytes = self.len_bytes - cost(held) + cost(commit);
            *held = Arc::clone(commit);
        }
    }

    pub(super) fn insert(&mut self, commit: Arc<Committed>) {
        let (position, len_bytes) = (commit.position, cost(&commit));
        if self.commits.insert(position, commit).is_some() {
            return;
        }
        self.order.push_back(position);
        self.len_bytes += len_bytes;
        while self.len_bytes > self.bytes_max
            && let Some(oldest) = self.order.pop_front()
        {
            if let Some(commit) = self.commits.remove(&oldest) {
                self.len_bytes -= cost(&commit);
            }
        }
    }
}
