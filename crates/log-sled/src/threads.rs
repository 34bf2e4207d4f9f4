//! The threads of a log.
//!
//! **Invariant:** a panic ends its thread alone, and the owner of the log hears the thread's name.

use std::{
    io,
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    thread::{Builder, JoinHandle},
};

/// Called with the name of a thread of the log that panicked.
pub type OnPanic = Arc<dyn Fn(&'static str) + Send + Sync>;

/// Starts the thread `name`. If `work` panics, calls `after_panic` and then `on_panic`.
pub(crate) fn start(
    name: &'static str,
    on_panic: OnPanic,
    work: impl FnOnce() + Send + 'static,
    after_panic: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(move || {
        if panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            after_panic();
            on_panic(name);
        }
    })
}
