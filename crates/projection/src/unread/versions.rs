//! Whom messages name, by the versions of their text.
//!
//! **Invariant:** the last version counts: an edit that names a user no more takes the highlight away, and one that names
//! another user highlights the message for that user.
//! **Invariant:** only messages are kept of which a version names somebody. A version that was erased leaves no trace.

use std::collections::BTreeMap;

use rookery_domain::{OwnedUserId, UserId};
use serde::{Deserialize, Serialize};

use super::said::Place;

/// Whom a text names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    /// Everybody; then nobody is named by name.
    pub(super) all: bool,
    /// These users, each once.
    pub(super) users: Vec<OwnedUserId>,
}

impl Named {
    fn is_nobody(&self) -> bool {
        !self.all && self.users.is_empty()
    }
}

/// Whom a message named, and names now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) before: Named,
    pub(super) after: Named,
}

/// A text, and where the log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Version {
    place: Place,
    named: Named,
}

/// The versions of the messages of a room, the first of each being the first that names somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Versions {
    of_messages: BTreeMap<u64, Vec<Version>>,
    /// The message that each text is of.
    messages: BTreeMap<Place, u64>,
}

impl Versions {
    /// The message of this number says something else from now on.
    pub(super) fn put(&mut self, message: u64, place: Place, named: Named) -> Change {
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

    /// The text at this place is erased. Answers with the message that it is of.
    pub(super) fn take(&mut self, place: Place) -> Option<(u64, Change)> {
        let message = self.messages.remove(&place)?;
        let versions = self.of_messages.get_mut(&message)?;
        let last = |versions: &[Version]| versions.last().map(|it| it.named.clone());
        let before = last(versions).unwrap_or_default();
        versions.retain(|version| version.place != place);
        let after = last(versions).unwrap_or_default();
        self.tidy(message);
        Some((message, Change { before, after }))
    }

    /// The message of this number counts no more.
    pub(super) fn remove(&mut self, message: u64) -> Change {
        let versions = self.of_messages.remove(&message).unwrap_or_default();
        for version in &versions {
            self.messages.remove(&version.place);
        }
        let before = versions.into_iter().next_back().map(|last| last.named);
        Change { before: before.unwrap_or_default(), after: Named::default() }
    }

    /// Nothing names this user any more.
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

    /// Nothing names anybody any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Drops the versions before the first that names somebody.
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
