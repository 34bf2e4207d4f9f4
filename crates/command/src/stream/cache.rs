//! A bounded cache of states: the least recently used are evicted when the states outgrow the bound.
//!
//! **Invariant:** weighing a stream state takes constant time, whatever the number of states and of held
//! ones.

use std::sync::Arc;

use lru::LruCache;
use parking_lot::Mutex;
use rookery_log::StreamId;

use crate::stream::{aggregate::Aggregate, state::StreamState};

/// The memory of an entry beside its state.
const ENTRY_BYTES: usize = 256;

/// How many states are checked when one is weighed. A stream state is weighed at least once when it is made,
/// so two would do; more catch up after many were held at a time.
const LOOKS_MAX: usize = 8;

/// Cells by stream, with the weight of each at its last use.
pub(crate) struct Cache<A> {
    inner: Mutex<Inner<A>>,
    bytes_max: usize,
}

struct Inner<A> {
    states: LruCache<StreamId, (Arc<StreamState<A>>, usize)>,
    bytes: usize,
}

impl<A: Aggregate> Cache<A> {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let inner = Inner { states: LruCache::unbounded(), bytes: 0 };
        Self { inner: Mutex::new(inner), bytes_max }
    }

    /// The state of the stream about `subject`.
    pub(crate) fn state_of(&self, subject: &str) -> Arc<StreamState<A>> {
        let stream = StreamId::new(A::KIND, subject);
        let mut inner = self.inner.lock();
        if let Some((stream_state, _)) = inner.states.get(&stream) {
            return Arc::clone(stream_state);
        }
        let stream_state = Arc::new(StreamState::new(stream.clone()));
        inner.bytes += ENTRY_BYTES;
        inner.states.put(stream, (Arc::clone(&stream_state), ENTRY_BYTES));
        stream_state
    }

    /// Records the weight of the state of `stream`, and evicts others if there is too much.
    ///
    /// A held stream state has appends in flight, or is about to. It stays, because a caller that loaded
    /// its stream again would decide without them. It counts as just used, so that held states are
    /// not checked each time.
    pub(crate) fn weigh(&self, stream: &StreamId, state_bytes: usize) {
        let mut inner = self.inner.lock();
        let Some((_, weight)) = inner.states.peek_mut(stream) else { return };
        let before = std::mem::replace(weight, ENTRY_BYTES + state_bytes);
        inner.bytes = inner.bytes - before + ENTRY_BYTES + state_bytes;
        for _ in 0..LOOKS_MAX {
            if inner.bytes <= self.bytes_max {
                return;
            }
            let Some((oldest, (stream_state, weight))) = inner.states.pop_lru() else { return };
            if Arc::strong_count(&stream_state) == 1 {
                inner.bytes -= weight;
            } else {
                inner.states.put(oldest, (stream_state, weight));
            }
        }
    }

    /// The number of held states, and of all.
    #[cfg(test)]
    pub(crate) fn held_of(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        let held = inner
            .states
            .iter()
            .filter(|(_, (stream_state, _))| Arc::strong_count(stream_state) > 1)
            .count();
        (held, inner.states.len())
    }

    /// All cached states.
    pub(crate) fn all(&self) -> Vec<Arc<StreamState<A>>> {
        self.inner
            .lock()
            .states
            .iter()
            .map(|(_, (stream_state, _))| Arc::clone(stream_state))
            .collect()
    }
}
