//! Pushes transactions to all bridges that have an address.
//!
//! **Invariant:** each bridge has one task. A task ends when its service is removed or has another registration.

use std::{sync::Arc, time::Duration};

use rookery_delivery::{ConsumerKey, ConsumerOwner, Consumers, Feeds};
use rookery_log::Millis;
use rookery_outgoing::Pauses;
use rookery_services::{Registered, ServiceDirectory};
use rookery_work::KeyedTasks;

use super::directory::endpoint;
use crate::{ConsumerSource, Endpoint, Outgoing, SourceError, push_to};

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

/// Pushes to the bridges that are registered, and to those that will be. Works while it is polled.
pub async fn push(pushing: Pushing) {
    let mut rules = pushing.services.rules();
    let mut running = KeyedTasks::default();
    loop {
        rules.borrow_and_update();
        let task = |registered: Arc<Registered>| {
            let endpoint = endpoint(&registered)?;
            let begun = (registered.created, endpoint.clone());
            let (name, pushing) = (registered.service.name.clone(), pushing.clone());
            let work = async move { push_to_one(&pushing, &registered, &endpoint).await };
            Some((name, (begun, work)))
        };
        running.follow(pushing.services.list().into_iter().filter_map(task).collect());
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
