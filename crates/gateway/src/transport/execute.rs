//! Running what the gate let through.
//!
//! **Invariant:** a mutation that has begun runs to its end, whether or not anybody waits for the answer.
//! **Invariant:** a panic in a resolver is the fault of one request and reaches no other.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use async_graphql::Executor;
use futures_util::FutureExt as _;
use tokio::time::timeout;
use tracing::Instrument as _;

use super::gate::{Admitted, OperationKind};
use super::outcome::Outcome;
use super::prepare::Prepared;
use super::refusal::{Refusal, code};

/// Executes a query or a mutation, for at most `deadline`.
pub(super) async fn execute<E: Executor>(
    executor: E,
    prepared: Prepared,
    deadline: Duration,
) -> Outcome {
    let Prepared { request, admitted, cost, verdict, .. } = prepared;
    let started = Instant::now();
    let span = tracing::debug_span!(
        target: "rookery::operation",
        "operation",
        kind = admitted.kind.as_str(),
        name = admitted.name.as_deref(),
    );
    let run = async move { AssertUnwindSafe(executor.execute(request)).catch_unwind().await };
    let run = run.instrument(span);
    let finished = if admitted.kind == OperationKind::Mutation {
        let task = tokio::spawn(run);
        timeout(deadline, task)
            .await
            .map(|joined| joined.unwrap_or_else(|error| Err(Box::new(error))))
    } else {
        timeout(deadline, run).await
    };
    let outcome = match finished {
        Ok(Ok(response)) => Outcome::of_execution(response).with_cost(cost),
        Ok(Err(panic)) => Outcome::of_panic(&*panic),
        Err(_elapsed) => late(admitted.kind, deadline).into(),
    };
    if let Some(verdict) = verdict {
        verdict.follows(&outcome);
    }
    log(&admitted, started.elapsed(), &outcome);
    outcome
}

fn late(kind: OperationKind, deadline: Duration) -> Refusal {
    let seconds = deadline.as_secs_f64();
    let message = if kind == OperationKind::Mutation {
        format!("The mutation took longer than {seconds} s and goes on; ask for its result later.")
    } else {
        format!("The query took longer than {seconds} s; ask for less at a time.")
    };
    Refusal::new(code::TIMEOUT, message)
}

/// Names come from the gate's lexer; nothing else of the request is logged.
pub(super) fn log(admitted: &Admitted, elapsed: Duration, outcome: &Outcome) {
    let kind = admitted.kind.as_str();
    let name = admitted.name.as_deref().unwrap_or("-");
    let code = outcome.code();
    let code = code.as_deref().unwrap_or("-");
    let milliseconds = elapsed.as_secs_f64() * 1e3;
    tracing::debug!(target: "rookery::operation", kind, name, milliseconds, code, "executed");
}
