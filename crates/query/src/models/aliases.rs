//! Aliases: which room each of them points to.

use std::{
    collections::{BTreeSet, HashMap},
    io,
};

use rookery_domain::{AliasEvent, Fact, OwnedRoomId, OwnedUserId, RoomId};
use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use super::{Fold, Rows, Shared, StreamKey, Unfit};
use crate::Committed;

/// Where an alias points.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AliasTarget {
    /// The room, and who claimed the alias for it.
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

/// The aliases that point to each room.
#[derive(Default)]
pub(crate) struct AliasesOfRooms(HashMap<OwnedRoomId, BTreeSet<StreamKey>>);

impl AliasesOfRooms {
    pub(crate) fn of(&self, room: &RoomId) -> impl Iterator<Item = StreamKey> {
        self.0.get(room).into_iter().flatten().copied()
    }
}

impl Shared<AliasTarget> for AliasesOfRooms {
    type Saved = ();

    fn added(&mut self, key: StreamKey, row: &AliasTarget) {
        if let Some((room, _)) = &row.claim {
            self.0.entry(room.clone()).or_default().insert(key);
        }
    }

    fn removed(&mut self, key: StreamKey, row: Option<&AliasTarget>) {
        let Some((room, _)) = row.and_then(|row| row.claim.as_ref()) else { return };
        if let Some(aliases) = self.0.get_mut(room) {
            aliases.remove(&key);
        }
    }

    fn merge(&mut self, other: Self, _: &mut Rows<AliasTarget>) {
        for (room, aliases) in other.0 {
            self.0.entry(room).or_default().extend(aliases);
        }
    }

    fn save(&self) -> io::Result<()> {
        Ok(())
    }
}
