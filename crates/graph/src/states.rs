//! States as persistent maps, and the search for the state after an event.
//!
//! **Invariant:** a state shares its common parts with the state it was made from, so keeping many
//! states costs only their differences.

use std::collections::HashMap;

use imbl::OrdMap;
use rookery_domain::RoomEvent;

use crate::{Graph, nodes::NodeId};

/// How many events may lie between two events whose state is kept. The other states are found by
/// walking back.
pub(crate) const STATES_APART: u16 = 32;

/// The number of a slot in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotId(u32);

/// The holder of each slot.
pub(crate) type State = OrdMap<SlotId, NodeId>;

/// All slots ever named: type and state key.
#[derive(Clone, Debug)]
pub(crate) struct SlotNames {
    names: Vec<(Box<str>, Box<str>)>,
    ids: HashMap<Box<str>, HashMap<Box<str>, SlotId>>,
    bytes: usize,
}

/// The slot of the create event.
pub(crate) const CREATE: SlotId = SlotId(0);

/// The slot of the power levels.
pub(crate) const LEVELS: SlotId = SlotId(1);

impl Default for SlotNames {
    fn default() -> Self {
        let mut slots = Self { names: Vec::new(), ids: HashMap::new(), bytes: 0 };
        slots.id("m.room.create", "");
        slots.id("m.room.power_levels", "");
        slots
    }
}

impl SlotNames {
    pub(crate) fn id(&mut self, kind: &str, state_key: &str) -> SlotId {
        if let Some(id) = self.get(kind, state_key) {
            return id;
        }
        let id = SlotId(u32::try_from(self.names.len()).expect("fewer slots than events"));
        self.names.push((kind.into(), state_key.into()));
        self.ids.entry(kind.into()).or_default().insert(state_key.into(), id);
        self.bytes += kind.len() + 2 * state_key.len();
        id
    }

    pub(crate) fn get(&self, kind: &str, state_key: &str) -> Option<SlotId> {
        self.ids.get(kind)?.get(state_key).copied()
    }

    pub(crate) fn name(&self, id: SlotId) -> (&str, &str) {
        let (kind, state_key) = &self.names[id.0 as usize];
        (kind, state_key)
    }

    /// The slots of a type, by state key.
    pub(crate) fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&str, SlotId)> {
        self.ids.get(kind).into_iter().flatten().map(|(key, id)| (&**key, *id))
    }

    /// The slots from this number on.
    pub(crate) fn since(&self, number: usize) -> impl Iterator<Item = (&str, &str, SlotId)> {
        let named = self.names.iter().enumerate().skip(number);
        named.map(|(number, (kind, key))| {
            let id = SlotId(u32::try_from(number).expect("fewer slots than events"));
            (&**kind, &**key, id)
        })
    }

    /// The memory of the names, in bytes.
    pub(crate) fn weight_bytes(&self) -> usize {
        /// Two pointers in the list, an entry of the index, and three texts with what the
        /// allocator adds.
        const NAME_BYTES: usize = 32 + 48 + 3 * 16;
        self.names.len() * NAME_BYTES + self.bytes
    }
}

impl Graph {
    /// The resolution of the states after these events.
    pub(crate) fn before(&mut self, prev: &[NodeId]) -> State {
        let states: Vec<_> = prev.iter().map(|id| self.after(*id)).collect();
        self.resolve(&states)
    }

    /// The state after an event. States after merged branches are resolved once and kept.
    pub(crate) fn after(&mut self, id: NodeId) -> State {
        let mut waiting = vec![self.anchor(id)];
        while let Some(at) = waiting.last().copied() {
            if self.states.contains_key(&at) {
                waiting.pop();
                continue;
            }
            let prev = self.nodes.prev(at).to_vec();
            let anchors = prev.iter().map(|id| self.anchor(*id));
            let unknown: Vec<_> =
                anchors.filter(|anchor| !self.states.contains_key(anchor)).collect();
            if unknown.is_empty() {
                let states: Vec<_> = prev.iter().map(|id| self.walk(*id)).collect();
                let before = self.resolve(&states);
                let after = self.apply(at, before);
                self.keep(at, after);
                waiting.pop();
            } else {
                waiting.extend(unknown);
            }
        }
        let state = self.walk(id);
        self.keep_state(id, state.clone());
        state
    }

    /// The state after an event, from the state before it.
    pub(crate) fn apply(&self, id: NodeId, before: State) -> State {
        match self.nodes.takes(id) {
            Some(slot) => before.update(slot, id),
            None => before,
        }
    }

    /// Keeps the state after an event, if it is far from the nearest kept state.
    pub(crate) fn keep_state(&mut self, id: NodeId, state: State) {
        let is_merge = self.nodes.prev(id).len() != 1;
        let node = self.nodes.get_mut(id);
        if is_merge || node.apart >= STATES_APART {
            node.apart = 0;
            self.keep(id, state);
        }
    }

    pub(crate) fn keep(&mut self, id: NodeId, state: State) {
        /// An entry of the map.
        const STATE_BYTES: usize = 96;
        /// The nodes of a tree that a changed slot copies.
        const CHANGE_BYTES: usize = 320;
        let base = self.nodes.prev(id).first().map(|prev| self.anchor(*prev));
        let base = base.and_then(|base| self.states.get(&base));
        // A state without one before it here was made from the state of the room.
        let changes = base.unwrap_or(&self.current).diff(&state).count();
        if self.states.insert(id, state).is_none() {
            self.states_bytes += STATE_BYTES + changes * CHANGE_BYTES;
        }
    }

    /// Keeps the state before an event that missing ones precede, and the state after it.
    pub(crate) fn keep_stated(&mut self, id: NodeId, before: State, event: &RoomEvent) {
        self.stated.insert(id, self.known_before(before.clone(), event));
        let after = self.apply(id, before);
        self.keep(id, after);
    }

    /// The nearest event, from this one backwards, whose state is kept or that does not follow
    /// exactly one other.
    fn anchor(&self, mut id: NodeId) -> NodeId {
        while let (false, [one]) = (self.states.contains_key(&id), self.nodes.prev(id)) {
            id = *one;
        }
        id
    }

    /// The state after an event whose anchor has its state.
    fn walk(&self, id: NodeId) -> State {
        let mut path = Vec::new();
        let mut at = id;
        let mut state = loop {
            match (self.states.get(&at), self.nodes.prev(at)) {
                (Some(state), _) => break state.clone(),
                (None, [one]) => {
                    path.push(at);
                    at = *one;
                }
                (None, _) => break State::new(),
            }
        };
        for id in path.into_iter().rev() {
            if let Some(slot) = self.nodes.takes(id) {
                state.insert(slot, id);
            }
        }
        state
    }
}
