//! Read receipts: how far each user has read each room.
//!
//! **Invariant:** a receipt never moves backwards, whatever the log holds.
//! **Invariant:** the index names public receipts only. A private one is found only through its
//! owner.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    ops::Bound,
    path::Path,
};

use rookery_domain::{AccountEvent, Fact, OwnedEventId, OwnedRoomId, RoomId};
use rookery_log::{Millis, Position, StreamKind};
use serde::{Deserialize, Serialize};

use crate::Committed;
use crate::models::{Fold, Rows, Shared, StreamKey, Unfit};

/// A read receipt of a user in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// The last event that the user read.
    pub event_id: OwnedEventId,
    /// Its sequence in the room.
    pub sequence: u64,
    /// The commit of the receipt.
    pub position: Position,
    /// When the receipt was sent.
    pub received: Millis,
}

/// The read receipts of a user in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarks {
    /// The receipt that members of the room may see.
    pub public: Option<ReadMark>,
    /// The receipt that only the user may see.
    pub private: Option<ReadMark>,
}

impl ReadMarks {
    /// The later one of both.
    #[must_use]
    pub fn furthest(&self) -> Option<&ReadMark> {
        let marks = self.private.iter().chain(&self.public);
        marks.max_by_key(|mark| mark.sequence)
    }
}

/// The read receipts of one user, by room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Receipts {
    rooms: BTreeMap<OwnedRoomId, ReadMarks>,
}

impl Receipts {
    pub(crate) fn of(&self, room: &RoomId) -> Option<&ReadMarks> {
        self.rooms.get(room)
    }
}

impl Fold for Receipts {
    const NAME: &'static str = "receipts";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::User;
    type Shared = ReadersOfRooms;

    fn apply(
        &mut self,
        user: StreamKey,
        committed: &Committed,
        readers: &mut ReadersOfRooms,
    ) -> Result<(), Unfit> {
        for fact in committed.facts.iter().flatten() {
            let Fact::Account(AccountEvent::ReceiptMoved { room_id, event_id, sequence, private }) =
                fact
            else {
                continue;
            };
            let marks = self.rooms.entry(room_id.clone()).or_default();
            let mark = if *private { &mut marks.private } else { &mut marks.public };
            if mark.as_ref().is_some_and(|mark| mark.sequence >= *sequence) {
                continue;
            }
            let before = mark.as_ref().map(|mark| mark.position);
            *mark = Some(ReadMark {
                event_id: event_id.clone(),
                sequence: *sequence,
                position: committed.position,
                received: committed.received,
            });
            if !*private {
                if let Some(before) = before {
                    readers.remove(room_id, user, before);
                }
                readers.add(room_id, user, committed.position);
            }
        }
        Ok(())
    }
}

/// The users who have a public receipt in each room.
#[derive(Default)]
pub struct ReadersOfRooms(HashMap<OwnedRoomId, Readers>);

/// The users who have a public receipt in one room.
#[derive(Default)]
struct Readers {
    by_key: BTreeSet<StreamKey>,
    /// The users by the commit of their receipt.
    by_mark: BTreeSet<(Position, StreamKey)>,
}

impl Readers {
    fn add(&mut self, user: StreamKey, at: Position) {
        self.by_key.insert(user);
        self.by_mark.insert((at, user));
    }
}

impl ReadersOfRooms {
    fn add(&mut self, room: &RoomId, user: StreamKey, at: Position) {
        match self.0.get_mut(room) {
            Some(readers) => readers.add(user, at),
            None => self.0.entry(room.to_owned()).or_default().add(user, at),
        }
    }

    fn remove(&mut self, room: &RoomId, user: StreamKey, at: Position) {
        if let Some(readers) = self.0.get_mut(room) {
            readers.by_key.remove(&user);
            readers.by_mark.remove(&(at, user));
        }
    }

    /// The users who have a public receipt in `room`, by key, after `last`.
    pub fn after(&self, room: &RoomId, last: Option<StreamKey>) -> impl Iterator<Item = StreamKey> {
        let begin = last.map_or(Bound::Unbounded, Bound::Excluded);
        let readers = self.0.get(room).into_iter();
        readers.flat_map(move |readers| readers.by_key.range((begin, Bound::Unbounded)).copied())
    }

    /// The users whose public receipt in `room` is before a position, latest first.
    pub fn before(&self, room: &RoomId, before: Position) -> impl Iterator<Item = StreamKey> {
        let readers = self.0.get(room).into_iter();
        let before = (before, StreamKey(0));
        let marks = readers.flat_map(move |readers| readers.by_mark.range(..before).rev());
        marks.map(|(_, user)| *user)
    }
}

impl Shared<Receipts> for ReadersOfRooms {
    type Saved = ();

    fn create(_: &Path, _: usize) -> io::Result<Self> {
        Ok(Self::default())
    }

    fn added(&mut self, user: StreamKey, row: &Receipts) {
        for (room, marks) in &row.rooms {
            if let Some(mark) = &marks.public {
                self.add(room, user, mark.position);
            }
        }
    }

    fn removed(&mut self, user: StreamKey, row: Option<&Receipts>) {
        for (room, marks) in row.into_iter().flat_map(|row| &row.rooms) {
            if let Some(mark) = &marks.public {
                self.remove(room, user, mark.position);
            }
        }
    }

    fn merge(&mut self, other: Self, _: &mut Rows<Receipts>) {
        for (room, users) in other.0 {
            let readers = self.0.entry(room).or_default();
            readers.by_key.extend(users.by_key);
            readers.by_mark.extend(users.by_mark);
        }
    }

    fn save(&self) -> io::Result<()> {
        Ok(())
    }
}
