//! The current state of a room: which event holds each slot (type and state key).
//!
//! **Invariant:** state never goes backwards: an event takes a slot only from one that comes
//! before it in the timeline.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::RowKey;

/// The holders of all slots.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Slots(BTreeMap<Box<str>, BTreeMap<Box<str>, RowKey>>);

/// What came of an event that wants a slot.
pub(crate) enum Taken {
    /// It holds the slot now, in the place of the event named.
    From(Option<RowKey>),
    /// A later event holds the slot.
    Superseded,
}

impl Slots {
    pub(crate) fn take(&mut self, kind: &str, state_key: &str, key: RowKey) -> Taken {
        if !self.0.contains_key(kind) {
            self.0.insert(kind.into(), BTreeMap::new());
        }
        let Some(slots) = self.0.get_mut(kind) else { return Taken::Superseded };
        match slots.get_mut(state_key) {
            Some(holder) if *holder > key => Taken::Superseded,
            Some(holder) => Taken::From(Some(std::mem::replace(holder, key))),
            None => {
                slots.insert(state_key.into(), key);
                Taken::From(None)
            }
        }
    }

    pub(crate) fn get(&self, kind: &str, state_key: &str) -> Option<RowKey> {
        self.0.get(kind)?.get(state_key).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str, RowKey)> {
        self.0.iter().flat_map(|(kind, slots)| {
            slots.iter().map(move |(state_key, key)| (&**kind, &**state_key, *key))
        })
    }
}
