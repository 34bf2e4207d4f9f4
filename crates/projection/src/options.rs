//! Settings of memory and snapshots.

use std::time::Duration;

/// The settings of the read models. The defaults suit a server of any size.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many decoded commits are kept for followers.
    pub ring_commits_max: usize,
    /// Their approximate size in bytes.
    pub ring_bytes_max: usize,
    /// The approximate size in bytes of recently read older commits.
    pub cache_bytes_max: usize,
    /// The approximate size in bytes of the pages of the log that are kept for catch-up.
    pub pages_bytes_max: usize,
    /// Snapshots are written after this many commits.
    pub snapshot_commits: u64,
    /// Snapshots are written after this time, if there was a commit.
    pub snapshot_interval: Duration,
    /// Threads of a rebuild; 0 for one per processor.
    pub rebuild_threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ring_commits_max: 4_096,
            ring_bytes_max: 16 * 1024 * 1024,
            cache_bytes_max: 8 * 1024 * 1024,
            pages_bytes_max: 8 * 1024 * 1024,
            snapshot_commits: 50_000,
            snapshot_interval: Duration::from_mins(5),
            rebuild_threads: 0,
        }
    }
}

impl Options {
    pub(crate) fn threads(&self) -> usize {
        match self.rebuild_threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            threads => threads,
        }
    }
}
