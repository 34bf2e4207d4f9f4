//! Pushes the transactions of one bridge.

use std::{ops::ControlFlow, time::Duration};

use rookery_outgoing::Pauses;
use serde_json::json;

use super::source::{Source, SourceError, Transaction};
use crate::{Endpoint, Outgoing, OutgoingRequest, ask::encoded};

/// How long a bridge may take for one transaction.
const PUSH_TIMEOUT: Duration = Duration::from_mins(1);

/// Pushes the transactions of `source` to the bridge `name` until the source is over. Run one for each bridge.
pub async fn push_to(
    name: &str,
    bridge: &Endpoint,
    mut source: impl Source,
    outgoing: &dyn Outgoing,
    pauses: Pauses,
) {
    let mut failures = 0;
    loop {
        match step(bridge, &mut source, outgoing).await {
            Ok(()) => {
                if failures > 0 {
                    tracing::info!(service = name, failures, "the bridge takes transactions again");
                }
                failures = 0;
            }
            Err(ControlFlow::Break(())) => return,
            Err(ControlFlow::Continue(reason)) => {
                failures += 1;
                source.failed(&reason).await;
                let pause = pauses.after(failures);
                // One line for each outage, not one for each try.
                if failures == 1 {
                    tracing::warn!(
                        service = name,
                        "the bridge does not take a transaction, which is tried until it does: {reason}"
                    );
                } else {
                    tracing::debug!(service = name, failures, ?pause, "{reason}");
                }
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Pushes the current transaction once, and acknowledges it.
async fn step(
    bridge: &Endpoint,
    source: &mut impl Source,
    outgoing: &dyn Outgoing,
) -> Result<(), ControlFlow<(), String>> {
    let transaction = source.current().await.map_err(over)?;
    // The bridge has nothing to do with a transaction without events.
    if !transaction.events.is_empty() {
        deliver(bridge, &transaction, outgoing).await.map_err(ControlFlow::Continue)?;
    }
    source.acknowledge().await.map_err(over)
}

fn over(error: SourceError) -> ControlFlow<(), String> {
    match error {
        SourceError::Over => ControlFlow::Break(()),
        SourceError::Unavailable(reason) => ControlFlow::Continue(reason),
    }
}

async fn deliver(
    bridge: &Endpoint,
    transaction: &Transaction,
    outgoing: &dyn Outgoing,
) -> Result<(), String> {
    let id = encoded(&transaction.id);
    let request = OutgoingRequest {
        method: "PUT",
        url: format!("{}/_matrix/app/v1/transactions/{id}", bridge.url),
        token: bridge.token.clone(),
        body: Some(json!({ "events": transaction.events }).to_string().into_bytes()),
        timeout: PUSH_TIMEOUT,
    };
    match outgoing.send(request).await {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(format!("it answered with status {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}
