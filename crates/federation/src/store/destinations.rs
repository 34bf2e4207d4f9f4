//! The state of the sender: what each destination has got, and its failures.
//!
//! **Invariant:** the position of the sender and the changes that follow from it are one change.

use redb::ReadableTable as _;
use rookery_domain::{OwnedRoomId, OwnedServerName};
use rookery_log::Position;
use serde::{Deserialize, Serialize};

use super::{
    Store, StoreError,
    file::{DESTINATIONS, ENDS, NUMBERS, RELAYED},
};

/// The number of the position up to which commits are routed.
const ROUTED: &str = "routed";

/// The place of an event in the log.
pub(crate) type Place = (u64, u16);

/// The state of a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Destination {
    /// Every event for it up to this place is delivered, outstanding, or superseded by its ends.
    pub(crate) cursor: Place,
    /// The transaction that is under way.
    pub(crate) outstanding: Option<Outstanding>,
    /// How many tries have failed in a row.
    pub(crate) failures: u32,
    /// When the first of them failed, in milliseconds since 1970.
    pub(crate) failing_since: u64,
    /// When it is tried again, in milliseconds since 1970.
    pub(crate) next_try: u64,
    /// Why the last try failed.
    pub(crate) trouble: Option<String>,
    /// When it last took a transaction, in milliseconds since 1970.
    pub(crate) last_success: u64,
    /// Whether it gets only the last event of each room, after a long outage.
    pub(crate) is_behind: bool,
}

/// A transaction that was begun. It is sent again as it is until it is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outstanding {
    /// Its ID.
    pub(crate) id: String,
    /// When it was made, in milliseconds since 1970.
    pub(crate) made: u64,
    /// Its events.
    pub(crate) events: Vec<Place>,
    /// The room of each event, for a destination that is behind: its ends are done with the transaction.
    pub(crate) rooms: Vec<OwnedRoomId>,
}

/// A change of the sender's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct SenderChange {
    /// Commits up to here are routed.
    pub(crate) routed: Option<Position>,
    /// Destinations to store.
    pub(crate) destinations: Vec<(OwnedServerName, Destination)>,
    /// The last events of rooms that destinations have not got.
    pub(crate) ends: Vec<(OwnedServerName, OwnedRoomId, Place)>,
    /// Ends that were sent: they are removed if they have not moved since.
    pub(crate) sent_ends: Vec<(OwnedServerName, OwnedRoomId, Place)>,
    /// Events that were passed on.
    pub(crate) relayed: Vec<String>,
}

impl SenderChange {
    /// Whether it stores nothing.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { routed, destinations, ends, sent_ends, relayed } = self;
        routed.is_none()
            && destinations.is_empty()
            && ends.is_empty()
            && sent_ends.is_empty()
            && relayed.is_empty()
    }
}

impl Store {
    /// The position up to which commits are routed; `None` before the first start.
    pub(crate) async fn routed(&self) -> Result<Option<Position>, StoreError> {
        self.read(|read| {
            let table = read.open_table(NUMBERS)?;
            Ok(table.get(ROUTED)?.map(|row| Position(row.value())))
        })
        .await
    }

    /// All destinations.
    pub(crate) async fn destinations(
        &self,
    ) -> Result<Vec<(OwnedServerName, Destination)>, StoreError> {
        self.read(|read| {
            let table = read.open_table(DESTINATIONS)?;
            let mut all = Vec::new();
            for row in table.iter()? {
                let (name, value) = row?;
                let name = OwnedServerName::try_from(name.value());
                let destination = serde_json::from_slice(value.value());
                all.extend(name.ok().zip(destination.ok()));
            }
            Ok(all)
        })
        .await
    }

    /// The last events of rooms that a destination has not got, oldest first, at most `limit`.
    pub(crate) async fn ends(
        &self,
        destination: OwnedServerName,
        limit: usize,
    ) -> Result<Vec<(OwnedRoomId, Place)>, StoreError> {
        self.read(move |read| {
            let table = read.open_table(ENDS)?;
            let mut ends = Vec::new();
            for row in table.range((destination.as_str(), "")..)? {
                let (name, place) = row?;
                let (server, room) = name.value();
                if server != destination.as_str() {
                    break;
                }
                ends.extend(OwnedRoomId::try_from(room).map(|room| (room, place.value())));
            }
            ends.sort_by_key(|(_, place)| *place);
            ends.truncate(limit);
            Ok(ends)
        })
        .await
    }

    /// Stores a change, all of it or nothing.
    pub(crate) async fn change_sender(&self, change: SenderChange) -> Result<(), StoreError> {
        self.write(move |write| {
            if let Some(routed) = change.routed {
                write.open_table(NUMBERS)?.insert(ROUTED, routed.0)?;
            }
            let mut destinations = write.open_table(DESTINATIONS)?;
            for (name, destination) in &change.destinations {
                let row = serde_json::to_vec(destination).unwrap_or_default();
                destinations.insert(name.as_str(), row.as_slice())?;
            }
            let mut ends = write.open_table(ENDS)?;
            for (name, room, place) in &change.ends {
                ends.insert((name.as_str(), room.as_str()), *place)?;
            }
            for (name, room, place) in &change.sent_ends {
                let key = (name.as_str(), room.as_str());
                let now = ends.get(key)?.map(|row| row.value());
                if now == Some(*place) {
                    ends.remove(key)?;
                }
            }
            let mut relayed = write.open_table(RELAYED)?;
            for event in &change.relayed {
                relayed.remove(event.as_str())?;
            }
            Ok(())
        })
        .await
    }
}
