//! The transactions of a bridge, from a durable consumer.
//!
//! **Invariant:** the boundaries of a transaction follow from the log, or are durable before it is sent. Its events
//! follow from them.
//! **Invariant:** content that was redacted before a try is not in it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use rookery_delivery::{
    Attachment, BatchCommits, BatchEnd, BatchPlace, ConsumerKey, ConsumerPlace, ConsumerRecord,
    Consumers, Detached, FeedItem, Feeds, FollowError, NamedBatch, NextDelivery, SendError,
    Subscription,
};
use rookery_domain::{EventId, OwnedUserId, Pdu, RoomId};
use rookery_log::{Millis, Position};
use rookery_projection::Committed;
use rookery_view::{EventAt, TimelineError, Viewer};
use serde_json::Value;

use super::source::{Source, SourceError, Transaction};
use crate::client_event;

/// The most events of a transaction, apart from further ones of its last commit.
const EVENTS_MAX: usize = 100;

/// A transaction ends with the commit that makes it this large.
const BYTES_MAX: usize = 1024 * 1024;

/// After so many commits without an event for the bridge, its position moves on.
const COMMITS_PASSED_MAX: u64 = 10_000;

/// How long the models may take to reach the position of a bridge after a start.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// The transactions of one bridge.
pub struct ConsumerSource {
    feeds: Feeds,
    consumers: Consumers,
    key: ConsumerKey,
    user: OwnedUserId,
    attachment: Attachment,
    clock: fn() -> Millis,
    /// Reads on after the last new batch.
    reading: Option<Subscription>,
    /// The batch of the current transaction, with its end.
    current: Option<(BatchPlace, Position)>,
}

/// The part of the log of a transaction.
struct Gathered {
    places: Vec<EventAt>,
    end: Position,
    known: BatchEnd,
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
        let arrived = (consumers.arrive(), clock());
        let attached = consumers.attach(&key, ConsumerPlace::Now, arrived).await;
        let attachment = attached.map_err(unavailable)?;
        attachment.take_over().map_err(|_detached| SourceError::Over)?;
        Ok(Self { feeds, consumers, key, user, attachment, clock, reading: None, current: None })
    }

    /// Reads the events between two positions.
    async fn between(&self, begin: Position, end: Position) -> Result<Gathered, SourceError> {
        let mut subscription = self.feeds.subscribe_after(&self.user, begin);
        let mut places = Vec::new();
        while subscription.position() < end {
            let Some(mut page) = subscription.piece_to(end).await.map_err(followed)? else {
                subscription.arrived().await.map_err(followed)?;
                continue;
            };
            while let Some(delivery) = subscription.take(&mut page) {
                places.extend(places_of(&subscription.items(&delivery).map_err(unavailable)?));
            }
        }
        Ok(Gathered { places, end, known: BatchEnd::Chosen })
    }

    /// Reads on for a new transaction. Waits until there is an event for the bridge. `None` if the record has changed
    /// meanwhile.
    async fn gather(&mut self, begin: Position) -> Result<Option<Gathered>, SourceError> {
        let kept = self.reading.take().filter(|reading| reading.position() == begin);
        let mut subscription =
            kept.unwrap_or_else(|| self.feeds.subscribe_after(&self.user, begin));
        let (mut places, mut len_bytes, mut commits) = (Vec::new(), 0, BatchCommits::default());
        let is_full =
            |places: &[EventAt], len_bytes| places.len() >= EVENTS_MAX || len_bytes >= BYTES_MAX;
        loop {
            let turn = tokio::select! {
                biased;
                turn = subscription.turn() => turn.map_err(followed)?,
                () = self.attachment.changed() => {
                    // Deleted, reset, taken over, or an event comes again.
                    return Ok(None);
                }
            };
            match turn {
                NextDelivery::Live(delivery) => {
                    let items = subscription.items(&delivery).map_err(unavailable)?;
                    places.extend(places_of(&items));
                    len_bytes += delivery.committed.len_bytes;
                    commits.count(&delivery.committed);
                }
                NextDelivery::Behind(mut page) => {
                    while !is_full(&places, len_bytes)
                        && let Some(delivery) = subscription.take(&mut page)
                    {
                        let items = subscription.items(&delivery).map_err(unavailable)?;
                        places.extend(places_of(&items));
                        len_bytes += delivery.committed.len_bytes;
                        commits.count(&delivery.committed);
                    }
                }
            }
            let passed = subscription.position().0.saturating_sub(begin.0);
            let is_enough = is_full(&places, len_bytes)
                || (!places.is_empty() && subscription.is_caught_up())
                || (places.is_empty() && passed >= COMMITS_PASSED_MAX);
            if is_enough {
                let end = subscription.position();
                self.reading = Some(subscription);
                return Ok(Some(Gathered { places, end, known: commits.end(end) }));
            }
        }
    }

    /// The events of a batch of one event that comes again.
    fn again(&self, event: &EventId) -> Result<Vec<EventAt>, SourceError> {
        let place = self.feeds.reader().view().event(event).map_err(unavailable)?;
        let at = place.map(|it| EventAt { position: it.position, index: it.index });
        Ok(at.into_iter().collect())
    }

    /// The events at their places, in the form of the client-server API, without those that are set aside.
    async fn events(
        &self,
        places: &[EventAt],
        record: Option<&ConsumerRecord>,
    ) -> Result<Vec<Value>, SourceError> {
        let reader = self.feeds.reader();
        let positions = places.iter().map(|at| at.position).collect();
        // A commit is read again for each try, so that it has no content that was redacted meanwhile.
        let commits = reader.commits(positions).await.map_err(unavailable)?;
        let mut events = Vec::with_capacity(places.len());
        for at in places {
            let Some(committed) = commits.get(&at.position) else { continue };
            let Some(event) = committed.room_event(at.index) else { continue };
            if record.is_some_and(|record| record.leaves_out(&event.pdu.event_id)) {
                continue;
            }
            let replaced = self.replaced(committed, &event.pdu, *at).await.map_err(unavailable)?;
            events.push(client_event(&event.pdu, replaced.as_deref()));
        }
        Ok(events)
    }

    /// The state event whose place an event took.
    async fn replaced(
        &self,
        committed: &Arc<Committed>,
        event: &Pdu,
        at: EventAt,
    ) -> Result<Option<Arc<Pdu>>, TimelineError> {
        let room = committed.stream.split().and_then(|(_, room)| RoomId::parse(room).ok());
        let Some(room) = room.filter(|_| event.state_key.is_some()) else { return Ok(None) };
        let reader = self.feeds.reader();
        let Some(found) = reader.event_at(&room, at).await? else { return Ok(None) };
        let viewer = Viewer::User(self.user.clone());
        let replaced = reader.replaced_by(&room, &found, &viewer).await?;
        Ok(replaced.map(|replaced| Arc::clone(&replaced.event().pdu)))
    }

    /// The batch that is sent now, with its events; `None` if the record has to be read again.
    async fn step(
        &mut self,
        record: &ConsumerRecord,
    ) -> Result<Option<(BatchPlace, Gathered)>, SourceError> {
        // Memberships are read at the beginning of a batch, so the models have to be there first.
        let shown = self.feeds.reader().wait_for(record.next_begin(), SHOWN_WITHIN).await;
        shown.map_err(unavailable)?;
        let incarnation = record.incarnation;
        if let Some((place, _)) = record.places().next() {
            let sent = self.attachment.send_again(incarnation, &place).await;
            let Some((_, end)) = unless_moved(sent)? else { return Ok(None) };
            let gathered = match &place {
                BatchPlace::After(begin) => self.between(*begin, end).await?,
                BatchPlace::Retry(event) => {
                    Gathered { places: self.again(event)?, end, known: BatchEnd::Chosen }
                }
            };
            return Ok(Some((place, gathered)));
        }
        if let Some(event) = record.next_retry() {
            let begun = self.attachment.begin_retry(incarnation, event, (self.clock)()).await;
            let Some(end) = unless_moved(begun)? else { return Ok(None) };
            let gathered = Gathered { places: self.again(event)?, end, known: BatchEnd::Chosen };
            return Ok(Some((BatchPlace::Retry(event.clone()), gathered)));
        }
        let begin = record.next_begin();
        let Some(gathered) = self.gather(begin).await? else { return Ok(None) };
        let (of, known) = ((begin, gathered.end), gathered.known);
        let made = self.attachment.begin_batch(incarnation, of, known, (self.clock)()).await;
        Ok(unless_moved(made)?.map(|()| (BatchPlace::After(begin), gathered)))
    }
}

