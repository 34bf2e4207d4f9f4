//! Runs all webhooks.
//!
//! **Invariant:** each webhook that is not disabled has one task.

use std::{collections::HashMap, time::Duration};

use rookery_accounts::{Millis, OutgoingWebhook, Unavailable};
use tokio::task::JoinHandle;

use crate::{hooks::OutgoingWebhooks, worker};

/// How many records are read at once.
const READ_MAX: usize = 100;

/// How long to wait after the records could not be read.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A task that sends. It is stopped when it is dropped.
struct Running {
    begun: Millis,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl OutgoingWebhooks {
    /// Sends for all webhooks, and for those that will be made. Works while it is polled.
    pub async fn run(self) {
        let mut changes = self.shared.changes.subscribe();
        let mut running: HashMap<String, Running> = HashMap::new();
        loop {
            changes.borrow_and_update();
            match self.active() {
                Ok(wanted) => self.follow(wanted, &mut running),
                Err(error) => {
                    tracing::warn!(%error, "cannot read the outgoing webhooks yet");
                    tokio::time::sleep(RETRY_AFTER).await;
                    continue;
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Starts and stops tasks, so that those of `wanted` run.
    fn follow(&self, wanted: Vec<OutgoingWebhook>, running: &mut HashMap<String, Running>) {
        let begun: HashMap<_, _> =
            wanted.iter().map(|webhook| (webhook.id.clone(), webhook.state.begun)).collect();
        running.retain(|id, one| begun.get(id) == Some(&one.begun));
        for webhook in wanted {
            running.entry(webhook.id.clone()).or_insert_with(|| {
                let (hooks, begun) = (self.clone(), webhook.state.begun);
                Running { begun, task: tokio::spawn(worker::run(hooks, webhook)) }
            });
        }
    }

    /// The webhooks that send.
    fn active(&self) -> Result<Vec<OutgoingWebhook>, Unavailable> {
        let mut found: Vec<OutgoingWebhook> = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let page = self.list(None, after.as_deref(), READ_MAX)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            found.extend(page.into_iter().filter(|webhook| webhook.state.disabled.is_none()));
        }
        Ok(found)
    }
}
