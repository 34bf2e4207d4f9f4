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
    collections::{HashMap, HashSet},
    sync::Arc,
};

use rookery_domain::{
    Erased, EventStatus, Holder, Pdu, RoomEvent, RoomVersion, SlotChange, StatedBefore, follow,
    redaction_target,
};
use ruma_common::{EventId, OwnedEventId, OwnedUserId};
use ruma_state_res::events::RoomCreateEvent;

use crate::{
    incomplete::{Edge, KnownBefore, LocalSlots},
    leaves::Leaves,
    nodes::{NewNode, NodeId, Nodes},
    resolve::{Judged, Work},
    rules::Verdicts,
    states::{SlotId, SlotNames, State},
};

/// The events of one room, and the state after each.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) version: Option<RoomVersion>,
    pub(crate) create: Option<NodeId>,
    pub(crate) creators: HashSet<OwnedUserId>,
    pub(crate) nodes: Nodes,
    pub(crate) slots: SlotNames,
    /// The states after some events.
    pub(crate) states: HashMap<NodeId, State>,
    pub(crate) states_bytes: usize,
    /// The resolution of the states after the considered leaves.
    pub(crate) current: State,
    pub(crate) leaves: Leaves,
    /// Accepted events that no accepted event follows, in the order that [`follow`] gives them.
    pub(crate) extremities: Vec<NodeId>,
    /// Accepted redactions, by the target that each names, if the target is not known yet.
    redactions: HashMap<OwnedEventId, Vec<Arc<Pdu>>>,
    /// Events from this number on are in the current commit.
    committed: usize,
    /// How many events the current commit has, with outliers that got a place in it.
    in_commit: usize,
    /// Events without a place that placed ones follow.
    pub(crate) before_known: HashMap<OwnedEventId, Edge>,
    /// The states before events that missing ones precede.
    pub(crate) stated: HashMap<NodeId, KnownBefore>,
    pub(crate) local: LocalSlots,
    pub(crate) verdicts: Verdicts,
    pub(crate) work: Work,
}

