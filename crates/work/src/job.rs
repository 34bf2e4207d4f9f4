//! One piece of work for all who ask for it at the same time.

use std::{future::Future, sync::Arc};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use tokio::task::AbortHandle;

/// Work in a task of its own, and its result for any number of callers.
///
/// **Invariant:** the work goes on whichever of the callers is polled. It ends early once nobody has the job any more.
pub struct Job<T: Clone> {
    result: Shared<BoxFuture<'static, Option<T>>>,
    task: AbortHandle,
}

impl<T: Clone + Send + Sync + 'static> Job<T> {
    /// Starts the work.
    pub fn start(work: impl Future<Output = T> + Send + 'static) -> Arc<Self> {
        let task = tokio::spawn(work);
        let abort = task.abort_handle();
        let result = task.map(Result::ok).boxed().shared();
        Arc::new(Self { result, task: abort })
    }

    /// Waits for the result. `None` if the work panicked.
    pub async fn result(&self) -> Option<T> {
        self.result.clone().await
    }

    /// Whether the work has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.task.is_finished()
    }
}

impl<T: Clone> Drop for Job<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_caller_that_is_not_polled_keeps_no_other_waiting() {
        let (go, gone) = oneshot::channel::<()>();
        let job = Job::start(async move {
            gone.await.ok();
            7
        });
        let first = Arc::clone(&job);
        let mut parked = Box::pin(async move { first.result().await });
        assert!((&mut parked).now_or_never().is_none());
        go.send(()).ok();
        // `parked` was the first to ask, and is not polled meanwhile.
        assert_eq!(job.result().await, Some(7));
        assert_eq!(parked.await, Some(7));
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_ends() {
        let (held, dropped) = oneshot::channel::<()>();
        let job = Job::start(async move {
            let _held = held;
            pending::<()>().await;
        });
        tokio::task::yield_now().await;
        assert!(!job.is_done());
        drop(job);
        assert!(dropped.await.is_err());
    }

    #[tokio::test]
    async fn a_panic_is_no_result() {
        let job = Job::<u8>::start(async { panic!("on purpose") });
        assert_eq!(job.result().await, None);
        assert!(job.is_done());
    }
}
