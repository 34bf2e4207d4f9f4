//! State resolution.
//!
//! Source: Matrix specification, room versions 2 and 12, "State resolution".
//!
//! **Invariant:** the result is that of the algorithm over the whole states, but the work grows
//! with their differences only. A property test compares it with ruma's, over the whole states.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::ordmap::DiffItem;
use rookery_domain::Pdu;
use ruma_common::{MilliSecondsSinceUnixEpoch, OwnedEventId, RoomId, UserId};
use ruma_events::TimelineEventType;
use ruma_state_res::Event;
use serde_json::value::RawValue;

use crate::{
    Graph,
    nodes::NodeId,
    states::{LEVELS, SlotId, State},
};

/// The work that a graph has done, for measurements and tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// How often the authorisation rules were applied to an event.
    pub checks: u64,
    /// How many events and slots were looked at beside that.
    pub looked_at: u64,
}

/// An event and whether it was rejected, for ruma.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) pdu: &'a Arc<Pdu>,
    pub(crate) rejected: bool,
}

/// A state in the making: the slots on which all states agree, and the disputed ones that are
/// decided already.
struct Partial<'a> {
    agreed: Option<&'a State>,
    disputed: &'a BTreeSet<SlotId>,
    decided: BTreeMap<SlotId, NodeId>,
}

impl Partial<'_> {
    fn holder(&self, slot: SlotId) -> Option<NodeId> {
        let agreed = || self.agreed.filter(|_| !self.disputed.contains(&slot))?.get(&slot);
        self.decided.get(&slot).or_else(agreed).copied()
    }
}

impl Graph {
    /// The resolution of several states.
    pub(crate) fn resolve(&mut self, states: &[State]) -> State {
        let Some((first, rest)) = states.split_first() else { return State::new() };
        let disputed: BTreeSet<_> = rest
            .iter()
            .flat_map(|other| first.diff(other))
            .map(|item| match item {
                DiffItem::Add(slot, _)
                | DiffItem::Remove(slot, _)
                | DiffItem::Update { old: (slot, _), .. } => *slot,
            })
            .collect();
        self.work.looked_at += (disputed.len() * states.len()) as u64;
        if disputed.is_empty() {
            return first.clone();
        }
        let decided = self.decide(states, &disputed);
        let mut state = first.clone();
        for slot in &disputed {
            state.remove(slot);
        }
        for (slot, holder) in decided {
            // Slots on which all states agree stay.
            if disputed.contains(&slot) || !first.contains_key(&slot) {
                state.insert(slot, holder);
            }
        }
        state
    }

    /// The holders of the disputed slots, and of slots that no state has.
    fn decide(
        &mut self,
        states: &[State],
        disputed: &BTreeSet<SlotId>,
    ) -> BTreeMap<SlotId, NodeId> {
        let rules = self.version.as_ref().and_then(|it| it.rules().state_res.v2_rules().copied());
        let Some(rules) = rules else { return BTreeMap::new() };
        let holders = |state: &State| {
            let held = disputed.iter().filter_map(|slot| state.get(slot).copied());
            held.collect::<Vec<_>>()
        };
        let ends: BTreeSet<_> = states.iter().flat_map(holders).collect();
        let mut all = self.auth_difference(states, disputed);
        if rules.consider_conflicted_state_subgraph {
            all.extend(self.subgraph(&ends));
        }
        all.extend(ends);
        all.retain(|id| self.nodes.own(*id).is_some());
        self.work.looked_at += all.len() as u64;
        let starts_empty = rules.begin_iterative_auth_checks_with_empty_state_map;
        let agreed = states.first().filter(|_| !starts_empty);
        let mut partial = Partial { agreed, disputed, decided: BTreeMap::new() };
        let power = self.power_ordered(&all);
        self.apply_in_order(&power, &mut partial);
        for id in &power {
            all.remove(id);
        }
        let others = self.mainline_ordered(all.into_iter(), partial.holder(LEVELS));
        self.apply_in_order(&others, &mut partial);
        partial.decided
    }

    /// Lets each event take its slot if the state before it allows it.
    fn apply_in_order(&mut self, events: &[NodeId], partial: &mut Partial) {
        for id in events {
            if self.is_allowed(*id, |slot| partial.holder(slot))
                && let Some(own) = self.nodes.own(*id)
            {
                partial.decided.insert(own.slot, *id);
            }
        }
    }
}

impl Event for Judged<'_> {
    type Id = OwnedEventId;

    fn event_id(&self) -> &OwnedEventId {
        self.pdu.event_id()
    }

    fn room_id(&self) -> Option<&RoomId> {
        self.pdu.room_id()
    }

    fn sender(&self) -> &UserId {
        self.pdu.sender()
    }

    fn origin_server_ts(&self) -> MilliSecondsSinceUnixEpoch {
        self.pdu.origin_server_ts()
    }

    fn event_type(&self) -> &TimelineEventType {
        self.pdu.event_type()
    }

    fn content(&self) -> &RawValue {
        self.pdu.content()
    }

    fn state_key(&self) -> Option<&str> {
        self.pdu.state_key()
    }

    fn prev_events(&self) -> Box<dyn DoubleEndedIterator<Item = &OwnedEventId> + '_> {
        self.pdu.prev_events()
    }

    fn auth_events(&self) -> Box<dyn DoubleEndedIterator<Item = &OwnedEventId> + '_> {
        self.pdu.auth_events()
    }

    fn redacts(&self) -> Option<&OwnedEventId> {
        self.pdu.redacts()
    }

    fn rejected(&self) -> bool {
        self.rejected
    }
}
