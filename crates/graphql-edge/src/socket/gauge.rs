//! The number of open `WebSocket`s.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts each open `WebSocket` of a server. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct SocketGauge(Arc<AtomicU64>);

/// A `WebSocket` that is counted until this is dropped.
pub(super) struct Counted(Arc<AtomicU64>);

impl SocketGauge {
    /// How many are open.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(super) fn enter(&self) -> Counted {
        self.0.fetch_add(1, Relaxed);
        Counted(Arc::clone(&self.0))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_counts_until_it_ends() {
        let gauge = SocketGauge::default();
        let (one, other) = (gauge.enter(), gauge.clone().enter());
        assert_eq!(gauge.count(), 2);
        drop(one);
        assert_eq!(gauge.count(), 1);
        drop(other);
        assert_eq!(gauge.count(), 0);
    }
}
