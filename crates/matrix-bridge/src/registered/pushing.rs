//! Pushes transactions to all bridges that have an address.
//!
//! **Invariant:** each bridge has one task. A task ends when its service is removed or has another registration.

use std::{collections::HashMap, sync::Arc, time::Duration};

use rookery_delivery::{ConsumerKey, ConsumerOwner, Consumers, Feeds};
use rookery_log::Millis;
use rookery_services::{Registered, ServiceDirectory};
use tokio::task::JoinHandle;

use super::directory::endpoint;
use crate::{ConsumerSource, Endpoint, Outgoing, Pauses, SourceError, push_to};

/// The name of the consumer of a bridge's bot.
const CONSUMER: &str = "matrix";

/// How long to wait before a source is opened again.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// The parts of the server that pushes need.
#[derive(Clone)]
pub struct Pushing {
    /// The registered services.
    pub services: ServiceDirectory,
    /// Delivers commits.
    pub feeds: Feeds,
    /// The positions of the bridges.
    pub consumers: Consumers,
    /// Reads the time.
    pub clock: fn() -> Millis,
    /// Sends requests.
    pub outgoing: Arc<dyn Outgoing>,
}

/// A task that pushes. It is stopped when it is dropped.
struct Running {
    /// When the service was added, and its address when the task began.
    begun: (rookery_accounts::Millis, Endpoint),
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Pushes to the bridges that are registered, and to those that will be. Works while it is polled.
pub async fn push(pushing: Pushing) {
    let mut rules = pushing.services.rules();
    let mut running: HashMap<String, Running> = HashMap::new();
    loop {
        rules.borrow_and_update();
        let of = |it: Arc<Registered>| Some((it.service.name.clone(), (endpoint(&it)?, it)));
        let wanted: HashMap<_, _> = pushing.services.list().into_iter().filter_map(of).collect();
        running.retain(|name, one| {
            let now = wanted.get(name).map(|(endpoint, it)| (it.created, endpoint.clone()));
            now.as_ref() == Some(&one.begun)
        });
        for (name, (endpoint, registered)) in wanted {
            if running.contains_key(&name) {
                continue;
            }
            let begun = (registered.created, endpoint.clone());
            let pushing = pushing.clone();
            let task = tokio::spawn(async move {
                push_to_one(&pushing, &registered, &endpoint).await;
            });
            running.insert(name, Running { begun, task });
        }
        if rules.changed().await.is_err() {
            return;
        }
    }
}

/// Pushes to one bridge.
async fn push_to_one(pushing: &Pushing, registered: &Registered, endpoint: &Endpoint) {
    let service = &registered.service;
    let owner = ConsumerOwner::User(service.bot.clone());
    let key = ConsumerKey { owner, name: CONSUMER.to_owned() };
    loop {
        let source = ConsumerSource::open(
            pushing.feeds.clone(),
            pushing.consumers.clone(),
            key.clone(),
            service.bot.clone(),
            pushing.clock,
        );
        match source.await {
            Ok(source) => {
                let outgoing = &*pushing.outgoing;
                push_to(&service.name, endpoint, source, outgoing, Pauses::default()).await;
            }
            Err(SourceError::Over) => {}
            Err(SourceError::Unavailable(reason)) => {
                tracing::warn!(service = service.name, "cannot push to a bridge yet: {reason}");
            }
        }
        // The consumer was deleted or taken over: it is ours.
        tokio::time::sleep(REOPEN_AFTER).await;
    }
}
