//! Events that come before events which are here already: history that is fetched later.
//!
//! A page of them enters as a whole. Its oldest events follow missing ones, so the state before them
//! is stated, or it equals a state that is known. The state before each other event follows from the
//! events before it.
//!
//! **Invariant:** such an event is no leaf and no end, so it never changes the state of the room.
//! **Invariant:** each event is checked by its own auth events and by the state before it. The room's
//! current state forbids none.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use rookery_domain::{
    Envelope, EventId, EventStatus, HistoryVisibility, Membership, Origin, OwnedEventId,
    OwnedUserId, Past, PastMember, Pdu, RoomEvent, ServerName, StatedBefore, UserId, settings,
};
use ruma_events::TimelineEventType;

use super::onto;
use crate::{
    Decided, Graph, Verdict,
    judge::sorted,
    nodes::NodeId,
    states::{SlotId, State},
};

/// Most users of this server whose memberships at an event are stated. If there are more, none of
/// them counts as a member.
pub const PAST_MEMBERS_MAX: usize = 5_000;

/// A missing event that an event here follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    /// The event that follows it.
    pub(crate) base: NodeId,
    /// The position of the first event on the way to the end of the room that did not come from
    /// the past; `None` if `base` is that.
    pub(crate) before: Option<u64>,
    /// Whether only a request for history may bring it.
    pub(crate) begins: bool,
    /// Whether `base` follows no other event.
    pub(crate) is_only: bool,
}

/// The state before an event that missing ones precede.
#[derive(Clone, Debug)]
pub(crate) struct KnownBefore {
    pub(crate) state: State,
    /// The history visibility before it. It is no more open than the events after it show.
    setting: HistoryVisibility,
}

/// An event of a page, on a way to events that are here.
#[derive(Clone, Debug)]
pub struct PastEvent {
    /// The event.
    pub pdu: Arc<Pdu>,
    /// Whether the state before it has to be stated.
    pub needs_state: bool,
    before: u64,
    base: NodeId,
    /// Whether the state before it is the one before `base`.
    is_same: bool,
    /// The setting at all events of the page, if none of them changes it.
    visibility: Option<HistoryVisibility>,
}

/// The slots of the memberships of users of this server.
#[derive(Clone, Debug, Default)]
pub(crate) struct LocalSlots {
    slots: Vec<(OwnedUserId, SlotId)>,
    seen: usize,
    /// The members at the last event of the current commit.
    pub(crate) last: Option<Vec<PastMember>>,
}

impl Graph {
    /// Whether only a request for history may bring the event.
    pub(crate) fn comes_before_the_join(&self, event_id: &OwnedEventId) -> bool {
        self.before_known.get(event_id).is_some_and(|edge| edge.begins)
    }

    /// Events that are not here and that events here follow: those of `after` if any precede these,
    /// otherwise those before the oldest ones. At most `limit`.
    #[must_use]
    pub fn missing_before(&self, after: &[OwnedEventId], limit: usize) -> Vec<OwnedEventId> {
        let after: BTreeSet<_> = after.iter().filter_map(|id| self.nodes.find(id)).collect();
        let mut all: Vec<_> = self.before_known.iter().collect();
        if all.iter().any(|(_, edge)| after.contains(&edge.base)) {
            all.retain(|(_, edge)| after.contains(&edge.base));
        }
        all.sort_unstable_by_key(|(id, edge)| (self.nodes.get(edge.base).depth, *id));
        all.into_iter().take(limit).map(|(id, _)| id.clone()).collect()
    }

    /// The events of a page that lead to events here, each after those of the page that it follows.
    #[must_use]
    pub fn connect(&self, page: &[Arc<Pdu>]) -> Vec<PastEvent> {
        let is_new = |pdu: &&Arc<Pdu>| !self.nodes.is_placed(&pdu.event_id);
        let new: BTreeMap<&OwnedEventId, &Arc<Pdu>> =
            page.iter().filter(is_new).map(|pdu| (&pdu.event_id, pdu)).collect();
        let mut found: BTreeMap<&OwnedEventId, PastEvent> = BTreeMap::new();
        let mut open = VecDeque::new();
        for (id, pdu) in &new {
            let Some(edge) = self.before_known.get(*id) else { continue };
            let before = edge.before.or_else(|| self.nodes.position(edge.base));
            // An event of the current commit is not in the log yet.
            let Some(before) = before else { continue };
            open.push_back((*pdu, before, edge.base, edge.is_only));
        }
        while let Some((pdu, before, base, is_same_after)) = open.pop_front() {
            let is_same = is_same_after && pdu.state_key.is_none();
            let known = found.entry(&pdu.event_id);
            let std::collections::btree_map::Entry::Vacant(entry) = known else {
                continue;
            };
            let mut is_whole = true;
            for prev in &pdu.prev_events {
                if let Some(prev) = new.get(prev) {
                    let is_same = is_same && pdu.prev_events.len() == 1;
                    open.push_back((prev, before, base, is_same));
                } else if !self.nodes.is_placed(prev) {
                    is_whole = false;
                }
            }
            let needs_state = !is_whole && !is_same;
            let pdu = Arc::clone(pdu);
            let visibility = None;
            entry.insert(PastEvent { pdu, needs_state, before, base, is_same, visibility });
        }
        if !found.values().any(|event| is_setting(&event.pdu)) {
            // A server may state another setting before the page than there was.
            for event in found.values_mut() {
                event.visibility = self.stated.get(&event.base).map(|base| base.setting);
            }
        }
        in_order(found)
    }