#[async_trait]
impl Source for ConsumerSource {
    async fn current(&mut self) -> Result<Transaction, SourceError> {
        loop {
            let record = match self.attachment.record() {
                Ok(record) => record,
                Err(Detached::TakenOver | Detached::Deleted) => return Err(SourceError::Over),
            };
            let Some((place, gathered)) = self.step(&record).await? else { continue };
            let incarnation = record.incarnation;
            let (id, record) = match &place {
                BatchPlace::After(begin) => (format!("{incarnation}-{}", begin.0), Some(&*record)),
                BatchPlace::Retry(event) => (format!("{incarnation}-{event}"), None),
            };
            let events = self.events(&gathered.places, record).await?;
            self.current = Some((place, gathered.end));
            return Ok(Transaction { id, events });
        }
    }

    async fn acknowledge(&mut self) -> Result<(), SourceError> {
        let Some((place, end)) = self.current.clone() else { return Ok(()) };
        let named = |_: &ConsumerRecord| NamedBatch::At(place);
        let done = self.consumers.acknowledge(&self.key, end, named, (self.clock)()).await;
        done.map(drop).map_err(unavailable)
    }

    async fn failed(&mut self, _reason: &str) {}
}

/// The events among the items.
fn places_of(items: &[FeedItem]) -> Vec<EventAt> {
    let place = |item: &FeedItem| match item {
        FeedItem::Event { committed, index, .. } => {
            Some(EventAt { position: committed.position, index: *index })
        }
        FeedItem::Invited { invite, .. } => Some(*invite),
        _ => None,
    };
    items.iter().filter_map(place).collect()
}

/// `None` if the consumer is at another place by now, or has another connection.
fn unless_moved<T>(result: Result<T, SendError>) -> Result<Option<T>, SourceError> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(SendError::Moved | SendError::Detached) => Ok(None),
        Err(SendError::Fault(fault)) => Err(unavailable(fault)),
    }
}

fn followed(error: FollowError) -> SourceError {
    match error {
        FollowError::Closed => SourceError::Over,
        error => unavailable(error),
    }
}

fn unavailable(error: impl std::fmt::Display) -> SourceError {
    SourceError::Unavailable(error.to_string())
}
