//! The leaves whose states resolve to the state of the room.
//!
//! Any server can append any number of events to an old one, so the leaves of each server are
//! bounded. Of the leaves of one server, the deepest [`LEAVES_PER_SERVER_MAX`] count. The others are
//! *left out*: the graph is read as if they were not there, so the events that only they follow
//! become leaves in turn. An event that a considered event follows is always considered.
//!
//! A server that appends each event to its own events, as the specification says, has one leaf.
//! Its events can neither be left out because of the events of another server, nor hidden behind
//! them.
//!
//! **Invariant:** which events are considered follows from the set of events. Depth grows along
//! each path, and whether an event is considered follows from deeper events alone.
//! **Invariant:** the work of a change is bounded by the events whose consideration changes.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
};

use rookery_domain::limits::LEAVES_PER_SERVER_MAX;

use crate::nodes::{EventHash, NodeId, Nodes, ServerNumber};

/// Most leaves of all servers that count, and most leaves of one server, whether they count or not.
/// An event that would add another one is not taken, unless it is awaited. Soft-failed events get
/// half of the former, because no local event ever follows them.
pub const LEAVES_MAX: usize = 64;

/// The deepest come first, equal depths in the order of their hashes.
type Rank = (Reverse<u64>, EventHash, NodeId);

/// An event whose number of followers changed.
type Changed = (u64, Reverse<EventHash>, NodeId);

/// The leaves of a graph.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaves {
    /// The events that no considered event follows, by server.
    by_server: HashMap<ServerNumber, BTreeSet<Rank>>,
    /// Those that are considered.
    considered: BTreeSet<NodeId>,
    candidates: usize,
    /// How many events of each server no event follows, considered or not.
    ends: HashMap<ServerNumber, usize>,
}

impl Leaves {
    /// The leaves that count.
    pub(crate) fn considered(&self) -> &BTreeSet<NodeId> {
        &self.considered
    }

    /// All events that no considered event follows.
    pub(crate) fn all(&self) -> impl Iterator<Item = NodeId> {
        self.by_server.values().flatten().map(|(_, _, id)| *id)
    }

    /// Adds an event that comes before events that are here already: it is no leaf. Returns how many
    /// events were looked at.
    pub(crate) fn add_behind(&mut self, nodes: &mut Nodes, id: NodeId) -> u64 {
        let node = nodes.get_mut(id);
        node.is_followed = true;
        // The events behind it were placed without it, so it never becomes a leaf.
        node.followers = u32::MAX / 2;
        let mut changed = BinaryHeap::new();
        self.set(nodes, id, true, &mut changed);
        self.update_all(nodes, changed)
    }

    /// Whether an event of a server that opens a branch is one too many, if it is accepted or
    /// soft-fails.
    pub(crate) fn is_crowded(&self, server: Option<ServerNumber>, soft_fails: bool) -> bool {
        let own = server.and_then(|server| self.ends.get(&server)).copied().unwrap_or_default();
        let most = if soft_fails { LEAVES_MAX / 2 } else { LEAVES_MAX };
        // Beyond its share, a server only replaces leaves of its own.
        let adds = own < LEAVES_PER_SERVER_MAX;
        own >= LEAVES_MAX || (adds && self.considered.len() >= most)
    }

    /// Adds a new event, which no event follows. Returns how many events were looked at.
    pub(crate) fn add(&mut self, nodes: &mut Nodes, id: NodeId) -> u64 {
        if nodes.is_rejected(id) {
            return 0;
        }
        *self.ends.entry(nodes.get(id).server).or_default() += 1;
        for prev in nodes.prev(id).to_vec() {
            let is_new = !nodes.is_rejected(prev) && !nodes.get(prev).is_followed;
            if is_new && let Some(ends) = self.ends.get_mut(&nodes.get(prev).server) {
                *ends -= 1;
                nodes.get_mut(prev).is_followed = true;
            }
        }
        self.update_all(nodes, BinaryHeap::from([by_depth(nodes, id)]))
    }

    fn update_all(&mut self, nodes: &mut Nodes, mut changed: BinaryHeap<Changed>) -> u64 {
        let mut steps = 0;
        // Deeper events first, since they decide about the others.
        while let Some((_, _, id)) = changed.pop() {
            steps += 1;
            self.update(nodes, id, &mut changed);
        }
        steps
    }

    /// Brings the place of an event up to date with the number of its followers.
    fn update(&mut self, nodes: &mut Nodes, id: NodeId, changed: &mut BinaryHeap<Changed>) {
        let node = nodes.get(id);
        let (is_leaf, server) = (node.followers == 0, node.server);
        let rank = (Reverse(node.depth), *nodes.hash(id), id);
        let all = self.by_server.entry(server).or_default();
        let (was_leaf, was_considered) = (all.contains(&rank), node.considered);
        let at = |all: &BTreeSet<Rank>, place: usize| all.iter().nth(place).map(|it| it.2);
        match (was_leaf, is_leaf) {
            (false, true) => {
                all.insert(rank);
                self.candidates += 1;
                let pushed_out = at(all, LEAVES_PER_SERVER_MAX);
                let counts = all.iter().take(LEAVES_PER_SERVER_MAX).any(|it| it.2 == id);
                self.set(nodes, id, counts, changed);
                if let Some(other) = pushed_out.filter(|other| *other != id) {
                    self.set(nodes, other, false, changed);
                }
            }
            (true, false) => {
                all.remove(&rank);
                self.candidates -= 1;
                let moves_up = at(all, LEAVES_PER_SERVER_MAX - 1).filter(|_| was_considered);
                if all.is_empty() {
                    self.by_server.remove(&server);
                }
                self.set(nodes, id, true, changed);
                if let Some(other) = moves_up {
                    self.set(nodes, other, true, changed);
                }
            }
            _ => {}
        }
        let is_considered = nodes.get(id).considered;
        if is_leaf && is_considered {
            self.considered.insert(id);
        } else {
            self.considered.remove(&id);
        }
    }

    fn set(
        &mut self,
        nodes: &mut Nodes,
        id: NodeId,
        considered: bool,
        changed: &mut BinaryHeap<Changed>,
    ) {
        if nodes.get(id).followers == 0 && considered {
            self.considered.insert(id);
        } else {
            self.considered.remove(&id);
        }
        if std::mem::replace(&mut nodes.get_mut(id).considered, considered) == considered {
            return;
        }
        let mut prev = nodes.prev(id).to_vec();
        prev.sort_unstable();
        prev.dedup();
        for prev in prev {
            if nodes.is_rejected(prev) {
                continue;
            }
            let followers = &mut nodes.get_mut(prev).followers;
            let before = *followers;
            *followers = if considered { before + 1 } else { before - 1 };
            if before == 0 || *followers == 0 {
                changed.push(by_depth(nodes, prev));
            }
        }
    }

    /// The memory of the leaves, in bytes.
    pub(crate) fn weight_bytes(&self) -> usize {
        self.candidates * 2 * size_of::<Rank>() + self.considered.len() * 16
    }
}

fn by_depth(nodes: &Nodes, id: NodeId) -> Changed {
    (nodes.get(id).depth, Reverse(*nodes.hash(id)), id)
}

/// Which leaf an event without a slot stands for: the state does not change when it follows one
/// leaf alone.
pub(crate) fn only_moved(
    before: &BTreeSet<NodeId>,
    after: &BTreeSet<NodeId>,
    from: NodeId,
    to: NodeId,
) -> bool {
    let mut moved = before.clone();
    moved.remove(&from) && moved.insert(to) && moved == *after
}
