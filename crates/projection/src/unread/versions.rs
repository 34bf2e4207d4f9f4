//! The users that messages name, by the versions of their text.
//!
//! **Invariant:** the last version counts: an edit that no longer names a user removes the
//! highlight, and one that names another user highlights the message for that user.
//! **Invariant:** only messages with a version that names a user are kept. An erased version leaves
//! no trace.

use std::collections::BTreeMap;

use rookery_domain::{OwnedUserId, UserId};
use serde::{Deserialize, Serialize};

use super::counted::EventPlace;

/// The users that a text names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    /// Everybody; then `users` is empty.
    pub(super) all: bool,
    /// These users, each once.
    pub(super) users: Vec<OwnedUserId>,
}

impl Named {
    fn is_nobody(&self) -> bool {
        !self.all && self.users.is_empty()
    }
}

/// The users that a message named before, and names now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) before: Named,
    pub(super) after: Named,
}

/// A text, and its place in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    place: EventPlace,
    named: Named,
}

/// The versions of the messages of a room. The first version of each is the first one that names a
/// user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Versions {
    of_messages: BTreeMap<u64, Vec<Version>>,
    /// The message of each text.
    messages: BTreeMap<EventPlace, u64>,
}

impl Versions {
    /// Adds a new version of the message with this sequence.
    pub(super) fn put(&mut self, message: u64, place: EventPlace, named: Named) -> Change {
        let versions = self.of_messages.get_mut(&message);
        if versions.is_none() && named.is_nobody() {
            return Change::default();
        }
        self.messages.insert(place, message);
        let version = Version { place, named: named.clone() };
        let before = if let Some(versions) = versions {
            let before = versions.last().map(|last| last.named.clone());
            versions.push(version);
            before.unwrap_or_default()
        } else {
            self.of_messages.insert(message, vec![version]);
            Named::default()
        };
        Change { before, after: named }
    }

    /// Removes the erased text at this place. Returns its message.
    pub(super) fn take(&mut self, place: EventPlace) -> Option<(u64, Change)> {
        let message = self.messages.remove(&place)?;
        let versions = self.of_messages.get_mut(&message)?;
        let last = |versions: &[Version]| versions.last().map(|it| it.named.clone());
        let before = last(versions).unwrap_or_default();
        versions.retain(|version| version.place != place);
        let after = last(versions).unwrap_or_default();
        self.tidy(message);
        Some((message, Change { before, after }))
    }

    /// Removes the message with this sequence.
    pub(super) fn remove(&mut self, message: u64) -> Change {
        let versions = self.of_messages.remove(&message).unwrap_or_default();
        for version in &versions {
            self.messages.remove(&version.place);
        }
        let before = versions.into_iter().next_back().map(|last| last.named);
        Change { before: before.unwrap_or_default(), after: Named::default() }
    }

    /// Removes this user from all versions.
    pub(super) fn forget(&mut self, user: &UserId) {
        let mut changed = Vec::new();
        for (message, versions) in &mut self.of_messages {
            for version in versions {
                let before = version.named.users.len();
                version.named.users.retain(|named| named != user);
                if version.named.users.len() < before {
                    changed.push(*message);
                }
            }
        }
        for message in changed {
            self.tidy(message);
        }
    }

    /// Removes all names.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Drops the versions before the first that names a user.
    fn tidy(&mut self, message: u64) {
        let Some(versions) = self.of_messages.get_mut(&message) else { return };
        let first = versions.iter().position(|version| !version.named.is_nobody());
        for version in versions.drain(..first.unwrap_or(versions.len())) {
            self.messages.remove(&version.place);
        }
        if versions.is_empty() {
            self.of_messages.remove(&message);
        }
    }
}
