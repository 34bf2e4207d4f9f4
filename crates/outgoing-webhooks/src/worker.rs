//! Sends the batches of one webhook.

use std::{ops::ControlFlow, time::Duration};

use rookery_accounts::{OutgoingState, OutgoingWebhook};
use rookery_delivery::{PushError, PushedBatch, PushedConsumer};
use rookery_domain::{Filter, OwnedUserId};
use rookery_outgoing::{ANSWER_BYTES_MAX, Method, Pauses, Request, SendError, TIME_MAX, Target};

use crate::{
    batch::{batch_id, body},
    hooks::{OutgoingWebhooks, consumer_key, millis},
    signature,
};

/// How long to wait after the server itself could not read or write.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A step that did not succeed.
enum Failed {
    /// The address did not take the batch.
    Sending(String),
    /// The server cannot go on now.
    Here(String),
    /// The consumer has to be opened again.
    Over,
}

/// Sends the batches of a webhook until it is deleted, disabled or resumed.
pub(crate) async fn run(hooks: OutgoingWebhooks, webhook: OutgoingWebhook) {
    let mut failures = 0;
    while !run_once(&hooks, &webhook, &mut failures).await {
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

/// The same, until the consumer has to be opened again. Returns whether the run is over.
async fn run_once(hooks: &OutgoingWebhooks, webhook: &OutgoingWebhook, failures: &mut u32) -> bool {
    match current(hooks, webhook) {
        Ok(None) => return true,
        Ok(Some(_)) => {}
        Err(reason) => {
            tracing::warn!(webhook = webhook.id, "cannot read an outgoing webhook yet: {reason}");
            return false;
        }
    }
    let mut consumer = match open(hooks, webhook).await {
        Ok(consumer) => consumer,
        Err(reason) => {
            tracing::warn!(webhook = webhook.id, "cannot send for a webhook yet: {reason}");
            return false;
        }
    };
    loop {
        match step(hooks, webhook, &mut consumer).await {
            Ok(ControlFlow::Break(())) => return true,
            Ok(ControlFlow::Continue(())) => *failures = 0,
            Err(Failed::Over) => return false,
            Err(Failed::Here(reason)) => {
                tracing::warn!(webhook = webhook.id, "cannot send for a webhook yet: {reason}");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            Err(Failed::Sending(reason)) => {
                *failures += 1;
                if note_failure(hooks, webhook, reason).await.is_break() {
                    return true;
                }
                tokio::time::sleep(Pauses::default().after(*failures)).await;
            }
        }
    }
}

async fn open(
    hooks: &OutgoingWebhooks,
    webhook: &OutgoingWebhook,
) -> Result<PushedConsumer, String> {
    let parts = &hooks.shared.parts;
    let key = consumer_key(webhook).ok_or("its owner is no user")?;
    let filter: Filter = serde_json::from_str(&webhook.filter).map_err(|it| it.to_string())?;
    let user = OwnedUserId::try_from(webhook.owner.as_str()).map_err(|it| it.to_string())?;
    let feeds = (parts.feeds.clone(), parts.consumers.clone());
    let opened = PushedConsumer::open(feeds, key, user, Some(filter), parts.clock).await;
    opened.map_err(|error| error.to_string())
}

/// The record of this run now. `None` if the run is over.
fn current(
    hooks: &OutgoingWebhooks,
    webhook: &OutgoingWebhook,
) -> Result<Option<OutgoingWebhook>, String> {
    let found = hooks.get(&webhook.id).map_err(|error| error.to_string())?;
    Ok(found.filter(|now| now.state.begun == webhook.state.begun && now.state.disabled.is_none()))
}

/// Sends one batch once, and acknowledges it.
async fn step(
    hooks: &OutgoingWebhooks,
    webhook: &OutgoingWebhook,
    consumer: &mut PushedConsumer,
) -> Result<ControlFlow<()>, Failed> {
    let mut batch = consumer.current().await.map_err(failed)?;
    // The program has nothing to do with a batch without events. A request holds its permit for ten seconds at most.
    let permit = if batch.events.is_empty() {
        None
    } else {
        let permit = hooks.shared.sending.acquire().await;
        Some(permit.map_err(|error| Failed::Here(error.to_string()))?)
    };
    // The wait may have been long: the webhook may be gone or have another secret, and content may be redacted.
    let Some(now) = current(hooks, webhook).map_err(Failed::Here)? else {
        return Ok(ControlFlow::Break(()));
    };
    if permit.is_some() {
        batch.forget_redacted(&hooks.shared.parts.feeds);
        send(hooks, &now, &batch).await.map_err(Failed::Sending)?;
    }
    drop(permit);
    consumer.acknowledge().await.map_err(failed)?;
    if now.state.failing_since.is_some() {
        let failures = now.state.failures;
        tracing::info!(webhook = webhook.id, failures, "an outgoing webhook works again");
        let state = OutgoingState::new(now.state.begun);
        let noted = hooks.shared.parts.accounts.note_outgoing_state(&webhook.id, state).await;
        noted.map_err(|error| Failed::Here(error.to_string()))?;
    }
    Ok(ControlFlow::Continue(()))
}

/// Sends a batch. The reason of a failure is for the owner, and says nothing about the network of the server.
async fn send(
    hooks: &OutgoingWebhooks,
    webhook: &OutgoingWebhook,
    batch: &PushedBatch,
) -> Result<(), String> {
    let target = Target::parse(&webhook.url).map_err(|error| format!("the address {error}"))?;
    let id = batch_id(&webhook.id, batch);
    let body = body(webhook, &id, batch);
    let seconds = (hooks.shared.parts.clock)().0 / 1_000;
    let headers = signature::headers(webhook.secret.bytes(), &id, seconds, &body);
    let (method, body, time_max) = (Method::POST, body.into(), TIME_MAX);
    let answer_bytes_max = ANSWER_BYTES_MAX;
    let request =
        Request { method, target, headers, body, time_max, answer_bytes_max, server: None };
    match hooks.shared.parts.client.send(request).await {
        Ok(answer) if answer.status.is_success() => Ok(()),
        Ok(answer) => Err(format!("it answered with status {}", answer.status.as_u16())),
        Err(error) => {
            tracing::debug!(webhook = webhook.id, %error, "a request of a webhook failed");
            Err(reason(&error).to_owned())
        }
    }
}

/// The reason of a failure, for the owner.
fn reason(error: &SendError) -> &'static str {
    match error {
        SendError::Refused { .. } => {
            "the server sends nothing to its address: use a public one with `https`"
        }
        SendError::NoSuchName { .. } => "its name cannot be resolved",
        SendError::Unreachable { .. } => "there is no connection",
        SendError::Tls { .. } => "it has no certificate for its name that is trusted",
        SendError::Broken { .. } => "the connection broke, or the answer is not HTTP",
        SendError::TooSlow => "there was no answer within ten seconds",
    }
}

/// Notes a failure, and gives up after failures for too long. The run is over if this breaks.
async fn note_failure(
    hooks: &OutgoingWebhooks,
    webhook: &OutgoingWebhook,
    reason: String,
) -> ControlFlow<()> {
    let parts = &hooks.shared.parts;
    let before = match current(hooks, webhook) {
        Ok(Some(before)) => before.state,
        Ok(None) => return ControlFlow::Break(()),
        Err(_unreadable) => return ControlFlow::Continue(()),
    };
    let now = (parts.clock)();
    let since = before.failing_since.unwrap_or(millis(now));
    let lasting = Duration::from_millis(now.0.saturating_sub(since.0));
    let gives_up = lasting >= parts.give_up_after;
    let failures = before.failures.saturating_add(1);
    if gives_up {
        tracing::warn!(
            webhook = webhook.id,
            owner = webhook.owner,
            failures,
            "an outgoing webhook is disabled after failures for {lasting:?}: {reason}; its owner can resume it"
        );
    } else if failures == 1 {
        tracing::info!(
            webhook = webhook.id,
            "an outgoing webhook fails, and is tried again: {reason}"
        );
    }
    let state = OutgoingState {
        begun: before.begun,
        failing_since: Some(since),
        failures,
        last_error: Some(reason),
        disabled: gives_up.then_some(millis(now)),
    };
    match parts.accounts.note_outgoing_state(&webhook.id, state).await {
        Ok(true) if !gives_up => ControlFlow::Continue(()),
        // Otherwise it is tried again and disabled then.
        Err(_unwritten) => ControlFlow::Continue(()),
        Ok(_) => ControlFlow::Break(()),
    }
}

fn failed(error: PushError) -> Failed {
    match error {
        PushError::Over => Failed::Over,
        PushError::Unavailable(reason) => Failed::Here(reason),
    }
}
