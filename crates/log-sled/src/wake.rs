//! Wakes the tasks that wait for the log.
//!
//! A wake-up may write to a descriptor of the runtime, and the runtime panics if that write fails.
//! The woken task is queued by then, so it runs at the next wake-up.
//!
//! **Invariant:** a failed wake-up neither ends the caller nor leaves a destructor.

use tokio::sync::{oneshot, watch};

use crate::engine::quiet;

/// Runs `work`, which wakes tasks. A panic in it is logged.
pub(crate) fn quietly(work: impl FnOnce()) {
    if let Err(panic) = quiet::catch(work) {
        tracing::error!(panic, "a task that waits for the log was not woken at once");
    }
}

/// Replaces the value of `sender`, also if nobody watches it.
pub(crate) fn replace<T>(sender: &watch::Sender<T>, value: T) {
    quietly(|| drop(sender.send_replace(value)));
}

/// The sender of one answer. The caller sees an error if it is dropped without one.
pub(crate) struct Answer<T>(Option<oneshot::Sender<T>>);

impl<T> Answer<T> {
    pub(crate) fn channel() -> (Self, oneshot::Receiver<T>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Some(sender)), receiver)
    }

    /// Sends the answer. The caller may be gone: the job continues without it.
    pub(crate) fn send(mut self, answer: T) {
        if let Some(sender) = self.0.take() {
            quietly(|| drop(sender.send(answer)));
        }
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            quietly(|| drop(sender));
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::{
        future::Future,
        panic::{self, AssertUnwindSafe},
        pin::pin,
        sync::Arc,
        task::{Context, Wake, Waker},
    };

    use super::*;

    /// A runtime that cannot be woken.
    struct Stuck;

    impl Wake for Stuck {
        fn wake(self: Arc<Self>) {
            panic!("failed to wake I/O driver");
        }
    }

    fn wait(future: impl Future) {
        let waker = Waker::from(Arc::new(Stuck));
        assert!(pin!(future).poll(&mut Context::from_waker(&waker)).is_pending());
    }

    #[test]
    fn answer_arrives_although_its_task_cannot_be_woken() {
        let (answer, mut outcome) = Answer::channel();
        wait(&mut outcome);
        answer.send(7);
        assert_eq!(outcome.try_recv(), Ok(7));
    }

    #[test]
    fn dropping_answers_while_panicking_leaves_the_process_alive() {
        let (answers, mut outcomes): (Vec<_>, Vec<_>) =
            (0..3).map(|_| Answer::<u8>::channel()).unzip();
        for outcome in &mut outcomes {
            wait(outcome);
        }
        let caught = panic::catch_unwind(AssertUnwindSafe(move || {
            let _answers = answers;
            panic!("the writer gave up");
        }));
        assert!(caught.is_err());
        for mut outcome in outcomes {
            assert_eq!(outcome.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        }
    }

    #[test]
    fn value_is_published_although_its_watchers_cannot_be_woken() {
        let sender = watch::Sender::new(1);
        let mut receiver = sender.subscribe();
        {
            let mut changed = pin!(receiver.changed());
            let waker = Waker::from(Arc::new(Stuck));
            assert!(changed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            replace(&sender, 2);
        }
        assert_eq!(*sender.borrow(), 2);
        assert!(receiver.has_changed().unwrap());
    }
}
