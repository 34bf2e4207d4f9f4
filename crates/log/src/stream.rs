//! IDs of streams, events and commands, and revisions.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// The kind of a stream; the first part of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// The events of one room.
    Room,
    /// The account data of one user.
    User,
    /// The room that an alias points to.
    Alias,
}

impl StreamKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Room => "room/",
            Self::User => "user/",
            Self::Alias => "alias/",
        }
    }
}

/// The name of a stream of the log: its kind and the ID of its subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The stream of `kind` about `subject` (a room ID, user ID or alias).
    #[must_use]
    pub fn new(kind: StreamKind, subject: &str) -> Self {
        Self(Self::name(kind, subject).into())
    }

    /// The name of the stream of `kind` about `subject`, to look it up.
    #[must_use]
    pub fn name(kind: StreamKind, subject: &str) -> String {
        [kind.prefix(), subject].concat()
    }

    /// Parses the text of [`Self::as_str`]; `None` if the kind is unknown.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let stream = Self(name.into());
        stream.split().is_some().then_some(stream)
    }

    /// The kind and the subject.
    ///
    /// `None` only for a stream that a later version of the program wrote.
    #[must_use]
    pub fn split(&self) -> Option<(StreamKind, &str)> {
        [StreamKind::Room, StreamKind::User, StreamKind::Alias]
            .into_iter()
            .find_map(|kind| Some((kind, self.0.strip_prefix(kind.prefix())?)))
    }

    /// The whole name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Equality, order and hash of a stream are those of its name.
impl Borrow<str> for StreamId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many events a stream holds. The events of a commit that takes a stream from revision `a`
/// to revision `b` have the sequence numbers `a + 1` to `b`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision of an empty stream.
    pub const EMPTY: Self = Self(0);
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Identifies a command permanently: a second append with the same ID writes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandId(pub [u8; 16]);

impl CommandId {
    /// The ID of the command that `parts` identify, in this order.
    ///
    /// Parts are length-prefixed before hashing, so `["ab", "c"]` and `["a", "bc"]` differ.
    #[must_use]
    pub fn derive(parts: &[&[u8]]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        Self(id)
    }
}

/// Identifies one event of a stream: 16 bytes of BLAKE3 over its ID. Erasing its content does not
/// change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventKey([u8; 16]);

impl EventKey {
    /// The key of the event with this ID.
    #[must_use]
    pub fn of(event_id: &str) -> Self {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(event_id.as_bytes()).as_bytes()[..16]);
        Self(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_name_splits_into_kind_and_subject() {
        let stream = StreamId::new(StreamKind::Room, "!abc");
        assert_eq!(stream.split(), Some((StreamKind::Room, "!abc")));
        assert_eq!(StreamId::parse(stream.as_str()), Some(stream));
        assert_eq!(StreamId::parse("planet/mars"), None);
    }

    #[test]
    fn command_ids_tell_the_borders_of_their_parts() {
        assert_ne!(CommandId::derive(&[b"ab", b"c"]), CommandId::derive(&[b"a", b"bc"]));
    }
}
