//! The answers in memory, of all groups.
//!
//! **Invariant:** they never exceed their bytes: the oldest ones are evicted first.
//! **Invariant:** an answer stays no longer than the decoded commits it was made of. When these
//! have left memory, or a redaction has replaced them, the answer is gone.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use rookery_projection::Committed;

use super::identity::Identity;

/// The memory of an answer beside its text and its identity: its places in the indexes.
const PLACE_BYTES: usize = 256;

/// An answer, with the chunk that it answers.
pub(super) struct Kept {
    pub(super) identity: Box<Identity>,
    pub(super) answer: Arc<str>,
}

impl Kept {
    pub(super) fn len_bytes(&self) -> usize {
        self.identity.len_bytes() + self.answer.len() + PLACE_BYTES
    }
}

pub(super) struct Shelf {
    bytes_max: usize,
    state: Mutex<State>,
}

/// It holds no commits, so nothing that is dropped under its lock needs the lock.
#[derive(Default)]
struct State {
    /// By number, oldest first.
    kept: BTreeMap<u64, Arc<Kept>>,
    /// For each commit, by address, the answers made of it.
    of_commits: BTreeSet<(usize, u64)>,
    next: u64,
    bytes: usize,
}

impl State {
    fn remove(&mut self, number: u64) {
        let Some(kept) = self.kept.remove(&number) else { return };
        self.bytes -= kept.len_bytes();
        for commit in kept.identity.commits() {
            self.of_commits.remove(&(commit, number));
        }
    }
}

impl Shelf {
    pub(super) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, state: Mutex::default() })
    }

    /// Keeps an answer made of `commits`, and returns its number. `None` if it cannot be kept.
    pub(super) fn keep<'a>(
        self: &Arc<Self>,
        kept: &Arc<Kept>,
        commits: impl Iterator<Item = &'a Arc<Committed>>,
    ) -> Option<u64> {
        for committed in commits {
            let address = Arc::as_ptr(committed).addr();
            let end = || End { shelf: Arc::downgrade(self), address };
            let attached = committed.attached(|| Box::new(end())) as &dyn Any;
            let end = attached.downcast_ref::<End>();
            // If another server in this process was first, this shelf would not learn of the
            // commit's end.
            end.filter(|end| std::ptr::eq(end.shelf.as_ptr(), Arc::as_ptr(self)))?;
        }
        let bytes = kept.len_bytes();
        let left = self.bytes_max.checked_sub(bytes)?;
        let mut state = self.state.lock();
        while state.bytes > left
            && let Some(oldest) = state.kept.keys().next().copied()
        {
            state.remove(oldest);
        }
        let number = state.next;
        state.next += 1;
        state.bytes += bytes;
        state.of_commits.extend(kept.identity.commits().map(|commit| (commit, number)));
        state.kept.insert(number, Arc::clone(kept));
        Some(number)
    }

    pub(super) fn remove(&self, numbers: impl Iterator<Item = u64>) {
        let mut state = self.state.lock();
        for number in numbers {
            state.remove(number);
        }
    }

    /// The number of answers, and their approximate size.
    pub(super) fn size(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.kept.len(), state.bytes)
    }

    fn end(&self, commit: usize) {
        let mut state = self.state.lock();
        let ended = state.of_commits.range((commit, 0)..=(commit, u64::MAX));
        let ended: Vec<_> = ended.map(|(_, number)| *number).collect();
        for number in ended {
            state.remove(number);
        }
    }
}

/// Is dropped with a decoded commit.
struct End {
    shelf: Weak<Shelf>,
    address: usize,
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(shelf) = self.shelf.upgrade() {
            shelf.end(self.address);
        }
    }
}
