//! Events of other servers on their way into the log, with the events that they wait for.
//!
//! **Invariant:** a delivery causes a bounded number of requests, whatever its events name.

use rookery_command::{Commands, HandleError, Receipt, Received};
use rookery_domain::{OwnedEventId, Room, RoomId, ServerName};
use rookery_log::Millis;
use serde_json::value::RawValue;

use crate::{client::Remote, keys::RemoteKeys};

/// How often missing events are fetched for one delivery.
const ROUNDS_MAX: usize = 8;

/// How many events are asked for at once.
const EVENTS_MAX: usize = 50;

/// How many single events are fetched for one delivery.
const SINGLES_MAX: usize = 20;

/// Takes events.
pub(crate) struct Arrivals<'a> {
    pub(crate) commands: &'a Commands,
    pub(crate) keys: &'a RemoteKeys,
    pub(crate) remote: Remote,
    pub(crate) now: u64,
}

impl Arrivals<'_> {
    /// Takes events of one room that `origin` sent, and fetches from it the events that they wait for.
    pub(crate) async fn take(
        &self,
        origin: &ServerName,
        room: &RoomId,
        pdus: &[Box<RawValue>],
    ) -> Result<Vec<Receipt>, HandleError> {
        let mut receipts = self.receive(origin, room, pdus).await?;
        let mut missing = missing_of(&receipts);
        let mut singles = SINGLES_MAX;
        for round in 0..ROUNDS_MAX {
            if missing.is_empty() {
                break;
            }
            let waiting = waiting_of(&receipts);
            let fetched = if round == 0 {
                self.between(origin, room, &waiting).await?
            } else {
                let wanted = missing.len().min(singles);
                singles -= wanted;
                self.single(origin, &missing[..wanted]).await
            };
            if fetched.is_empty() && round > 0 {
                break;
            }
            let received = self.receive(origin, room, &fetched).await?;
            let next = missing_of(&received);
            if next.is_empty() {
                // Each waiting event is free now, or waits for an event that is not among these.
                receipts = self.again(origin, room, pdus, receipts).await?;
                missing = missing_of(&receipts);
            } else {
                missing = next;
            }
        }
        self.again(origin, room, pdus, receipts).await
    }

    async fn receive(
        &self,
        origin: &ServerName,
        room: &RoomId,
        pdus: &[Box<RawValue>],
    ) -> Result<Vec<Receipt>, HandleError> {
        self.commands.receive(self.keys, origin, room, pdus, Millis(self.now)).await
    }

    /// The receipts, with those of events that waited asked for again.
    async fn again(
        &self,
        origin: &ServerName,
        room: &RoomId,
        pdus: &[Box<RawValue>],
        mut receipts: Vec<Receipt>,
    ) -> Result<Vec<Receipt>, HandleError> {
        let held = |receipt: &Receipt| matches!(receipt.received, Received::Held { .. });
        let places: Vec<usize> = (0..receipts.len()).filter(|at| held(&receipts[*at])).collect();
        if places.is_empty() {
            return Ok(receipts);
        }
        let waited: Vec<_> = places.iter().filter_map(|at| pdus.get(*at).cloned()).collect();
        let again = self.receive(origin, room, &waited).await?;
        for (place, receipt) in places.into_iter().zip(again) {
            receipts[place] = receipt;
        }
        Ok(receipts)
    }

    /// The events between the ends that this server knows and those that wait.
    async fn between(
        &self,
        origin: &ServerName,
        room: &RoomId,
        waiting: &[OwnedEventId],
    ) -> Result<Vec<Box<RawValue>>, HandleError> {
        let look = |room: Option<&Room>| {
            let ends = room.map_or(&[][..], Room::forward_extremities);
            ends.iter().take(20).cloned().collect::<Vec<_>>()
        };
        let ends = self.commands.look_at_room(room, look).await?;
        let asked = self.remote.missing_events(origin, room, &ends, waiting, EVENTS_MAX).await;
        Ok(asked.map_or_else(
            |error| {
                tracing::debug!(%room, %error, "cannot fetch missing events");
                Vec::new()
            },
            |mut events| {
                events.truncate(EVENTS_MAX);
                events
            },
        ))
    }

    async fn single(&self, origin: &ServerName, ids: &[OwnedEventId]) -> Vec<Box<RawValue>> {
        let mut events = Vec::new();
        for id in ids {
            match self.remote.event(origin, id).await {
                Ok(event) => events.extend(event),
                Err(error) => tracing::debug!(event = %id, %error, "cannot fetch a missing event"),
            }
        }
        events
    }
}

fn missing_of(receipts: &[Receipt]) -> Vec<OwnedEventId> {
    let mut all: Vec<_> = receipts
        .iter()
        .filter_map(|receipt| match &receipt.received {
            Received::Held { missing } => Some(missing),
            _ => None,
        })
        .flatten()
        .cloned()
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn waiting_of(receipts: &[Receipt]) -> Vec<OwnedEventId> {
    let held = receipts.iter().filter(|it| matches!(it.received, Received::Held { .. }));
    held.filter_map(|receipt| receipt.event_id.clone()).take(20).collect()
}
