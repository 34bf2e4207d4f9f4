//! Work of one client that continues while the client is not polled.

use std::{
    future::Future,
    panic::resume_unwind,
    pin::Pin,
    task::{Context, Poll},
    thread,
};

use tokio::task::JoinHandle;

use super::first::{Begun, begin};

/// Work for one caller, in a task of its own after its first step. The handle keeps the result
/// until the caller takes it.
///
/// **Invariant:** work continues to its end unless the handle is dropped. Then it stops at its next
/// await.
#[derive(Debug)]
pub struct Task<T>(State<T>);

#[derive(Debug)]
enum State<T> {
    /// The result, until the caller takes it.
    Ended(Option<thread::Result<T>>),
    Going(JoinHandle<T>),
}

impl<T: Send + 'static> Task<T> {
    /// Starts the work, and takes its first step at once.
    pub fn start(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self(match begin(work) {
            Begun::Ended(result) => State::Ended(Some(result)),
            Begun::Going(task) => State::Going(task),
        })
    }
}

/// It never moves its content out of a pin.
impl<T> Unpin for Task<T> {}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match &mut self.0 {
            State::Ended(result) => match result.take() {
                Some(Ok(result)) => Poll::Ready(result),
                Some(Err(panic)) => resume_unwind(panic),
                // The caller has the result already.
                None => Poll::Pending,
            },
            State::Going(task) => match Pin::new(task).poll(context) {
                Poll::Ready(Ok(result)) => Poll::Ready(result),
                Poll::Ready(Err(error)) => match error.try_into_panic() {
                    Ok(panic) => resume_unwind(panic),
                    // The runtime is stopping, and drops this future next.
                    Err(_cancelled) => Poll::Pending,
                },
                Poll::Pending => Poll::Pending,
            },
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if let State::Going(task) = &self.0 {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, panic::AssertUnwindSafe};

    use futures_util::FutureExt as _;
    use tokio::{sync::oneshot, task::yield_now};

    use super::*;

    #[tokio::test]
    async fn work_that_needs_no_waiting_ends_in_its_first_step() {
        assert_eq!(Task::start(async { 7 }).now_or_never(), Some(7));
    }

    #[tokio::test]
    async fn work_that_waits_goes_on_while_nobody_asks() {
        let (done, is_done) = oneshot::channel();
        let task = Task::start(async move {
            yield_now().await;
            done.send(()).ok();
            7
        });
        is_done.await.expect("the work went on");
        assert_eq!(task.await, 7);
    }

    #[tokio::test]
    async fn work_that_waits_ends_with_its_handle() {
        let (held, dropped) = oneshot::channel::<()>();
        let task = Task::start(async move {
            let _held = held;
            pending::<()>().await;
        });
        drop(task);
        assert!(dropped.await.is_err());
    }

    #[tokio::test]
    async fn a_panic_reaches_the_caller_from_whichever_step() {
        let first = Task::<u8>::start(async { panic!("on purpose") });
        assert!(AssertUnwindSafe(first).catch_unwind().await.is_err());
        let later = Task::<u8>::start(async {
            yield_now().await;
            panic!("on purpose")
        });
        assert!(AssertUnwindSafe(later).catch_unwind().await.is_err());
    }
}
