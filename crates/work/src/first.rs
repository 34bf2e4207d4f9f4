//! The first step of work, which the caller takes itself.
//!
//! Most work finds all that it needs in memory and ends in its first step. A task for it would cost more than the work: a
//! place in the runtime, and often a wake-up of another thread.
//!
//! **Invariant:** work that has not ended with its first step goes on in a task of its own, whatever becomes of the caller.

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
    /// It has ended, perhaps by a panic.
    Ended(thread::Result<T>),
    /// It goes on in a task.
    Going(JoinHandle<T>),
}

/// Takes the first step of `work`, and makes a task of the rest.
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
