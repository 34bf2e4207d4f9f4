//! A commit, decoded once and shared by the models and all who follow the log.
//!
//! **Invariant:** decoding never fails as a whole: an event that cannot be read is kept in its
//! place, with its ID and the reason.

use rookery_domain::{AccountEvent, Fact, RoomEvent, Subject};
use rookery_log::{Millis, Position, Record, StreamId, StreamKind};

/// An event that this version of the software cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The ID under which the log keeps it.
    pub event_id: String,
    /// Why it cannot be read, for operators.
    pub reason: String,
}

/// A decoded commit.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its place in the log.
    pub position: Position,
    /// The stream that it belongs to.
    pub stream: StreamId,
    /// When its command came in.
    pub received: Millis,
    /// The sequence number of the first event in the stream; the others follow without a hole.
    pub first_sequence: u64,
    /// The events, in order.
    pub facts: Vec<Result<Fact, Unreadable>>,
    /// What the stream is about; none if a later version of the software wrote it.
    pub kind: Option<StreamKind>,
    /// The public receipts among them, each with its index and the stream of the room.
    pub receipts: Vec<(usize, StreamId)>,
    /// Size of the stored events in bytes, by which caches are bounded.
    pub len_bytes: usize,
}

impl Committed {
    /// Decodes `record`.
    #[must_use]
    pub fn decode(record: &Record) -> Self {
        let commit = &record.commit;
        let kind = commit.stream.split().map(|(kind, _)| kind);
        let subject = kind.map(|kind| match kind {
            StreamKind::Room => Subject::Room,
            StreamKind::User => Subject::Account,
            StreamKind::Alias => Subject::Alias,
        });
        let facts = commit.events.iter().map(|event| {
            let unreadable = |reason: String| Unreadable { event_id: event.id.clone(), reason };
            let subject = subject
                .ok_or_else(|| unreadable("a later version wrote this kind of stream".into()))?;
            Fact::read(subject, &event.id, &event.envelope, &event.content)
                .map_err(|error| unreadable(error.to_string()))
        });
        let facts: Vec<_> = facts.collect();
        let receipt = |(index, fact): (usize, &Result<Fact, _>)| match fact {
            Ok(Fact::Account(AccountEvent::ReceiptMoved { room_id, private: false, .. })) => {
                Some((index, StreamId::new(StreamKind::Room, room_id.as_str())))
            }
            _ => None,
        };
        Self {
            receipts: facts.iter().enumerate().filter_map(receipt).collect(),
            position: record.position,
            stream: commit.stream.clone(),
            received: commit.received,
            first_sequence: record.sequence(0),
            facts,
            kind,
            len_bytes: commit.len_bytes(),
        }
    }

    /// The sequence number of the event at `index`.
    #[must_use]
    pub fn sequence(&self, index: usize) -> u64 {
        self.first_sequence + index as u64
    }

    /// The sequence number of the last event.
    #[must_use]
    pub fn last_sequence(&self) -> u64 {
        (self.first_sequence + self.facts.len() as u64).saturating_sub(1)
    }

    /// The room event at `index`, if there is one that can be read.
    #[must_use]
    pub fn room_event(&self, index: usize) -> Option<&RoomEvent> {
        match self.facts.get(index) {
            Some(Ok(Fact::Room(event))) => Some(event),
            _ => None,
        }
    }

    /// The room events that can be read, each with its index in this commit.
    pub fn room_events(&self) -> impl Iterator<Item = (usize, &RoomEvent)> {
        (0..self.facts.len()).filter_map(|index| Some((index, self.room_event(index)?)))
    }
}