    /// Decides about an event that comes before events here, and adds it to the current commit.
    /// `stated` are the holders of the state before it, for an event that needs one. They have to be
    /// known, as outliers at least. `local` is the name of this server.
    pub fn receive_past(
        &mut self,
        event: &PastEvent,
        origin: Origin,
        stated: Option<&[OwnedEventId]>,
        local: &ServerName,
    ) -> Verdict {
        let pdu = &event.pdu;
        let known = self.status(&pdu.event_id);
        if let Some(status) = known.filter(|status| *status != EventStatus::Outlier) {
            return Verdict::Known(status);
        }
        let creates = pdu.kind == TimelineEventType::RoomCreate;
        if creates != pdu.prev_events.is_empty()
            || (creates && self.nodes.find(&pdu.event_id) != self.create)
        {
            return Verdict::Refused("the room was created by another event".to_owned());
        }
        let unknown = sorted(pdu.auth_events.iter().filter(|id| self.nodes.find(id).is_none()));
        if !unknown.is_empty() {
            return Verdict::Missing(unknown);
        }
        let placed = self.nodes.placed(&pdu.prev_events);
        let (before, is_stated) = if placed.len() == pdu.prev_events.len() {
            (if creates { State::new() } else { self.before(&placed) }, false)
        } else {
            match self.stated_past(event, stated) {
                Ok(before) => (before, true),
                Err(verdict) => return verdict,
            }
        };
        let checked = self.check_auth_events(pdu).and_then(|()| self.check(pdu, &before));
        let (status, reason) = match checked {
            Ok(()) => (EventStatus::Accepted, None),
            // Events authorise others only if they are not rejected, so an outlier stays one.
            Err(rule) if known.is_some() => return Verdict::Refused(rule),
            Err(rule) => (EventStatus::Rejected, Some(rule)),
        };
        let stated = is_stated.then(|| StatedBefore {
            changes: self.stated.get(&event.base).map_or_else(
                || self.changes(&self.current, &before),
                |base| self.changes(&base.state, &before),
            ),
            begins: false,
            since: Some(self.nodes.event_id(event.base)),
        });
        let (accepted, past) =
            (status == EventStatus::Accepted, self.past(event, &before, status, local));
        let envelope = Envelope {
            origin,
            status,
            before: stated,
            behind: accepted,
            past: Some(past),
            ..Envelope::local(None, None)
        };
        let event = self.take(pdu, envelope, before);
        Verdict::Decided(Box::new(Decided { event, reason }))
    }

    /// The state before an event that follows missing ones.
    fn stated_past(
        &self,
        event: &PastEvent,
        stated: Option<&[OwnedEventId]>,
    ) -> Result<State, Verdict> {
        let base = self.stated.get(&event.base).map_or(&self.current, |base| &base.state);
        if event.is_same {
            return Ok(base.clone());
        }
        let unplaced = event.pdu.prev_events.iter().filter(|id| !self.nodes.is_placed(id));
        let stated = stated.ok_or_else(|| Verdict::Missing(sorted(unplaced)))?;
        let missing = sorted(stated.iter().filter(|id| self.nodes.find(id).is_none()));
        if !missing.is_empty() {
            return Err(Verdict::Missing(missing));
        }
        let state = self.state_of(&self.nodes.known(stated)).map_err(Verdict::Refused)?;
        Ok(onto(base, &state))
    }

    /// The state before an event, with the setting there.
    pub(crate) fn known_before(&self, state: State, event: &RoomEvent) -> KnownBefore {
        let past = event.envelope.past.as_ref().filter(|_| !is_setting(&event.pdu));
        let setting = past.map_or_else(|| self.setting(&state), |past| past.visibility);
        KnownBefore { state, setting }
    }

    /// The history visibility of a state.
    fn setting(&self, state: &State) -> HistoryVisibility {
        let setting = settings::HISTORY_VISIBILITY;
        let slot = self.slots.get(setting.kind(), "");
        let holder = slot.and_then(|slot| state.get(&slot)).and_then(|id| self.nodes.own(*id));
        setting.of(holder.map(|own| &*own.pdu)).unwrap_or_default()
    }

