//! A consumer whose batches the server itself pushes to a program.
//!
//! **Invariant:** the boundaries of a batch follow from the log, or are durable before it is returned. Its events follow
//! from them.
//! **Invariant:** content that was redacted before a try is not in it.

use std::{sync::Arc, time::Duration};

use rookery_domain::{
    AccountEvent, Elsewhere, EventId, Fact, Filter, Membership, OwnedUserId, Pdu, UserId,
};
use rookery_log::{Millis, Position};
use rookery_projection::Committed;
use rookery_view::EventAt;

use super::{
    Attachment, BatchCommits, BatchEnd, BatchPlace, ConsumerKey, ConsumerPlace, ConsumerRecord,
    Consumers, Detached, NamedBatch, SendError,
};
use crate::{CommitPage, FeedItem, Feeds, FollowError, NextDelivery, Subscription};

/// The most events of a batch, apart from further ones of its last commit.
const EVENTS_MAX: usize = 100;

/// A batch ends with the commit that makes it this large.
const BYTES_MAX: usize = 1024 * 1024;

/// After so many commits without an event for the program, its position moves on.
pub const COMMITS_PASSED_MAX: u64 = 10_000;

/// How long the models may take to reach the position of a consumer after a start.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// There is no batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The consumer was deleted, or another connection has it.
    #[error("the consumer was deleted, or another connection has it")]
    Over,
    /// The log or the records of consumers cannot be read or written. Retry later.
    #[error("{0}")]
    Unavailable(String),
}

/// A batch to push.
pub struct PushedBatch {
    /// The incarnation of its consumer.
    pub incarnation: u64,
    /// Its place, which tells it from the other batches of this incarnation.
    pub place: BatchPlace,
    /// Its events, in order. There may be none: acknowledge it then.
    pub events: Vec<PushedEvent>,
}

impl PushedBatch {
    /// Removes content that was redacted since the batch was read. Call it after a wait, right before the batch is sent.
    pub fn forget_redacted(&mut self, feeds: &Feeds) {
        for event in &mut self.events {
            event.committed = feeds.still_clean_one(&event.committed);
        }
    }
}

/// An event of a batch.
pub struct PushedEvent {
    /// Its commit.
    pub committed: Arc<Committed>,
    /// Its place.
    pub at: EventAt,
}

impl PushedEvent {
    /// The event.
    #[must_use]
    pub fn pdu(&self) -> Option<&Arc<Pdu>> {
        Some(&self.committed.room_event(self.at.index)?.pdu)
    }

    /// The invite to a room that this server is not in, and its user. Only consumers without a filter get
    /// these.
    #[must_use]
    pub fn invite_elsewhere(&self) -> Option<(&UserId, &Elsewhere)> {
        let (_, user) = self.committed.stream.split()?;
        let user = <&UserId>::try_from(user).ok()?;
        match self.committed.facts.get(self.at.index)? {
            Ok(Fact::Account(AccountEvent::ElsewhereChanged { standing })) => {
                (standing.membership == Membership::Invite).then_some((user, standing))
            }
            _ => None,
        }
    }

    fn event_id(&self) -> Option<&EventId> {
        let invite = || Some(&*self.invite_elsewhere()?.1.event_id);
        self.pdu().map(|pdu| &*pdu.event_id).or_else(invite)
    }
}

/// A consumer of the events that its owner may see, one batch at a time.
pub struct PushedConsumer {
    feeds: Feeds,
    consumers: Consumers,
    key: ConsumerKey,
    user: OwnedUserId,
    /// `None` wants every event, late ones included.
    filter: Option<Filter>,
    attachment: Attachment,
    clock: fn() -> Millis,
    /// Reads on after the last new batch.
    reading: Option<Box<Subscription>>,
    /// The batch of the last answer, with its end.
    current: Option<(BatchPlace, Position)>,
}

/// The part of the log of a batch.
struct Gathered {
    places: Vec<EventAt>,
    end: Position,
    known: BatchEnd,
}

impl PushedConsumer {
    /// Connects to the consumer `key` of the events that `user` may see and `filter` wants. A new consumer begins now.
    ///
    /// # Errors
    /// [`PushError`].
    pub async fn open(
        (feeds, consumers): (Feeds, Consumers),
        key: ConsumerKey,
        user: OwnedUserId,
        filter: Option<Filter>,
        clock: fn() -> Millis,
    ) -> Result<Self, PushError> {
        let arrived = (consumers.arrive(), clock());
        let attached = consumers.attach(&key, ConsumerPlace::Now, arrived).await;
        let attachment = attached.map_err(unavailable)?;
        attachment.take_over().map_err(|_detached| PushError::Over)?;
        let (reading, current) = (None, None);
        Ok(Self { feeds, consumers, key, user, filter, attachment, clock, reading, current })
    }

