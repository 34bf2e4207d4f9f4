//! Deliveries for rooms that are not known yet.
//!
//! Events of a room can come before its create event, and while this server is joining it. Without
//! the version of the room nothing about them can be checked, so they wait as they came.
//!
//! **Invariant:** bounded for each server and in all; the oldest are dropped first.
//! **Invariant:** in memory only: the answer to the sender said that they wait.

use std::collections::{HashMap, VecDeque};

use rookery_domain::{Incoming, OwnedRoomId, OwnedServerName, RoomId, ServerName};
use serde_json::value::RawValue;

/// Most bytes of early events that one server sent.
pub const EARLY_PER_SERVER_BYTES_MAX: usize = 1024 * 1024;

/// Most bytes of early events of all servers.
pub const EARLY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Early events, in the order of their arrival.
#[derive(Debug, Default)]
pub struct Early {
    events: VecDeque<EarlyEvent>,
    of_server: HashMap<OwnedServerName, usize>,
    bytes: usize,
}

#[derive(Debug)]
struct EarlyEvent {
    room_id: OwnedRoomId,
    origin: OwnedServerName,
    json: Box<RawValue>,
}

impl EarlyEvent {
    fn bytes(&self) -> usize {
        const OVERHEAD_BYTES: usize = 256;
        OVERHEAD_BYTES + self.json.get().len()
    }
}

impl Early {
    /// Keeps an event until its room is known. Returns `false` if it is not an event of that room, or
    /// if the server has too many.
    pub fn keep(&mut self, room_id: &RoomId, origin: &ServerName, json: &RawValue) -> bool {
        if Incoming::room_of(json).is_none_or(|room| room != *room_id) {
            return false;
        }
        let is_it = |event: &EarlyEvent| {
            event.room_id == *room_id && event.origin == *origin && event.json.get() == json.get()
        };
        if self.events.iter().any(is_it) {
            return true;
        }
        let (room_id, origin) = (room_id.to_owned(), origin.to_owned());
        let event = EarlyEvent { room_id, origin, json: json.to_owned() };
        let own = self.of_server.get(&event.origin).copied().unwrap_or_default();
        if own + event.bytes() > EARLY_PER_SERVER_BYTES_MAX {
            return false;
        }
        self.bytes += event.bytes();
        *self.of_server.entry(event.origin.clone()).or_default() += event.bytes();
        self.events.push_back(event);
        while self.bytes > EARLY_BYTES_MAX {
            let Some(oldest) = self.events.pop_front() else { break };
            self.forget(&oldest);
        }
        true
    }

    /// Whether events of this room wait.
    #[must_use]
    pub fn has(&self, room_id: &RoomId) -> bool {
        self.events.iter().any(|event| event.room_id == *room_id)
    }

    /// The events of a room, in deliveries of one server each.
    pub fn take(&mut self, room_id: &RoomId) -> Vec<(OwnedServerName, Vec<Box<RawValue>>)> {
        let all = std::mem::take(&mut self.events);
        let (taken, kept): (VecDeque<_>, _) =
            all.into_iter().partition(|event| event.room_id == *room_id);
        self.events = kept;
        let mut deliveries: Vec<(OwnedServerName, Vec<Box<RawValue>>)> = Vec::new();
        for event in taken {
            self.forget(&event);
            match deliveries.last_mut().filter(|(origin, _)| *origin == event.origin) {
                Some((_, events)) => events.push(event.json),
                None => deliveries.push((event.origin, vec![event.json])),
            }
        }
        deliveries
    }

    fn forget(&mut self, event: &EarlyEvent) {
        self.bytes -= event.bytes();
        if let Some(own) = self.of_server.get_mut(&event.origin) {
            *own -= event.bytes();
            if *own == 0 {
                self.of_server.remove(&event.origin);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn event(room: &str, body: usize) -> Box<RawValue> {
        let text = format!(r#"{{"room_id":"{room}","body":"{}"}}"#, "x".repeat(body));
        RawValue::from_string(text).unwrap()
    }

    fn room(id: &str) -> &RoomId {
        <&RoomId>::try_from(id).unwrap()
    }

    fn server(name: &str) -> &ServerName {
        <&ServerName>::try_from(name).unwrap()
    }

    #[test]
    fn early_events_come_back_in_order_and_once() {
        let mut early = Early::default();
        let (a, b) = ("!a:x.example", "!b:x.example");
        for (origin, id, body) in [("x.example", a, 1), ("x.example", b, 2), ("y.example", a, 3)] {
            assert!(early.keep(room(id), server(origin), &event(id, body)));
        }
        assert!(!early.keep(room(a), server("x.example"), &event(b, 1)), "of another room");
        assert!(early.keep(room(a), server("x.example"), &event(a, 1)), "it waits already");
        let taken = early.take(room(a));
        let origins: Vec<_> = taken.iter().map(|(origin, _)| origin.as_str()).collect();
        assert_eq!(origins, ["x.example", "y.example"]);
        assert!(taken.iter().all(|(_, events)| events.len() == 1));
        assert!(early.take(room(a)).is_empty());
        assert_eq!(early.take(room(b)).len(), 1);
        assert_eq!((early.bytes, early.of_server.len()), (0, 0));
    }

    #[test]
    fn early_events_are_bounded_for_each_server_and_in_all() {
        let mut early = Early::default();
        let id = "!a:x.example";
        let taken = |early: &mut Early, origin: &str| {
            let sizes = 50_000..50_040;
            sizes.filter(|size| early.keep(room(id), server(origin), &event(id, *size))).count()
        };
        assert_eq!(taken(&mut early, "x.example"), 20);
        for number in 0..20 {
            assert_eq!(taken(&mut early, &format!("{number}.example")), 20);
        }
        assert!(early.bytes <= EARLY_BYTES_MAX);
        assert!(!early.of_server.contains_key(server("x.example")), "the oldest are dropped");
    }
}
