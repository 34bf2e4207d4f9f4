//! A commit, decoded once and shared by the models and all who follow the log.
//!
//! **Invariant:** decoding never fails as a whole: an event that cannot be read is kept in its
//! place, with its ID and the reason.

use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

use rookery_domain::{AccountEvent, Fact, Pdu, RoomEvent, RoomId, Subject, UserId};
use rookery_log::{LoggedEvent, Millis, Position, Record, StreamId, StreamKind};

use super::Restated;

/// An event that this version of the software cannot read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The ID under which the log keeps it.
    pub event_id: String,
    /// Why it cannot be read, for operators.
    pub reason: String,
}

/// What ends with a decoded commit: it is dropped with it. A copy of the commit has none of it.
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
    /// What ends with it.
    attached: Attached,
}

impl Committed {
    /// Decodes `record`; `restated` has the events of other commits that it names.
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

    /// Puts the events beside the one at `index` that its envelope names.
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
                    "it gives a slot to {}, which the log does not have where it says",
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

    /// What is dropped with this decoded commit: what `attach` makes, unless there is something. A
    /// redaction puts another decoded commit in the place of this one.
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

    /// The room event at `index`, if there is one that can be read.
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

    /// The room events that can be read, each with its index in this commit.
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