    /// The first batch that is not acknowledged. Waits until there is one. It is the same one until
    /// [`Self::acknowledge`], also after a restart. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`PushError`].
    pub async fn current(&mut self) -> Result<PushedBatch, PushError> {
        loop {
            let record = match self.attachment.record() {
                Ok(record) => record,
                Err(Detached::TakenOver | Detached::Deleted) => return Err(PushError::Over),
            };
            let Some((place, gathered)) = self.step(&record).await? else { continue };
            // An event that comes again is set aside as well.
            let of = matches!(place, BatchPlace::After(_)).then_some(&*record);
            let events = self.events(&gathered.places, of).await?;
            self.current = Some((place.clone(), gathered.end));
            return Ok(PushedBatch { incarnation: record.incarnation, place, events });
        }
    }

    /// Records that the program has the batch of the last answer. It is durable when this returns.
    ///
    /// # Errors
    /// [`PushError`].
    pub async fn acknowledge(&mut self) -> Result<(), PushError> {
        let Some((place, end)) = self.current.clone() else { return Ok(()) };
        let named = |_: &ConsumerRecord| NamedBatch::At(place);
        let done = self.consumers.acknowledge(&self.key, end, named, (self.clock)()).await;
        done.map(drop).map_err(unavailable)
    }

    /// Reads the events between two positions.
    async fn between(&self, begin: Position, end: Position) -> Result<Gathered, PushError> {
        let mut subscription = Box::new(self.feeds.subscribe_after(&self.user, begin));
        let mut places = Vec::new();
        while subscription.position() < end {
            let (read, piece) = piece(&self.feeds, &self.user, subscription, Some(end)).await;
            subscription = read;
            let Some(mut page) = piece.map_err(followed)? else {
                subscription.arrived().await.map_err(followed)?;
                continue;
            };
            while let Some(delivery) = subscription.take(&mut page) {
                let items = subscription.items(&delivery).map_err(unavailable)?;
                places.extend(self.places_of(&items));
            }
        }
        Ok(Gathered { places, end, known: BatchEnd::Chosen })
    }

