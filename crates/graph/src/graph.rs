//! The graph of a room's events, which decides the effect of events of other servers.
//!
//! It is folded from the room's stream in the log, where each event stands with its decision. A
//! room that only this server writes to is a line and needs no graph.
//!
//! **Invariant:** the status of an event, and the state after it, follow only from the events
//! before it in the graph. The state of the room follows from the set of its events. Servers that
//! get the same events in any order reach the same state.
//! **Invariant:** an event is in the graph only if all events that it names are.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use rookery_domain::{
    Erased, EventStatus, Holder, Pdu, RoomEvent, RoomVersion, SlotChange, redaction_target,
};
use ruma_common::{EventId, OwnedEventId};

use crate::{
    ResolveError,
    resolve::Judged,
    states::{NodeId, SlotId, SlotNames, State},
};

/// How many events may lie between two events whose state is kept. The other states are found by
/// walking back.
const STATES_APART: u16 = 32;

/// The events of one room, and the state after each.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) version: Option<RoomVersion>,
    pub(crate) ids: HashMap<OwnedEventId, NodeId>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) slots: SlotNames,
    /// The resolution of the states after all leaves.
    pub(crate) current: State,
    /// Events, other than rejected ones, that no such event follows.
    pub(crate) leaves: BTreeSet<NodeId>,
    /// Accepted events that no accepted event follows.
    pub(crate) extremities: BTreeSet<NodeId>,
    /// Accepted redactions, by the target that each names, if the target is not known yet.
    pub(crate) redactions: HashMap<OwnedEventId, Vec<Arc<Pdu>>>,
    /// Events from this index on are in the current commit.
    pub(crate) committed: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) event_id: OwnedEventId,
    pub(crate) status: EventStatus,
    /// `None` for the current commit.
    pub(crate) position: Option<u64>,
    pub(crate) index: u16,
    pub(crate) prev: Box<[NodeId]>,
    pub(crate) auth: Box<[NodeId]>,
    /// For state events.
    pub(crate) own: Option<Own>,
    /// The state after the event, if it is kept.
    pub(crate) state: Option<State>,
    /// The distance to the nearest kept state, along single predecessors.
    pub(crate) apart: u16,
}

/// The data that is kept of a state event.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) slot: SlotId,
    pub(crate) pdu: Arc<Pdu>,
}

impl Node {
    /// The slot that the event takes in the state after it.
    pub(crate) fn takes(&self) -> Option<SlotId> {
        let is_in = self.status != EventStatus::Rejected;
        self.own.as_ref().filter(|_| is_in).map(|own| own.slot)
    }
}

impl Graph {
    /// How many events there are: the revision of the room's stream that the graph is folded to.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the room has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The decision about an event; `None` if it is not known.
    #[must_use]
    pub fn status(&self, event_id: &EventId) -> Option<EventStatus> {
        self.ids.get(event_id).map(|id| self.node(*id).status)
    }

    /// The events that a new one has to follow.
    pub fn extremities(&self) -> impl Iterator<Item = &EventId> {
        self.extremities.iter().map(|id| &*self.node(*id).event_id)
    }

    /// The events that resolve to the room's state.
    pub fn leaves(&self) -> impl Iterator<Item = &EventId> {
        self.leaves.iter().map(|id| &*self.node(*id).event_id)
    }

    /// The state of the room, in order of type and state key.
    #[must_use]
    pub fn state(&self) -> Vec<(&str, &str, &EventId)> {
        self.named(&self.current)
    }

    /// The state after an event.
    ///
    /// # Errors
    /// [`ResolveError`] if the branches before it cannot be resolved.
    pub fn state_after(
        &mut self,
        event_id: &EventId,
    ) -> Result<Vec<(&str, &str, &EventId)>, ResolveError> {
        let Some(id) = self.ids.get(event_id).copied() else { return Ok(Vec::new()) };
        let state = self.after(id)?;
        Ok(self.named(&state))
    }

