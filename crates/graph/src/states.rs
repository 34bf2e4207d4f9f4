//! States as persistent maps, and the search for the state after an event.
//!
//! **Invariant:** a state shares its common parts with the state it was made from, so keeping many
//! states costs only their differences.

use std::collections::HashMap;

use imbl::OrdMap;

use crate::{Graph, ResolveError, graph::Node};

/// The number of an event in its graph: greater than the numbers of the events that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(u32);

impl NodeId {
    pub(crate) fn at(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than four thousand million events in a room"))
    }

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The number of a slot in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SlotId(u32);

/// The holder of each slot.
pub(crate) type State = OrdMap<SlotId, NodeId>;

/// All slots ever named: type and state key.
#[derive(Clone, Debug, Default)]
pub(crate) struct SlotNames {
    names: Vec<(Box<str>, Box<str>)>,
    ids: HashMap<Box<str>, HashMap<Box<str>, SlotId>>,
}

impl SlotNames {
    pub(crate) fn id(&mut self, kind: &str, state_key: &str) -> SlotId {
        if let Some(id) = self.get(kind, state_key) {
            return id;
        }
        let id = SlotId(u32::try_from(self.names.len()).expect("fewer slots than events"));
        self.names.push((kind.into(), state_key.into()));
        self.ids.entry(kind.into()).or_default().insert(state_key.into(), id);
        id
    }

    pub(crate) fn get(&self, kind: &str, state_key: &str) -> Option<SlotId> {
        self.ids.get(kind)?.get(state_key).copied()
    }

    pub(crate) fn name(&self, id: SlotId) -> (&str, &str) {
        let (kind, state_key) = &self.names[id.0 as usize];
        (kind, state_key)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }
}

impl Node {
    /// The state after the event, from the state before it.
    pub(crate) fn apply(&self, id: NodeId, before: State) -> State {
        match self.takes() {
            Some(slot) => before.update(slot, id),
            None => before,
        }
    }
}

impl Graph {
    /// The resolution of the states after these events.
    pub(crate) fn before(&mut self, prev: &[NodeId]) -> Result<State, ResolveError> {
        let states = prev.iter().map(|id| self.after(*id)).collect::<Result<Vec<_>, _>>()?;
        self.resolve(&states)
    }

    /// The state after an event. States after merged branches are resolved once and kept.
    pub(crate) fn after(&mut self, id: NodeId) -> Result<State, ResolveError> {
        let mut waiting = vec![self.anchor(id)];
        while let Some(at) = waiting.last().copied() {
            if self.node(at).state.is_some() {
                waiting.pop();
                continue;
            }
            let prev = self.node(at).prev.clone();
            let anchors = prev.iter().map(|id| self.anchor(*id));
            let unknown: Vec<_> =
                anchors.filter(|anchor| self.node(*anchor).state.is_none()).collect();
            if unknown.is_empty() {
                let states: Vec<_> = prev.iter().map(|id| self.walk(*id)).collect();
                let before = self.resolve(&states)?;
                let after = self.node(at).apply(at, before);
                self.nodes[at.index()].state = Some(after);
                waiting.pop();
            } else {
                waiting.extend(unknown);
            }
        }
        let state = self.walk(id);
        self.keep_state(id, state.clone());
        Ok(state)
    }

    /// The nearest event, from this one backwards, whose state is kept or that does not follow
    /// exactly one other.
    fn anchor(&self, mut id: NodeId) -> NodeId {
        while let (None, [one]) = (&self.node(id).state, &*self.node(id).prev) {
            id = *one;
        }
        id
    }

    /// The state after an event whose anchor has its state.
    fn walk(&self, id: NodeId) -> State {
        let mut path = Vec::new();
        let mut at = id;
        let mut state = loop {
            match (&self.node(at).state, &*self.node(at).prev) {
                (Some(state), _) => break state.clone(),
                (None, [one]) => {
                    path.push(at);
                    at = *one;
                }
                (None, _) => break State::new(),
            }
        };
        for id in path.into_iter().rev() {
            if let Some(slot) = self.node(id).takes() {
                state.insert(slot, id);
            }
        }
        state
    }
}
