//! The decoded commits in memory.
//!
//! The cache has three parts with sizes of their own: the latest commits without gaps, single older ones, and pages of
//! older ones. So a stream that catches up evicts nothing that other readers ask for.
//!
//! **Invariant:** locks are taken in this order: the older commits, the models, the latest commits.
//! **Invariant:** [`Cache::redact`] reaches every commit in memory. Commits are cleaned under the lock of their part
//! when they enter it, so that a redaction that comes meanwhile finds them.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::{Mutex, RwLock};
use rookery_log::Position;

use super::{Committed, latest::Latest, pages::Pages, singles::Singles};
use crate::Options;

/// The commits, by position.
pub(crate) struct Cache {
    older: Mutex<Older>,
    latest: RwLock<Latest>,
}

struct Older {
    singles: Singles,
    pages: Pages,
}

impl Older {
    fn get(&self, position: Position) -> Option<&Arc<Committed>> {
        self.singles.get(position).or_else(|| self.pages.get(position))
    }
}

impl Cache {
    pub(crate) fn new(options: &Options) -> Self {
        let singles = Singles::new(options.cache_bytes_max);
        let pages = Pages::new(options.pages_bytes_max);
        let latest = Latest::new(options.ring_commits_max, options.ring_bytes_max);
        Self { older: Mutex::new(Older { singles, pages }), latest: RwLock::new(latest) }
    }

    /// The commits at `positions` that are in memory.
    pub(crate) fn find(&self, positions: &[Position]) -> BTreeMap<Position, Arc<Committed>> {
        let older = self.older.lock();
        let latest = self.latest.read();
        let find = |position: &Position| {
            let commit = latest.get(*position).or_else(|| older.get(*position))?;
            Some((*position, Arc::clone(commit)))
        };
        positions.iter().filter_map(find).collect()
    }

    /// The commit at `position`, if it is one of the latest.
    pub(crate) fn latest(&self, position: Position) -> Option<Arc<Committed>> {
        self.latest.read().get(position).cloned()
    }

    /// Up to `limit` commits after `after`, if they are among the latest.
    pub(crate) fn latest_after(
        &self,
        after: Position,
        limit: usize,
    ) -> Option<Vec<Arc<Committed>>> {
        self.latest.read().after(after, limit)
    }

    /// Adds commits that the models have just applied.
    pub(crate) fn push(&self, commits: &[Arc<Committed>]) {
        let mut latest = self.latest.write();
        for commit in commits {
            latest.push(Arc::clone(commit));
        }
    }

    /// The commits after `after` up to the end of its page, if that page is in memory.
    pub(crate) fn page_after(&self, after: Position) -> Option<Vec<Arc<Committed>>> {
        self.older.lock().pages.after(after).map(<[_]>::to_vec)
    }

    /// Adds single older commits. `clean` makes them from the commits that were read.
    pub(crate) fn hold(&self, clean: impl FnOnce() -> Vec<Arc<Committed>>) -> Vec<Arc<Committed>> {
        let mut older = self.older.lock();
        let commits = clean();
        for commit in &commits {
            older.singles.insert(Arc::clone(commit));
        }
        commits
    }

    /// Adds the page that begins after `before`. `clean` makes its commits from those that were read.
    pub(crate) fn hold_page(
        &self,
        before: Position,
        clean: impl FnOnce() -> Vec<Arc<Committed>>,
    ) -> Vec<Arc<Committed>> {
        let mut older = self.older.lock();
        let commits = clean();
        older.pages.insert(before, commits.clone());
        commits
    }

    /// Replaces the commit at `position` in all parts by the result of `clean`, unless that is `None`.
    pub(crate) fn redact(
        &self,
        position: Position,
        clean: impl FnOnce(&Committed) -> Option<Committed>,
    ) {
        let mut older = self.older.lock();
        let held = self.latest(position).or_else(|| older.get(position).cloned());
        let Some(clean) = held.and_then(|commit| clean(&commit)).map(Arc::new) else { return };
        older.singles.replace(&clean);
        older.pages.replace(&clean);
        self.latest.write().replace(clean);
    }
}

/// The approximate memory of a decoded commit: its bytes, which are kept, and its parsed fields.
pub(super) fn cost(commit: &Committed) -> usize {
    commit.len_bytes * 2 + commit.facts.len() * 512 + 128
}