    /// The approximate memory of the graph, in bytes.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        const NODE_BYTES: usize = 320;
        const STATE_EVENT_BYTES: usize = 1_536;
        self.nodes.len() * NODE_BYTES + self.slots.len() * STATE_EVENT_BYTES
    }

    /// Folds the next event of the room's stream, with its place in the log.
    pub fn fold(&mut self, event: &RoomEvent, position: u64, index: u16) {
        let id = self.insert(event, Some(position), index);
        match &event.envelope.state {
            Some(changes) if event.envelope.status != EventStatus::Rejected => {
                self.restate(changes);
            }
            None if event.envelope.status == EventStatus::Accepted => {
                self.current = self.node(id).apply(id, self.current.clone());
            }
            _ => {}
        }
        self.committed = self.nodes.len();
        self.forget(&event.envelope.erases);
        if self.leaves.iter().eq([&id]) {
            self.keep_state(id, self.current.clone());
        }
    }

    /// Forgets the content of redacted events, as the log does.
    pub fn forget(&mut self, erased: &[Erased]) {
        let Some(version) = self.version.as_ref().map(|version| version.id().clone()) else {
            return;
        };
        for erased in erased {
            let node = self.ids.get(&erased.event_id).map(|id| &mut self.nodes[id.index()]);
            let Some(own) = node.and_then(|node| node.own.as_mut()) else { continue };
            if let Ok(redacted) = own.pdu.redacted(&version) {
                own.pdu = Arc::new(redacted);
            }
        }
    }

    /// The redactions that arrived before their target.
    #[must_use]
    pub fn redactions_of(&self, event_id: &EventId) -> &[Arc<Pdu>] {
        self.redactions.get(event_id).map_or(&[], Vec::as_slice)
    }

    /// Sets the position of the current commit, which is now complete.
    pub fn commit(&mut self, position: u64) {
        for node in &mut self.nodes[self.committed..] {
            node.position = Some(position);
        }
        self.committed = self.nodes.len();
    }

    /// How many events are in the current commit.
    #[must_use]
    pub fn uncommitted(&self) -> usize {
        self.nodes.len() - self.committed
    }

    pub(crate) fn restate(&mut self, changes: &[SlotChange]) {
        for change in changes {
            let slot = self.slots.id(&change.kind, &change.state_key);
            let holder = change.holder.as_ref().and_then(|it| self.ids.get(&it.event_id).copied());
            match holder {
                Some(holder) => self.current.insert(slot, holder),
                None => self.current.remove(&slot),
            };
        }
    }

    pub(crate) fn insert(
        &mut self,
        event: &RoomEvent,
        position: Option<u64>,
        index: u16,
    ) -> NodeId {
        let (pdu, status) = (&event.pdu, event.envelope.status);
        let id = NodeId::at(self.nodes.len());
        let own = pdu.state_slot().map(|(kind, state_key)| {
            let slot = self.slots.id(&kind, state_key);
            Own { slot, pdu: Arc::clone(pdu) }
        });
        let known = |ids: &[OwnedEventId]| {
            ids.iter().filter_map(|id| self.ids.get(id).copied()).collect::<Box<[_]>>()
        };
        let (prev, auth) = (known(&pdu.prev_events), known(&pdu.auth_events));
        if self.version.is_none() && pdu.kind.to_string() == "m.room.create" {
            self.version = RoomVersion::of(pdu);
        }
        self.grow(id, &prev, status);
        self.await_target(pdu, status);
        let apart = match &*prev {
            [one] => self.node(*one).apart.saturating_add(1),
            _ => 0,
        };
        let event_id = pdu.event_id.clone();
        self.ids.insert(event_id.clone(), id);
        let state = None;
        self.nodes.push(Node { event_id, status, position, index, prev, auth, own, state, apart });
        id
    }

    pub(crate) fn await_target(&mut self, pdu: &Arc<Pdu>, status: EventStatus) {
        self.redactions.remove(&pdu.event_id);
        let version = self.version.as_ref().filter(|_| status == EventStatus::Accepted);
        let target = version.and_then(|version| redaction_target(pdu, version.rules()));
        if let Some(target) = target.filter(|target| !self.ids.contains_key(target)) {
            self.redactions.entry(target).or_default().push(Arc::clone(pdu));
        }
    }

    pub(crate) fn grow(&mut self, id: NodeId, prev: &[NodeId], status: EventStatus) {
        if status == EventStatus::Rejected {
            return;
        }
        self.leaves.retain(|leaf| !prev.contains(leaf));
        self.leaves.insert(id);
        if status == EventStatus::Accepted {
            self.extremities.retain(|end| !prev.contains(end));
            self.extremities.insert(id);
        }
    }

    /// Keeps the state after an event, if it is far from the nearest kept state.
    pub(crate) fn keep_state(&mut self, id: NodeId, state: State) {
        let node = &mut self.nodes[id.index()];
        if node.prev.len() != 1 || node.apart >= STATES_APART {
            node.state = Some(state);
            node.apart = 0;
        }
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The event, if it is state.
    pub(crate) fn judged(&self, event_id: &EventId) -> Option<Judged<'_>> {
        let node = self.node(*self.ids.get(event_id)?);
        let rejected = node.status == EventStatus::Rejected;
        node.own.as_ref().map(|own| Judged { pdu: &own.pdu, rejected })
    }

    pub(crate) fn named<'a>(&'a self, state: &State) -> Vec<(&'a str, &'a str, &'a EventId)> {
        let name = |(slot, holder): (&SlotId, &NodeId)| {
            let (kind, state_key) = self.slots.name(*slot);
            (kind, state_key, &*self.node(*holder).event_id)
        };
        let mut named: Vec<_> = state.iter().map(name).collect();
        named.sort_unstable();
        named
    }

    pub(crate) fn holder(&self, id: NodeId) -> Holder {
        let node = self.node(id);
        Holder { event_id: node.event_id.clone(), position: node.position, index: node.index }
    }
}
