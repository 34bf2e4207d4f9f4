//! Events that a consumer has set aside, and the changes of a record that they need.
//!
//! **Invariant:** a parked event comes in no batch, until its owner lets it come again. Then it comes
//! in a batch of its own.
//! **Invariant:** a settled event does not come again with the batch that it came with first.

use rookery_domain::OwnedEventId;
use rookery_log::{Millis, Position};

use super::{ConsumerRecord, OutstandingBatch, ParkError, record::BatchPlace};

/// Most parked events of a consumer.
pub const PARKED_MAX: usize = 1_000;

/// The way that a parked event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParkedFate {
    /// It waits for its owner.
    Waits,
    /// It comes again.
    Retried,
    /// It is settled. It is remembered until the batch that it came with is acknowledged.
    Settled,
}

/// An event that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedEvent {
    /// The reason that the program gave.
    pub reason: String,
    /// When it was set aside.
    pub since: Millis,
    /// The position of its commit.
    pub position: Position,
    /// Whether it waits, comes again or is settled.
    pub fate: ParkedFate,
}

impl ConsumerRecord {
    /// Whether batches leave the event out.
    #[must_use]
    pub fn leaves_out(&self, event: &rookery_domain::EventId) -> bool {
        self.parked.contains_key(event)
    }

    /// The next event that is to come again and is in no batch yet.
    #[must_use]
    pub fn next_retry(&self) -> Option<&OwnedEventId> {
        let is_out = |event: &OwnedEventId| {
            self.batches.iter().any(|batch| batch.retried.as_ref() == Some(event))
        };
        let mut due = self.parked.iter().filter(|(_, it)| it.fate == ParkedFate::Retried);
        due.find(|(event, _)| !is_out(event)).map(|(event, _)| event)
    }

    /// Sets an event of an outstanding batch aside. Repeating it changes the reason.
    pub(crate) fn park(
        &mut self,
        event: &OwnedEventId,
        parked: ParkedEvent,
    ) -> Result<(), ParkError> {
        let known = self.parked.get(event).is_some_and(|known| known.fate != ParkedFate::Settled);
        let is_outstanding = self.outstanding().any(|(begin, batch)| {
            batch.retried.is_none() && begin < parked.position && parked.position <= batch.end
        });
        if !known && !is_outstanding {
            return Err(ParkError::NotDelivered);
        }
        if !known && self.parked.len() >= PARKED_MAX {
            return Err(ParkError::TooMany { max: PARKED_MAX });
        }
        self.batches.retain(|batch| batch.retried.as_ref() != Some(event));
        self.parked.insert(event.clone(), parked);
        Ok(())
    }

    /// Lets a parked event come again.
    pub(crate) fn retry(&mut self, event: &OwnedEventId) -> Result<(), ParkError> {
        let parked = self.parked.get_mut(event).filter(|it| it.fate != ParkedFate::Settled);
        parked.ok_or(ParkError::NotParked)?.fate = ParkedFate::Retried;
        Ok(())
    }

    /// Forgets a parked event.
    pub(crate) fn discard(&mut self, event: &OwnedEventId) -> Result<(), ParkError> {
        let parked = self.parked.get(event).filter(|it| it.fate != ParkedFate::Settled);
        parked.ok_or(ParkError::NotParked)?;
        self.settle(event);
        Ok(())
    }

    /// Makes the batch of an event that comes again outstanding. Its end was acknowledged already: so an acknowledgement
    /// without the ID of the batch settles neither this batch nor another one that its program has not worked off.
    pub(crate) fn push_retry(&mut self, event: OwnedEventId, now: Millis) {
        let (end, retried) = (self.position, Some(event));
        self.batches.push(OutstandingBatch { end, first_sent: now, deliveries: 1, retried });
    }

    /// Acknowledges the batch of an event that came again.
    pub(super) fn acknowledge_retry(&mut self, place: &BatchPlace) -> bool {
        let BatchPlace::Retry(event) = place else { return false };
        let is_out = self.batches.iter().any(|batch| batch.retried.as_ref() == Some(event));
        if is_out {
            self.settle(event);
        }
        is_out
    }

    fn settle(&mut self, event: &OwnedEventId) {
        self.batches.retain(|batch| batch.retried.as_ref() != Some(event));
        match self.parked.get_mut(event) {
            Some(parked) if parked.position > self.position => parked.fate = ParkedFate::Settled,
            _ => drop(self.parked.remove(event)),
        }
    }

    /// Forgets settled events whose batch was acknowledged.
    pub(super) fn forget_settled(&mut self) {
        let position = self.position;
        self.parked.retain(|_, it| it.fate != ParkedFate::Settled || it.position > position);
    }
}
