//! The state of a room: one event for each pair of type and state key.
//!
//! **Invariant:** iteration is in order of type and state key, so results are the same on every
//! run.

use std::{collections::BTreeMap, sync::Arc};

use ruma_events::TimelineEventType;

use crate::{Membership, Pdu};

/// The memory of a slot beside the bytes of its event: the PDU's fields and the map's nodes.
const SLOT_OVERHEAD_BYTES: usize = 640;

#[derive(Clone, Debug)]
struct Slot {
    event: Arc<Pdu>,
    /// Parsed once; `None` for events other than member events.
    membership: Membership,
}

/// The slots.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    by_type: BTreeMap<Box<str>, BTreeMap<Box<str>, Slot>>,
    weight_bytes: usize,
    joined: usize,
    /// The joined users of each server.
    servers: BTreeMap<Box<str>, usize>,
    invited: usize,
    banned: usize,
    /// The slots other than member events.
    others: usize,
}

impl Slots {
    pub(super) fn get(&self, kind: &str, state_key: &str) -> Option<&Arc<Pdu>> {
        self.by_type.get(kind)?.get(state_key).map(|slot| &slot.event)
    }

    pub(super) fn membership(&self, user: &str) -> Membership {
        let slot = self.by_type.get("m.room.member").and_then(|members| members.get(user));
        slot.map_or(Membership::None, |slot| slot.membership)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Pdu>> {
        self.by_type.values().flat_map(BTreeMap::values).map(|slot| &slot.event)
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, Membership, &Arc<Pdu>)> {
        let members = self.by_type.get("m.room.member").into_iter().flatten();
        members.map(|(user, slot)| (&**user, slot.membership, &slot.event))
    }

    pub(super) fn put(&mut self, kind: &str, state_key: &str, event: Arc<Pdu>) {
        let is_member = kind == "m.room.member";
        let membership = if is_member { Membership::of(&event) } else { Membership::None };
        self.count(&event, state_key, membership, true);
        if !self.by_type.contains_key(kind) {
            self.by_type.insert(kind.into(), BTreeMap::new());
        }
        let keys = self.by_type.get_mut(kind).expect("put there when it was missing");
        if let Some(old) = keys.insert(state_key.into(), Slot { event, membership }) {
            self.count(&old.event, state_key, old.membership, false);
        }
    }

    pub(super) fn remove(&mut self, kind: &str, state_key: &str) {
        let removed = self.by_type.get_mut(kind).and_then(|keys| keys.remove(state_key));
        if let Some(old) = removed {
            self.count(&old.event, state_key, old.membership, false);
        }
    }

    pub(super) fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    pub(super) fn joined(&self) -> usize {
        self.joined
    }

    /// The servers with joined users, by name, each with their number.
    pub(super) fn servers(&self) -> impl Iterator<Item = (&str, usize)> {
        self.servers.iter().map(|(server, joined)| (&**server, *joined))
    }

    pub(super) fn joined_of(&self, server: &str) -> usize {
        self.servers.get(server).copied().unwrap_or(0)
    }

    pub(super) fn invited(&self) -> usize {
        self.invited
    }

    pub(super) fn banned(&self) -> usize {
        self.banned
    }

    pub(super) fn others(&self) -> usize {
        self.others
    }

    fn count(&mut self, event: &Pdu, state_key: &str, membership: Membership, comes: bool) {
        let weight = SLOT_OVERHEAD_BYTES + event.json.len() + event.content.get().len();
        let step = |number: usize, by: usize| if comes { number + by } else { number - by };
        self.weight_bytes = step(self.weight_bytes, weight);
        if membership == Membership::Join {
            self.joined = step(self.joined, 1);
            self.count_of_server(state_key, comes);
        }
        self.invited = step(self.invited, (membership == Membership::Invite).into());
        self.banned = step(self.banned, (membership == Membership::Ban).into());
        self.others = step(self.others, (event.kind != TimelineEventType::RoomMember).into());
    }

    fn count_of_server(&mut self, user: &str, comes: bool) {
        let Some((_, server)) = user.split_once(':') else { return };
        match self.servers.get_mut(server) {
            Some(joined) if comes => *joined += 1,
            Some(joined) if *joined > 1 => *joined -= 1,
            Some(_) => drop(self.servers.remove(server)),
            None if comes => drop(self.servers.insert(server.into(), 1)),
            None => {}
        }
    }
}
