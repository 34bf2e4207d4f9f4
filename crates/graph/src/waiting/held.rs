//! Events that wait for other events that they name.
//!
//! **Invariant:** bounded for each room, for each server and in all. The server with the most bytes
//! loses its oldest event first, so a server cannot push out the events of others. Dropped events are
//! counted.
//! **Invariant:** in memory only: the answer to the sender of an event said that it waits, and for
//! which events.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use rookery_domain::{
    EventId, OwnedEventId, OwnedRoomId, OwnedServerName, Pdu, RoomId, ServerName,
};

/// Most waiting events of one room.
pub const HELD_PER_ROOM_MAX: usize = 1_000;

/// Most bytes of waiting events of one room.
pub const HELD_PER_ROOM_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most bytes of waiting events that one server sent.
pub const HELD_PER_SERVER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most bytes of waiting events of all rooms.
pub const HELD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The amount of waiting events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Events that wait now.
    pub events: usize,
    /// Their size.
    pub bytes: usize,
    /// Events that were dropped for others since the start.
    pub dropped: u64,
}

/// Waiting events, in the order of their arrival.
#[derive(Debug, Default)]
pub struct Held {
    rooms: HashMap<OwnedRoomId, Waiting>,
    /// The room of each number.
    order: BTreeMap<u64, OwnedRoomId>,
    servers: HashMap<OwnedServerName, Share>,
    next: u64,
    bytes: usize,
    dropped: u64,
}

/// The waiting events that one server sent.
#[derive(Debug, Default)]
struct Share {
    numbers: BTreeSet<u64>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    events: BTreeMap<u64, HeldEvent>,
    by_id: HashMap<OwnedEventId, u64>,
    for_event: HashMap<OwnedEventId, BTreeSet<u64>>,
    bytes: usize,
}

/// A waiting event.
#[derive(Clone, Debug)]
pub struct HeldEvent {
    /// The event.
    pub pdu: Arc<Pdu>,
    /// The server that sent it.
    pub origin: OwnedServerName,
    /// The events that it waits for.
    pub missing: BTreeSet<OwnedEventId>,
}

impl Held {
    /// Keeps an event until all of `missing` have arrived. Returns the events that are dropped for it.
    pub fn hold(
        &mut self,
        pdu: Arc<Pdu>,
        origin: &ServerName,
        missing: &[OwnedEventId],
    ) -> Vec<HeldEvent> {
        let room_id = pdu.room_id.clone();
        self.forget(&room_id, &pdu.event_id);
        let (number, bytes) = (self.next, weight(&pdu));
        self.next += 1;
        self.order.insert(number, room_id.clone());
        self.bytes += bytes;
        let share = self.servers.entry(origin.to_owned()).or_default();
        share.numbers.insert(number);
        share.bytes += bytes;
        let room = self.rooms.entry(room_id.clone()).or_default();
        room.by_id.insert(pdu.event_id.clone(), number);
        room.bytes += bytes;
        for event in missing {
            room.for_event.entry(event.clone()).or_default().insert(number);
        }
        let missing = missing.iter().cloned().collect();
        room.events.insert(number, HeldEvent { pdu, origin: origin.to_owned(), missing });
        self.make_room(&room_id, origin)
    }

    /// The events that waited only for this one, oldest first.
    pub fn arrived(&mut self, room_id: &RoomId, event_id: &EventId) -> Vec<HeldEvent> {
        self.forget(room_id, event_id);
        let Some(room) = self.rooms.get_mut(room_id) else { return Vec::new() };
        let mut ready = Vec::new();
        for number in room.for_event.remove(event_id).unwrap_or_default() {
            let Some(event) = room.events.get_mut(&number) else { continue };
            event.missing.remove(event_id);
            if event.missing.is_empty() {
                ready.push(number);
            }
        }
        ready.into_iter().filter_map(|number| self.remove(number)).collect()
    }

