//! State resolution.
//!
//! Source: Matrix specification, room versions 2 and 12, "State resolution", as ruma does it.
//!
//! **Invariant:** the result is that of the algorithm over the whole states, but the work grows
//! with their differences only. ruma gets the slots that differ and those that authorise the
//! disputed events (a property test compares).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::ordmap::DiffItem;
use rookery_domain::Pdu;
use ruma_common::{EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, RoomId, UserId};
use ruma_events::{StateEventType, TimelineEventType};
use ruma_state_res::{
    Event, StateMap, auth_types_for_event, resolve, utils::event_id_set::EventIdSet,
};
use serde_json::value::RawValue;

use crate::{
    Graph,
    states::{NodeId, SlotId, State},
};

/// States that cannot be resolved: the room has no create event, or an auth event is malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state of the room cannot be resolved: {0}")]
pub struct ResolveError(String);

/// An event and whether it was rejected, for ruma.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'a> {
    pub(crate) pdu: &'a Arc<Pdu>,
    pub(crate) rejected: bool,
}

impl Graph {
    pub(crate) fn resolve(&self, states: &[State]) -> Result<State, ResolveError> {
        let mut distinct: Vec<&State> = Vec::new();
        for state in states {
            if !distinct.iter().any(|known| known.diff(state).next().is_none()) {
                distinct.push(state);
            }
        }
        let Some((first, rest)) = distinct.split_first() else { return Ok(State::new()) };
        if rest.is_empty() {
            return Ok((*first).clone());
        }
        let conflicted: BTreeSet<_> = rest
            .iter()
            .flat_map(|other| first.diff(other))
            .map(|item| match item {
                DiffItem::Add(slot, _)
                | DiffItem::Remove(slot, _)
                | DiffItem::Update { old: (slot, _), .. } => *slot,
            })
            .collect();
        let resolved = self.resolve_conflict(&distinct, &conflicted)?;
        let mut state: State = (*first).clone();
        for slot in &conflicted {
            state.remove(slot);
        }
        for (slot, holder) in resolved {
            // Slots on which all states agree stay.
            if conflicted.contains(&slot) || !first.contains_key(&slot) {
                state.insert(slot, holder);
            }
        }
        Ok(state)
    }

    fn resolve_conflict(
        &self,
        states: &[&State],
        conflicted: &BTreeSet<SlotId>,
    ) -> Result<BTreeMap<SlotId, NodeId>, ResolveError> {
        let version = self.version.as_ref().ok_or_else(|| failed("it has no create event"))?;
        let rules = version.rules();
        let state_rules =
            rules.state_res.v2_rules().ok_or_else(|| failed("its version is too old"))?;
        let holders = |state: &&State| {
            let held = conflicted.iter().filter_map(|slot| state.get(slot).copied());
            held.collect::<Vec<_>>()
        };
        let disputed: BTreeSet<_> = states.iter().flat_map(holders).collect();
        let difference = self.auth_difference(states, conflicted);
        let subgraph = if state_rules.consider_conflicted_state_subgraph {
            self.subgraph(&disputed)
        } else {
            BTreeSet::new()
        };
        let all = disputed.iter().chain(&difference).chain(&subgraph);
        let mut wanted = conflicted.clone();
        wanted.extend(all.flat_map(|id| self.authorising_slots(*id)));
        let maps: Vec<_> = states.iter().map(|state| self.state_map(state, &wanted)).collect();
        let resolved = resolve(
            &rules.authorization,
            state_rules,
            &maps,
            // The auth difference holds the events that are in one chain and not in the other.
            vec![self.id_set(&difference), EventIdSet::new()],
            |id: &EventId| self.judged(id),
            |_| Some(self.id_set(&subgraph)),
        )
        .map_err(|error| failed(&error.to_string()))?;
        let slot = |(key, id): ((StateEventType, String), OwnedEventId)| {
            let slot = self.slots.get(&key.0.to_string(), &key.1)?;
            Some((slot, *self.ids.get(&id)?))
        };
        Ok(resolved.into_iter().filter_map(slot).collect())
    }

    /// The slots of the events that may authorise a state event.
    fn authorising_slots(&self, id: NodeId) -> Vec<SlotId> {
        let rules = self.version.as_ref().map(|version| &version.rules().authorization);
        let Some((rules, own)) = rules.zip(self.node(id).own.as_ref()) else { return Vec::new() };
        let pdu = &own.pdu;
        let state_key = pdu.state_key.as_deref();
        let types = auth_types_for_event(&pdu.kind, &pdu.sender, state_key, &pdu.content, rules);
        let types = types.unwrap_or_default().into_iter();
        types.filter_map(|(kind, key)| self.slots.get(&kind.to_string(), &key)).collect()
    }

    fn state_map(&self, state: &State, wanted: &BTreeSet<SlotId>) -> StateMap<OwnedEventId> {
        let entry = |slot: &SlotId| {
            let (kind, state_key) = self.slots.name(*slot);
            let event_id = self.node(*state.get(slot)?).event_id.clone();
            Some(((StateEventType::from(kind), state_key.to_owned()), event_id))
        };
        wanted.iter().filter_map(entry).collect()
    }

    pub(crate) fn id_set(&self, ids: &BTreeSet<NodeId>) -> EventIdSet<OwnedEventId> {
        ids.iter().map(|id| self.node(*id).event_id.clone()).collect()
    }
}

fn failed(reason: &str) -> ResolveError {
    ResolveError(reason.to_owned())
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
