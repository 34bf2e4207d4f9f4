//! The record of a consumer, and its changes.
//!
//! **Invariant:** the outstanding batches follow each other without a gap, from the acknowledged
//! position on. The batch of an event that comes again covers no part of the log, and keeps the end that it was sent with.

use std::collections::BTreeMap;

use rookery_domain::OwnedEventId;
use rookery_log::{Epoch, Millis, Position};

use super::{AcknowledgeError, ParkedEvent, ParkedFate};

/// Most batches that are sent and not acknowledged.
pub const OUTSTANDING_MAX: usize = 2;

/// A batch that was sent and not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutstandingBatch {
    /// The position of its last commit.
    pub end: Position,
    /// When it was first sent.
    pub first_sent: Millis,
    /// How often it was sent.
    pub deliveries: u32,
    /// The event, if it is a batch of one parked event that comes again. It ends at a position that was acknowledged.
    pub retried: Option<OwnedEventId>,
}

/// The place of a batch, which tells it from the other batches of its consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchPlace {
    /// The position before its first commit.
    After(Position),
    /// A batch of this parked event, which comes again.
    Retry(OwnedEventId),
}

/// The batch that an acknowledgement names, beside its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedBatch {
    /// It names none.
    Unnamed,
    /// This outstanding batch.
    At(BatchPlace),
    /// None of the outstanding ones: it was acknowledged before, or the consumer was reset since.
    Gone,
}

/// The durable part of a consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerRecord {
    /// When it was made.
    pub created: Millis,
    /// Another number after each reset, and for each consumer. It tells batches with the same begin
    /// apart.
    pub incarnation: u64,
    /// The epoch of the log that its positions belong to.
    pub epoch: Epoch,
    /// Everything up to here was acknowledged.
    pub position: Position,
    /// When its program last acknowledged.
    pub acknowledged: Option<Millis>,
    /// The run of the server that stored it. Another run may have sent batches with an
    /// [implied](super::BatchEnd::Implied) end that are not in it.
    pub run: u64,
    /// The outstanding batches, in order.
    pub batches: Vec<OutstandingBatch>,
    /// The events that were set aside.
    pub parked: BTreeMap<OwnedEventId, ParkedEvent>,
}

impl ConsumerRecord {
    /// A consumer that begins after `position`.
    #[must_use]
    pub fn new(epoch: Epoch, position: Position, now: Millis) -> Self {
        let (acknowledged, batches, parked) = (None, Vec::new(), BTreeMap::new());
        Self {
            created: now,
            incarnation: 0,
            epoch,
            position,
            acknowledged,
            run: 0,
            batches,
            parked,
        }
    }

    /// The outstanding batches, each with its begin: the position before its first commit.
    pub fn outstanding(&self) -> impl Iterator<Item = (Position, &OutstandingBatch)> {
        self.batches.iter().scan(self.position, |at, batch| {
            let begin = *at;
            if batch.retried.is_none() {
                *at = batch.end;
            }
            Some((begin, batch))
        })
    }

    /// The outstanding batches, each with its place.
    pub fn places(&self) -> impl Iterator<Item = (BatchPlace, &OutstandingBatch)> {
        self.outstanding().map(|(begin, batch)| {
            let retried = batch.retried.clone().map(BatchPlace::Retry);
            (retried.unwrap_or(BatchPlace::After(begin)), batch)
        })
    }

    /// The begin of the next batch.
    #[must_use]
    pub fn next_begin(&self) -> Position {
        let last = self.batches.iter().rfind(|batch| batch.retried.is_none());
        last.map_or(self.position, |last| last.end)
    }

    /// How often the oldest outstanding batch was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.batches.first().map_or(0, |first| first.deliveries)
    }

    /// Acknowledges everything up to `position`, or the batch of an event that came again. A position
    /// that was acknowledged before changes nothing. A named batch has to be the one that ends there: after a reset, a
    /// batch from before it must not settle another one with the same end.
    pub(crate) fn acknowledge(
        &mut self,
        position: Position,
        named: &NamedBatch,
        now: Millis,
    ) -> Result<(), AcknowledgeError> {
        if let NamedBatch::At(place) = named
            && self.acknowledge_retry(place)
        {
            self.acknowledged = Some(now);
            return Ok(());
        }
        if position <= self.position {
            return Ok(());
        }
        let is_named = |place: &BatchPlace| match named {
            NamedBatch::Unnamed => true,
            NamedBatch::At(named) => named == place,
            NamedBatch::Gone => false,
        };
        let ends = |(place, batch): (BatchPlace, &OutstandingBatch)| {
            batch.retried.is_none() && batch.end == position && is_named(&place)
        };
        if !self.places().any(ends) {
            return Err(AcknowledgeError::NotDelivered);
        }
        // A batch of an event that came again needs an acknowledgement of its own.
        self.batches.retain(|batch| batch.retried.is_some() || batch.end > position);
        (self.position, self.acknowledged) = (position, Some(now));
        self.forget_settled();
        Ok(())
    }

    /// Begins again after `position`. All batches are forgotten.
    pub(crate) fn reset(&mut self, epoch: Epoch, position: Position) {
        self.batches.clear();
        // The past comes again, also what was settled.
        self.parked.retain(|_, parked| parked.fate != ParkedFate::Settled);
        self.incarnation = self.incarnation.wrapping_add(1);
        (self.epoch, self.position) = (epoch, position);
    }

    /// The batch at this place.
    pub(super) fn batch_at(&mut self, place: &BatchPlace) -> Option<&mut OutstandingBatch> {
        let at = self.places().position(|(at, _)| at == *place)?;
        self.batches.get_mut(at)
    }
}