    /// Reads on for a new batch. Waits until there is an event for the program. `None` if the record has changed
    /// meanwhile.
    async fn gather(&mut self, begin: Position) -> Result<Option<Gathered>, PushError> {
        let kept = self.reading.take().filter(|reading| reading.position() == begin);
        let mut subscription =
            kept.unwrap_or_else(|| Box::new(self.feeds.subscribe_after(&self.user, begin)));
        let (mut places, mut len_bytes, mut commits) = (Vec::new(), 0, BatchCommits::default());
        let is_full =
            |places: &[EventAt], len_bytes| places.len() >= EVENTS_MAX || len_bytes >= BYTES_MAX;
        loop {
            let next = next(&self.feeds, &self.user, subscription);
            let turn = tokio::select! {
                biased;
                (read, turn) = next => {
                    subscription = read;
                    turn.map_err(followed)?
                }
                () = self.attachment.changed() => {
                    // Deleted, reset, taken over, or an event comes again.
                    return Ok(None);
                }
            };
            match turn {
                NextDelivery::Live(delivery) => {
                    let items = subscription.items(&delivery).map_err(unavailable)?;
                    let wanted = self.places_of(&items);
                    len_bytes += if wanted.is_empty() { 0 } else { delivery.committed.len_bytes };
                    commits.count(&delivery.committed);
                    places.extend(wanted);
                }
                NextDelivery::Behind(mut page) => {
                    while !is_full(&places, len_bytes)
                        && let Some(delivery) = subscription.take(&mut page)
                    {
                        let items = subscription.items(&delivery).map_err(unavailable)?;
                        let wanted = self.places_of(&items);
                        len_bytes +=
                            if wanted.is_empty() { 0 } else { delivery.committed.len_bytes };
                        commits.count(&delivery.committed);
                        places.extend(wanted);
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
    fn again(&self, event: &EventId) -> Result<Vec<EventAt>, PushError> {
        let place = self.feeds.reader().view().event(event).map_err(unavailable)?;
        let at = place.map(|it| EventAt { position: it.position, index: it.index });
        Ok(at.into_iter().collect())
    }

    /// The events at their places, without those that are set aside.
    async fn events(
        &self,
        places: &[EventAt],
        record: Option<&ConsumerRecord>,
    ) -> Result<Vec<PushedEvent>, PushError> {
        let positions = places.iter().map(|at| at.position).collect();
        // A commit is read again for each try, so that it has no content that was redacted meanwhile.
        let commits = self.feeds.reader().commits(positions).await.map_err(unavailable)?;
        let event = |at: &EventAt| {
            let committed = Arc::clone(commits.get(&at.position)?);
            let event = PushedEvent { committed, at: *at };
            let event_id = event.event_id()?;
            let is_left_out = record.is_some_and(|record| record.leaves_out(event_id));
            let wants = |filter: &Filter| event.pdu().is_some_and(|pdu| filter.wants(pdu));
            let is_wanted = self.filter.as_ref().is_none_or(wants);
            (is_wanted && !is_left_out).then_some(event)
        };
        Ok(places.iter().filter_map(event).collect())
    }

    /// The batch that is sent now, with its events; `None` if the record has to be read again.
    async fn step(
        &mut self,
        record: &ConsumerRecord,
    ) -> Result<Option<(BatchPlace, Gathered)>, PushError> {
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

    /// The places of the wanted events among the items.
    fn places_of(&self, items: &[FeedItem]) -> Vec<EventAt> {
        let filter = self.filter.as_ref();
        let place = |item: &FeedItem| match item {
            FeedItem::Event { committed, index, late } => {
                let pdu = &committed.room_event(*index)?.pdu;
                let wants = |filter: &Filter| filter.wants(pdu) && (!late || filter.include_late);
                let at = EventAt { position: committed.position, index: *index };
                filter.is_none_or(wants).then_some(at)
            }
            FeedItem::Invited { invite, .. } => Some(*invite),
            FeedItem::ElsewhereChanged { committed, index }
            | FeedItem::InvitedForService { committed, index } => {
                let at = EventAt { position: committed.position, index: *index };
                let event = PushedEvent { committed: Arc::clone(committed), at };
                (filter.is_none() && event.invite_elsewhere().is_some()).then_some(at)
            }
            _ => None,
        };
        items.iter().filter_map(place).collect()
    }
}

/// The next delivery. Missing commits are read in turns of the user.
async fn next(
    feeds: &Feeds,
    user: &OwnedUserId,
    mut subscription: Box<Subscription>,
) -> (Box<Subscription>, Result<NextDelivery, FollowError>) {
    loop {
        if !subscription.is_behind() {
            let turn = subscription.turn().await;
            return (subscription, turn);
        }
        let (read, piece) = piece(feeds, user, subscription, None).await;
        subscription = read;
        match piece {
            Ok(Some(page)) => return (subscription, Ok(NextDelivery::Behind(page))),
            Ok(None) => {
                if let Err(error) = subscription.arrived().await {
                    return (subscription, Err(error));
                }
            }
            Err(error) => return (subscription, Err(error)),
        }
    }
}

/// Reads a piece of the missing commits, up to `end` if that is given, in the next turn of the user.
async fn piece(
    feeds: &Feeds,
    user: &OwnedUserId,
    mut subscription: Box<Subscription>,
    end: Option<Position>,
) -> (Box<Subscription>, Result<Option<CommitPage>, FollowError>) {
    let work = async move {
        let piece = match end {
            Some(end) => subscription.piece_to(end).await,
            None => subscription.piece().await,
        };
        (subscription, piece)
    };
    feeds.catching_up().run(user.clone(), work).await
}

/// `None` if the consumer is at another place by now, or has another connection.
fn unless_moved<T>(result: Result<T, SendError>) -> Result<Option<T>, PushError> {
    match result {
        Ok(done) => Ok(Some(done)),
        Err(SendError::Moved | SendError::Detached) => Ok(None),
        Err(SendError::Fault(fault)) => Err(unavailable(fault)),
    }
}

fn followed(error: FollowError) -> PushError {
    match error {
        FollowError::Closed => PushError::Over,
        error => unavailable(error),
    }
}

fn unavailable(error: impl std::fmt::Display) -> PushError {
    PushError::Unavailable(error.to_string())
}
