//! The progress of a delivery.

use std::{collections::VecDeque, sync::Arc};

use rookery_domain::{EventStatus, OwnedEventId, OwnedServerName, Pdu, RoomEvent};
use rookery_graph::{Decided, HeldEvent};
use rookery_log::Position;

use super::{Receipt, Received};

/// An event that waits for its verdict.
#[derive(Clone)]
pub(super) struct Candidate {
    /// Its place in the delivery; `None` if it was held back before.
    pub(super) place: Option<usize>,
    pub(super) pdu: Arc<Pdu>,
    pub(super) origin: OwnedServerName,
    /// The event whose arrival ended its wait.
    pub(super) freed_by: Option<OwnedEventId>,
}

/// The progress of a delivery so far.
pub(super) struct Progress {
    pub(super) receipts: Vec<Option<Receipt>>,
    pub(super) queue: VecDeque<Candidate>,
    /// Decided events for the commit that is being filled.
    pub(super) filled: Vec<(Candidate, Decided)>,
}

impl Progress {
    pub(super) fn new(events: usize) -> Self {
        Self { receipts: vec![None; events], queue: VecDeque::new(), filled: Vec::new() }
    }

    /// Queues an event; the one that opens the room goes first.
    pub(super) fn add(&mut self, candidate: Candidate) {
        if candidate.pdu.kind.to_string() == "m.room.create" {
            self.queue.push_front(candidate);
        } else {
            self.queue.push_back(candidate);
        }
    }

    pub(super) fn answer(&mut self, candidate: &Candidate, received: Received) {
        if let Some(place) = candidate.place {
            let event_id = Some(candidate.pdu.event_id.clone());
            self.receipts[place] = Some(Receipt { event_id, received });
        }
    }

    /// Puts events whose wait is over next, in the order of their arrival.
    pub(super) fn try_again(&mut self, freed: Vec<HeldEvent>, by: &OwnedEventId) {
        for HeldEvent { pdu, origin, .. } in freed.into_iter().rev() {
            let waiting = self.held_here(&pdu);
            let (place, freed_by) = (waiting, Some(by.clone()));
            self.queue.push_front(Candidate { place, pdu, origin, freed_by });
        }
    }

    /// The place of an event of this delivery that was held back.
    fn held_here(&self, pdu: &Pdu) -> Option<usize> {
        self.receipts.iter().position(|receipt| {
            receipt.as_ref().is_some_and(|receipt| {
                receipt.event_id.as_ref() == Some(&pdu.event_id)
                    && matches!(receipt.received, Received::Held { .. })
            })
        })
    }

    /// Records the position of the filled commit.
    pub(super) fn committed(&mut self, position: Position) {
        for (candidate, decided) in std::mem::take(&mut self.filled) {
            let received = received(&decided.event, decided.reason, position);
            self.answer(&candidate, received);
        }
    }

    /// The commit was not written, so its events have to be decided again.
    pub(super) fn unfill(&mut self) {
        for (candidate, _) in std::mem::take(&mut self.filled).into_iter().rev() {
            self.queue.push_front(candidate);
        }
    }
}

pub(super) fn received(event: &RoomEvent, reason: Option<String>, position: Position) -> Received {
    let reason = reason.unwrap_or_default();
    match event.envelope.status {
        EventStatus::Accepted => Received::Accepted { position },
        EventStatus::SoftFailed => Received::SoftFailed { position, reason },
        EventStatus::Rejected => Received::Rejected { position, reason },
        status @ EventStatus::Outlier => Received::Known { status },
    }
}
