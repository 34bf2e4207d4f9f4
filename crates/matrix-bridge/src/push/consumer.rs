//! The transactions of a bridge, from a durable consumer.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_delivery::{
    BatchPlace, ConsumerKey, Consumers, Feeds, PushError, PushedConsumer, PushedEvent,
};
use rookery_domain::{OwnedUserId, Pdu, RoomId};
use rookery_log::Millis;
use rookery_view::{TimelineError, Viewer};
use serde_json::Value;

use super::source::{Source, SourceError, Transaction};
use crate::{client_event, event::invite_event};

/// The transactions of one bridge.
pub struct ConsumerSource {
    feeds: Feeds,
    user: OwnedUserId,
    pushed: PushedConsumer,
}

impl ConsumerSource {
    /// Connects to the consumer `key` of the events that `user` may see. A new consumer begins now.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn open(
        feeds: Feeds,
        consumers: Consumers,
        key: ConsumerKey,
        user: OwnedUserId,
        clock: fn() -> Millis,
    ) -> Result<Self, SourceError> {
        let parts = (feeds.clone(), consumers);
        let pushed = PushedConsumer::open(parts, key, user.clone(), None, clock).await?;
        Ok(Self { feeds, user, pushed })
    }

    /// An event in the form of the client-server API.
    async fn shown(&self, event: &PushedEvent) -> Result<Option<Value>, TimelineError> {
        let Some(pdu) = event.pdu() else {
            return Ok(event.invite_elsewhere().map(|(user, invite)| invite_event(user, invite)));
        };
        let replaced = self.replaced(event, pdu).await?;
        Ok(Some(client_event(pdu, replaced.as_deref())))
    }

    /// The state event whose place an event took.
    async fn replaced(
        &self,
        event: &PushedEvent,
        pdu: &Pdu,
    ) -> Result<Option<Arc<Pdu>>, TimelineError> {
        let stream = event.committed.stream.split();
        let room = stream.and_then(|(_, room)| RoomId::parse(room).ok());
        let Some(room) = room.filter(|_| pdu.state_key.is_some()) else { return Ok(None) };
        let reader = self.feeds.reader();
        let Some(found) = reader.event_at(&room, event.at).await? else { return Ok(None) };
        let viewer = Viewer::User(self.user.clone());
        let replaced = reader.replaced_by(&room, &found, &viewer).await?;
        Ok(replaced.map(|replaced| Arc::clone(&replaced.event().pdu)))
    }
}

#[async_trait]
impl Source for ConsumerSource {
    async fn current(&mut self) -> Result<Transaction, SourceError> {
        let batch = self.pushed.current().await?;
        let incarnation = batch.incarnation;
        let id = match &batch.place {
            BatchPlace::After(begin) => format!("{incarnation}-{}", begin.0),
            BatchPlace::Retry(event) => format!("{incarnation}-{event}"),
        };
        let mut events = Vec::with_capacity(batch.events.len());
        for event in &batch.events {
            let shown = self.shown(event).await;
            events.extend(shown.map_err(|error| SourceError::Unavailable(error.to_string()))?);
        }
        Ok(Transaction { id, events })
    }

    async fn acknowledge(&mut self) -> Result<(), SourceError> {
        Ok(self.pushed.acknowledge().await?)
    }

    async fn failed(&mut self, _reason: &str) {}
}

impl From<PushError> for SourceError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Over => Self::Over,
            PushError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}
