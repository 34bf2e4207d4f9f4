//! Aliases and the rooms that they point to.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    path::Path,
};

use rookery_domain::{AliasEvent, Fact, OwnedRoomId, OwnedUserId, RoomId, UserId};
use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use crate::Committed;
use crate::models::{Fold, Rows, Shared, StreamKey, Unfit};

/// The target of an alias.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AliasTarget {
    /// The room, and the user who claimed the alias for it.
    pub(crate) claim: Option<(OwnedRoomId, OwnedUserId)>,
}

impl Fold for AliasTarget {
    const NAME: &'static str = "aliases";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::Alias;
    type Shared = AliasesOfRooms;

    fn apply(
        &mut self,
        key: StreamKey,
        committed: &Committed,
        rooms: &mut AliasesOfRooms,
    ) -> Result<(), Unfit> {
        rooms.removed(key, Some(self));
        for fact in committed.facts.iter().flatten() {
            let Fact::Alias(event) = fact else { continue };
            self.claim = match event {
                AliasEvent::Claimed { room_id, by } => Some((room_id.clone(), by.clone())),
                AliasEvent::Released { .. } => None,
            };
        }
        rooms.added(key, self);
        Ok(())
    }
}

/// The aliases of each room, and how many each user has claimed.
#[derive(Default)]
pub(crate) struct AliasesOfRooms {
    rooms: HashMap<OwnedRoomId, BTreeSet<StreamKey>>,
    users: HashMap<OwnedUserId, usize>,
}

impl AliasesOfRooms {
    pub(crate) fn of(&self, room: &RoomId) -> impl Iterator<Item = StreamKey> {
        self.rooms.get(room).into_iter().flatten().copied()
    }

    /// How many aliases with a room the user has claimed.
    pub(crate) fn count_of(&self, user: &UserId) -> usize {
        self.users.get(user).copied().unwrap_or_default()
    }
}

impl Shared<AliasTarget> for AliasesOfRooms {
    type Saved = ();

    fn create(_: &Path, _: usize) -> io::Result<Self> {
        Ok(Self::default())
    }

    fn added(&mut self, key: StreamKey, row: &AliasTarget) {
        if let Some((room, user)) = &row.claim
            && self.rooms.entry(room.clone()).or_default().insert(key)
        {
            *self.users.entry(user.clone()).or_default() += 1;
        }
    }

    fn removed(&mut self, key: StreamKey, row: Option<&AliasTarget>) {
        let Some((room, user)) = row.and_then(|row| row.claim.as_ref()) else { return };
        let was_there = self.rooms.get_mut(room).is_some_and(|aliases| aliases.remove(&key));
        if let Some(count) = self.users.get_mut(user).filter(|_| was_there) {
            *count -= 1;
            if *count == 0 {
                self.users.remove(user);
            }
        }
    }

    fn merge(&mut self, other: Self, _: &mut Rows<AliasTarget>) {
        for (room, aliases) in other.rooms {
            self.rooms.entry(room).or_default().extend(aliases);
        }
        for (user, count) in other.users {
            *self.users.entry(user).or_default() += count;
        }
    }

    fn save(&self) -> io::Result<()> {
        Ok(())
    }
}
