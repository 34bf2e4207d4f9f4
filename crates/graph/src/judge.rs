//! The decision about one event: whether the room accepts it, and its effect on the state.
//!
//! Source: Matrix server-server specification, "Checks performed on receipt of a PDU", from the
//! fourth on.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use imbl::ordmap::DiffItem;
use rookery_domain::{
    Envelope, EventStatus, Origin, Pdu, Rejection, RoomEvent, RoomVersion, SlotChange,
};
use ruma_common::{EventId, OwnedEventId};
use ruma_events::{StateEventType, TimelineEventType};
use ruma_state_res::{check_state_dependent_auth_rules, check_state_independent_auth_rules};

use crate::{
    Graph, ResolveError,
    resolve::Judged,
    states::{NodeId, State},
};

/// The graph's decision about an event.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is in the log already, with this status.
    Known(EventStatus),
    /// It names these events, which are not known. Fetch them, then try again.
    Missing(Vec<OwnedEventId>),
    /// It cannot be an event of this room, for this reason. Drop it.
    Refused(String),
    /// Append it to the log.
    Decided(Decided),
}

/// A decided event, ready for the log.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The event, with its envelope and the events that hold slots because of it.
    pub event: RoomEvent,
    /// The rule that forbids it; `None` if it was accepted.
    pub reason: Option<String>,
}

