//! The commits that readers ask for, from memory or from the log.
//!
//! **Invariant:** no commit in memory has content of an event that the models know to be redacted.
//! **Invariant:** locks are taken in this order: the observers, the router, the older commits of the cache, the models,
//! the latest commits of the cache.

use std::{collections::BTreeMap, sync::Arc};

use rookery_log::{Position, ReadError};

use super::{Committed, decode};
use crate::ReadModels;

impl ReadModels {
    /// The commits at these positions, from memory where possible. Commits that the log does not
    /// have are left out. The caller decides which of their events a viewer may see.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read.
    pub async fn commits(
        &self,
        mut positions: Vec<Position>,
    ) -> Result<BTreeMap<Position, Arc<Committed>>, ReadError> {
        let core = &self.core;
        positions.sort_unstable();
        positions.dedup();
        let mut found = core.cache.find(&positions);
        positions.retain(|position| !found.contains_key(position));
        if !positions.is_empty() {
            let records = core.gathered.get(&core.log, &positions).await?;
            let read = decode(&*core.log, &records).await?;
            let read = core.cache.hold(|| self.clean(read));
            found.extend(read.into_iter().map(|commit| (commit.position, commit)));
        }
        Ok(found)
    }

    /// The commit at a position, if it is one of the latest.
    #[must_use]
    pub fn latest(&self, position: Position) -> Option<Arc<Committed>> {
        self.core.cache.latest(position)
    }

    /// Up to `limit` commits after `after`, if these are among the latest.
    #[must_use]
    pub fn latest_after(&self, after: Position, limit: usize) -> Option<Vec<Arc<Committed>>> {
        self.core.cache.latest_after(after, limit)
    }

    /// The commits after `after` up to the end of the page that has them, if that page is in memory.
    #[must_use]
    pub fn page_after(&self, after: Position) -> Option<Vec<Arc<Committed>>> {
        self.core.cache.page_after(after)
    }

    /// Keeps `read` in memory as the page that begins after `before`. Returns its commits without redacted content.
    #[must_use]
    pub fn hold_page(&self, before: Position, read: Vec<Committed>) -> Vec<Arc<Committed>> {
        self.core.cache.hold_page(before, || self.clean(read))
    }

    /// Removes redacted content from commits that were read from the log.
    #[must_use]
    pub fn clean(&self, commits: Vec<Committed>) -> Vec<Arc<Committed>> {
        let models = self.read();
        let clean = |commit| models.without_redacted(&commit).unwrap_or(commit);
        commits.into_iter().map(clean).map(Arc::new).collect()
    }

    /// Removes content that was redacted since from commits that were clean when they were read.
    #[must_use]
    pub fn still_clean(&self, commits: &[Arc<Committed>]) -> Vec<Arc<Committed>> {
        let models = self.read();
        let clean = |commit: &Arc<Committed>| {
            models.without_redacted(commit).map_or_else(|| Arc::clone(commit), Arc::new)
        };
        commits.iter().map(clean).collect()
    }

    /// Removes from memory the content that `commits`, which were applied, redact.
    pub(crate) fn forget(&self, commits: &[Arc<Committed>]) {
        let events = commits.iter().flat_map(|commit| commit.room_events());
        let erased = events.flat_map(|(_, event)| event.erases());
        let mut positions: Vec<_> = erased.map(|erased| Position(erased.position)).collect();
        positions.sort_unstable();
        positions.dedup();
        for position in positions {
            self.core.cache.redact(position, |commit| self.read().without_redacted(commit));
        }
    }
}