    /// Whether an event waits for this one, directly or through others, that also follows a leaf:
    /// with this one the room then gets no branch more.
    pub fn ends_a_branch(
        &self,
        room_id: &RoomId,
        event_id: &EventId,
        is_leaf: impl Fn(&EventId) -> bool,
    ) -> bool {
        let Some(room) = self.rooms.get(room_id) else { return false };
        let (mut open, mut seen) = (vec![event_id], BTreeSet::new());
        while let Some(id) = open.pop() {
            for number in room.for_event.get(id).into_iter().flatten() {
                let Some(event) = room.events.get(number).filter(|_| seen.insert(*number)) else {
                    continue;
                };
                if event.pdu.prev_events.iter().any(|prev| is_leaf(prev)) {
                    return true;
                }
                open.push(&event.pdu.event_id);
            }
        }
        false
    }

    /// The waiting events of a room, in the order of their arrival.
    #[must_use]
    pub fn of_room(&self, room_id: &RoomId) -> Vec<HeldEvent> {
        self.rooms.get(room_id).into_iter().flat_map(|room| room.events.values()).cloned().collect()
    }

    /// How many events wait, and their size.
    #[must_use]
    pub fn count(&self) -> HeldBack {
        HeldBack { events: self.order.len(), bytes: self.bytes, dropped: self.dropped }
    }

    fn make_room(&mut self, room_id: &RoomId, origin: &ServerName) -> Vec<HeldEvent> {
        let mut dropped = Vec::new();
        while let Some(share) = self.servers.get(origin) {
            let fits = share.bytes <= HELD_PER_SERVER_BYTES_MAX;
            let Some(oldest) = share.numbers.first().copied().filter(|_| !fits) else { break };
            dropped.extend(self.remove(oldest));
        }
        while let Some(room) = self.rooms.get(room_id) {
            let fits =
                room.events.len() <= HELD_PER_ROOM_MAX && room.bytes <= HELD_PER_ROOM_BYTES_MAX;
            let Some(oldest) = room.oldest_of_largest().filter(|_| !fits) else { break };
            dropped.extend(self.remove(oldest));
        }
        while self.bytes > HELD_BYTES_MAX {
            let largest = self.servers.values().max_by_key(|share| share.bytes);
            let Some(oldest) = largest.and_then(|share| share.numbers.first().copied()) else {
                break;
            };
            dropped.extend(self.remove(oldest));
        }
        self.dropped += dropped.len() as u64;
        dropped
    }

    fn forget(&mut self, room_id: &RoomId, event_id: &EventId) {
        let room = self.rooms.get(room_id);
        if let Some(number) = room.and_then(|room| room.by_id.get(event_id).copied()) {
            self.remove(number);
        }
    }

    fn remove(&mut self, number: u64) -> Option<HeldEvent> {
        let room_id = self.order.remove(&number)?;
        let room = self.rooms.get_mut(&room_id)?;
        let event = room.events.remove(&number)?;
        room.by_id.remove(&event.pdu.event_id);
        for missing in &event.missing {
            if let Some(waiting) = room.for_event.get_mut(missing) {
                waiting.remove(&number);
                if waiting.is_empty() {
                    room.for_event.remove(missing);
                }
            }
        }
        let bytes = weight(&event.pdu);
        room.bytes -= bytes;
        self.bytes -= bytes;
        if let Some(share) = self.servers.get_mut(&event.origin) {
            share.numbers.remove(&number);
            share.bytes -= bytes;
            if share.numbers.is_empty() {
                self.servers.remove(&event.origin);
            }
        }
        if room.events.is_empty() {
            self.rooms.remove(&room_id);
        }
        Some(event)
    }
}

impl Waiting {
    /// The oldest event of the server whose events have the most bytes.
    fn oldest_of_largest(&self) -> Option<u64> {
        let mut shares: HashMap<&ServerName, (usize, u64)> = HashMap::new();
        for (number, event) in &self.events {
            shares.entry(&event.origin).or_insert((0, *number)).0 += weight(&event.pdu);
        }
        shares
            .into_values()
            .max_by_key(|(bytes, oldest)| (*bytes, std::cmp::Reverse(*oldest)))
            .map(|(_, oldest)| oldest)
    }
}

fn weight(pdu: &Pdu) -> usize {
    const OVERHEAD_BYTES: usize = 1_024;
    OVERHEAD_BYTES + pdu.json.len() + pdu.content.get().len()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