impl Graph {
    /// Decides about an event of another server after its signatures were checked, and adds it to
    /// the current commit.
    ///
    /// # Errors
    /// [`ResolveError`] if the states before it cannot be resolved. The graph is unchanged then.
    pub fn receive(&mut self, pdu: &Arc<Pdu>, origin: Origin) -> Result<Verdict, ResolveError> {
        if let Some(status) = self.status(&pdu.event_id) {
            return Ok(Verdict::Known(status));
        }
        let creates = pdu.kind == TimelineEventType::RoomCreate;
        if creates && !self.is_empty() {
            return Ok(Verdict::Refused("the room was created by another event".to_owned()));
        }
        let named = pdu.prev_events.iter().chain(&pdu.auth_events);
        let mut missing: Vec<_> = named.filter(|id| !self.ids.contains_key(*id)).cloned().collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            return Ok(Verdict::Missing(missing));
        }
        if self.is_empty() && !creates {
            return Ok(Verdict::Refused("the room is not known here".to_owned()));
        }
        let before = self.before(&self.known(&pdu.prev_events))?;
        let (status, reason) = match self.forbidding(pdu, &before) {
            // The stream of a room begins with its create event. A tampered copy of the create
            // event has the ID of the real one, so it must not take its place.
            Forbidding::Now(rule) | Forbidding::Ever(rule) if creates => {
                return Ok(Verdict::Refused(rule));
            }
            Forbidding::Nothing => (EventStatus::Accepted, None),
            Forbidding::Now(rule) => (EventStatus::SoftFailed, Some(rule)),
            Forbidding::Ever(rule) => (EventStatus::Rejected, Some(rule)),
        };
        let envelope = Envelope { origin, status, ..Envelope::local(None, None) };
        let event = self.take(pdu, envelope, before)?;
        Ok(Verdict::Decided(Decided { event, reason }))
    }

    /// Adds an event of this server to the current commit, with its effect on the state.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] if other servers would reject it: the state before it forbids it.
    pub fn make(&mut self, pdu: &Arc<Pdu>, envelope: Envelope) -> Result<RoomEvent, Rejection> {
        let forbidden = |rule: String| Rejection::Forbidden { rule };
        let failed = |error: ResolveError| forbidden(error.to_string());
        let before = self.before(&self.known(&pdu.prev_events)).map_err(failed)?;
        match self.forbidding(pdu, &before) {
            Forbidding::Nothing => self.take(pdu, envelope, before).map_err(failed),
            Forbidding::Now(rule) | Forbidding::Ever(rule) => Err(forbidden(rule)),
        }
    }

    /// Whether the room has one extremity and the state after it equals the room's state.
    #[must_use]
    pub fn agrees(&mut self) -> bool {
        let mut ends = self.extremities.iter().copied();
        let (Some(end), None) = (ends.next(), ends.next()) else { return false };
        self.after(end).is_ok_and(|state| state.diff(&self.current).next().is_none())
    }

    /// The rules that forbid an event, given the state before it.
    fn forbidding(&self, pdu: &Arc<Pdu>, before: &State) -> Forbidding {
        let verdict = self.check_auth_events(pdu).and_then(|()| self.check(pdu, before));
        if let Err(rule) = verdict {
            return Forbidding::Ever(rule);
        }
        match self.check(pdu, &self.current) {
            Ok(()) => Forbidding::Nothing,
            Err(rule) => Forbidding::Now(rule),
        }
    }

    /// Checks an event against the state of its own auth events.
    fn check_auth_events(&self, pdu: &Arc<Pdu>) -> Result<(), String> {
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

    /// Checks an event against a state.
    fn check(&self, pdu: &Arc<Pdu>, state: &State) -> Result<(), String> {
        let Some(version) = &self.version else { return Ok(()) };
        check_state_dependent_auth_rules(&version.rules().authorization, pdu, |kind, key| {
            let slot = self.slots.get(&kind.to_string(), key)?;
            let own = self.node(*state.get(&slot)?).own.as_ref()?;
            Some(Judged { pdu: &own.pdu, rejected: false })
        })
    }

    /// Adds an event to the graph and writes its effect on the state into its envelope.
    fn take(
        &mut self,
        pdu: &Arc<Pdu>,
        envelope: Envelope,
        before: State,
    ) -> Result<RoomEvent, ResolveError> {
        let mut event = RoomEvent::new(envelope, Arc::clone(pdu));
        let ends = (self.leaves.clone(), self.extremities.clone());
        let index = u16::try_from(self.uncommitted()).unwrap_or(u16::MAX);
        let id = self.insert(&event, None, index);
        let after = self.node(id).apply(id, before);
        self.keep_state(id, after.clone());
        match self.settled(id, after, &ends.0) {
            Ok(current) => {
                let changes = self.changes(&current);
                self.current = current;
                if !self.is_plain(id, &changes) {
                    event.restated = self.holders(id, &changes);
                    event.envelope.state = Some(changes);
                }
                self.forget(&event.envelope.erases);
                Ok(event)
            }
            Err(error) => {
                self.nodes.pop();
                self.ids.remove(&pdu.event_id);
                (self.leaves, self.extremities) = ends;
                Err(error)
            }
        }
    }

    /// The state of the room after its newest event.
    fn settled(
        &mut self,
        id: NodeId,
        after: State,
        leaves_before: &BTreeSet<NodeId>,
    ) -> Result<State, ResolveError> {
        let node = self.node(id);
        let moves_on = |prev: &NodeId| node.takes().is_none() && leaves_before.contains(prev);
        let stands_for_leaf = matches!(&*node.prev, [prev] if moves_on(prev));
        // Messages are frequent, so they must not need resolution, however many leaves there are.
        if node.status == EventStatus::Rejected || stands_for_leaf {
            return Ok(self.current.clone());
        }
        if self.leaves.iter().eq([&id]) {
            return Ok(after);
        }
        let leaves: Vec<_> = self.leaves.iter().copied().collect();
        self.before(&leaves)
    }

    fn changes(&self, next: &State) -> Vec<SlotChange> {
        let mut changes: Vec<_> = self
            .current
            .diff(next)
            .map(|item| {
                let (slot, holder) = match item {
                    DiffItem::Add(slot, id) | DiffItem::Update { new: (slot, id), .. } => {
                        (slot, Some(*id))
                    }
                    DiffItem::Remove(slot, _) => (slot, None),
                };
                let (kind, state_key) = self.slots.name(*slot);
                SlotChange {
                    kind: kind.to_owned(),
                    state_key: state_key.to_owned(),
                    holder: holder.map(|id| self.holder(id)),
                }
            })
            .collect();
        changes.sort_unstable_by(|a, b| (&a.kind, &a.state_key).cmp(&(&b.kind, &b.state_key)));
        changes
    }

    /// Whether the changes are the default ones of the event, given its status.
    fn is_plain(&self, id: NodeId, changes: &[SlotChange]) -> bool {
        let node = self.node(id);
        let own = node.own.as_ref().filter(|_| node.status == EventStatus::Accepted);
        match (own, changes) {
            (None, []) => true,
            (Some(own), [change]) => {
                let slot = self.slots.get(&change.kind, &change.state_key);
                let holder = change.holder.as_ref().map(|holder| &holder.event_id);
                slot == Some(own.slot) && holder == Some(&node.event_id)
            }
            _ => false,
        }
    }

    /// The events, other than the one that changed it, that hold slots now.
    fn holders(&self, id: NodeId, changes: &[SlotChange]) -> Vec<Arc<Pdu>> {
        let holders = changes.iter().filter_map(|change| change.holder.as_ref());
        let nodes = holders.filter_map(|holder| self.ids.get(&holder.event_id));
        let others = nodes.filter(|other| **other != id);
        others.filter_map(|id| Some(Arc::clone(&self.node(*id).own.as_ref()?.pdu))).collect()
    }

    fn known(&self, ids: &[OwnedEventId]) -> Vec<NodeId> {
        ids.iter().filter_map(|id| self.ids.get(id).copied()).collect()
    }
}

/// Whether rules forbid an event.
enum Forbidding {
    Nothing,
    /// The room's current state forbids it, so it soft-fails.
    Now(String),
    /// Its auth events or the state before it forbid it, so it is rejected.
    Ever(String),
}
