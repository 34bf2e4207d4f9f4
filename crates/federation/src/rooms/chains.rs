//! Walks along the events of a room.
//!
//! **Invariant:** each walk ends at a bound, whatever the events name.

use std::collections::HashSet;

use rookery_domain::{EventStatus, OwnedEventId, RoomId};

use super::{Events, KnownPdu};

/// Most events of an auth chain.
const CHAIN_MAX: usize = 100_000;

/// Most events that one walk along previous events looks at.
const WALK_MAX: usize = 10_000;

impl Events {
    /// The auth events of these events, theirs, and so on. None of `of` is in it, unless others name it.
    pub(crate) async fn auth_chain(
        &self,
        room: &RoomId,
        of: &[KnownPdu],
    ) -> Result<Vec<KnownPdu>, String> {
        let mut seen: HashSet<OwnedEventId> = HashSet::new();
        let mut chain = Vec::new();
        let mut next: Vec<_> = named(of, &mut seen);
        while !next.is_empty() {
            let found = self.get(room, &next).await?;
            next = named(&found, &mut seen);
            chain.extend(found);
            if chain.len() > CHAIN_MAX {
                return Err(format!("the auth chain has more than {CHAIN_MAX} events"));
            }
        }
        Ok(chain)
    }

    /// Events on the ways back from `from`, which are included if `with_start`, newest first, without those for which
    /// `is_end` is true and what only they lead to. Rejected events are left out, as they are no part of the room.
    pub(crate) async fn before(
        &self,
        room: &RoomId,
        from: &[OwnedEventId],
        with_start: bool,
        limit: usize,
        is_end: impl Fn(&KnownPdu) -> bool,
    ) -> Result<Vec<KnownPdu>, String> {
        let mut seen: HashSet<OwnedEventId> = from.iter().cloned().collect();
        let mut found: Vec<KnownPdu> = Vec::new();
        let mut layer = from.to_vec();
        let mut is_start = true;
        let mut looked_at = 0;
        while !layer.is_empty() && found.len() < limit && looked_at < WALK_MAX {
            let mut known = self.get(room, &layer).await?;
            looked_at += layer.len();
            known.retain(|event| is_start || !is_end(event));
            layer = known
                .iter()
                .flat_map(|event| &event.pdu.prev_events)
                .filter(|id| seen.insert((*id).clone()))
                .cloned()
                .collect();
            if with_start || !is_start {
                known.retain(|event| event.status != EventStatus::Rejected);
                found.extend(known);
            }
            is_start = false;
        }
        found.sort_by_key(|event| std::cmp::Reverse((event.pdu.depth, event.position)));
        found.truncate(limit);
        Ok(found)
    }
}

fn named(events: &[KnownPdu], seen: &mut HashSet<OwnedEventId>) -> Vec<OwnedEventId> {
    let named = events.iter().flat_map(|event| &event.pdu.auth_events);
    named.filter(|id| seen.insert((*id).clone())).cloned().collect()
}
