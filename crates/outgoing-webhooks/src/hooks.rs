//! Outgoing webhooks, as the mutations and the lists of the schema use them.

use std::{sync::Arc, time::Duration};

use rookery_accounts::{
    Accounts, NewOutgoingWebhook, OutgoingSecret, OutgoingWebhook, Unavailable, WebhookError,
};
use rookery_delivery::{
    ConsumerFault, ConsumerKey, ConsumerOwner, ConsumerPlace, Consumers, Feeds,
};
use rookery_domain::OwnedUserId;
use rookery_log::Millis;
use rookery_outgoing::{Client, SendError, Target, TargetError};
use tokio::sync::{Semaphore, watch};

/// Requests of all webhooks at the same time.
pub(crate) const SENT_AT_ONCE_MAX: usize = 256;

/// The parts of the server that outgoing webhooks need.
pub struct OutgoingParts {
    /// Holds their records.
    pub accounts: Accounts,
    /// Delivers commits.
    pub feeds: Feeds,
    /// Their positions.
    pub consumers: Consumers,
    /// Sends requests. Its guard has to be that for addresses of users.
    pub client: Arc<Client>,
    /// Reads the time.
    pub clock: fn() -> Millis,
    /// After failures for so long the server gives up.
    pub give_up_after: Duration,
}

/// All outgoing webhooks of the server. Cheap to clone.
#[derive(Clone)]
pub struct OutgoingWebhooks {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) parts: OutgoingParts,
    /// Changes when a webhook begins, goes on or ends.
    pub(crate) changes: watch::Sender<u64>,
    pub(crate) sending: Arc<Semaphore>,
}

/// A text is no address of a webhook, to follow "`url`".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It cannot be read.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Nothing is sent there.
    #[error("names an address to which the server sends nothing: use a public one with `https`")]
    Refused,
}

impl OutgoingWebhooks {
    /// The outgoing webhooks in the records of the accounts.
    #[must_use]
    pub fn new(parts: OutgoingParts) -> Self {
        let (changes, sending) = (watch::Sender::new(0), Semaphore::new(SENT_AT_ONCE_MAX));
        Self { shared: Arc::new(Shared { parts, changes, sending: Arc::new(sending) }) }
    }

    /// The descriptors that they may take.
    #[must_use]
    pub fn descriptors() -> u64 {
        SENT_AT_ONCE_MAX as u64
    }

    /// Whether a webhook may have the address `url`. An address with a name is checked whenever something is sent.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn check(&self, url: &str) -> Result<(), UrlError> {
        let target = Target::parse(url)?;
        match self.shared.parts.client.check(&target) {
            Err(SendError::Refused { .. }) => Err(UrlError::Refused),
            _ => Ok(()),
        }
    }

    /// Makes a webhook, which sends the events after this call.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn create(
        &self,
        new: NewOutgoingWebhook,
        now: Millis,
    ) -> Result<OutgoingWebhook, WebhookError> {
        let parts = &self.shared.parts;
        let made = parts.accounts.create_outgoing_webhook(new, millis(now)).await?;
        if let Some(key) = consumer_key(&made) {
            // Its position is durable before the answer. If this fails, it begins with its first run.
            let arrived = (parts.consumers.arrive(), now);
            parts.consumers.attach(&key, ConsumerPlace::Now, arrived).await.ok();
        }
        self.changed();
        Ok(made)
    }

    /// The webhook with this ID.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn get(&self, id: &str) -> Result<Option<OutgoingWebhook>, Unavailable> {
        self.shared.parts.accounts.outgoing_webhook(id)
    }

    /// Up to `limit` webhooks after the one with the ID `after`, by ID; only those of `owner`, if that is given.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub fn list(
        &self,
        owner: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<OutgoingWebhook>, Unavailable> {
        self.shared.parts.accounts.outgoing_webhooks(owner, after, limit)
    }

    /// Gives a webhook a new secret: requests that begin after this call are signed with it. `None` if there is no
    /// such webhook.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn rotate(&self, id: &str) -> Result<Option<OutgoingSecret>, Unavailable> {
        self.shared.parts.accounts.rotate_outgoing_webhook(id).await
    }

    /// Lets a webhook go on where it stopped, at once. Returns whether there is such a webhook.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn resume(&self, id: &str, now: Millis) -> Result<bool, Unavailable> {
        let resumed = self.shared.parts.accounts.resume_outgoing_webhook(id, millis(now)).await?;
        self.changed();
        Ok(resumed)
    }

    /// Deletes a webhook. No request begins after this call.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn delete(&self, webhook: &OutgoingWebhook) -> Result<bool, Unavailable> {
        let parts = &self.shared.parts;
        let existed = parts.accounts.delete_outgoing_webhook(&webhook.id).await?;
        if let Some(key) = consumer_key(webhook) {
            // The record is gone; this tells the connection.
            let told: Result<bool, ConsumerFault> = parts.consumers.delete(&key).await;
            told.ok();
        }
        self.changed();
        Ok(existed)
    }

    fn changed(&self) {
        self.shared.changes.send_modify(|number| *number += 1);
    }
}

/// The key of the consumer of a webhook.
pub(crate) fn consumer_key(webhook: &OutgoingWebhook) -> Option<ConsumerKey> {
    let owner = OwnedUserId::try_from(webhook.owner.as_str()).ok()?;
    Some(ConsumerKey { owner: ConsumerOwner::User(owner), name: webhook.consumer_name() })
}

/// The time in the type of the accounts.
pub(crate) fn millis(time: Millis) -> rookery_accounts::Millis {
    rookery_accounts::Millis(time.0)
}
