//! What the projector, the readers and a rebuild share.

use std::{
    collections::{HashMap, VecDeque},
    path::PathBuf,
    sync::Arc,
};

use parking_lot::{Mutex, RwLock};
use rookery_log::{EventLog, Position, ReadError};
use tokio::sync::watch;

use crate::{Committed, follower::Ring, models::Models, options::Options};

/// Shared by all handles of the read models.
pub(crate) struct Core {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) models: RwLock<Models>,
    pub(crate) ring: RwLock<Ring>,
    pub(crate) cache: Mutex<Cache>,
    pub(crate) checkpoint: watch::Sender<Position>,
    /// Held by whoever changes rows: the projector, a retry, a rebuild that takes over.
    pub(crate) projecting: tokio::sync::Mutex<()>,
    /// Held by whoever writes snapshots, or changes where they go.
    pub(crate) saving: Arc<tokio::sync::Mutex<()>>,
    /// Held by the one rebuild or verification that may run.
    pub(crate) rebuilding: tokio::sync::Mutex<()>,
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
            let ring = self.ring.read();
            let cache = self.cache.lock();
            for position in &positions {
                let commit = ring.get(*position).or_else(|| cache.commits.get(position));
                found.extend(commit.map(|commit| (*position, Arc::clone(commit))));
            }
        }
        positions.retain(|position| !found.contains_key(position));
        if !positions.is_empty() {
            let records = self.log.get(&positions).await?;
            let read = records.iter().map(|record| Arc::new(Committed::decode(record)));
            let read: Vec<_> = read.collect();
            let mut cache = self.cache.lock();
            for commit in read {
                cache.insert(Arc::clone(&commit), self.options.cache_bytes_max);
                found.insert(commit.position, commit);
            }
        }
        Ok(found)
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
