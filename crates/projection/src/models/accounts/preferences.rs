//! Preferences of users, for their own devices.
//!
//! **Invariant:** a row has no entry for a room whose preferences are the defaults.

use std::collections::BTreeMap;

use rookery_domain::{AccountEvent, Fact, OwnedRoomId, RoomId, RoomPreferences};
use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use crate::Committed;
use crate::models::{Fold, StreamKey, Unfit};

/// The preferences of one user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Preferences {
    rooms: BTreeMap<OwnedRoomId, RoomPreferences>,
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
}

impl Fold for Preferences {
    const NAME: &'static str = "preferences";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::User;
    type Shared = ();

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        for fact in committed.facts.iter().flatten() {
            let Fact::Account(AccountEvent::RoomPreferencesChanged { room_id, preferences }) = fact
            else {
                continue;
            };
            if *preferences == RoomPreferences::default() {
                self.rooms.remove(room_id);
            } else {
                self.rooms.insert(room_id.clone(), *preferences);
            }
        }
        Ok(())
    }
}
