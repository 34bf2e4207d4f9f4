//! The active calls of all rooms by user and by deadline, and the file of the past ones.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    io,
    path::Path,
    sync::Arc,
};

use rookery_domain::{Call, CallId, CallState, OwnedUserId, UserId};

use super::RoomCalls;
use crate::{
    models::{Fold, Rows, Shared, StreamKey},
    timeline::BlockStore,
};

/// A call of a room.
type Place = (StreamKey, CallId);

/// The index.
pub(crate) struct CallIndex {
    store: BlockStore,
    users: HashMap<OwnedUserId, BTreeSet<Place>>,
    /// The calls that ring, by the time at which they end unless somebody answers, in milliseconds.
    deadlines: BTreeSet<(u64, Place)>,
}

impl CallIndex {
    fn of_store(store: BlockStore) -> Self {
        Self { store, users: HashMap::new(), deadlines: BTreeSet::new() }
    }

    pub(super) fn store(&self) -> &BlockStore {
        &self.store
    }

    pub(super) fn store_mut(&mut self) -> &mut BlockStore {
        &mut self.store
    }

    /// Adds an active call.
    pub(super) fn add(&mut self, room: StreamKey, call: &Call) {
        let place = (room, call.id.clone());
        for user in [&call.caller, &call.callee] {
            self.users.entry(user.clone()).or_default().insert(place.clone());
        }
        if call.state == CallState::Ringing {
            self.deadlines.insert((call.expires_at.0.into(), place));
        }
    }

    /// Removes active calls, as they were added.
    pub(super) fn remove_all<'a>(
        &mut self,
        room: StreamKey,
        calls: impl Iterator<Item = &'a Call>,
    ) {
        for call in calls {
            let place = (room, call.id.clone());
            for user in [&call.caller, &call.callee] {
                let calls = self.users.get_mut(user);
                if calls.is_some_and(|calls| calls.remove(&place) && calls.is_empty()) {
                    self.users.remove(user);
                }
            }
            self.deadlines.remove(&(call.expires_at.0.into(), place));
        }
    }

    /// The active calls of a user.
    pub(crate) fn of(&self, user: &UserId) -> impl Iterator<Item = &Place> {
        self.users.get(user).into_iter().flatten()
    }

    /// The users who are in a call.
    pub(crate) fn users(&self) -> impl ExactSizeIterator<Item = &UserId> {
        self.users.keys().map(|user| &**user)
    }

    /// The calls that ring, the one that ends first before all others.
    pub(crate) fn ringing(&self) -> impl Iterator<Item = &Place> {
        self.deadlines.iter().map(|(_, place)| place)
    }

    /// The past calls of a room.
    pub(crate) fn past<'a>(&'a self, room: &'a RoomCalls) -> crate::TimelineReader<'a> {
        room.past(&self.store)
    }
}

impl Shared<RoomCalls> for CallIndex {
    type Saved = Vec<(String, u64)>;

    fn create(dir: &Path, part: usize) -> io::Result<Self> {
        BlockStore::create_for(RoomCalls::NAME, dir, part).map(Self::of_store)
    }

    fn open(dir: &Path, saved: Self::Saved) -> io::Result<Self> {
        BlockStore::of_files(dir, saved).map(Self::of_store)
    }

    fn added(&mut self, room: StreamKey, row: &RoomCalls) {
        row.active().for_each(|call| self.add(room, call));
    }

    fn removed(&mut self, room: StreamKey, row: Option<&RoomCalls>) {
        self.remove_all(room, row.into_iter().flat_map(RoomCalls::active));
    }

    fn merge(&mut self, other: Self, rows: &mut Rows<RoomCalls>) {
        let blocks = rows.values_mut().flat_map(|row| row.value.blocks_mut());
        self.store.take_over(other.store, blocks);
        for (user, calls) in other.users {
            self.users.entry(user).or_default().extend(calls);
        }
        self.deadlines.extend(other.deadlines);
    }

    fn save(&self) -> io::Result<Self::Saved> {
        self.store.write_pending()
    }

    fn files(&self) -> Vec<Arc<File>> {
        self.store.handles()
    }
}
