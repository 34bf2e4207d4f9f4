//! Events of a room whose history is not here: outliers, and events with a stated state.
//!
//! A server that joins a room gets the state before its join and the events that authorise that
//! state, but not the history. These events are *outliers*: each is allowed by its own auth events,
//! and has no place among the other events. An event that follows missing events is placed if
//! another server states the state before it.
//!
//! **Invariant:** an outlier counts neither as a leaf nor as an extremity, and an event that follows
//! one waits until it has a place.
//! **Invariant:** the statement of a server says which events the state has, and nothing about the
//! events: each passes the checks of any event.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use imbl::ordmap::DiffItem;
use rookery_domain::{
    Envelope, EventStatus, Origin, OwnedEventId, Pdu, RoomEvent, SlotChange, StatedBefore,
};
use ruma_events::TimelineEventType;

use crate::{
    Decided, Graph, Verdict,
    judge::{Forbidding, sorted},
    nodes::NodeId,
    states::State,
};

/// The state before an event, as another server stated it.
#[derive(Clone, Copy, Debug)]
pub struct Stated<'a> {
    /// The events that hold its slots.
    pub holders: &'a [OwnedEventId],
    /// The event comes after all events that are here: this server joins the room with it.
    pub begins: bool,
}

impl Graph {
    /// Adds an event without a place to the current commit, after its signatures were checked.
    ///
    /// `holds` lets it take its slot at once. That is for a room that has not begun, which nobody
    /// reads, so that the join need not name thousands of events.
    pub fn receive_outlier(&mut self, pdu: &Arc<Pdu>, origin: Origin, holds: bool) -> Verdict {
        if let Some(status) = self.status(&pdu.event_id) {
            return Verdict::Known(status);
        }
        let creates = pdu.kind == TimelineEventType::RoomCreate;
        if creates != self.is_empty() {
            let reason = if creates {
                "the room has another create event"
            } else {
                "the room has no create event"
            };
            return Verdict::Refused(reason.to_owned());
        }
        let Some((kind, state_key)) = pdu.state_slot() else {
            return Verdict::Refused("it is not a state event".to_owned());
        };
        let missing = sorted(pdu.auth_events.iter().filter(|id| self.nodes.find(id).is_none()));
        if !missing.is_empty() {
            return Verdict::Missing(missing);
        }
        if let Err(rule) = self.check_auth_events(pdu) {
            return Verdict::Refused(rule);
        }
        let status = EventStatus::Outlier;
        let envelope = Envelope { origin, status, ..Envelope::local(None, None) };
        let mut event = RoomEvent::new(envelope, Arc::clone(pdu));
        let index = u16::try_from(self.uncommitted()).unwrap_or(u16::MAX);
        let Some(id) = self.insert(&event, None, index) else {
            return Verdict::Refused("its ID is not the hash of an event".to_owned());
        };
        if holds && let Some(slot) = self.nodes.takes(id) {
            self.current.insert(slot, id);
            let (kind, state_key) = (kind.clone(), state_key.to_owned());
            let holder = Some(self.holder(id));
            event.envelope.state = Some(vec![SlotChange { kind, state_key, holder }]);
        }
        Verdict::Decided(Box::new(Decided { event, reason: None }))
    }

