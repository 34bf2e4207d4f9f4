//! The input of the log ([`Commit`]) and its output ([`Record`]).

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    CommandId, Epoch, EraseError, EventKey, Hash, Head, Position, Revision, StreamId, chain_hash,
};

/// Most events in one commit.
pub const COMMIT_EVENTS_MAX: usize = 1_024;

/// Largest commit: the sum of IDs, envelopes and contents of its events, in bytes.
pub const COMMIT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Milliseconds since 1970-01-01T00:00:00Z, by the clock when the request arrived.
///
/// The order of commits never depends on it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

/// One event, as the log sees it.
///
/// The hash chain covers `id` and `envelope`. The ID has to cover the content (as the event ID of a
/// PDU does), so that content can be erased while the chain stays valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedEvent {
    /// The unique ID: a hash over the content.
    pub id: String,
    /// Data that the server adds to the event: origin, status, device. Never erased.
    pub envelope: Bytes,
    /// The event itself.
    pub content: Bytes,
}

impl LoggedEvent {
    pub(crate) fn len_bytes(&self) -> usize {
        self.id.len() + self.envelope.len() + self.content.len()
    }
}

/// The events of one command. They are stored together or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The stream of the events.
    pub stream: StreamId,
    /// The ID of the command, if it may be retried.
    pub command: Option<CommandId>,
    /// When the command arrived.
    pub received: Millis,
    /// The events; at least one.
    pub events: Vec<LoggedEvent>,
}

impl Commit {
    /// The sum that [`COMMIT_BYTES_MAX`] bounds.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.events.iter().map(LoggedEvent::len_bytes).sum()
    }

    /// The key of its last event, which the guard of the next commit to the stream names.
    #[must_use]
    pub fn last_event(&self) -> Option<EventKey> {
        self.events.last().map(|event| EventKey::of(&event.id))
    }

    /// Whether a log accepts the commit: it is not empty and not too large.
    #[must_use]
    pub fn fits(&self) -> bool {
        (1..=COMMIT_EVENTS_MAX).contains(&self.events.len()) && self.len_bytes() <= COMMIT_BYTES_MAX
    }
}

/// A commit in its place in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The epoch in which it was first written.
    pub epoch: Epoch,
    /// Its number in the log.
    pub position: Position,
    /// The revision of its stream after it.
    pub revision: Revision,
    /// Hash of the record before it ([`Hash::ORIGIN`] for the first).
    pub previous: Hash,
    /// Hash of this record: [`chain_hash`] of the previous hash and the record.
    pub hash: Hash,
    /// The commit.
    pub commit: Commit,
}

impl Record {
    /// Appends `commit` to the record with the hash `previous`.
    #[must_use]
    pub fn chain(
        epoch: Epoch,
        position: Position,
        revision: Revision,
        previous: Hash,
        commit: Commit,
    ) -> Self {
        let hash = chain_hash(epoch, position, revision, previous, &commit);
        Self { epoch, position, revision, previous, hash, commit }
    }

    /// The end of its stream after this record.
    #[must_use]
    pub fn head(&self) -> Head {
        let last = self.commit.last_event();
        Head { revision: self.revision, position: self.position, last }
    }

    /// Whether [`Self::hash`] matches the record.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.hash
            == chain_hash(self.epoch, self.position, self.revision, self.previous, &self.commit)
    }

    /// The record with the content of the event at `index` replaced by `left`. The hash does not
    /// cover content, so it stays.
    ///
    /// # Errors
    /// [`EraseError`] if there is no such event, or if `left` is longer than the content.
    pub fn erased(&self, index: usize, left: Bytes) -> Result<Self, EraseError> {
        let mut record = self.clone();
        let event = record.commit.events.get_mut(index);
        let absent = EraseError::Absent { position: self.position, index };
        let event = event.ok_or(absent)?;
        if left.len() > event.content.len() {
            return Err(EraseError::Longer);
        }
        event.content = left;
        Ok(record)
    }

    /// The sequence number in the stream of the event at `index` in this commit.
    #[must_use]
    pub fn sequence(&self, index: usize) -> u64 {
        self.revision.0 - self.commit.events.len() as u64 + index as u64 + 1
    }
}
