//! The answer to an append, and the bytes of all appends in flight.
//!
//! **Invariant:** the bytes of an append count until it is answered or dropped, on every path.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rookery_log::{APPENDS_IN_FLIGHT_BYTES_MAX, AppendError, Appended, Backlog};
use tokio::sync::Notify;

use crate::wake::{self, Answer};

/// How many bytes of appends are in flight.
#[derive(Default)]
pub(crate) struct InFlight {
    bytes: AtomicUsize,
    below: Notify,
}

impl InFlight {
    /// Counts `bytes` until the returned value is dropped.
    pub(crate) fn add(self: &Arc<Self>, bytes: usize) -> Counted {
        self.bytes.fetch_add(bytes, Ordering::SeqCst);
        Counted { all: Arc::clone(self), bytes }
    }

    /// A future that a caller waits for before the next append; `None` if the log accepts appends.
    pub(crate) fn backlog(self: &Arc<Self>) -> Option<Backlog> {
        if self.has_room() {
            return None;
        }
        let all = Arc::clone(self);
        Some(Box::pin(async move {
            loop {
                // Enabled before the check, so that no wake-up is missed in between.
                let mut below = std::pin::pin!(all.below.notified());
                below.as_mut().enable();
                if all.has_room() {
                    return;
                }
                below.await;
            }
        }))
    }

    fn has_room(&self) -> bool {
        self.bytes.load(Ordering::SeqCst) < APPENDS_IN_FLIGHT_BYTES_MAX
    }
}

/// The bytes of one append.
pub(crate) struct Counted {
    all: Arc<InFlight>,
    bytes: usize,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let before = self.all.bytes.fetch_sub(self.bytes, Ordering::SeqCst);
        let left = before - self.bytes;
        if before >= APPENDS_IN_FLIGHT_BYTES_MAX && left < APPENDS_IN_FLIGHT_BYTES_MAX {
            wake::quietly(|| self.all.below.notify_waiters());
        }
    }
}

/// The receiver of the answer to an append.
pub(crate) struct Reply {
    pub(crate) answer: Answer<Result<Appended, AppendError>>,
    pub(crate) bytes: Counted,
}

impl Reply {
    /// Sends the answer. The caller may be gone: an append continues without it.
    pub(crate) fn send(self, outcome: Result<Appended, AppendError>) {
        drop(self.bytes);
        self.answer.send(outcome);
    }
}
