//! The queue of one destination.

use std::collections::VecDeque;

use parking_lot::Mutex;
use rookery_domain::{OwnedRoomId, OwnedServerName};
use tokio::sync::Notify;

use super::outbox::Outbox;
use crate::store::{Destination, Place};

/// Most events that wait for one destination in memory.
pub(crate) const PENDING_MAX: usize = 500;

/// After failures of this time a destination gets only the last event of each room, in milliseconds: a minute.
const BEHIND_AFTER_MILLIS: u64 = 60_000;

/// A destination.
pub(super) struct Link {
    pub(super) name: OwnedServerName,
    pub(super) queue: Mutex<Queue>,
    pub(super) outbox: Mutex<Outbox>,
    /// There is something to do.
    pub(super) work: Notify,
    /// The pause is over: the server gave a sign of life, or an operator asked.
    pub(super) alive: Notify,
}

/// The events that wait for a destination.
#[derive(Default)]
pub(super) struct Queue {
    pub(super) state: Destination,
    pub(super) pending: VecDeque<(Place, OwnedRoomId)>,
}

impl Link {
    pub(super) fn new(name: OwnedServerName, state: Destination) -> Self {
        let queue = Mutex::new(Queue { state, pending: VecDeque::new() });
        let outbox = Mutex::default();
        Self { name, queue, outbox, work: Notify::new(), alive: Notify::new() }
    }

    /// Ends the pause.
    pub(super) fn end_pause(&self) {
        let mut queue = self.queue.lock();
        if queue.state.failures > 0 {
            queue.state.next_try = 0;
            drop(queue);
            self.alive.notify_one();
        }
    }
}

impl Queue {
    /// Queues an event, unless it waits already. Returns it if the destination is behind: its place has to be stored.
    pub(super) fn push(&mut self, place: Place, room: &OwnedRoomId) -> Option<Place> {
        if place <= self.state.cursor {
            return None;
        }
        if self.state.is_behind {
            return Some(place);
        }
        // A page that failed in the middle is routed again.
        if self.pending.back().is_some_and(|(last, _)| *last >= place) {
            return None;
        }
        self.pending.push_back((place, room.clone()));
        None
    }

    /// Lets the destination fall behind if too much waits, or it fails for long. Returns what has to be stored then.
    pub(super) fn fall_behind(&mut self, now: u64) -> Option<Vec<(Place, OwnedRoomId)>> {
        let (state, pending) = (&mut self.state, &mut self.pending);
        let is_failing_long = state.failures > 0
            && now.saturating_sub(state.failing_since) > BEHIND_AFTER_MILLIS
            && !pending.is_empty();
        if state.is_behind || !(is_failing_long || pending.len() > PENDING_MAX) {
            return None;
        }
        state.is_behind = true;
        Some(pending.drain(..).collect())
    }

    /// Whether events wait, or are under way.
    pub(super) fn has_events(&self) -> bool {
        !self.pending.is_empty() || self.state.outstanding.is_some() || self.state.is_behind
    }

    /// The first event that waits in memory alone.
    pub(super) fn first_pending(&self) -> Option<u64> {
        self.pending.front().map(|((position, _), _)| *position)
    }
}
