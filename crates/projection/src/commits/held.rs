//! The decoded commits in memory: the latest in a ring, older ones in a cache.
//!
//! **Invariant:** no commit in memory has content of an event that the models know to be redacted.
//! **Invariant:** locks are taken in this order: the observers, the router, the cache, the pages,
//! the models, the ring.

use std::{collections::HashMap, sync::Arc};

use rookery_log::{Position, ReadError};

use super::{Committed, decode};
use crate::{Observer, ReadModels};

impl ReadModels {
    /// The commits at these positions, from memory where possible. Commits that the log does not
    /// have are left out. The caller decides which of their events a viewer may see.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read.
    pub async fn commits(
        &self,
        mut positions: Vec<Position>,
    ) -> Result<HashMap<Position, Arc<Committed>>, ReadError> {
        let core = &self.core;
        positions.sort_unstable();
        positions.dedup();
        let mut found = HashMap::with_capacity(positions.len());
        {
            let cache = core.cache.lock();
            let ring = core.ring.read();
            for position in &positions {
                let commit = ring.get(*position).or_else(|| cache.get(*position));
                found.extend(commit.map(|commit| (*position, Arc::clone(commit))));
            }
        }
        positions.retain(|position| !found.contains_key(position));
        if !positions.is_empty() {
            let records = core.gathered.get(&core.log, &positions).await?;
            let read = decode(&*core.log, &records).await?;
            // Under the lock, so that a redaction that comes now finds the commit in the cache.
            let mut cache = core.cache.lock();
            for commit in self.clean(read) {
                cache.insert(Arc::clone(&commit), core.options.cache_bytes_max);
                found.insert(commit.position, commit);
            }
        }
        Ok(found)
    }

    /// The commit at a position, if it is one of the latest.
    #[must_use]
    pub fn latest(&self, position: Position) -> Option<Arc<Committed>> {
        self.core.ring.read().get(position).cloned()
    }

    /// Up to `limit` commits after `after`, if these are among the latest.
    #[must_use]
    pub fn latest_after(&self, after: Position, limit: usize) -> Option<Vec<Arc<Committed>>> {
        self.core.ring.read().after(after, limit)
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
    pub(crate) fn forget(&self, commits: &[Arc<Committed>], observers: &[Arc<dyn Observer>]) {
        let core = &self.core;
        let events = commits.iter().flat_map(|commit| commit.room_events());
        let erased = events.flat_map(|(_, event)| event.erases());
        let mut positions: Vec<_> = erased.map(|erased| Position(erased.position)).collect();
        positions.sort_unstable();
        positions.dedup();
        for position in positions {
            let mut cache = core.cache.lock();
            let held = self.latest(position).or_else(|| cache.get(position).cloned());
            let held = held.or_else(|| observers.iter().find_map(|it| it.held(position)));
            let clean = held.and_then(|commit| self.read().without_redacted(&commit));
            if let Some(clean) = clean.map(Arc::new) {
                cache.replace(&clean);
                for observer in observers {
                    observer.replace(&clean);
                }
                core.ring.write().replace(clean);
            }
        }
    }
}
