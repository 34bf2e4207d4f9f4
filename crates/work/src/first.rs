//! The first step of work, which the caller polls itself.
//!
//! Most work finds all of its data in memory and ends in its first step. A task would cost more
//! than the work: a place in the runtime, and often a wake-up of another thread.
//!
//! **Invariant:** work that does not end in its first step continues in a task of its own, whatever
//! happens to the caller.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
    thread,
};

use tokio::task::JoinHandle;

use super::parked;

/// Work after its first step.
#[derive(Debug)]
pub(crate) enum Begun<T> {
    /// It ended, perhaps by a panic.
    Ended(thread::Result<T>),
    /// It continues in a task.
    Going(JoinHandle<T>),
}

/// Takes the first step of `work`, and starts a task for the rest.
pub(crate) fn begin<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Begun<T> {
    let mut work: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(work);
    // The task takes the second step in any case, so nothing has to wake the first one.
    let mut context = Context::from_waker(Waker::noop());
    let step = || parked::moved(|| work.as_mut().poll(&mut context));
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(Poll::Ready(result)) => Begun::Ended(Ok(result)),
        Ok(Poll::Pending) => Begun::Going(tokio::spawn(work)),
        Err(panic) => Begun::Ended(Err(panic)),
    }
}
