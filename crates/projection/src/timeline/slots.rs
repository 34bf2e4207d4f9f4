//! The current state of a room: the event that holds each slot (type and state key).
//!
//! **Invariant:** nothing is decided here: the appended event names the holders
//! ([`RoomEvent::state_changes`](rookery_domain::RoomEvent::state_changes)). A slot may go back to
//! an older event, or become empty.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
};

use rookery_log::Position;
use serde::{Deserialize, Serialize};

use super::RowKey;

/// The holders of all slots, by type. Rooms have few types, and most types have one slot with an
/// empty state key: these need no map.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Slots {
    kinds: Vec<Kind>,
    /// The changes of each slot by state resolution, by type and state key, in order of arrival.
    resolved: BTreeMap<Box<str>, BTreeMap<Box<str>, Vec<Resolved>>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kind {
    name: Box<str>,
    /// The holder of the empty state key.
    empty: Option<RowKey>,
    others: BTreeMap<Box<str>, RowKey>,
}

/// A slot was given to another event than the one that arrived, or became empty.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Resolved {
    /// The commit of the event that arrived, and its index there.
    pub at: (Position, u16),
    /// The event that held the slot before.
    pub before: Option<RowKey>,
}

impl Slots {
    /// Gives a slot to `holder`. Returns the previous holder.
    pub(crate) fn put(
        &mut self,
        kind: &str,
        state_key: &str,
        holder: Option<RowKey>,
    ) -> Option<RowKey> {
        let place = self.find(kind).unwrap_or_else(|place| {
            self.kinds.reserve_exact(1);
            let (name, empty, others) = (kind.into(), None, BTreeMap::new());
            self.kinds.insert(place, Kind { name, empty, others });
            place
        });
        let Kind { empty, others, .. } = &mut self.kinds[place];
        match (state_key, holder) {
            ("", holder) => std::mem::replace(empty, holder),
            (_, Some(holder)) => others.insert(state_key.into(), holder),
            (_, None) => others.remove(state_key),
        }
    }

    /// Records that another event than the new holder changed a slot.
    pub(crate) fn note(&mut self, kind: &str, state_key: &str, resolved: Resolved) {
        let kinds = self.resolved.entry(kind.into()).or_default();
        kinds.entry(state_key.into()).or_default().push(resolved);
    }

    fn find(&self, kind: &str) -> Result<usize, usize> {
        self.kinds.binary_search_by(|other| (*other.name).cmp(kind))
    }

    /// The event that holds a slot.
    #[must_use]
    pub fn get(&self, kind: &str, state_key: &str) -> Option<RowKey> {
        let kind = &self.kinds[self.find(kind).ok()?];
        if state_key.is_empty() { kind.empty } else { kind.others.get(state_key).copied() }
    }

    /// The changes of a slot by state resolution, in order of arrival.
    #[must_use]
    pub fn resolved(&self, kind: &str, state_key: &str) -> &[Resolved] {
        let slot = self.resolved.get(kind).and_then(|keys| keys.get(state_key));
        slot.map_or(&[], Vec::as_slice)
    }

    /// The slots with a holder: type, state key, event.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, RowKey)> {
        self.kinds.iter().flat_map(|kind| {
            let empty = kind.empty.iter().map(|key| ("", *key));
            let others = kind.others.iter().map(|(state_key, key)| (&**state_key, *key));
            empty.chain(others).map(|(state_key, key)| (&*kind.name, state_key, key))
        })
    }

    /// The slots with a holder, in order: optionally of one type only, and after a given slot.
    pub fn after<'a>(
        &'a self,
        kind: Option<&'a str>,
        after: Option<(&'a str, &'a str)>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let first = kind.unwrap_or_default().max(after.map_or("", |(kind, _)| kind));
        let start = self.kinds.partition_point(|other| &*other.name < first);
        let kinds = self.kinds[start..].iter();
        let kinds = kinds.take_while(move |other| kind.is_none_or(|kind| *other.name == *kind));
        kinds.flat_map(move |kind| {
            let after = after.filter(|(other, _)| *other == &*kind.name).map(|(_, key)| key);
            let empty = kind.empty.filter(|_| after.is_none()).map(|_| "");
            let begin = after.map_or(Unbounded, Excluded);
            let others = kind.others.range::<str, _>((begin, Unbounded)).map(|(key, _)| &**key);
            empty.into_iter().chain(others).map(|key| (&*kind.name, key))
        })
    }

    /// The slots that became empty.
    pub fn emptied(&self) -> impl Iterator<Item = (&str, &str)> {
        let slots = self.resolved.iter();
        let slots = slots.flat_map(|(kind, keys)| keys.keys().map(|key| (&**kind, &**key)));
        slots.filter(|(kind, state_key)| self.get(kind, state_key).is_none())
    }
}
