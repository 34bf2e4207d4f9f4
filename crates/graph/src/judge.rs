//! The decision about one event: whether the room accepts it, and its effect on the state.
//!
//! Source: Matrix server-server specification, "Checks performed on receipt of a PDU", from the
//! fourth on.

use std::{collections::BTreeSet, sync::Arc};

use imbl::ordmap::DiffItem;
use rookery_domain::{Envelope, EventStatus, Origin, Pdu, Rejection, RoomEvent, SlotChange};
use ruma_common::OwnedEventId;
use ruma_events::TimelineEventType;

use crate::{Graph, leaves::only_moved, nodes::NodeId, states::State};

/// The graph's decision about an event.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It is in the log already, with this status.
    Known(EventStatus),
    /// It names these events, which are not known. Fetch them, then try again.
    Missing(Vec<OwnedEventId>),
    /// It cannot be an event of this room, for this reason. Drop it.
    Refused(String),
    /// The room has so many open branches that this event may not add another one. Drop it, and take
    /// it when an event arrives that follows it and ends an open branch.
    Crowded,
    /// Append it to the log.
    Decided(Box<Decided>),
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
    /// `awaited` says that an event waits for this one and ends an open branch, so that the room
    /// takes this one even if it has many.
    pub fn receive(&mut self, pdu: &Arc<Pdu>, origin: Origin, awaited: bool) -> Verdict {
        let status = self.status(&pdu.event_id);
        if let Some(status) = status.filter(|status| *status != EventStatus::Outlier) {
            return Verdict::Known(status);
        }
        let creates = pdu.kind == TimelineEventType::RoomCreate;
        if creates && !self.is_empty() {
            return Verdict::Refused("the room was created by another event".to_owned());
        }
        // This server joined the room with the event after it, so it would be history from before.
        if self.comes_before_the_join(&pdu.event_id) {
            return Verdict::Refused("it comes before this server joined the room".to_owned());
        }
        let unplaced = pdu.prev_events.iter().filter(|id| !self.nodes.is_placed(id));
        let unknown = pdu.auth_events.iter().filter(|id| self.nodes.find(id).is_none());
        let missing = sorted(unplaced.chain(unknown));
        if !missing.is_empty() {
            return Verdict::Missing(missing);
        }
        if self.is_empty() && !creates {
            return Verdict::Refused("the room is not known here".to_owned());
        }
        let is_behind = self.before_known.contains_key(&pdu.event_id);
        let awaited = awaited || is_behind;
        if !awaited && self.would_crowd(pdu, false) {
            return Verdict::Crowded;
        }
        let before = self.before(&self.nodes.placed(&pdu.prev_events));
        let (status, reason) = match self.forbidding(pdu, &before) {
            // The stream of a room begins with its create event. A tampered copy of the create
            // event has the ID of the real one, so it must not take its place.
            Forbidding::Now(rule) | Forbidding::Ever(rule) if creates => {
                return Verdict::Refused(rule);
            }
            // Events authorise others only if they are not rejected, so an outlier stays one.
            Forbidding::Ever(rule) if status.is_some() => return Verdict::Refused(rule),
            Forbidding::Nothing => (EventStatus::Accepted, None),
            Forbidding::Now(_) if is_behind => (EventStatus::Accepted, None),
            Forbidding::Now(rule) => (EventStatus::SoftFailed, Some(rule)),
            Forbidding::Ever(rule) => (EventStatus::Rejected, Some(rule)),
        };
        if status == EventStatus::SoftFailed && !awaited && self.would_crowd(pdu, true) {
            return Verdict::Crowded;
        }
        let behind = is_behind && status != EventStatus::Rejected;
        let envelope = Envelope { origin, status, behind, ..Envelope::local(None, None) };
        let event = self.take(pdu, envelope, before);
        Verdict::Decided(Box::new(Decided { event, reason }))
    }

    /// Adds an event of this server to the current commit, with its effect on the state.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] if other servers would reject it: the state before it forbids it.
    pub fn make(&mut self, pdu: &Arc<Pdu>, envelope: Envelope) -> Result<RoomEvent, Rejection> {
        let before = self.before(&self.nodes.placed(&pdu.prev_events));
        match self.forbidding(pdu, &before) {
            Forbidding::Nothing => Ok(self.take(pdu, envelope, before)),
            Forbidding::Now(rule) | Forbidding::Ever(rule) => Err(Rejection::Forbidden { rule }),
        }
    }

    /// Whether the room has one extremity and the state after it equals the room's state.
    #[must_use]
    pub fn agrees(&mut self) -> bool {
        let [end] = self.extremities[..] else { return false };
        self.after(end).diff(&self.current).next().is_none()
    }

    /// The rules that forbid an event, given the state before it.
    pub(crate) fn forbidding(&mut self, pdu: &Arc<Pdu>, before: &State) -> Forbidding {
        let verdict = self.check_auth_events(pdu).and_then(|()| self.check(pdu, before));
        if let Err(rule) = verdict {
            return Forbidding::Ever(rule);
        }
        let current = self.current.clone();
        match self.check(pdu, &current) {
            Ok(()) => Forbidding::Nothing,
            Err(rule) => Forbidding::Now(rule),
        }
    }

    /// Whether an event opens a branch, and the room or its server has as many as it may have.
    pub(crate) fn would_crowd(&self, pdu: &Pdu, soft_fails: bool) -> bool {
        let server = self.nodes.known_server(pdu.sender.server_name());
        self.leaves.is_crowded(server, soft_fails)
            && !pdu.prev_events.iter().any(|prev| self.is_leaf(prev))
    }

    /// Adds an event to the graph and writes its effect on the state into its envelope.
    pub(crate) fn take(&mut self, pdu: &Arc<Pdu>, envelope: Envelope, before: State) -> RoomEvent {
        let is_stated = envelope.before.is_some();
        let mut event = RoomEvent::new(envelope, Arc::clone(pdu));
        let leaves_before = self.leaves.considered().clone();
        let index = u16::try_from(self.uncommitted()).unwrap_or(u16::MAX);
        let Some(id) = self.insert(&event, None, index) else { return event };
        let after = self.apply(id, before.clone());
        if is_stated {
            self.keep_stated(id, before, &event);
        } else {
            self.keep_state(id, after.clone());
        }
        let current = self.settled(id, after, &leaves_before);
        let changes = self.changes(&self.current, &current);
        self.current = current;
        if !self.is_plain(id, &changes) {
            event.restated = self.holders(id, &changes);
            event.envelope.state = Some(changes);
        }
        self.forget(&event.envelope.erases);
        event
    }

    /// The state of the room after its newest event.
    fn settled(&mut self, id: NodeId, after: State, leaves_before: &BTreeSet<NodeId>) -> State {
        let leaves = self.leaves.considered();
        let prev = self.nodes.prev(id);
        let only_moves = |prev: NodeId| {
            self.nodes.takes(id).is_none() && only_moved(leaves_before, leaves, prev, id)
        };
        // Messages are frequent, so they must not need resolution, however many leaves there are.
        if leaves == leaves_before || matches!(prev, [prev] if only_moves(*prev)) {
            return self.current.clone();
        }
        if leaves.iter().eq([&id]) {
            return after;
        }
        let leaves: Vec<_> = leaves.iter().copied().collect();
        self.before(&leaves)
    }

    /// The changes from one state to another.
    pub(crate) fn changes(&self, from: &State, next: &State) -> Vec<SlotChange> {
        let mut changes: Vec<_> = from
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
        let accepted = self.nodes.get(id).status == EventStatus::Accepted;
        let own = self.nodes.own(id).filter(|_| accepted);
        match (own, changes) {
            (None, []) => true,
            (Some(own), [change]) => {
                let slot = self.slots.get(&change.kind, &change.state_key);
                let holder = change.holder.as_ref().map(|holder| &holder.event_id);
                slot == Some(own.slot) && holder == Some(&own.pdu.event_id)
            }
            _ => false,
        }
    }

    /// The events, other than the one that changed it, that hold slots now.
    fn holders(&self, id: NodeId, changes: &[SlotChange]) -> Vec<Arc<Pdu>> {
        let holders = changes.iter().filter_map(|change| change.holder.as_ref());
        let nodes = holders.filter_map(|holder| self.nodes.find(&holder.event_id));
        let others = nodes.filter(|other| *other != id);
        others.filter_map(|id| Some(Arc::clone(&self.nodes.own(id)?.pdu))).collect()
    }
}

/// Event IDs in order, each once.
pub(crate) fn sorted<'a>(ids: impl Iterator<Item = &'a OwnedEventId>) -> Vec<OwnedEventId> {
    let mut ids: Vec<_> = ids.cloned().collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Whether rules forbid an event.
pub(crate) enum Forbidding {
    Nothing,
    /// The room's current state forbids it, so it soft-fails.
    Now(String),
    /// Its auth events or the state before it forbid it, so it is rejected.
    Ever(String),
}
