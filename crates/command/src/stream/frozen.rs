//! The parts of a state that a snapshot keeps.

use std::{convert::Infallible, io};

use bytes::Bytes;
use rookery_domain::{Account, Fact, OwnedEventId, RoomCalls, RoomEvent, StoredFact, Subject};

/// The parts of a state, apart from the state: a snapshot is written without a lock on it.
pub(crate) trait Frozen: Sized + Send {
    /// How many parts there are. A state of many parts gets fewer snapshots.
    fn parts(&self) -> usize;

    /// The bytes for a file.
    fn store(&self) -> io::Result<Vec<u8>>;

    /// Parses the output of [`Self::store`].
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// The parts of a room's state.
pub(crate) struct FrozenRoom {
    /// The state events.
    pub(crate) facts: Vec<RoomEvent>,
    /// The events that the next one follows.
    pub(crate) extremities: Vec<OwnedEventId>,
    /// The events that resolve to the state.
    pub(crate) leaves: Vec<OwnedEventId>,
    /// There were more of them than are kept.
    pub(crate) is_crowded: bool,
    /// The depth of the deepest event.
    pub(crate) depth: u64,
    /// The active calls, and the last ones that ended.
    pub(crate) calls: RoomCalls,
}

impl Frozen for FrozenRoom {
    fn parts(&self) -> usize {
        self.facts.len() + self.calls.len()
    }

    fn store(&self) -> io::Result<Vec<u8>> {
        let facts: Vec<_> = self.facts.iter().map(stored).collect();
        let ends = (&self.extremities, &self.leaves, self.is_crowded);
        let stored = (ends, self.depth, &self.calls, facts);
        postcard::to_stdvec(&stored).map_err(io::Error::other)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        type Events = Vec<(String, Bytes, Bytes)>;
        type Ends = (Vec<OwnedEventId>, Vec<OwnedEventId>, bool);
        type Stored = (Ends, u64, RoomCalls, Events);
        let stored: Stored = postcard::from_bytes(bytes).ok()?;
        let ((extremities, leaves, is_crowded), depth, calls, facts) = stored;
        let facts = facts.iter().map(|(id, envelope, content)| {
            match Fact::read(Subject::Room, id, envelope, content) {
                Ok(Fact::Room(event)) => Some(event),
                _ => None,
            }
        });
        let facts = facts.collect::<Option<_>>()?;
        Some(Self { facts, extremities, leaves, is_crowded, depth, calls })
    }
}

fn stored(event: &RoomEvent) -> (String, Bytes, Bytes) {
    let StoredFact { id, envelope, content } = Fact::Room(event.clone()).store([0; 16]);
    (id, envelope, content)
}

impl Frozen for Account {
    fn parts(&self) -> usize {
        let rooms = self.rooms_read() + self.rooms_preferred();
        1 + rooms + self.users_ignored() + self.filters_stored() + self.data_stored()
    }

    fn store(&self) -> io::Result<Vec<u8>> {
        postcard::to_stdvec(self).map_err(io::Error::other)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}

/// A state that is always small has no snapshots.
impl Frozen for Infallible {
    fn parts(&self) -> usize {
        match *self {}
    }

    fn store(&self) -> io::Result<Vec<u8>> {
        match *self {}
    }

    fn read(_: &[u8]) -> Option<Self> {
        None
    }
}
