//! Runs executions in slices.
//!
//! **Invariant:** a heavy execution runs only while it holds a lane, for one slice at a time. So
//! some processors are left to everybody else, however many heavy executions there are.
//! **Invariant:** a finished answer no longer counts as in progress, whether or not its client
//! takes it.
//! **Invariant:** no wait for a lane depends on a client: a heavy execution is a task of its own.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::task::JoinHandle;

use super::{Answers, Budget, Exhausted};

/// Whether an execution ends as soon as its budget is exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stops {
    /// A query: its answer will not be sent.
    WhenExhausted,
    /// A mutation: once begun, it runs to its end.
    AtItsEnd,
}

type Running<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Runs `execution` to its end in slices; in a task of its own if it takes long.
///
/// # Errors
/// The exhausted part of the budget, if the execution ended because of it.
pub(crate) async fn run<T: Send + 'static>(
    budget: Budget,
    stops: Stops,
    execution: impl Future<Output = T> + Send + 'static,
) -> Result<T, Exhausted> {
    let mut running: Running<T> = Box::pin(execution);
    let answers = budget.0.room.answers().cloned();
    let light = poll_fn(|context| {
        if budget.is_heavy()
            && let Some(answers) = &answers
        {
            return Poll::Ready(Err(Arc::clone(answers)));
        }
        budget.begin_slice();
        let polled = running.as_mut().poll(context);
        budget.end_slice();
        match (polled, ended(&budget, stops)) {
            (Poll::Ready(done), _) => Poll::Ready(Ok(Ok(done))),
            (Poll::Pending, Some(exhausted)) => Poll::Ready(Ok(Err(exhausted))),
            (Poll::Pending, None) => Poll::Pending,
        }
    });
    match light.await {
        Ok(done) => {
            budget.made();
            done
        }
        Err(answers) => Task(tokio::spawn(heavy(answers, budget, stops, running))).join().await,
    }
}

fn ended(budget: &Budget, stops: Stops) -> Option<Exhausted> {
    budget.exhausted().filter(|_| stops == Stops::WhenExhausted)
}

async fn heavy<T>(
    answers: Arc<Answers>,
    budget: Budget,
    stops: Stops,
    mut running: Running<T>,
) -> Result<T, Exhausted> {
    loop {
        // The lanes are never closed.
        let lane = answers.lanes.acquire().await.ok();
        let slice = poll_fn(|context| {
            budget.begin_slice();
            let polled = running.as_mut().poll(context);
            budget.end_slice();
            Poll::Ready(polled)
        });
        let polled = slice.await;
        drop(lane);
        if let Poll::Ready(done) = polled {
            budget.made();
            return Ok(done);
        }
        if let Some(exhausted) = ended(&budget, stops) {
            return Err(exhausted);
        }
        // Wake-ups during the slice wake this task.
        let mut waited = false;
        poll_fn(
            |_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending },
        )
        .await;
    }
}

/// A task that ends when its handle is dropped.
struct Task<T>(JoinHandle<T>);

impl<T> Task<T> {
    async fn join(mut self) -> T {
        match (&mut self.0).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only dropping this aborts it; and a runtime that stops drops this too.
                Err(_) => std::future::pending().await,
            },
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
