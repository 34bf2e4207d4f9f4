//! What the projector, the readers and a rebuild share.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use rookery_log::{EventLog, Position, ReadError};
use rookery_work::Lock;
use tokio::sync::watch;

use crate::{
    Committed, follower::Ring, gathered::Gathered, listed::ListedRooms, models::Models,
    options::Options, pages::Pages, restated::decode, router::Router,
};

/// Shared by all handles of the read models.
pub(crate) struct Core {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) models: RwLock<Models>,
    pub(crate) ring: RwLock<Ring>,
    pub(crate) cache: Mutex<Cache>,
    pub(crate) gathered: Gathered,
    pub(crate) pages: Pages,
    pub(crate) checkpoint: watch::Sender<Position>,
    pub(crate) router: Router,
    /// The public directory.
    pub(crate) listed: ListedRooms,
    /// Held by whoever changes rows: the projector, a retry, a rebuild that takes over.
    pub(crate) projecting: Lock<()>,
    /// Held by whoever writes snapshots, or changes where they go.
    pub(crate) saving: Lock<()>,
    /// Held by the one rebuild or verification that may run.
    pub(crate) rebuilding: Lock<()>,
}

impl Core {
    /// The commits at these positions, from memory where possible. What the log does not have is
    /// left out.
    pub(crate) async fn commits(
        &self,
        mut positions: Vec<Position>,
    ) -> Result<HashMap<Position, Arc<Committed>>, ReadError> {
        positions.sort_unstable();
        positions.dedup();
        let mut found = HashMap::with_capacity(positions.len());
        {
            // In this order everywhere: router, cache, pages, models, ring.
            let cache = self.cache.lock();
            let ring = self.ring.read();
            for position in &positions {
                let commit = ring.get(*position).or_else(|| cache.commits.get(position));
                found.extend(commit.map(|commit| (*position, Arc::clone(commit))));
            }
        }
        positions.retain(|position| !found.contains_key(position));
        if !positions.is_empty() {
            let records = self.gathered.get(&self.log, &positions).await?;
            let read = decode(&*self.log, &records).await?;
            // Under the lock: a redaction that comes now finds the commit in the cache.
            let mut cache = self.cache.lock();
            for commit in self.clean(read) {
                cache.insert(Arc::clone(&commit), self.options.cache_bytes_max);
                found.insert(commit.position, commit);
            }
        }
        Ok(found)
    }

    /// Commits as they were read from the log, without the content of what has been redacted.
    pub(crate) fn clean(&self, commits: Vec<Committed>) -> Vec<Arc<Committed>> {
        let models = self.models.read();
        let clean = |commit| models.without_redacted(&commit).unwrap_or(commit);
        commits.into_iter().map(clean).map(Arc::new).collect()
    }

    /// Lets go of the content of events that `commits`, which have been applied, redact.
    pub(crate) fn forget(&self, commits: &[Arc<Committed>]) {
        let events = commits.iter().flat_map(|commit| commit.room_events());
        let erased = events.flat_map(|(_, event)| event.erases());
        let mut positions: Vec<_> = erased.map(|erased| Position(erased.position)).collect();
        positions.sort_unstable();
        positions.dedup();
        for position in positions {
            let mut cache = self.cache.lock();
            let held = self.ring.read().get(position).cloned();
            let held = held.or_else(|| cache.commits.get(&position).cloned());
            let held = held.or_else(|| self.pages.get(position));
            let clean = held.and_then(|commit| self.models.read().without_redacted(&commit));
            if let Some(clean) = clean.map(Arc::new) {
                cache.replace(&clean);
                self.pages.replace(&clean);
                self.ring.write().replace(clean);
            }
        }
    }
}

/// Old commits that were asked for of late. First in, first out.
#[derive(Default)]
pub(crate) struct Cache {
    commits: HashMap<Position, Arc<Committed>>,
    order: VecDeque<Position>,
    len_bytes: usize,
}

impl Cache {
    /// Puts a commit in the place of the one that is held for its position, if any.
    fn replace(&mut self, commit: &Arc<Committed>) {
        if let Some(held) = self.commits.get_mut(&commit.position) {
            self.len_bytes = self.len_bytes - cost(held) + cost(commit);
            *held = Arc::clone(commit);
        }
    }

    fn insert(&mut self, commit: Arc<Committed>, bytes_max: usize) {
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

/// About what a decoded commit takes: its bytes, which are kept, and the fields read out of them.
pub(crate) fn cost(commit: &Committed) -> usize {
    commit.len_bytes * 2 + commit.facts.len() * 512 + 128
}
