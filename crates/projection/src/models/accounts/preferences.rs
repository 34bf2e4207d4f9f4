//! Preferences of users, for their own devices.
//!
//! **Invariant:** the content of account data stays in the log; a row names its place.
//! **Invariant:** a row has no entry for a room whose preferences are the defaults.

use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Included, Unbounded},
};

use rookery_domain::{
    AccountEvent, Fact, IgnoredUsers, OwnedRoomId, RoomId, RoomPreferences, RoomsElsewhere,
};
use rookery_log::{Position, StreamKind};
use serde::{Deserialize, Serialize};

use crate::Committed;
use crate::models::{Fold, StreamKey, Unfit};

/// The place of account data in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataPlace {
    /// Its commit.
    pub position: Position,
    /// Its index there.
    pub index: usize,
    /// The size of the commit.
    pub len_bytes: usize,
}

/// The preferences of one user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Preferences {
    rooms: BTreeMap<OwnedRoomId, RoomPreferences>,
    /// By the room that it is about, if any, and by type.
    data: BTreeMap<(Option<OwnedRoomId>, Box<str>), DataPlace>,
    ignored: IgnoredUsers,
    elsewhere: RoomsElsewhere,
}

impl Preferences {
    /// The preferences for a room.
    #[must_use]
    pub fn of_room(&self, room: &RoomId) -> RoomPreferences {
        self.rooms.get(room).copied().unwrap_or_default()
    }

    /// The preferences for rooms that are not the defaults, by room.
    #[must_use]
    pub fn rooms(&self) -> impl ExactSizeIterator<Item = (&RoomId, RoomPreferences)> {
        self.rooms.iter().map(|(room, preferences)| (&**room, *preferences))
    }

    /// The users whom the user ignores.
    #[must_use]
    pub fn ignored(&self) -> &IgnoredUsers {
        &self.ignored
    }

    /// The rooms elsewhere that the user is invited to, or has asked to join.
    #[must_use]
    pub fn elsewhere(&self) -> &RoomsElsewhere {
        &self.elsewhere
    }

    /// Account data about a room, or about none: the type and the place of each entry after the
    /// given type.
    pub fn data(
        &self,
        room: Option<&RoomId>,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&str, DataPlace)> {
        let room = room.map(ToOwned::to_owned);
        let begin = match after {
            Some(after) => Excluded((room.clone(), after.into())),
            None => Included((room.clone(), "".into())),
        };
        let data = self.data.range((begin, Unbounded));
        let of_room = data.take_while(move |((other, _), _)| *other == room);
        of_room.map(|((_, kind), place)| (&**kind, *place))
    }

    /// The place of account data of one type.
    #[must_use]
    pub fn data_of(&self, room: Option<&RoomId>, kind: &str) -> Option<DataPlace> {
        self.data.get(&(room.map(ToOwned::to_owned), kind.into())).copied()
    }
}

impl Fold for Preferences {
    const NAME: &'static str = "preferences";
    const VERSION: u32 = 4;
    const KIND: StreamKind = StreamKind::User;
    type Shared = ();

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        for (index, fact) in committed.facts.iter().enumerate() {
            match fact {
                Ok(Fact::Account(AccountEvent::RoomPreferencesChanged {
                    room_id,
                    preferences,
                })) => {
                    if *preferences == RoomPreferences::default() {
                        self.rooms.remove(room_id);
                    } else {
                        self.rooms.insert(room_id.clone(), *preferences);
                    }
                }
                Ok(Fact::Account(AccountEvent::DataChanged { room_id, kind, .. })) => {
                    let (position, len_bytes) = (committed.position, committed.len_bytes);
                    let place = DataPlace { position, index, len_bytes };
                    self.data.insert((room_id.clone(), kind.as_str().into()), place);
                }
                Ok(Fact::Account(AccountEvent::DataDeleted { room_id, kind })) => {
                    self.data.remove(&(room_id.clone(), kind.as_str().into()));
                }
                Ok(Fact::Account(event)) => {
                    self.ignored.evolve(event);
                    self.elsewhere.evolve(event, committed.position.0);
                }
                _ => {}
            }
        }
        Ok(())
    }
}