impl Graph {
    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the room has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.len() == 0
    }

    /// The decision about an event; `None` if it is not known.
    #[must_use]
    pub fn status(&self, event_id: &EventId) -> Option<EventStatus> {
        self.nodes.find(event_id).map(|id| self.nodes.get(id).status)
    }

    /// The events that a new one has to follow, as far as they are kept.
    pub fn extremities(&self) -> impl Iterator<Item = OwnedEventId> {
        self.extremities.iter().map(|id| self.nodes.event_id(*id))
    }

    /// The events that resolve to the room's state.
    pub fn leaves(&self) -> impl Iterator<Item = OwnedEventId> {
        self.leaves.considered().iter().map(|id| self.nodes.event_id(*id))
    }

    /// Whether the event was not rejected, and no such event follows it.
    #[must_use]
    pub fn is_leaf(&self, event_id: &EventId) -> bool {
        let id = self.nodes.find(event_id).filter(|id| !self.nodes.is_rejected(*id));
        id.is_some_and(|id| !self.nodes.get(id).is_followed)
    }

    /// The state of the room, in order of type and state key.
    #[must_use]
    pub fn state(&self) -> Vec<(&str, &str, OwnedEventId)> {
        self.named(&self.current)
    }

    /// The state after an event.
    pub fn state_after(&mut self, event_id: &EventId) -> Vec<(&str, &str, OwnedEventId)> {
        let Some(id) = self.nodes.find(event_id) else { return Vec::new() };
        let state = self.after(id);
        self.named(&state)
    }

    /// The state before an event that follows these events, as the IDs of its holders, and the IDs of
    /// the events that authorise those, recursively. `None` if one of them has no place here.
    pub fn state_before(
        &mut self,
        prev: &[OwnedEventId],
    ) -> Option<(Vec<OwnedEventId>, Vec<OwnedEventId>)> {
        let known = self.nodes.placed(prev);
        if known.is_empty() || known.len() < prev.len() {
            return None;
        }
        let state = self.before(&known);
        let chain = self.auth_chain(state.values());
        let ids = |ids: Vec<NodeId>| ids.iter().map(|id| self.nodes.event_id(*id)).collect();
        Some((ids(state.values().copied().collect()), ids(chain.into_iter().collect())))
    }

    /// The work that the graph has done so far.
    #[must_use]
    pub fn work(&self) -> Work {
        self.work
    }

    /// The approximate memory of the graph, in bytes.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        const GRAPH_BYTES: usize = 4_096;
        const REDACTION_BYTES: usize = 2_048;
        const STATED_BYTES: usize = 192;
        GRAPH_BYTES
            + self.nodes.weight_bytes()
            + self.slots.weight_bytes()
            + self.states_bytes
            + self.leaves.weight_bytes()
            + self.redactions.len() * REDACTION_BYTES
            + (self.before_known.len() + self.stated.len()) * STATED_BYTES
            + self.local.weight_bytes()
            + self.verdicts.weight_bytes()
    }

    /// Folds the next event of the room's stream, with its place in the log.
    pub fn fold(&mut self, event: &RoomEvent, position: u64, index: u16) {
        let before = event.envelope.before.as_ref().map(|before| self.stated(before));
        let Some(id) = self.insert(event, Some(position), index) else { return };
        if let Some(before) = before {
            self.keep_stated(id, before, event);
        }
        match &event.envelope.state {
            Some(changes) if event.envelope.status != EventStatus::Rejected => {
                self.restate(changes);
            }
            None if event.envelope.status == EventStatus::Accepted => {
                self.current = self.apply(id, self.current.clone());
            }
            _ => {}
        }
        self.committed = self.nodes.len();
        self.in_commit = 0;
        self.forget(&event.envelope.erases);
        if self.leaves.considered().iter().eq([&id]) {
            self.keep_state(id, self.current.clone());
        }
    }

    /// Forgets the content of redacted events, as the log does.
    pub fn forget(&mut self, erased: &[Erased]) {
        let Some(version) = self.version.as_ref().map(|version| version.id().clone()) else {
            return;
        };
        for erased in erased {
            let Some(id) = self.nodes.find(&erased.event_id) else { continue };
            let redacted = self.nodes.own(id).and_then(|own| own.pdu.redacted(&version).ok());
            let Some(redacted) = redacted else { continue };
            let authorisers = self.authorisers(&redacted);
            if let Some(own) = self.nodes.own_mut(id) {
                own.pdu = Arc::new(redacted);
                own.authorisers = authorisers;
            }
            self.verdicts.clear();
        }
    }

    /// The redactions that arrived before their target.
    #[must_use]
    pub fn redactions_of(&self, event_id: &EventId) -> &[Arc<Pdu>] {
        self.redactions.get(event_id).map_or(&[], Vec::as_slice)
    }

    /// Sets the position of the current commit, which is now complete.
    pub fn commit(&mut self, position: u64) {
        self.nodes.commit(self.committed, position);
        self.committed = self.nodes.len();
        self.in_commit = 0;
        self.local.last = None;
    }

    /// How many events are in the current commit.
    #[must_use]
    pub fn uncommitted(&self) -> usize {
        self.in_commit
    }

    fn restate(&mut self, changes: &[SlotChange]) {
        for change in changes {
            let slot = self.slots.id(&change.kind, &change.state_key);
            let holder = change.holder.as_ref().and_then(|it| self.nodes.find(&it.event_id));
            match holder {
                Some(holder) => self.current.insert(slot, holder),
                None => self.current.remove(&slot),
            };
        }
    }

    /// A stated state: the state that it changes, with its changes.
    fn stated(&self, before: &StatedBefore) -> State {
        let since = before.since.as_ref().and_then(|since| self.nodes.find(since));
        let base = since.and_then(|since| self.stated.get(&since));
        let base = base.map_or(&self.current, |base| &base.state);
        let mut state = base.clone();
        for change in &before.changes {
            let Some(slot) = self.slots.get(&change.kind, &change.state_key) else { continue };
            let holder = change.holder.as_ref().and_then(|it| self.nodes.find(&it.event_id));
            match holder {
                Some(holder) => state.insert(slot, holder),
                None => state.remove(&slot),
            };
        }
        state
    }

    pub(crate) fn insert(
        &mut self,
        event: &RoomEvent,
        position: Option<u64>,
        index: u16,
    ) -> Option<NodeId> {
        let (pdu, status) = (&event.pdu, event.envelope.status);
        let auth = self.nodes.known(&pdu.auth_events);
        let begins = event.envelope.before.as_ref().is_some_and(|before| before.begins);
        let prev = match status {
            EventStatus::Outlier => Vec::new(),
            _ if begins => self.leaves.all().collect(),
            _ => self.nodes.placed(&pdu.prev_events),
        };
        let own = self.own_data(pdu, &auth);
        let (prev, auth) = (&prev[..], &auth[..]);
        let known = self.nodes.find(&pdu.event_id);
        let new = NewNode { pdu, status, position, index, prev, auth, own };
        let id = match known {
            Some(id) if self.nodes.get(id).status == EventStatus::Outlier => {
                self.nodes.place(id, &new);
                id
            }
            Some(_) => return None,
            None => self.nodes.push(new)?,
        };
        self.in_commit += 1;
        if self.version.is_none() && pdu.kind.to_string() == "m.room.create" {
            self.create(pdu, id);
        }
        let past = event.envelope.past.as_ref();
        if event.envelope.before.is_some() && (status != EventStatus::Rejected || past.is_some()) {
            let edge = Edge {
                base: id,
                before: past.map(|past| past.before),
                begins: begins || past.is_some(),
                is_only: pdu.prev_events.len() == 1,
            };
            for prev in pdu.prev_events.iter().filter(|prev| !self.nodes.is_placed(prev)) {
                let known = self.before_known.entry(prev.clone()).or_insert(edge);
                known.begins |= edge.begins;
                known.is_only &= known.base == id;
            }
        }
        if status == EventStatus::Outlier {
            return Some(id);
        }
        if event.envelope.behind || past.is_some() {
            self.before_known.remove(&pdu.event_id);
        }
        if past.is_some() {
            self.await_target(pdu, status);
        }
        if event.envelope.behind {
            self.extremities.retain(|end| !prev.contains(end));
            self.work.looked_at += self.leaves.add_behind(&mut self.nodes, id);
            return Some(id);
        }
        self.work.looked_at += self.leaves.add(&mut self.nodes, id);
        if begins {
            self.extremities.clear();
        }
        if status == EventStatus::Accepted {
            follow(&mut self.extremities, |end| prev.contains(end), id);
        }
        self.await_target(pdu, status);
        Some(id)
    }

    fn create(&mut self, pdu: &Arc<Pdu>, id: NodeId) {
        self.version = RoomVersion::of(pdu);
        self.create = Some(id);
        if let Some(version) = &self.version {
            let create = RoomCreateEvent::new(Judged { pdu, rejected: false });
            self.creators = create.creators(&version.rules().authorization).unwrap_or_default();
        }
    }

    fn await_target(&mut self, pdu: &Arc<Pdu>, status: EventStatus) {
        self.redactions.remove(&pdu.event_id);
        let version = self.version.as_ref().filter(|_| status == EventStatus::Accepted);
        let target = version.and_then(|version| redaction_target(pdu, version.rules()));
        if let Some(target) = target.filter(|target| self.nodes.find(target).is_none()) {
            self.redactions.entry(target).or_default().push(Arc::clone(pdu));
        }
    }

    pub(crate) fn named(&self, state: &State) -> Vec<(&str, &str, OwnedEventId)> {
        let name = |(slot, holder): (&SlotId, &NodeId)| {
            let (kind, state_key) = self.slots.name(*slot);
            (kind, state_key, self.nodes.event_id(*holder))
        };
        let mut named: Vec<_> = state.iter().map(name).collect();
        named.sort_unstable();
        named
    }

    pub(crate) fn holder(&self, id: NodeId) -> Holder {
        let (position, index) = (self.nodes.position(id), self.nodes.get(id).index);
        Holder { event_id: self.nodes.event_id(id), position, index }
    }
}