    /// Decides about an event that follows missing events, given the state before it, and adds it
    /// to the current commit. The holders of the state have to be known, as outliers at least.
    pub fn receive_stated(
        &mut self,
        pdu: &Arc<Pdu>,
        origin: Origin,
        stated: &Stated<'_>,
    ) -> Verdict {
        let known = self.status(&pdu.event_id);
        if let Some(status) = known.filter(|status| *status != EventStatus::Outlier) {
            return Verdict::Known(status);
        }
        if pdu.kind == TimelineEventType::RoomCreate {
            return Verdict::Refused("no event comes before a create event".to_owned());
        }
        if self.comes_before_the_join(&pdu.event_id) {
            return Verdict::Refused("it comes before this server joined the room".to_owned());
        }
        let named = pdu.auth_events.iter().chain(stated.holders);
        let missing = sorted(named.filter(|id| self.nodes.find(id).is_none()));
        if !missing.is_empty() {
            return Verdict::Missing(missing);
        }
        let before = match self.state_of(&self.nodes.known(stated.holders)) {
            Ok(before) => before,
            Err(reason) => return Verdict::Refused(reason),
        };
        let before = onto(&self.current, &before);
        // The join of this server makes the stated state the current one.
        let current = stated.begins.then(|| std::mem::replace(&mut self.current, before.clone()));
        let forbidding = self.forbidding(pdu, &before);
        if let Some(current) = current {
            self.current = current;
        }
        let is_behind = self.before_known.contains_key(&pdu.event_id);
        let (status, reason) = match forbidding {
            Forbidding::Nothing => (EventStatus::Accepted, None),
            Forbidding::Now(_) if is_behind => (EventStatus::Accepted, None),
            Forbidding::Ever(rule) | Forbidding::Now(rule) if stated.begins || known.is_some() => {
                return Verdict::Refused(rule);
            }
            Forbidding::Now(rule) => (EventStatus::SoftFailed, Some(rule)),
            Forbidding::Ever(rule) => (EventStatus::Rejected, Some(rule)),
        };
        if !stated.begins && !is_behind && self.would_crowd(pdu, status == EventStatus::SoftFailed)
        {
            return Verdict::Crowded;
        }
        let changes = self.changes(&self.current, &before);
        let before_here = StatedBefore { changes, begins: stated.begins, since: None };
        let envelope = Envelope {
            origin,
            status,
            before: Some(before_here),
            behind: is_behind && status != EventStatus::Rejected,
            ..Envelope::local(None, None)
        };
        let event = self.take(pdu, envelope, before);
        Verdict::Decided(Box::new(Decided { event, reason }))
    }

    /// The state that these events hold.
    pub(crate) fn state_of(&self, holders: &[NodeId]) -> Result<State, String> {
        let mut state = State::new();
        for id in holders {
            let own = self.nodes.own(*id).filter(|_| !self.nodes.is_rejected(*id));
            let event_id = || self.nodes.event_id(*id);
            let own = own.ok_or_else(|| format!("{} cannot be part of a state", event_id()))?;
            if state.insert(own.slot, *id).is_some_and(|other| other != *id) {
                return Err(format!("the state has two events in the slot of {}", event_id()));
            }
        }
        let create = self.create.filter(|create| state.values().any(|id| id == create));
        create.map(|_| state).ok_or_else(|| "the state has no create event".to_owned())
    }
}

/// The state `state`, sharing what it has in common with `base`.
pub(crate) fn onto(base: &State, state: &State) -> State {
    let mut shared = base.clone();
    for item in base.diff(state) {
        match item {
            DiffItem::Add(slot, id) | DiffItem::Update { new: (slot, id), .. } => {
                shared.insert(*slot, *id);
            }
            DiffItem::Remove(slot, _) => {
                shared.remove(slot);
            }
        }
    }
    shared
}

/// Orders events so that none comes before one that authorises it. Events of a cycle are left out.
#[must_use]
pub fn in_order_of_auth(events: &BTreeMap<OwnedEventId, Arc<Pdu>>) -> Vec<Arc<Pdu>> {
    let mut authorises: BTreeMap<&OwnedEventId, Vec<&Arc<Pdu>>> = BTreeMap::new();
    let mut waits_for: BTreeMap<&OwnedEventId, usize> = BTreeMap::new();
    for pdu in events.values() {
        let auth: BTreeSet<_> =
            pdu.auth_events.iter().filter(|id| events.contains_key(*id)).collect();
        waits_for.insert(&pdu.event_id, auth.len());
        for id in auth {
            authorises.entry(id).or_default().push(pdu);
        }
    }
    let is_first = |pdu: &&Arc<Pdu>| waits_for.get(&pdu.event_id) == Some(&0);
    // The create event comes before all others: since version 12 no event names it.
    let (create, others): (Vec<_>, Vec<_>) =
        events.values().filter(is_first).partition(|pdu| pdu.kind.to_string() == "m.room.create");
    let mut ready: VecDeque<_> = create.into_iter().chain(others).collect();
    let mut ordered = Vec::with_capacity(events.len());
    while let Some(pdu) = ready.pop_front() {
        ordered.push(Arc::clone(pdu));
        for next in authorises.remove(&pdu.event_id).unwrap_or_default() {
            let Some(left) = waits_for.get_mut(&next.event_id) else { continue };
            *left -= 1;
            if *left == 0 {
                ready.push_back(next);
            }
        }
    }
    ordered
}
