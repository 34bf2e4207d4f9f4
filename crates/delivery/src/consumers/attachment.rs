//! The connection of a consumer.

use std::{sync::Arc, time::Duration};

use rookery_domain::OwnedEventId;
use rookery_log::{Millis, Position};
use tokio::sync::watch;

use super::{
    BatchEnd, BatchPlace, ConsumerRecord, Consumers, OUTSTANDING_MAX, SendError,
    changes::DELIVERIES_REPORTED,
    live::Live,
    record::OutstandingBatch,
    turns::{ConsumerTurn, OwnTurns},
};

/// The present state of a consumer, for its connection.
#[derive(Clone, Debug, Default)]
pub struct ConsumerState {
    /// The number of the connection that has it.
    pub(super) connection: u64,
    /// Whether that connection is open.
    pub(super) is_connected: bool,
    /// Its record; `None` once it was deleted.
    pub(super) record: Option<Arc<ConsumerRecord>>,
}

impl ConsumerState {
    /// The record, and whether a connection has the consumer.
    pub(super) fn now(&self) -> (Option<Arc<ConsumerRecord>>, bool) {
        (self.record.clone(), self.is_connected)
    }
}

/// The reason why a connection has lost its consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Detached {
    /// Another connection has it.
    #[error("another connection consumes under this name now")]
    TakenOver,
    /// It was deleted.
    #[error("the consumer was deleted")]
    Deleted,
}

/// Whether a batch is reported to operators when it is sent for this time: the tenth, the twentieth, the fortieth and so
/// on, so that a program that connects in a loop does not fill the log.
pub(crate) fn is_reported(deliveries: u32) -> bool {
    let is_whole = deliveries.is_multiple_of(DELIVERIES_REPORTED);
    is_whole && (deliveries / DELIVERIES_REPORTED).is_power_of_two()
}

/// How long a connection waits for the end of the one that took its consumer over.
const REGAINED_WITHIN: Duration = Duration::from_millis(500);

/// The number of a connection, in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrival(pub(super) u64);

/// A connection of a consumer. It ends when it is dropped.
pub struct Attachment {
    consumers: Consumers,
    live: Arc<Live>,
    connection: u64,
    changes: watch::Receiver<ConsumerState>,
    turns: OwnTurns,
}

impl Attachment {
    pub(super) fn new(consumers: Consumers, live: Arc<Live>, connection: u64) -> Self {
        let (changes, turns) = (live.state.subscribe(), consumers.shared.turns.of(&live.key.owner));
        Self { consumers, live, connection, changes, turns }
    }

    /// Waits until no other consumer of the owner makes a long batch. Keep the turn until yours is made.
    pub async fn turn(&self) -> ConsumerTurn {
        self.turns.next().await
    }

    /// Takes the consumer over. Call it where the connection is known to be there: one that has gone while the server
    /// worked for it must not take a consumer from its successor.
    ///
    /// # Errors
    /// [`Detached`] if a connection that arrived later has it.
    pub fn take_over(&self) -> Result<(), Detached> {
        let mut is_taken = false;
        self.live.state.send_modify(|state| {
            is_taken = state.connection <= self.connection;
            if is_taken {
                (state.connection, state.is_connected) = (self.connection, true);
            }
        });
        if is_taken { Ok(()) } else { Err(Detached::TakenOver) }
    }

    /// Takes the consumer back from a connection that has gone. Returns whether that happened within half a second.
    /// A client that gives up while the server is busy and connects again may be served in the other order.
    pub async fn regain(&mut self) -> bool {
        let is_gone = self.changes.wait_for(|state| !state.is_connected);
        if !matches!(tokio::time::timeout(REGAINED_WITHIN, is_gone).await, Ok(Ok(_))) {
            return false;
        }
        // From here on, the server refuses the unfinished changes of the other connection.
        self.connection = self.consumers.arrive().0;
        self.take_over().is_ok()
    }

