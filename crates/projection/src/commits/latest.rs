//! The latest commits, decoded.
//!
//! **Invariant:** without gaps: each position follows the one before.

use std::{collections::VecDeque, sync::Arc};

use rookery_log::Position;

use super::{Committed, cache::cost};

/// The commits, bounded in number and bytes.
pub(super) struct Latest {
    commits: VecDeque<Arc<Committed>>,
    len_bytes: usize,
    commits_max: usize,
    bytes_max: usize,
}

impl Latest {
    pub(super) fn new(commits_max: usize, bytes_max: usize) -> Self {
        Self { commits: VecDeque::new(), len_bytes: 0, commits_max, bytes_max }
    }

    pub(super) fn push(&mut self, commit: Arc<Committed>) {
        if self.commits.back().is_some_and(|last| last.position.next() != commit.position) {
            self.commits.clear();
            self.len_bytes = 0;
        }
        self.len_bytes += cost(&commit);
        self.commits.push_back(commit);
        while self.commits.len() > self.commits_max || self.len_bytes > self.bytes_max {
            let Some(oldest) = self.commits.pop_front() else { break };
            self.len_bytes -= cost(&oldest);
        }
    }

    /// Replaces the held commit at the same position, if there is one.
    pub(super) fn replace(&mut self, commit: Arc<Committed>) {
        let place = self.index(commit.position).and_then(|index| self.commits.get_mut(index));
        if let Some(place) = place {
            self.len_bytes = self.len_bytes - cost(place) + cost(&commit);
            *place = commit;
        }
    }

    fn index(&self, position: Position) -> Option<usize> {
        let first = self.commits.front()?.position;
        usize::try_from(position.0.checked_sub(first.0)?).ok()
    }

    pub(super) fn get(&self, position: Position) -> Option<&Arc<Committed>> {
        self.commits.get(self.index(position)?)
    }

    /// The commits after `after`, up to `limit`. `None` if the first of them is no longer here.
    pub(super) fn after(&self, after: Position, limit: usize) -> Option<Vec<Arc<Committed>>> {
        let start = self.index(after.next())?;
        Some(self.commits.iter().skip(start).take(limit).cloned().collect())
    }
}
