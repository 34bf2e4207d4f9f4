//! The check that no client holds something that others wait for.
//!
//! A future of a connection may be parked at any of its awaits for as long as the client likes. In
//! builds with debug assertions such a future panics if it is parked while it holds, or waits for,
//! a [`Lock`](crate::Lock).

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;

thread_local! {
    /// How many locks the future that this thread polls has taken or waits for, less those that it
    /// has released.
    static HELD: Cell<i64> = const { Cell::new(0) };
}

/// A lock that is held or waited for.
#[derive(Debug)]
pub(crate) struct Held(());

impl Held {
    pub(crate) fn new() -> Self {
        count(1);
        Self(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        count(-1);
    }
}

fn count(by: i64) {
    if cfg!(debug_assertions) {
        HELD.set(HELD.get() + by);
    }
}

/// Runs a step of work that moves into a task of its own. Locks that it takes belong to the task
/// and not to the caller.
pub(crate) fn moved<T>(step: impl FnOnce() -> T) -> T {
    let before = HELD.get();
    let result = step();
    HELD.set(before);
    result
}

/// A future or a stream of a client. It must hold nothing that others wait for while it is not
/// polled.
#[derive(Debug)]
pub struct Unburdened<F> {
    name: &'static str,
    inner: F,
}

/// Checks `inner`, in builds with debug assertions. The panic message contains `name`.
pub fn unburdened<F: Unpin>(name: &'static str, inner: F) -> Unburdened<F> {
    Unburdened { name, inner }
}

impl<F: Unpin> Unburdened<F> {
    fn checked<T>(&mut self, poll: impl FnOnce(Pin<&mut F>) -> T) -> T {
        let before = HELD.get();
        let polled = poll(Pin::new(&mut self.inner));
        debug_assert_eq!(
            HELD.get(),
            before,
            "{} is parked while it holds, or waits for, a lock that others wait for: take the lock in a task of its own",
            self.name
        );
        polled
    }
}

impl<F: Future + Unpin> Future for Unburdened<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.checked(|inner| inner.poll(context))
    }
}

impl<S: Stream + Unpin> Stream for Unburdened<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        self.checked(|inner| inner.poll_next(context))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::await_holding_invalid_type, reason = "to see that it is caught")]

    use std::{panic::AssertUnwindSafe, sync::Arc};

    use futures_util::FutureExt as _;

    use super::*;
    use crate::{Lock, Task};

    async fn caught(future: impl Future<Output = ()> + Send) -> bool {
        let client = unburdened("a test", Box::pin(future));
        AssertUnwindSafe(client).catch_unwind().await.is_err()
    }

    #[tokio::test]
    async fn a_client_that_is_parked_with_a_lock_is_caught() {
        let lock = Lock::new(());
        let holds = async {
            let _guard = lock.lock().await;
            tokio::task::yield_now().await;
        };
        assert!(caught(holds).await);
    }

    #[tokio::test]
    async fn a_client_that_waits_for_a_lock_is_caught_as_its_turn_would_stay_with_it() {
        let lock = Lock::new(());
        let guard = lock.lock().await;
        assert!(caught(async { drop(lock.lock().await) }).await);
        drop(guard);
    }

    #[tokio::test]
    async fn a_lock_that_is_given_back_before_the_client_waits_is_no_fault() {
        let lock = Lock::new(());
        let gives_back = async {
            drop(lock.lock().await);
            tokio::task::yield_now().await;
        };
        assert!(!caught(gives_back).await);
    }

    #[tokio::test]
    async fn a_task_of_its_own_may_hold_a_lock() {
        let lock = Arc::new(Lock::new(()));
        let work = async {
            Task::start(async move {
                let _guard = lock.lock().await;
                tokio::task::yield_now().await;
            })
            .await;
        };
        assert!(!caught(work).await);
    }
}
