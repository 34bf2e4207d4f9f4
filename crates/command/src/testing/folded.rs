//! The content of a log about a room, for comparisons.

use std::collections::{BTreeMap, BTreeSet};

use rookery_domain::{EventStatus, Fact, OwnedEventId, Room, RoomEvent, RoomId};
use rookery_graph::Graph;
use rookery_log::{EventLog, Position, Scope, StreamId, StreamKind};

use crate::{
    federation::RoomGraph,
    stream::{
        snapshot::Snapshots,
        state::{Loaded, read_facts},
    },
};

/// A room, folded from its stream in one log.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    /// The holder of each slot, by the events with their envelopes.
    pub state: BTreeMap<(String, String), OwnedEventId>,
    /// All events except rejected ones.
    pub taken: BTreeSet<OwnedEventId>,
    /// The rejected events.
    pub rejected: BTreeSet<OwnedEventId>,
    /// The soft-failed events. Which ones soft-fail depends on the order of arrival.
    pub soft_failed: BTreeSet<OwnedEventId>,
    /// The events that resolve to the state.
    pub leaves: BTreeSet<OwnedEventId>,
}

/// Folds the room's stream as the write side does.
///
/// # Panics
/// If the log cannot be read.
pub async fn folded(log: &dyn EventLog, room_id: &RoomId) -> Folded {
    let room = room_of(log, room_id).await;
    let history = history(log, room_id).await;
    let of = |wanted: &[EventStatus]| {
        let events = history.iter().flat_map(|(_, events)| events);
        let wanted = events.filter(|event| wanted.contains(&event.envelope.status));
        wanted.map(|event| event.pdu.event_id.clone()).collect()
    };
    let slot = |pdu: &rookery_domain::Pdu| {
        let (kind, state_key) = pdu.state_slot().expect("state");
        ((kind, state_key.to_owned()), pdu.event_id.clone())
    };
    Folded {
        state: room.state_events().map(|pdu| slot(pdu)).collect(),
        taken: of(&[EventStatus::Accepted, EventStatus::SoftFailed]),
        rejected: of(&[EventStatus::Rejected]),
        soft_failed: of(&[EventStatus::SoftFailed]),
        leaves: room.leaves().iter().cloned().collect(),
    }
}

/// The room, as the write side sees it.
///
/// # Panics
/// If the log cannot be read, or has no such room.
pub async fn room_of(log: &dyn EventLog, room_id: &RoomId) -> Room {
    let stream = StreamId::new(StreamKind::Room, room_id.as_str());
    let snapshots = Snapshots::open(None).expect("no folder");
    let loaded = Loaded::<Room>::load(log, &snapshots, &stream).await.expect("the log is read");
    loaded.state.expect("the room is there")
}

/// The graph of the room's stream.
///
/// # Panics
/// If the log cannot be read.
pub async fn graph_of(log: &dyn EventLog, room_id: &RoomId) -> Graph {
    let stream = StreamId::new(StreamKind::Room, room_id.as_str());
    let mut graph = RoomGraph::default();
    graph.catch_up(log, &stream).await.expect("the log is read");
    graph.graph
}

/// The commits of the room's stream, each with its position and its events.
///
/// # Panics
/// If the log cannot be read.
pub async fn history(log: &dyn EventLog, room_id: &RoomId) -> Vec<(Position, Vec<RoomEvent>)> {
    let stream = StreamId::new(StreamKind::Room, room_id.as_str());
    let mut history: Vec<(Position, Vec<RoomEvent>)> = Vec::new();
    loop {
        let after = history.last().map_or(Position::ORIGIN, |(position, _)| *position);
        let page = log.read(&Scope::Stream(stream.clone()), after, 1_024).await;
        let page = page.expect("the log is read");
        if page.is_empty() {
            return history;
        }
        for record in page {
            let facts = read_facts::<Room>(&record).expect("events of this version");
            let events = facts.into_iter().filter_map(|fact| match fact {
                Fact::Room(event) => Some(event),
                Fact::Account(_) | Fact::Alias(_) => None,
            });
            history.push((record.position, events.collect()));
        }
    }
}
