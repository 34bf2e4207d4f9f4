//! A bounded cache of cells: the least recently used are evicted when the states outgrow the bound.
//!
//! **Invariant:** weighing a cell takes constant time, whatever the number of cells and of held
//! ones.

use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;
use rookery_log::StreamId;

use crate::stream::{aggregate::Aggregate, cell::Cell};

/// The memory of an entry beside its state.
const ENTRY_BYTES: usize = 256;

/// How many cells are checked when one is weighed. A cell is weighed at least once when it is made,
/// so two would do; more catch up after many were held at a time.
const LOOKS_MAX: usize = 8;

/// Cells by stream, with the weight of each at its last use.
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

    /// Records the weight of the state of `stream`, and evicts others if there is too much.
    ///
    /// A held cell has appends in flight, or is about to. It stays, because a caller that loaded
    /// its stream again would decide without them. It counts as just used, so that held cells are
    /// not checked each time.
    pub(crate) fn weigh(&self, stream: &StreamId, state_bytes: usize) {
        let mut inner = self.inner.lock();
        let Some((_, weight)) = inner.cells.peek_mut(stream) else { return };
        let before = std::mem::replace(weight, ENTRY_BYTES + state_bytes);
        inner.bytes = inner.bytes - before + ENTRY_BYTES + state_bytes;
        for _ in 0..LOOKS_MAX {
            if inner.bytes <= self.bytes_max {
                return;
            }
            let Some((oldest, (cell, weight))) = inner.cells.pop_lru() else { return };
            if Arc::strong_count(&cell) == 1 {
                inner.bytes -= weight;
            } else {
                inner.cells.put(oldest, (cell, weight));
            }
        }
    }

    /// The number of held cells, and of all.
    #[cfg(test)]
    pub(crate) fn held_of(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        let held = inner.cells.iter().filter(|(_, (cell, _))| Arc::strong_count(cell) > 1).count();
        (held, inner.cells.len())
    }

    /// All cached cells.
    pub(crate) fn all(&self) -> Vec<Arc<Cell<A>>> {
        self.inner.lock().cells.iter().map(|(_, (cell, _))| Arc::clone(cell)).collect()
    }
}
