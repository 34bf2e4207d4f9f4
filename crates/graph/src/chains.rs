//! Sets of auth events that state resolution asks for.
//!
//! Source: Matrix specification, room version 2, "State resolution", for the auth difference; room
//! version 12 for the conflicted state subgraph.

use std::collections::{BTreeSet, HashSet};

use crate::{
    Graph,
    nodes::NodeId,
    states::{SlotId, State},
};

impl Graph {
    /// The events in the auth chains of some of these states, but not of all.
    ///
    /// `conflicted` names the slots in which the states differ. Only their auth chains are walked
    /// to the end. The others are walked until it is known that an event is in all chains.
    pub(crate) fn auth_difference(
        &mut self,
        states: &[State],
        conflicted: &BTreeSet<SlotId>,
    ) -> BTreeSet<NodeId> {
        let chains: Vec<_> = states
            .iter()
            .map(|state| self.auth_chain(conflicted.iter().filter_map(|slot| state.get(slot))))
            .collect();
        let mut difference: BTreeSet<_> = chains.iter().flatten().copied().collect();
        difference.retain(|id| !chains.iter().all(|chain| chain.contains(id)));
        self.work.looked_at += chains.iter().map(HashSet::len).sum::<usize>() as u64;
        let Some(first) = difference.first().copied() else { return difference };
        let shared = states.iter().take(1).flat_map(|state| state.iter());
        let agreed = shared.filter(|(slot, _)| !conflicted.contains(slot)).map(|(_, id)| *id);
        let mut open: Vec<_> = agreed.filter(|id| *id > first).collect();
        let mut seen = HashSet::new();
        while let Some(id) = open.pop() {
            for auth in self.nodes.auth(id).iter().filter(|auth| **auth >= first) {
                if seen.insert(*auth) {
                    difference.remove(auth);
                    open.push(*auth);
                }
            }
        }
        difference
    }

    /// The events on all paths along auth events from one of these events to another.
    pub(crate) fn subgraph(&self, ends: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
        let Some(first) = ends.first().copied() else { return BTreeSet::new() };
        let mut reached = ends.clone();
        let mut open: Vec<_> = ends.iter().copied().collect();
        while let Some(id) = open.pop() {
            for auth in self.nodes.auth(id).iter().filter(|auth| **auth >= first) {
                if reached.insert(*auth) {
                    open.push(*auth);
                }
            }
        }
        let mut leads = BTreeSet::new();
        for id in reached {
            let is_end = ends.contains(&id);
            if is_end || self.nodes.auth(id).iter().any(|auth| leads.contains(auth)) {
                leads.insert(id);
            }
        }
        leads
    }

    /// The auth events of these events, recursively.
    pub(crate) fn auth_chain<'a>(&self, of: impl Iterator<Item = &'a NodeId>) -> HashSet<NodeId> {
        let mut chain = HashSet::new();
        let mut open: Vec<_> = of.copied().collect();
        while let Some(id) = open.pop() {
            for auth in self.nodes.auth(id) {
                if chain.insert(*auth) {
                    open.push(*auth);
                }
            }
        }
        chain
    }
}
