//! Ignored users: whose messages a user does not get.
//!
//! **Invariant:** nothing else decides which events ignoring hides.

use std::{
    collections::BTreeSet,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use ruma_common::{OwnedUserId, UserId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{AccountEvent, Pdu};

/// The users whom one user ignores. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoredUsers(Arc<BTreeSet<OwnedUserId>>);

impl IgnoredUsers {
    /// Folds an event of the user's stream.
    pub fn evolve(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::UserIgnored { user_id } => self.set(user_id, true),
            AccountEvent::UserUnignored { user_id } => self.set(user_id, false),
            _ => {}
        }
    }

    /// Whether the user gets the event as if it were hidden: any event of an ignored user that is
    /// not state.
    #[must_use]
    pub fn hide(&self, event: &Pdu) -> bool {
        event.state_key.is_none() && self.contains(&event.sender)
    }

    /// Whether a user is ignored.
    #[must_use]
    pub fn contains(&self, user: &UserId) -> bool {
        self.0.contains(user)
    }

    /// How many users are ignored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no user is ignored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ignored users, by ID.
    pub fn iter(&self) -> impl Iterator<Item = &UserId> {
        self.0.iter().map(|user| &**user)
    }

    /// The ignored users after the given one, by ID.
    pub fn after(&self, after: Option<&UserId>) -> impl Iterator<Item = &UserId> {
        let begin = after.map_or(Unbounded, Excluded);
        self.0.range::<UserId, _>((begin, Unbounded)).map(|user| &**user)
    }

    /// Adds a user, or removes them.
    pub fn set(&mut self, user: &UserId, is_ignored: bool) {
        if self.contains(user) == is_ignored {
            return;
        }
        let users = Arc::make_mut(&mut self.0);
        if is_ignored {
            users.insert(user.to_owned());
        } else {
            users.remove(user);
        }
    }
}

impl Serialize for IgnoredUsers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IgnoredUsers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeSet::deserialize(deserializer).map(|users| Self(Arc::new(users)))
    }
}
