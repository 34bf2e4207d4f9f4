//! The orders in which state resolution applies disputed events.
//!
//! Source: Matrix specification, room version 2, "State resolution": "Reverse topological power
//! ordering" and "Mainline ordering".

use std::{
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, HashMap},
};

use ruma_common::{MilliSecondsSinceUnixEpoch, OwnedEventId, UserId};
use ruma_state_res::events::RoomPowerLevelsEvent;

use crate::{Graph, nodes::NodeId, resolve::Judged};

/// The power of creators in room versions where nobody has more.
const INFINITE: i64 = i64::MAX;

/// The power of the creator while the room has no power levels.
const CREATOR: i64 = 100;

type PowerRank = (Reverse<i64>, MilliSecondsSinceUnixEpoch, OwnedEventId, NodeId);

impl Graph {
    /// The power events of a set, with the events of the set that authorise them, earliest first.
    pub(crate) fn power_ordered(&mut self, all: &BTreeSet<NodeId>) -> Vec<NodeId> {
        let is_power = |id: &&NodeId| self.nodes.own(**id).is_some_and(|own| own.is_power);
        let mut open: Vec<_> = all.iter().filter(is_power).copied().collect();
        let mut chosen: BTreeSet<_> = open.iter().copied().collect();
        let mut authorises: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
        let mut waits_for: HashMap<NodeId, usize> = HashMap::new();
        while let Some(id) = open.pop() {
            let auth: BTreeSet<_> =
                self.nodes.auth(id).iter().filter(|auth| all.contains(auth)).copied().collect();
            waits_for.insert(id, auth.len());
            for auth in auth {
                authorises.entry(auth).or_default().push(id);
                if chosen.insert(auth) {
                    open.push(auth);
                }
            }
        }
        let free: Vec<_> = chosen.iter().copied().filter(|id| waits_for[id] == 0).collect();
        let mut heap: BinaryHeap<_> =
            free.into_iter().map(|id| Reverse(self.power_rank(id))).collect();
        let mut sorted = Vec::with_capacity(chosen.len());
        while let Some(Reverse((_, _, _, id))) = heap.pop() {
            sorted.push(id);
            for next in authorises.remove(&id).unwrap_or_default() {
                let Some(left) = waits_for.get_mut(&next) else { continue };
                *left -= 1;
                if *left == 0 {
                    heap.push(Reverse(self.power_rank(next)));
                }
            }
        }
        sorted
    }

    fn power_rank(&mut self, id: NodeId) -> PowerRank {
        let power = self.power_by_auth_events(id);
        let (sent, event_id) = self.sent(id);
        (Reverse(power), sent, event_id, id)
    }

    fn sent(&self, id: NodeId) -> (MilliSecondsSinceUnixEpoch, OwnedEventId) {
        let own = self.nodes.own(id).expect("disputed events are state");
        (own.pdu.origin_server_ts, own.pdu.event_id.clone())
    }

    /// The power of the sender of an event, by its own auth events.
    fn power_by_auth_events(&mut self, id: NodeId) -> i64 {
        let own = self.nodes.own(id).expect("disputed events are state");
        if let Some(power) = own.power {
            return power;
        }
        let power = self.compute_power(&own.pdu.sender, own.levels);
        if let Some(own) = self.nodes.own_mut(id) {
            own.power = Some(power);
        }
        power
    }

    fn compute_power(&self, sender: &UserId, levels: Option<NodeId>) -> i64 {
        let Some(version) = &self.version else { return 0 };
        let rules = &version.rules().authorization;
        let is_creator = self.creators.contains(sender);
        if is_creator && rules.explicitly_privilege_room_creators {
            return INFINITE;
        }
        let Some(levels) = levels.and_then(|id| self.nodes.own(id)) else {
            return if is_creator { CREATOR } else { 0 };
        };
        let levels = RoomPowerLevelsEvent::new(Judged { pdu: &levels.pdu, rejected: false });
        // Malformed power levels were rejected, and so was each event that they should authorise.
        levels.user_power_level(sender, rules).map_or(0, i64::from)
    }

    /// Events by their place beside the line of power levels events that ends with `levels`,
    /// earliest first.
    pub(crate) fn mainline_ordered(
        &self,
        events: impl Iterator<Item = NodeId>,
        levels: Option<NodeId>,
    ) -> Vec<NodeId> {
        let mut line = Vec::new();
        let mut at = levels;
        while let Some(id) = at {
            line.push(id);
            at = self.nodes.own(id).and_then(|own| own.levels);
        }
        // Events beside the oldest end of the line come first, and before them those beside none.
        let mut places: HashMap<NodeId, usize> = line.into_iter().rev().zip(1..).collect();
        let mut ranked: Vec<_> = events
            .map(|id| {
                let place = self.place_beside(id, &mut places);
                let own = self.nodes.own(id).expect("disputed events are state");
                (place, own.pdu.origin_server_ts, &own.pdu.event_id, id)
            })
            .collect();
        ranked.sort_unstable();
        ranked.into_iter().map(|(_, _, _, id)| id).collect()
    }

    fn place_beside(&self, id: NodeId, places: &mut HashMap<NodeId, usize>) -> usize {
        let (mut passed, mut at) = (Vec::new(), Some(id));
        let place = loop {
            let Some(id) = at else { break 0 };
            if let Some(place) = places.get(&id) {
                break *place;
            }
            passed.push(id);
            at = self.nodes.own(id).and_then(|own| own.levels);
        };
        places.extend(passed.into_iter().map(|id| (id, place)));
        place
    }
}