    /// The memberships of the users of `server` after an event; `None` if it has no place here.
    pub fn memberships_at(
        &mut self,
        event: &EventId,
        server: &ServerName,
    ) -> Option<Vec<Membership>> {
        let id = self
            .nodes
            .find(event)
            .filter(|id| self.nodes.get(*id).status != EventStatus::Outlier)?;
        let state = self.after(id);
        let end = format!(":{server}");
        let users = self.slots.of_kind("m.room.member").filter(|(user, _)| user.ends_with(&end));
        let held = users.filter_map(|(_, slot)| self.nodes.own(*state.get(&slot)?));
        Some(held.map(|own| Membership::of(&own.pdu)).collect())
    }

    /// How an event from the past may be seen.
    fn past(
        &mut self,
        event: &PastEvent,
        before: &State,
        status: EventStatus,
        local: &ServerName,
    ) -> Past {
        let slot = event.pdu.state_slot().filter(|_| status == EventStatus::Accepted);
        let own = slot.as_ref().map(|(kind, key)| self.slots.id(kind, key));
        let held = |slot: SlotId| {
            let holder = before.get(&slot).and_then(|id| self.nodes.own(*id)).map(|own| &*own.pdu);
            if own == Some(slot) { Some(&*event.pdu) } else { holder }
        };
        let setting = settings::HISTORY_VISIBILITY;
        let slot = self.slots.get(setting.kind(), "");
        let new = setting.of(slot.and_then(held)).unwrap_or_default();
        let visibility = self.setting(before).max(new);
        let visibility = event.visibility.map_or(visibility, |known| known.min(visibility));
        self.local.extend(&self.slots, local);
        let membership = |(user, slot): &(OwnedUserId, SlotId)| {
            let membership = held(*slot).map(Membership::of).unwrap_or_default();
            let is_in = matches!(membership, Membership::Join | Membership::Invite);
            is_in.then(|| PastMember { user: user.clone(), membership })
        };
        let mut members: Vec<_> =
            self.local.slots.iter().filter_map(membership).take(PAST_MEMBERS_MAX + 1).collect();
        if members.len() > PAST_MEMBERS_MAX {
            members.clear();
        }
        let is_new = self.local.last.as_ref() != Some(&members);
        if is_new {
            self.local.last = Some(members.clone());
        }
        Past { before: event.before, visibility, members: is_new.then_some(members) }
    }
}

impl LocalSlots {
    /// The approximate memory, in bytes.
    pub(crate) fn weight_bytes(&self) -> usize {
        const SLOT_BYTES: usize = 96;
        (self.slots.len() + self.last.as_ref().map_or(0, Vec::len)) * SLOT_BYTES
    }

    /// Adds the slots that were named since the last time.
    fn extend(&mut self, names: &crate::states::SlotNames, local: &ServerName) {
        for (kind, user, slot) in names.since(self.seen) {
            self.seen += 1;
            let user = <&UserId>::try_from(user).ok().filter(|_| kind == "m.room.member");
            if let Some(user) = user.filter(|user| user.server_name() == local) {
                let place = self.slots.partition_point(|(other, _)| **other < *user);
                self.slots.insert(place, (user.to_owned(), slot));
            }
        }
    }
}

/// Whether an event changes the history visibility.
fn is_setting(pdu: &Pdu) -> bool {
    pdu.kind.to_string() == settings::HISTORY_VISIBILITY.kind()
}

/// Orders events so that none comes before one that it follows.
fn in_order(mut events: BTreeMap<&OwnedEventId, PastEvent>) -> Vec<PastEvent> {
    let mut followers: BTreeMap<OwnedEventId, Vec<OwnedEventId>> = BTreeMap::new();
    let mut waits: BTreeMap<OwnedEventId, usize> = BTreeMap::new();
    for (id, event) in &events {
        let prev: BTreeSet<_> =
            event.pdu.prev_events.iter().filter(|prev| events.contains_key(prev)).collect();
        waits.insert((*id).clone(), prev.len());
        for prev in prev {
            followers.entry(prev.clone()).or_default().push((*id).clone());
        }
    }
    let rank = |events: &BTreeMap<&OwnedEventId, PastEvent>, id: &OwnedEventId| {
        (events.get(id).map_or(0, |event| event.pdu.depth), id.clone())
    };
    let free = waits.iter().filter(|(_, count)| **count == 0);
    let mut ready: BTreeSet<_> = free.map(|(id, _)| rank(&events, id)).collect();
    let mut ordered = Vec::with_capacity(events.len());
    while let Some((_, id)) = ready.pop_first() {
        for next in followers.remove(&id).unwrap_or_default() {
            let Some(left) = waits.get_mut(&next) else { continue };
            *left -= 1;
            if *left == 0 {
                ready.insert(rank(&events, &next));
            }
        }
        ordered.extend(events.remove(&id));
    }
    ordered
}
