//! A bounded cache of cells: the least recently used go when the states outgrow the bound.

use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;
use rookery_log::StreamId;

use crate::{aggregate::Aggregate, cell::Cell};

/// What an entry costs beside its state.
const ENTRY_BYTES: usize = 256;

/// Cells by stream, with the weight that each had when it was last used.
pub(crate) struct Cache<A> {
    inner: Mutex<Inner<A>>,
    bytes_max: usize,
}

struct Inner<A> {
    cells: LruCache<StreamId, (Arc<Cell<A>>, usize)>,
    bytes: usize,
}

impl<A: Aggregate> Cache<A> {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let inner = Inner { cells: LruCache::unbounded(), bytes: 0 };
        Self { inner: Mutex::new(inner), bytes_max }
    }

    /// The cell of the stream about `subject`.
    pub(crate) fn cell(&self, subject: &str) -> Arc<Cell<A>> {
        let stream = StreamId::new(A::KIND, subject);
        let mut inner = self.inner.lock();
        if let Some((cell, _)) = inner.cells.get(&stream) {
            return Arc::clone(cell);
        }
        let cell = Arc::new(Cell::new(stream.clone()));
        inner.bytes += ENTRY_BYTES;
        inner.cells.put(stream, (Arc::clone(&cell), ENTRY_BYTES));
        cell
    }

    /// Notes what the state of `stream` weighs now, and lets go of others if that is too much.
    ///
    /// A cell that somebody holds has appends under way, or is about to: it stays, because whoever
    /// loaded its stream anew would decide without them.
    pub(crate) fn weigh(&self, stream: &StreamId, state_bytes: usize) {
        let mut inner = self.inner.lock();
        let Some((_, weight)) = inner.cells.peek_mut(stream) else { return };
        let before = std::mem::replace(weight, ENTRY_BYTES + state_bytes);
        inner.bytes = inner.bytes - before + ENTRY_BYTES + state_bytes;
        while inner.bytes > self.bytes_max {
            let oldest =
                inner.cells.iter().rev().find(|(_, (cell, _))| Arc::strong_count(cell) == 1);
            let Some(oldest) = oldest.map(|(stream, _)| stream.clone()) else { break };
            let Some((_, weight)) = inner.cells.pop(&oldest) else { break };
            inner.bytes -= weight;
        }
    }

    /// All cells that are cached now.
    pub(crate) fn all(&self) -> Vec<Arc<Cell<A>>> {
        self.inner.lock().cells.iter().map(|(_, (cell, _))| Arc::clone(cell)).collect()
    }
}
