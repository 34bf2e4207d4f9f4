//! A disk that tests hold back, fill or make fail.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::{Condvar, Mutex};
use rookery_log_sled::{Disk, RealDisk, SledOptions};

/// A disk whose syncs can be held back or made to fail.
#[derive(Default)]
pub(crate) struct TestDisk {
    syncs: AtomicU64,
    pub(crate) free: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    held: bool,
    waiting: bool,
    failing: bool,
    /// After how many more successes syncs are held.
    successes: Option<u32>,
}

impl TestDisk {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { free: AtomicU64::new(u64::MAX), ..Self::default() })
    }

    pub(crate) fn options(self: &Arc<Self>) -> SledOptions {
        SledOptions { disk: Arc::clone(self) as _, ..SledOptions::default() }
    }

    pub(crate) fn hold(&self) {
        self.state.lock().held = true;
    }

    pub(crate) fn wait_for_sync(&self) {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| !state.waiting);
    }

    /// Holds the second sync from now on that does not fail.
    pub(crate) fn hold_second_success(&self) {
        self.state.lock().successes = Some(1);
    }

    pub(crate) fn wait_until_held(&self) {
        let mut state = self.state.lock();
        self.changed.wait_while(&mut state, |state| !(state.waiting && state.held));
    }

    pub(crate) fn release(&self) {
        self.state.lock().held = false;
        self.changed.notify_all();
    }

    pub(crate) fn fail(&self, failing: bool) {
        self.state.lock().failing = failing;
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::SeqCst)
    }
}

impl Disk for TestDisk {
    fn sync_data(&self, file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        let mut state = self.state.lock();
        if !state.failing
            && let Some(more) = state.successes
        {
            state.held = more == 0;
            state.successes = more.checked_sub(1);
        }
        state.waiting = true;
        self.changed.notify_all();
        self.changed.wait_while(&mut state, |state| state.held);
        state.waiting = false;
        if state.failing { Err(io::Error::other("made to fail")) } else { RealDisk.sync_data(file) }
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free.load(Ordering::SeqCst))
    }
}
