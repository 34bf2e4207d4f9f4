//! Sends the transactions of one destination, one at a time.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::UserId;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use tokio::time::Instant;

use super::{link::Link, routing::Sender, transaction};
use crate::{
    client::{Call, TransportError},
    inbound::PDUS_MAX,
    paths::percent,
    store::{Destination, Outstanding, Place, SenderChange, StoreError},
};

/// How long a transaction takes at most.
const TIME_MAX: Duration = Duration::from_mins(1);

/// How long a transaction without events takes at most. It is not tried again.
pub(crate) const MESSAGES_TIME_MAX: Duration = Duration::from_secs(10);

/// The least time between two such transactions: states that come in between are sent together.
const MESSAGES_EVERY: Duration = Duration::from_millis(200);

/// How long events wait for the answer to such a transaction.
const OVERTAKEN_AFTER: Duration = Duration::from_millis(500);

/// How long the worker waits after an error of its file.
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl Sender {
    /// Works until this is dropped.
    pub(super) async fn work(&self, link: &Link) {
        loop {
            match self.next(link).await {
                Ok(Some(outstanding)) => {
                    self.wait(link).await;
                    self.attempt(link, &outstanding).await;
                }
                Ok(None) if self.send_messages(link).await => {}
                Ok(None) => link.work.notified().await,
                Err(error) => {
                    tracing::warn!(%error, destination = %link.name, "cannot make a transaction");
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        }
    }

    /// The transaction that is under way, or a new one that is stored. `None` if nothing waits.
    async fn next(&self, link: &Link) -> Result<Option<Outstanding>, StoreError> {
        let is_behind = {
            let queue = link.queue.lock();
            if let Some(outstanding) = &queue.state.outstanding {
                return Ok(Some(outstanding.clone()));
            }
            queue.state.is_behind
        };
        let waiting: Vec<_> = if is_behind {
            let ends = self.0.store.ends(link.name.clone(), PDUS_MAX).await?;
            if ends.is_empty() && self.catch_up(link).await? {
                return Ok(None);
            }
            ends.into_iter().map(|(room, place)| (place, room)).collect()
        } else {
            link.queue.lock().pending.iter().take(PDUS_MAX).cloned().collect()
        };
        let Some((last, _)) = waiting.last().cloned() else { return Ok(None) };
        let outstanding = Outstanding {
            id: random_id(),
            made: (self.0.clock)(),
            events: waiting.iter().map(|(place, _)| *place).collect(),
            rooms: waiting.into_iter().filter(|_| is_behind).map(|(_, room)| room).collect(),
        };
        let state = {
            let queue = link.queue.lock();
            let cursor = if is_behind { queue.state.cursor } else { last };
            let outstanding = Some(outstanding.clone());
            Destination { cursor, outstanding, ..queue.state.clone() }
        };
        self.save(link, state, Vec::new()).await?;
        let mut queue = link.queue.lock();
        queue.state.outstanding = Some(outstanding.clone());
        if !is_behind {
            queue.state.cursor = last;
            while queue.pending.front().is_some_and(|(place, _)| *place <= last) {
                queue.pending.pop_front();
            }
        }
        Ok(Some(outstanding))
    }

    /// A destination without ends is no longer behind. Returns `false` if one was added meanwhile.
    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn catch_up(&self, link: &Link) -> Result<bool, StoreError> {
        let routed = self.0.routed.lock().await;
        if !self.0.store.ends(link.name.clone(), 1).await?.is_empty() {
            return Ok(false);
        }
        let cursor: Place = (routed.0, u16::MAX);
        let state = Destination { cursor, is_behind: false, ..link.queue.lock().state.clone() };
        self.save(link, state.clone(), Vec::new()).await?;
        let mut queue = link.queue.lock();
        (queue.state.cursor, queue.state.is_behind) = (cursor, false);
        Ok(true)
    }

    /// Waits until the pause ends.
    async fn wait(&self, link: &Link) {
        loop {
            let next_try = link.queue.lock().state.next_try;
            let Some(left) = next_try.checked_sub((self.0.clock)()).filter(|left| *left > 0) else {
                return;
            };
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(left)) => {}
                () = link.alive.notified() => {}
            }
        }
    }

    async fn attempt(&self, link: &Link, outstanding: &Outstanding) {
        let is_first = link.queue.lock().state.failures == 0;
        let edus = if is_first { self.messages_for(link) } else { Vec::new() };
        let sent = match transaction::body(&self.0, outstanding, edus).await {
            Ok(body) => self.put(link, outstanding, body).await,
            Err(error) => Err(error),
        };
        if sent.is_err() {
            link.outbox.lock().clear();
        }
        let now = (self.0.clock)();
        let (state, ends) = {
            let mut queue = link.queue.lock();
            let state = &mut queue.state;
            let mut ends = Vec::new();
            match sent {
                Ok(()) => {
                    let rooms = outstanding.rooms.iter().zip(&outstanding.events);
                    let name = |(room, place): (&_, &Place)| {
                        (link.name.clone(), Clone::clone(room), *place)
                    };
                    ends.extend(rooms.map(name));
                    (state.outstanding, state.failures, state.trouble) = (None, 0, None);
                    (state.last_success, state.next_try) = (now, 0);
                }
                Err(trouble) => {
                    if state.failures == 0 {
                        state.failing_since = now;
                        tracing::info!(destination = %link.name, %trouble, "a server takes no events now");
                    }
                    state.failures = state.failures.saturating_add(1);
                    state.next_try = now.saturating_add(self.0.pauses.after_millis(state.failures));
                    state.trouble = Some(trouble);
                }
            }
            (state.clone(), ends)
        };
        while let Err(error) = self.save(link, state.clone(), ends.clone()).await {
            tracing::warn!(%error, destination = %link.name, "cannot store the state of a queue");
            tokio::time::sleep(RETRY_AFTER).await;
        }
    }

    /// The messages that wait, for one transaction.
    fn messages_for(&self, link: &Link) -> Vec<Box<RawValue>> {
        let shown = |user: &UserId| self.0.ephemeral.presence(user);
        link.outbox.lock().take(shown, (self.0.clock)())
    }

    /// Sends the messages that wait, in a transaction without events. Returns `false` if none waits. Events that come
    /// meanwhile wait for the answer for a moment only.
    async fn send_messages(&self, link: &Link) -> bool {
        let edus = self.messages_for(link);
        if edus.is_empty() {
            return false;
        }
        let began = Instant::now();
        let overtaken = async {
            while !link.queue.lock().has_events() {
                link.work.notified().await;
            }
            tokio::time::sleep(OVERTAKEN_AFTER).await;
        };
        let sent = tokio::select! {
            sent = self.put_messages(link, edus) => sent,
            () = overtaken => Err("events overtook it".to_owned()),
        };
        if let Err(error) = sent {
            tracing::debug!(destination = %link.name, %error, "messages beside events are lost");
            link.outbox.lock().clear();
        }
        let soonest = tokio::time::sleep_until(began + MESSAGES_EVERY);
        let events = async {
            while !link.queue.lock().has_events() {
                link.work.notified().await;
            }
        };
        tokio::select! {
            () = soonest => {}
            () = events => {}
        }
        true
    }

    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn put_messages(&self, link: &Link, edus: Vec<Box<RawValue>>) -> Result<(), String> {
        let body = transaction::messages(&self.0, edus)?;
        let _permit = self.0.sending_messages.acquire().await.map_err(|error| error.to_string())?;
        let path = format!("/_matrix/federation/v1/send/{}", random_id());
        let call = Call::put(path, body).time_max(MESSAGES_TIME_MAX);
        let sent = self.0.transport.send(&link.name, call).await;
        sent.map(drop).map_err(|error| error.to_string())
    }

    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn put(
        &self,
        link: &Link,
        outstanding: &Outstanding,
        body: ruma_common::CanonicalJsonValue,
    ) -> Result<(), String> {
        #[derive(Default, Deserialize)]
        struct Answer {
            #[serde(default)]
            pdus: serde_json::Map<String, Value>,
        }
        let _permit = self.0.sending.acquire().await.map_err(|error| error.to_string())?;
        let path = format!("/_matrix/federation/v1/send/{}", percent(&outstanding.id));
        let call = Call::put(path, body).time_max(TIME_MAX).in_any_case();
        let answer = self.0.transport.send(&link.name, call).await;
        let answer = answer.map_err(|error: TransportError| error.to_string())?;
        let answer: Answer = serde_json::from_slice(&answer).unwrap_or_default();
        for (event, outcome) in &answer.pdus {
            if let Some(error) = outcome.get("error") {
                tracing::warn!(destination = %link.name, event, %error, "a server refused an event");
            }
        }
        Ok(())
    }

    async fn save(
        &self,
        link: &Link,
        state: Destination,
        sent_ends: Vec<(rookery_domain::OwnedServerName, rookery_domain::OwnedRoomId, Place)>,
    ) -> Result<(), StoreError> {
        let destinations = vec![(link.name.clone(), state)];
        let change = SenderChange { destinations, sent_ends, ..SenderChange::default() };
        self.0.store.change_sender(change).await
    }
}

fn random_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the IDs would repeat, and the other side would skip transactions.
    while getrandom::fill(&mut bytes).is_err() {
        std::thread::yield_now();
    }
    URL_SAFE_NO_PAD.encode(bytes)
}
