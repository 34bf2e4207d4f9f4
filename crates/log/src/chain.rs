//! The hash chain over envelopes and event IDs.
//!
//! **Invariant:** content is not hashed. An event ID covers its content, so erasing content
//! (redaction) leaves the chain valid.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Commit, Epoch, Position, Revision};

/// A BLAKE3 hash, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The hash before the first record of a log.
    pub const ORIGIN: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The hash of a record: BLAKE3 over a fixed-order, length-prefixed encoding of everything but
/// content.
///
/// The encoding is part of the stored format, version 1. Changing it needs a new format version.
#[must_use]
pub fn chain_hash(
    epoch: Epoch,
    position: Position,
    revision: Revision,
    previous: Hash,
    commit: &Commit,
) -> Hash {
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    field(b"rookery-record-1");
    field(&previous.0);
    field(&epoch.0.to_le_bytes());
    field(&position.0.to_le_bytes());
    field(&revision.0.to_le_bytes());
    field(commit.stream.as_str().as_bytes());
    field(commit.command.as_ref().map_or(&[][..], |command| &command.0));
    field(&commit.received.0.to_le_bytes());
    for event in &commit.events {
        field(event.id.as_bytes());
        field(&event.envelope);
    }
    Hash(*hasher.finalize().as_bytes())
}
