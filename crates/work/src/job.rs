//! One piece of work for all callers that ask for it at the same time.

use std::{future::Future, sync::Arc};

use tokio::task::{AbortHandle, JoinHandle};

use super::{
    first::{Begun, begin},
    shared::SharedFuture,
};

/// Work in a task of its own, and its result for any number of callers.
///
/// **Invariant:** the work continues whichever of the callers is polled. It ends early when the
/// last handle is dropped.
pub struct Job<T: Clone>(State<T>);

enum State<T: Clone> {
    Ended(Option<T>),
    Going { result: SharedFuture<Option<T>>, task: AbortHandle },
}

impl<T: Clone + Send + 'static> State<T> {
    fn going(task: JoinHandle<T>) -> Self {
        let abort = task.abort_handle();
        Self::Going { result: SharedFuture::new(async { task.await.ok() }), task: abort }
    }
}

impl<T: Clone + Send + Sync + 'static> Job<T> {
    /// Starts the work in a task.
    pub fn start(work: impl Future<Output = T> + Send + 'static) -> Arc<Self> {
        Arc::new(Self(State::going(tokio::spawn(work))))
    }

    /// Takes the first step of the work at once, and starts a task for the rest. Use it for work
    /// that seldom waits.
    pub fn begin(work: impl Future<Output = T> + Send + 'static) -> Arc<Self> {
        Arc::new(Self(match begin(work) {
            Begun::Ended(result) => State::Ended(result.ok()),
            Begun::Going(task) => State::going(task),
        }))
    }

    /// Waits for the result. `None` if the work panicked.
    pub async fn result(&self) -> Option<T> {
        match &self.0 {
            State::Ended(result) => result.clone(),
            State::Going { result, .. } => result.clone().await,
        }
    }

    /// Whether the work has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match &self.0 {
            State::Ended(_) => true,
            State::Going { task, .. } => task.is_finished(),
        }
    }
}

impl<T: Clone> Drop for Job<T> {
    fn drop(&mut self) {
        if let State::Going { task, .. } = &self.0 {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

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
        for job in [Job::<u8>::start(panics()), Job::begin(panics())] {
            assert_eq!(job.result().await, None);
            assert!(job.is_done());
        }
    }

    async fn panics() -> u8 {
        ready(()).await;
        panic!("on purpose")
    }

    #[tokio::test]
    async fn work_that_needs_no_waiting_ends_in_its_first_step() {
        let job = Job::begin(async { 7 });
        assert!(job.is_done());
        assert_eq!(job.result().await, Some(7));
    }
}
