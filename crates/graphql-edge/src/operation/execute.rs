//! Executes requests that passed the gate.
//!
//! **Invariant:** a mutation that has begun runs to its end, whether or not its caller waits for
//! the answer.
//! **Invariant:** an answer that would be too long is not sent, not even a part of it.
//! **Invariant:** a panic in a resolver is the fault of one request and reaches no other.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use async_graphql::{Error, Executor, Pos, Response};
use futures_util::FutureExt as _;
use rookery_graphql_documents::{Admitted, Cost, OperationKind, Outcome, Refusal, code};
use tokio::time::timeout;
use tracing::Instrument as _;

use super::prepare::Prepared;
use crate::limits::budget::{self, Exhausted, Stops};

/// Executes a query or a mutation, for at most `deadline`. `to_learn` says how clients learn the outcome of a mutation that
/// takes longer.
pub(crate) async fn execute<E: Executor>(
    executor: E,
    prepared: Prepared,
    (deadline, to_learn): (Duration, &'static str),
) -> Outcome {
    let Prepared { request, admitted, cost, verdict, budget, .. } = prepared;
    let started = Instant::now();
    let span = tracing::debug_span!(
        target: "rookery::operation",
        "operation",
        kind = admitted.kind.as_str(),
        name = admitted.name.as_deref(),
    );
    let run = async move { AssertUnwindSafe(executor.execute(request)).catch_unwind().await };
    let mutates = admitted.kind == OperationKind::Mutation;
    let stops = if mutates { Stops::AtItsEnd } else { Stops::WhenExhausted };
    let run = budget::run(budget.clone(), stops, run.instrument(span));
    let finished = if mutates {
        let task = tokio::spawn(run);
        timeout(deadline, task)
            .await
            .map(|joined| joined.unwrap_or_else(|error| Ok(Err(Box::new(error)))))
    } else {
        timeout(deadline, run).await
    };
    let outcome = match finished {
        Ok(Ok(Ok(response))) => match budget.exhausted() {
            None => Outcome::of_execution(response).with_cost(cost),
            Some(exhausted) if mutates => not_shown(exhausted).with_cost(cost),
            Some(exhausted) => too_much(exhausted, cost),
        },
        Ok(Ok(Err(panic))) => Outcome::of_panic(&*panic),
        Ok(Err(exhausted)) => too_much(exhausted, cost),
        Err(_elapsed) => late(admitted.kind, deadline).into(),
    };
    if let Some(verdict) = verdict {
        verdict.follows(&outcome);
    }
    log(&admitted, started.elapsed(), &outcome);
    outcome.with_effect(admitted.kind, to_learn)
}

/// Replaces the answer to a query.
fn too_much(exhausted: Exhausted, cost: Option<Cost>) -> Outcome {
    Refusal { cost, ..exhausted.refusal() }.into()
}

/// Replaces the answer to a mutation, which was executed nevertheless.
fn not_shown(exhausted: Exhausted) -> Outcome {
    let mut error = Error::from(exhausted);
    error.message.push_str(
        " The mutation may have been carried out: with the same `actionId` and fewer fields you get its result.",
    );
    Outcome::of_execution(Response::from_errors(vec![error.into_server_error(Pos::default())]))
        .into_executed()
}

fn late(kind: OperationKind, deadline: Duration) -> Refusal {
    let seconds = deadline.as_secs_f64();
    let message = if kind == OperationKind::Mutation {
        format!("The mutation took longer than {seconds} s and continues.")
    } else {
        format!("The query took longer than {seconds} s; ask for less at a time.")
    };
    Refusal::new(code::TIMEOUT, message)
}

/// Names come from the gate's lexer; nothing else of the request is logged.
pub(crate) fn log(admitted: &Admitted, elapsed: Duration, outcome: &Outcome) {
    let kind = admitted.kind.as_str();
    let name = admitted.name.as_deref().unwrap_or("-");
    let code = outcome.code();
    let code = code.as_deref().unwrap_or("-");
    let milliseconds = elapsed.as_secs_f64() * 1e3;
    tracing::debug!(target: "rookery::operation", kind, name, milliseconds, code, "executed");
}
