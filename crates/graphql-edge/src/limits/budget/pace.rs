//! Runs executions in slices.
//!
//! **Invariant:** a heavy execution runs in the [lanes](rookery_work::Lanes). So some processors are left
//! to everybody else, however many heavy executions there are and however long their steps are.
//! **Invariant:** a finished answer no longer counts as in progress, whether or not its client
//! takes it.
//! **Invariant:** no execution in the lanes depends on a client: each is a task of its own.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{Stream, StreamExt as _, stream};
use rookery_work::Task;

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

/// Runs `execution` to its end in slices; in a lane if it takes long.
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
    let light = poll_fn(|context| match &answers {
        Some(answers) if budget.is_heavy() => Poll::Ready(Err(Arc::clone(answers))),
        _ => slice(&budget, stops, &mut running, context).map(Ok),
    });
    let answers: Arc<Answers> = match light.await {
        Ok(done) => return done,
        Err(answers) => answers,
    };
    let heavy =
        async move { poll_fn(|context| slice(&budget, stops, &mut running, context)).await };
    answers.lanes().run(heavy).await
}

impl Budget {
    /// Runs a step of a subscription to its end in slices: the first one here, the others in a task of their own, and
    /// in a lane if the step is heavy.
    pub async fn step<T: Send + 'static>(
        self,
        step: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let mut step: Running<T> = Box::pin(step);
        let first = poll_fn(|context| Poll::Ready(self.poll_step(&mut step, context))).await;
        match first {
            Poll::Ready(done) => done,
            Poll::Pending => Task::start(self.go_on(step)).await,
        }
    }

    async fn go_on<T: Send + 'static>(self, mut step: Running<T>) -> T {
        let answers = self.0.room.answers().cloned();
        let light = poll_fn(|context| match &answers {
            Some(answers) if self.is_heavy() => Poll::Ready(Err(Arc::clone(answers))),
            _ => self.poll_step(&mut step, context).map(Ok),
        });
        match light.await {
            Ok(done) => done,
            Err(answers) => {
                let rest =
                    async move { poll_fn(|context| self.poll_step(&mut step, context)).await };
                answers.lanes().run(rest).await
            }
        }
    }

    fn poll_step<T>(&self, step: &mut Running<T>, context: &mut Context<'_>) -> Poll<T> {
        self.begin_slice();
        step.as_mut().poll(context)
    }
}

/// Polls an execution once.
fn slice<T>(
    budget: &Budget,
    stops: Stops,
    running: &mut Running<T>,
    context: &mut Context<'_>,
) -> Poll<Result<T, Exhausted>> {
    let polled = budget.slice(|| running.as_mut().poll(context));
    let ended = match (polled, budget.exhausted()) {
        (Poll::Ready(done), _) => Ok(done),
        (Poll::Pending, Some(exhausted)) if stops == Stops::WhenExhausted => Err(exhausted),
        (Poll::Pending, _) => return Poll::Pending,
    };
    // A refusal waits for its client too, and must not keep the room of an answer meanwhile.
    budget.made();
    Poll::Ready(ended)
}

/// Takes each item of `items` in a lane, if its answers are heavy.
pub(crate) fn run_stream<T: Send + 'static>(
    budget: &Budget,
    items: impl Stream<Item = T> + Send + Unpin + 'static,
) -> stream::BoxStream<'static, T> {
    let answers = budget.0.room.answers().filter(|_| budget.is_heavy()).cloned();
    let Some(answers) = answers else { return items.boxed() };
    stream::unfold(items, move |mut items| {
        let step = async move {
            let item = items.next().await?;
            Some((item, items))
        };
        answers.lanes().run(step)
    })
    .boxed()
}
