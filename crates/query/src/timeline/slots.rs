//! The current state of a room: which event holds each slot (type and state key).
//!
//! **Invariant:** state never goes backwards: an event takes a slot only from one that comes
//! before it in the timeline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RowKey;

/// The holders of all slots, by type. Rooms have few types, and most types one slot, whose state
/// key is empty: these take no map.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Slots(Vec<Kind>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kind {
    name: Box<str>,
    /// The holder of the empty state key.
    empty: Option<RowKey>,
    others: BTreeMap<Box<str>, RowKey>,
}

/// What came of an event that wants a slot.
pub(crate) enum Taken {
    /// It holds the slot now, in the place of the event named.
    From(Option<RowKey>),
    /// A later event holds the slot.
    Superseded,
}

impl Slots {
    pub(crate) fn take(&mut self, kind: &str, state_key: &str, key: RowKey) -> Taken {
        let place = self.find(kind).unwrap_or_else(|place| {
            self.0.reserve_exact(1);
            let (name, empty, others) = (kind.into(), None, BTreeMap::new());
            self.0.insert(place, Kind { name, empty, others });
            place
        });
        let Kind { empty, others, .. } = &mut self.0[place];
        let holder = if state_key.is_empty() { *empty } else { others.get(state_key).copied() };
        if holder > Some(key) {
            return Taken::Superseded;
        }
        if state_key.is_empty() {
            *empty = Some(key);
        } else {
            others.insert(state_key.into(), key);
        }
        Taken::From(holder)
    }

    fn find(&self, kind: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|other| (*other.name).cmp(kind))
    }

    pub(crate) fn get(&self, kind: &str, state_key: &str) -> Option<RowKey> {
        let kind = &self.0[self.find(kind).ok()?];
        if state_key.is_empty() { kind.empty } else { kind.others.get(state_key).copied() }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, RowKey)> {
        self.0.iter().flat_map(|kind| {
            let empty = kind.empty.iter().map(|key| ("", *key));
            let others = kind.others.iter().map(|(state_key, key)| (&**state_key, *key));
            empty.chain(others).map(|(state_key, key)| (&*kind.name, state_key, key))
        })
    }
}
