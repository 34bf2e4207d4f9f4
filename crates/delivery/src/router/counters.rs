//! Counters of delivery.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters for operators and tests. Gauges go up and down, the others only up.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) subscribers: AtomicU64,
    pub(crate) live: AtomicU64,
    pub(crate) routed: AtomicU64,
    pub(crate) wakes: AtomicU64,
    pub(crate) overflows: AtomicU64,
    pub(crate) page_reads: AtomicU64,
    pub(crate) page_hits: AtomicU64,
    pub(crate) shortcuts: AtomicU64,
}

/// The counters of event delivery since the server started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounters {
    /// Open streams.
    pub subscribers: u64,
    /// Streams that have caught up: commits are pushed to them.
    pub live: u64,
    /// Commits put into inboxes, counted once for each inbox.
    pub routed: u64,
    /// How often a stream was woken, at most once a batch.
    pub wakes: u64,
    /// How often an inbox was full, so that its stream had to continue from the log.
    pub overflows: u64,
    /// Pages of the log that were read for catch-up.
    pub page_reads: u64,
    /// Pages that were in memory already, because another reader had read them.
    pub page_hits: u64,
    /// How often a stream far behind read its rooms instead of the log.
    pub shortcuts: u64,
}

impl Counters {
    pub(crate) fn now(&self) -> DeliveryCounters {
        DeliveryCounters {
            subscribers: self.subscribers.load(Relaxed),
            live: self.live.load(Relaxed),
            routed: self.routed.load(Relaxed),
            wakes: self.wakes.load(Relaxed),
            overflows: self.overflows.load(Relaxed),
            page_reads: self.page_reads.load(Relaxed),
            page_hits: self.page_hits.load(Relaxed),
            shortcuts: self.shortcuts.load(Relaxed),
        }
    }

    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Relaxed);
    }

    pub(crate) fn up(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }

    pub(crate) fn down(counter: &AtomicU64) {
        counter.fetch_sub(1, Relaxed);
    }
}
