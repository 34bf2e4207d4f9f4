//! Options for opening a log.

use std::{fmt, sync::Arc, time::Duration};

use rookery_log::Epoch;

use crate::{Disk, OnPanic, RealDisk};

/// How to open a log. [`Self::default`] is right for a server.
#[derive(Clone)]
pub struct SledOptions {
    /// The epoch of a new log; drawn at random if `None`. An existing log of another epoch is
    /// refused.
    pub epoch: Option<Epoch>,
    /// The size of the engine's cache, in bytes. It takes more memory than this.
    pub cache_bytes: u64,
    /// The size of the cache of the latest records, in bytes.
    pub recent_bytes: usize,
    /// Most events that share one sync.
    pub group_events_max: usize,
    /// Most bytes that are written between two syncs.
    ///
    /// After a power cut the engine finds the end of its file by reading its last two segments (512
    /// KiB each). More unsynced data could leave a gap that it does not see.
    pub group_bytes_max: usize,
    /// Below this many free bytes, commits are refused until more space is free.
    pub free_bytes_min: u64,
    /// How long to wait before the disk of a stopped log is probed. The pause grows with each probe
    /// that fails.
    pub probe_pause: Duration,
    /// The disk.
    pub disk: Arc<dyn Disk>,
    /// Hears the name of a thread of the log that panicked. Such a log accepts no commit any more, or
    /// keeps its index in memory.
    pub on_panic: OnPanic,
}

impl Default for SledOptions {
    fn default() -> Self {
        Self {
            epoch: None,
            cache_bytes: 64 * 1024 * 1024,
            recent_bytes: 8 * 1024 * 1024,
            group_events_max: 512,
            group_bytes_max: 256 * 1024,
            free_bytes_min: 32 * 1024 * 1024,
            probe_pause: Duration::from_secs(1),
            disk: Arc::new(RealDisk),
            on_panic: Arc::new(|_| {}),
        }
    }
}

impl fmt::Debug for SledOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SledOptions")
            .field("epoch", &self.epoch)
            .field("cache_bytes", &self.cache_bytes)
            .field("recent_bytes", &self.recent_bytes)
            .field("group_events_max", &self.group_events_max)
            .field("group_bytes_max", &self.group_bytes_max)
            .field("free_bytes_min", &self.free_bytes_min)
            .field("probe_pause", &self.probe_pause)
            .finish_non_exhaustive()
    }
}
