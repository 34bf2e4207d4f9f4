//! The authorisation rules, applied to one event and the events that authorise it.
//!
//! The verdict of an event follows from the event, its auth events and the holders of the slots
//! that may authorise it. Resolution asks for the same verdicts again whenever the state changes,
//! so they are remembered.

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::{Pdu, RoomVersion};
use ruma_common::EventId;
use ruma_events::{StateEventType, TimelineEventType, room::member::MembershipState};
use ruma_state_res::{
    auth_types_for_event, check_state_dependent_auth_rules, check_state_independent_auth_rules,
    events::RoomMemberEvent,
};

use crate::{
    Graph,
    nodes::{NodeId, Own},
    resolve::Judged,
    states::{CREATE, LEVELS, SlotId, State},
};

/// How many verdicts of a room are remembered.
const VERDICTS_MAX: usize = 8_192;

/// An event, and the holders of the slots that may authorise it.
type Question = (NodeId, Box<[Option<NodeId>]>);

/// Verdicts of the rules.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdicts(std::collections::HashMap<Question, bool>);

impl Verdicts {
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The memory of the verdicts, in bytes.
    pub(crate) fn weight_bytes(&self) -> usize {
        const HOLDERS_BYTES: usize = 6 * size_of::<Option<NodeId>>() + 16;
        self.0.len() * 2 * size_of::<(Question, bool)>() + self.0.len() * HOLDERS_BYTES
    }
}

impl Graph {
    /// The data that is kept of a state event; `None` for other events.
    pub(crate) fn own_data(&mut self, pdu: &Arc<Pdu>, auth: &[NodeId]) -> Option<Own> {
        let (kind, state_key) = pdu.state_slot()?;
        let slot = self.slots.id(&kind, state_key);
        let is_levels = |id: &&NodeId| self.nodes.own(**id).is_some_and(|own| own.slot == LEVELS);
        let levels = auth.iter().find(is_levels).copied();
        let authorisers = self.authorisers(pdu);
        let is_power = is_power(pdu);
        Some(Own { slot, pdu: Arc::clone(pdu), authorisers, levels, power: None, is_power })
    }

    /// The slots of the events that may authorise a state event.
    pub(crate) fn authorisers(&mut self, pdu: &Pdu) -> Option<Box<[SlotId]>> {
        let fresh = (pdu.kind == TimelineEventType::RoomCreate).then(|| RoomVersion::of(pdu));
        let version = self.version.as_ref().or(fresh.as_ref().and_then(Option::as_ref))?;
        let rules = &version.rules().authorization;
        let state_key = pdu.state_key.as_deref();
        let types = auth_types_for_event(&pdu.kind, &pdu.sender, state_key, &pdu.content, rules);
        let slots = types.ok()?;
        Some(slots.iter().map(|(kind, key)| self.slots.id(&kind.to_string(), key)).collect())
    }

    /// Whether the rules allow a known event, given the holders of slots. Where a slot has no
    /// holder, the event's own auth event counts.
    pub(crate) fn is_allowed(
        &mut self,
        id: NodeId,
        holder: impl Fn(SlotId) -> Option<NodeId>,
    ) -> bool {
        let authorisers = self.nodes.own(id).and_then(|own| own.authorisers.as_deref());
        let Some(authorisers) = authorisers else { return false };
        let question = (id, authorisers.iter().map(|slot| holder(*slot)).collect());
        if let Some(verdict) = self.verdicts.0.get(&question) {
            return *verdict;
        }
        self.work.checks += 1;
        let verdict = self.asked(&question).is_ok();
        if self.verdicts.0.len() >= VERDICTS_MAX {
            self.verdicts.clear();
        }
        self.verdicts.0.insert(question, verdict);
        verdict
    }