    /// The record of the consumer now.
    ///
    /// # Errors
    /// [`Detached`] if the connection has lost it.
    pub fn record(&mut self) -> Result<Arc<ConsumerRecord>, Detached> {
        let state = self.changes.borrow_and_update();
        if state.connection != self.connection {
            return Err(Detached::TakenOver);
        }
        state.record.clone().ok_or(Detached::Deleted)
    }

    /// Waits for a change of the record since [`Self::record`]. Dropping the future loses nothing.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Makes a batch from `begin` to `end` of the consumer's `incarnation` outstanding, whose end is known again as
    /// `known` says. Its boundaries never change once this answers: send it then.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn begin_batch(
        &self,
        incarnation: u64,
        (begin, end): (Position, Position),
        known: BatchEnd,
        now: Millis,
    ) -> Result<(), SendError> {
        let attached = self.is_attached();
        let change = move |record: &mut ConsumerRecord| {
            if !attached() {
                return Err(SendError::Detached);
            }
            let is_next = record.incarnation == incarnation && record.next_begin() == begin;
            if !is_next || record.batches.len() >= OUTSTANDING_MAX {
                return Err(SendError::Moved);
            }
            let (first_sent, deliveries, retried) = (now, 1, None);
            record.batches.push(OutstandingBatch { end, first_sent, deliveries, retried });
            Ok(())
        };
        let live = Arc::clone(&self.live);
        match known {
            BatchEnd::Implied => self.consumers.change_soon(live, change).await.map(drop),
            BatchEnd::Chosen => self.consumers.change(live, change).await.map(drop),
        }
    }

    /// Makes the batch of a parked event outstanding, which comes again. Returns its end.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn begin_retry(
        &self,
        incarnation: u64,
        event: &OwnedEventId,
        now: Millis,
    ) -> Result<Position, SendError> {
        let (attached, event) = (self.is_attached(), event.clone());
        let change = move |record: &mut ConsumerRecord| {
            if !attached() {
                return Err(SendError::Detached);
            }
            let is_due = record.incarnation == incarnation && record.next_retry() == Some(&event);
            if !is_due || record.batches.len() >= OUTSTANDING_MAX {
                return Err(SendError::Moved);
            }
            record.push_retry(event, now);
            Ok(())
        };
        let record = self.consumers.change(Arc::clone(&self.live), change).await?;
        Ok(record.position)
    }

    /// Counts that the batch at `place` is sent again. Returns how often it was sent, this time
    /// included, and its end.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn send_again(
        &self,
        incarnation: u64,
        place: &BatchPlace,
    ) -> Result<(u32, Position), SendError> {
        let (attached, at) = (self.is_attached(), place.clone());
        let change = move |record: &mut ConsumerRecord| {
            if !attached() {
                return Err(SendError::Detached);
            }
            let is_same = record.incarnation == incarnation;
            let batch = record.batch_at(&at).filter(|_| is_same).ok_or(SendError::Moved)?;
            batch.deliveries = batch.deliveries.saturating_add(1);
            Ok(())
        };
        let mut record = self.consumers.change_soon(Arc::clone(&self.live), change).await?;
        let batch = record.batch_at(place).ok_or(SendError::Moved)?;
        let (deliveries, end) = (batch.deliveries, batch.end);
        if is_reported(deliveries) {
            let key = &self.live.key;
            tracing::warn!(
                owner = ?key.owner,
                consumer = key.name,
                deliveries,
                "a consumer does not acknowledge a batch: its program fails on it, or does not \
                 acknowledge at all"
            );
        }
        Ok((deliveries, end))
    }

    /// Whether this connection still has the consumer, to ask while the record is locked.
    fn is_attached(&self) -> impl Fn() -> bool + Send + 'static {
        let (live, connection) = (Arc::clone(&self.live), self.connection);
        move || live.state.borrow().connection == connection
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.live.state.send_if_modified(|state| {
            let is_own = state.connection == self.connection;
            state.is_connected &= !is_own;
            is_own
        });
    }
}
