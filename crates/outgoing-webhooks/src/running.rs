//! Runs all webhooks.
//!
//! **Invariant:** each webhook that is not disabled has one task.

use std::{collections::HashMap, time::Duration};

use rookery_accounts::{Millis, OutgoingWebhook, Unavailable};
use rookery_work::KeyedTasks;

use crate::{hooks::OutgoingWebhooks, worker};

/// How many records are read at once.
const READ_MAX: usize = 100;

/// How long to wait after the records could not be read.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl OutgoingWebhooks {
    /// Sends for all webhooks, and for those that will be made. Works while it is polled.
    pub async fn run(self) {
        let mut changes = self.shared.changes.subscribe();
        let mut running = KeyedTasks::default();
        loop {
            changes.borrow_and_update();
            match self.active() {
                Ok(wanted) => running.follow(self.tasks(wanted)),
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

    /// The work of each webhook, with the run that it is for.
    fn tasks(
        &self,
        wanted: Vec<OutgoingWebhook>,
    ) -> HashMap<String, (Millis, impl Future<Output = ()> + Send + use<>)> {
        let task = |webhook: OutgoingWebhook| {
            let (id, begun) = (webhook.id.clone(), webhook.state.begun);
            (id, (begun, worker::run(self.clone(), webhook)))
        };
        wanted.into_iter().map(task).collect()
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
