//! Receipts: how far each user has read each room.
//!
//! **Invariant:** a mark never goes backwards, whatever the log says.
//! **Invariant:** the index names public marks only: a private one is found through its owner alone.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    ops::Bound,
};

use rookery_domain::{AccountEvent, Fact, OwnedEventId, OwnedRoomId, RoomId};
use rookery_log::{Millis, Position, StreamKind};
use serde::{Deserialize, Serialize};

use super::{Fold, Rows, Shared, StreamKey, Unfit};
use crate::Committed;

/// Up to where a user has read a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMark {
    /// The last event that was read.
    pub event_id: OwnedEventId,
    /// Its number in the room.
    pub sequence: u64,
    /// The commit that says so.
    pub position: Position,
    /// When it was said.
    pub received: Millis,
}

/// The marks of a user in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarks {
    /// What the members of the room may know.
    pub public: Option<ReadMark>,
    /// What only the user may know.
    pub private: Option<ReadMark>,
}

impl ReadMarks {
    /// The one that is further.
    #[must_use]
    pub fn furthest(&self) -> Option<&ReadMark> {
        let marks = self.private.iter().chain(&self.public);
        marks.max_by_key(|mark| mark.sequence)
    }
}

/// How far one user has read, by room.
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
            *mark = Some(ReadMark {
                event_id: event_id.clone(),
                sequence: *sequence,
                position: committed.position,
                received: committed.received,
            });
            if !*private {
                readers.add(room_id, user);
            }
        }
        Ok(())
    }
}

/// The users who have a public mark in each room.
#[derive(Default)]
pub(crate) struct ReadersOfRooms(HashMap<OwnedRoomId, BTreeSet<StreamKey>>);

impl ReadersOfRooms {
    fn add(&mut self, room: &RoomId, user: StreamKey) {
        match self.0.get_mut(room) {
            Some(users) => users.insert(user),
            None => self.0.entry(room.to_owned()).or_default().insert(user),
        };
    }

    /// Those who have a public mark in `room`.
    pub(crate) fn of(&self, room: &RoomId) -> impl Iterator<Item = StreamKey> {
        self.after(room, None)
    }

    /// The same, by key, after that of `last`.
    pub(crate) fn after(
        &self,
        room: &RoomId,
        last: Option<StreamKey>,
    ) -> impl Iterator<Item = StreamKey> {
        let begin = last.map_or(Bound::Unbounded, Bound::Excluded);
        let readers = self.0.get(room).into_iter();
        readers.flat_map(move |readers| readers.range((begin, Bound::Unbounded)).copied())
    }
}

impl Shared<Receipts> for ReadersOfRooms {
    type Saved = ();

    fn added(&mut self, user: StreamKey, row: &Receipts) {
        for (room, marks) in &row.rooms {
            if marks.public.is_some() {
                self.add(room, user);
            }
        }
    }

    fn removed(&mut self, user: StreamKey, row: Option<&Receipts>) {
        for room in row.into_iter().flat_map(|row| row.rooms.keys()) {
            if let Some(users) = self.0.get_mut(room) {
                users.remove(&user);
            }
        }
    }

    fn merge(&mut self, other: Self, _: &mut Rows<Receipts>) {
        for (room, users) in other.0 {
            self.0.entry(room).or_default().extend(users);
        }
    }

    fn save(&self) -> io::Result<()> {
        Ok(())
    }
}
