//! Pages of older commits, for streams that catch up.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use rookery_log::Position;

use super::{Committed, cache::cost};

/// A page, or the part of it that existed when it was read.
struct HeldPage {
    commits: Vec<Arc<Committed>>,
    len_bytes: usize,
}

impl HeldPage {
    fn after(&self, after: Position) -> &[Arc<Committed>] {
        &self.commits[self.commits.partition_point(|commit| commit.position <= after)..]
    }
}

/// The pages by the position before each, bounded in bytes. The page that was read longest ago leaves first.
pub(super) struct Pages {
    by_begin: BTreeMap<Position, HeldPage>,
    order: VecDeque<Position>,
    len_bytes: usize,
    bytes_max: usize,
}

impl Pages {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { by_begin: BTreeMap::new(), order: VecDeque::new(), len_bytes: 0, bytes_max }
    }

    /// The commits after `after` up to the end of its page. `None` if they are not held.
    pub(super) fn after(&self, after: Position) -> Option<&[Arc<Committed>]> {
        let (_, page) = self.by_begin.range(..=after).next_back()?;
        let commits = page.after(after);
        let is_next = commits.first().is_some_and(|first| first.position == after.next());
        is_next.then_some(commits)
    }

    pub(super) fn get(&self, position: Position) -> Option<&Arc<Committed>> {
        self.after(Position(position.0.checked_sub(1)?))?.first()
    }

    /// Replaces the held commit at the same position, if there is one.
    pub(super) fn replace(&mut self, commit: &Arc<Committed>) {
        let before = Position(commit.position.0.saturating_sub(1));
        let Some((_, page)) = self.by_begin.range_mut(..=before).next_back() else { return };
        let mut commits = page.commits.iter_mut();
        if let Some(held) = commits.find(|held| held.position == commit.position) {
            *held = Arc::clone(commit);
        }
    }

    /// Holds the page that begins after `before`.
    pub(super) fn insert(&mut self, before: Position, commits: Vec<Arc<Committed>>) {
        let len_bytes = commits.iter().map(|commit| cost(commit)).sum();
        self.remove(before);
        self.by_begin.insert(before, HeldPage { commits, len_bytes });
        self.order.push_back(before);
        self.len_bytes += len_bytes;
        // The last page is kept for its waiting readers.
        while self.len_bytes > self.bytes_max && self.order.len() > 1 {
            self.remove(self.order[0]);
        }
    }

    fn remove(&mut self, before: Position) {
        if let Some(page) = self.by_begin.remove(&before) {
            self.len_bytes -= page.len_bytes;
            self.order.retain(|other| *other != before);
        }
    }
}
