//! A commit, decoded once and shared by the models and all followers of the log.
//!
//! **Invariant:** decoding never fails as a whole: an event that cannot be read stays in its place,
//! with its ID and the reason.

use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

use rookery_domain::{AccountEvent, Fact, Pdu, RoomEvent, RoomId, Subject, UserId};
use rookery_log::{LoggedEvent, Millis, Position, Record, StreamId, StreamKind};

use super::Restated;

/// An event that this version of the program cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The ID of the event in the log.
    pub event_id: String,
    /// The reason, for operators.
    pub reason: String,
}

/// Data with the lifetime of a decoded commit: it is dropped with it. A copy of the commit has none
/// of it.
#[derive(Default)]
pub(crate) struct Attached(OnceLock<Box<dyn Any + Send + Sync>>);

impl Clone for Attached {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").finish_non_exhaustive()
    }
}

/// A decoded commit.
#[derive(Clone, Debug)]
pub struct Committed {
    /// Its position in the log.
    pub position: Position,
    /// The stream that it belongs to.
    pub stream: StreamId,
    /// When its command arrived.
    pub received: Millis,
    /// The sequence number of the first event in the stream; the others follow without a gap.
    pub first_sequence: u64,
    /// The events, in order.
    pub facts: Vec<Result<Fact, Unreadable>>,
    /// The kind of the stream; `None` if a later version of the program wrote it.
    pub kind: Option<StreamKind>,
    /// The public receipts among them, each with its index and the stream of the room.
    pub receipts: Vec<(usize, StreamId)>,
    /// Size of the stored events in bytes, which bounds caches.
    pub len_bytes: usize,
    /// Data with the same lifetime.
    attached: Attached,
}

impl Committed {
    /// Decodes `record`; `restated` holds the events of other commits that it names.
    #[must_use]
    pub(crate) fn decode(record: &Record, restated: &Restated) -> Self {
        let commit = &record.commit;
        let kind = commit.stream.split().map(|(kind, _)| kind);
        let facts: Vec<_> = commit.events.iter().map(|event| read(kind, event)).collect();
        let receipt = |(index, fact): (usize, &Result<Fact, _>)| match fact {
            Ok(Fact::Account(AccountEvent::ReceiptMoved { room_id, private: false, .. })) => {
                Some((index, StreamId::new(StreamKind::Room, room_id.as_str())))
            }
            _ => None,
        };
        let mut decoded = Self {
            receipts: facts.iter().enumerate().filter_map(receipt).collect(),
            position: record.position,
            stream: commit.stream.clone(),
            received: commit.received,
            first_sequence: record.sequence(0),
            facts,
            kind,
            len_bytes: commit.len_bytes(),
            attached: Attached::default(),
        };
        for index in 0..decoded.facts.len() {
            decoded.restate(index, restated);
        }
        decoded
    }

    /// Adds the events that the envelope of the event at `index` names.
    fn restate(&mut self, index: usize, restated: &Restated) {
        let Some(event) = self.room_event(index) else { return };
        let holders = event.restated_holders().map(|holder| {
            let found = match holder.position {
                Some(_) => restated.get(holder),
                None => self.room_event(holder.index.into()).map(|event| &event.pdu),
            };
            let found = found.filter(|pdu| pdu.event_id == holder.event_id);
            found.cloned().ok_or_else(|| Unreadable {
                event_id: event.pdu.event_id.to_string(),
                reason: format!(
                    "it gives a slot to {}, which the log does not have at the named place",
                    holder.event_id
                ),
            })
        });
        let holders: Result<Vec<Arc<Pdu>>, Unreadable> = holders.collect();
        match (holders, &mut self.facts[index]) {
            (Ok(holders), Ok(Fact::Room(event))) => {
                self.len_bytes += holders.iter().map(|pdu| pdu.json.len()).sum::<usize>();
                event.restated = holders;
            }
            (Err(unreadable), fact) => *fact = Err(unreadable),
            (Ok(_), _) => {}
        }
    }

    /// Data with the lifetime of this decoded commit, made by `attach` at the first call. A
    /// redaction replaces this decoded commit by another one.
    pub fn attached(
        &self,
        attach: impl FnOnce() -> Box<dyn Any + Send + Sync>,
    ) -> &(dyn Any + Send + Sync) {
        &**self.attached.0.get_or_init(attach)
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

    /// The room event at `index`, if it is one and can be read.
    #[must_use]
    pub fn room_event(&self, index: usize) -> Option<&RoomEvent> {
        match self.facts.get(index) {
            Some(Ok(Fact::Room(event))) => Some(event),
            _ => None,
        }
    }

    /// The room and the user of the receipt at `index`, if there is one.
    #[must_use]
    pub fn receipt_at(&self, index: usize) -> Option<(&RoomId, &UserId)> {
        let Ok(Fact::Account(AccountEvent::ReceiptMoved { room_id, .. })) =
            self.facts.get(index)?
        else {
            return None;
        };
        let (_, user) = self.stream.split()?;
        Some((room_id, <&UserId>::try_from(user).ok()?))
    }

    /// The readable room events, each with its index in this commit.
    pub fn room_events(&self) -> impl Iterator<Item = (usize, &RoomEvent)> {
        (0..self.facts.len()).filter_map(|index| Some((index, self.room_event(index)?)))
    }
}

fn read(kind: Option<StreamKind>, event: &LoggedEvent) -> Result<Fact, Unreadable> {
    let unreadable = |reason: String| Unreadable { event_id: event.id.clone(), reason };
    let subject = match kind {
        Some(StreamKind::Room) => Subject::Room,
        Some(StreamKind::User) => Subject::Account,
        Some(StreamKind::Alias) => Subject::Alias,
        None => return Err(unreadable("a later version wrote this kind of stream".into())),
    };
    Fact::read(subject, &event.id, &event.envelope, &event.content)
        .map_err(|error| unreadable(error.to_string()))
}