    fn asked(&self, (id, holders): &Question) -> Result<(), String> {
        let version = self.version.as_ref().ok_or("the room has no create event")?;
        let rules = &version.rules().authorization;
        let own = self.nodes.own(*id).ok_or("it is not state")?;
        let slot_of = |id: &NodeId| Some((self.nodes.own(*id)?.slot, *id));
        let lasting = |id: &&NodeId| !self.nodes.is_rejected(**id);
        let named = self.nodes.auth(*id).iter().filter(lasting).filter_map(slot_of);
        let mut events: BTreeMap<_, _> = named.collect();
        if rules.room_create_event_id_as_room_id {
            events.extend(self.create.map(|create| (CREATE, create)));
        }
        let held = own.authorisers.iter().flatten().zip(holders);
        events.extend(held.filter_map(|(slot, holder)| Some((*slot, (*holder)?))));
        check_state_dependent_auth_rules(rules, &own.pdu, |kind: &StateEventType, key: &str| {
            let slot = self.slots.get(&kind.to_string(), key)?;
            let own = self.nodes.own(*events.get(&slot)?)?;
            Some(Judged { pdu: &own.pdu, rejected: false })
        })
    }

    /// Checks a new event against the state of its own auth events.
    pub(crate) fn check_auth_events(&mut self, pdu: &Arc<Pdu>) -> Result<(), String> {
        self.work.checks += 1;
        let fresh =
            (pdu.kind == TimelineEventType::RoomCreate).then(|| RoomVersion::of(pdu)).flatten();
        let version = self.version.as_ref().or(fresh.as_ref());
        let version = version.ok_or("this server does not know the room's version")?;
        let rules = &version.rules().authorization;
        check_state_independent_auth_rules(rules, pdu, |id| self.judged(id))?;
        let create = EventId::parse(pdu.room_id.as_str().replacen('!', "$", 1)).ok();
        let implied = create.filter(|_| rules.room_create_event_id_as_room_id);
        let named = pdu.auth_events.iter().chain(&implied);
        let named: BTreeMap<_, _> = named
            .filter_map(|id| {
                let event = self.judged(id)?;
                let slot = (event.pdu.kind.to_string(), event.pdu.state_key.clone()?);
                Some((slot, event))
            })
            .collect();
        check_state_dependent_auth_rules(rules, pdu, |kind: &StateEventType, key: &str| {
            named.get(&(kind.to_string(), key.to_owned())).copied()
        })
    }

    /// Checks a new event against a state.
    pub(crate) fn check(&mut self, pdu: &Arc<Pdu>, state: &State) -> Result<(), String> {
        self.work.checks += 1;
        let Some(version) = &self.version else { return Ok(()) };
        check_state_dependent_auth_rules(&version.rules().authorization, pdu, |kind, key| {
            let slot = self.slots.get(&kind.to_string(), key)?;
            let own = self.nodes.own(*state.get(&slot)?)?;
            Some(Judged { pdu: &own.pdu, rejected: false })
        })
    }

    /// The event, if it is state.
    pub(crate) fn judged(&self, event_id: &EventId) -> Option<Judged<'_>> {
        let id = self.nodes.find(event_id)?;
        let own = self.nodes.own(id)?;
        Some(Judged { pdu: &own.pdu, rejected: self.nodes.is_rejected(id) })
    }
}

/// Whether an event can take the power of other users away.
///
/// Source: Matrix specification, room version 2, "State resolution", "Power events".
fn is_power(pdu: &Arc<Pdu>) -> bool {
    match pdu.kind {
        TimelineEventType::RoomPowerLevels
        | TimelineEventType::RoomJoinRules
        | TimelineEventType::RoomCreate => pdu.state_key.as_deref() == Some(""),
        TimelineEventType::RoomMember => {
            let membership = RoomMemberEvent::new(Judged { pdu, rejected: false }).membership();
            let takes_away =
                matches!(membership, Ok(MembershipState::Leave | MembershipState::Ban));
            takes_away && pdu.state_key.as_deref() != Some(pdu.sender.as_str())
        }
        _ => false,
    }
}
