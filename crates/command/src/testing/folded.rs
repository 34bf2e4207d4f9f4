//! What a log says of a room, for comparisons.

use std::collections::{BTreeMap, BTreeSet};

use rookery_domain::{EventStatus, Fact, Graph, OwnedEventId, Room, RoomId};
use rookery_log::{EventLog, Position, Scope, StreamId, StreamKind};

use crate::{
    cell::{Loaded, read_facts},
    federation::RoomGraph,
    snapshot::Snapshots,
};

/// A room as its stream of one log makes it.
#[derive(Debug, PartialEq, Eq)]
pub struct Folded {
    /// Who holds which slot, as the events with their envelopes say.
    pub state: BTreeMap<(String, String), OwnedEventId>,
    /// All events but the rejected ones.
    pub taken: BTreeSet<OwnedEventId>,
    /// The rejected events.
    pub rejected: BTreeSet<OwnedEventId>,
    /// The events that soft-failed: which do, depends on the order of arrival.
    pub soft_failed: BTreeSet<OwnedEventId>,
    /// The events that resolve to the state.
    pub leaves: BTreeSet<OwnedEventId>,
}

/// Folds the room's stream as the write side does.
///
/// # Panics
/// If the log cannot be read.
pub async fn folded(log: &dyn EventLog, room_id: &RoomId) -> Folded {
    let stream = StreamId::new(StreamKind::Room, room_id.as_str());
    let snapshots = Snapshots::open(None).expect("no folder");
    let loaded = Loaded::<Room>::load(log, &snapshots, &stream).await.expect("the log is read");
    let room = loaded.state.expect("the room is there");
    let statuses = statuses(log, &stream).await;
    let of = |wanted: &[EventStatus]| {
        let ids = statuses.iter().filter(|(_, status)| wanted.contains(status));
        ids.map(|(id, _)| id.clone()).collect()
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

async fn statuses(log: &dyn EventLog, stream: &StreamId) -> Vec<(OwnedEventId, EventStatus)> {
    let scope = Scope::Stream(stream.clone());
    let mut after = Position::ORIGIN;
    let mut statuses = Vec::new();
    loop {
        let page = log.read(&scope, after, 1_024).await.expect("the log is read");
        let Some(last) = page.last() else { return statuses };
        after = last.position;
        for record in &page {
            for fact in read_facts::<Room>(record).expect("events of this version") {
                if let Fact::Room(event) = fact {
                    statuses.push((event.pdu.event_id.clone(), event.envelope.status));
                }
            }
        }
    }
}
