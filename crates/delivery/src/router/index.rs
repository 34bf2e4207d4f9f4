//! The subscribers of each room.
//!
//! **Invariant:** it holds only users with a subscriber, each once for all devices.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use rookery_domain::{Membership, OwnedUserId, UserId};
use rookery_log::{Position, StreamId, StreamKind};
use rookery_projection::Committed;
use rookery_view::{View, invites_elsewhere};

use super::inbox::{Inbox, Pushed, WaitingCommit};
use crate::feed::{about, in_room, is_about, membership_after};

/// Identifies a user with subscribers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key(u64);

/// A user with subscribers.
struct Listener {
    user: OwnedUserId,
    inboxes: Vec<Arc<Inbox>>,
    /// The rooms that the user is joined to.
    rooms: HashSet<StreamId>,
}

/// The result of a batch of commits.
#[derive(Default)]
pub(super) struct Batch {
    /// The inboxes to wake.
    pub(super) wake: Vec<Arc<Inbox>>,
    /// Entries put into inboxes.
    pub(super) routed: usize,
    /// Users whose inboxes are full, with the inboxes.
    pub(super) full: Vec<(OwnedUserId, Arc<Inbox>)>,
}

/// Users by room, and their inboxes.
pub(super) struct Index {
    /// All commits up to here are in the inboxes, and in the memberships.
    pub(super) position: Position,
    keys: HashMap<OwnedUserId, Key>,
    listeners: HashMap<Key, Listener>,
    rooms: HashMap<StreamId, HashSet<Key>>,
    next_key: u64,
    inbox_entries_max: usize,
}

impl Index {
    /// An index without subscribers, as of `position`.
    pub(super) fn new(position: Position, inbox_entries_max: usize) -> Self {
        Self {
            position,
            keys: HashMap::new(),
            listeners: HashMap::new(),
            rooms: HashMap::new(),
            next_key: 0,
            inbox_entries_max,
        }
    }

    pub(super) fn knows(&self, user: &UserId) -> bool {
        self.keys.contains_key(user)
    }

    /// Adds a subscriber of `user`, who is joined to `rooms` as of [`Self::position`]. For a user
    /// in the index, `rooms` is not called.
    pub(super) fn add(
        &mut self,
        user: &UserId,
        rooms: impl IntoIterator<Item = StreamId>,
        inbox: Arc<Inbox>,
    ) {
        if let Some(listener) = self.keys.get(user).and_then(|key| self.listeners.get_mut(key)) {
            listener.inboxes.push(inbox);
            return;
        }
        self.next_key += 1;
        let key = Key(self.next_key);
        let rooms: HashSet<_> = rooms.into_iter().collect();
        for room in &rooms {
            self.rooms.entry(room.clone()).or_default().insert(key);
        }
        self.keys.insert(user.to_owned(), key);
        self.listeners.insert(key, Listener { user: user.to_owned(), inboxes: vec![inbox], rooms });
    }

    /// Removes a subscriber, and returns whether it was there.
    pub(super) fn remove(&mut self, user: &UserId, inbox: &Arc<Inbox>) -> bool {
        let Some(key) = self.keys.get(user).copied() else { return false };
        let Some(listener) = self.listeners.get_mut(&key) else { return false };
        let before = listener.inboxes.len();
        listener.inboxes.retain(|other| !Arc::ptr_eq(other, inbox));
        let removed = listener.inboxes.len() < before;
        if listener.inboxes.is_empty() {
            self.forget(key);
        }
        removed
    }

    fn forget(&mut self, key: Key) {
        let Some(listener) = self.listeners.remove(&key) else { return };
        self.keys.remove(&listener.user);
        for room in &listener.rooms {
            self.leave(room, key);
        }
    }

    fn leave(&mut self, room: &StreamId, key: Key) {
        if let Some(keys) = self.rooms.get_mut(room) {
            keys.remove(&key);
            if keys.is_empty() {
                self.rooms.remove(room);
            }
        }
    }

    /// Removes all subscribers.
    pub(super) fn clear(&mut self) -> Vec<Arc<Inbox>> {
        self.keys.clear();
        self.rooms.clear();
        self.listeners.drain().flat_map(|(_, listener)| listener.inboxes).collect()
    }

    /// Puts the next commit, which `view` has applied, into the inboxes of the users that it
    /// concerns.
    pub(super) fn route(&mut self, committed: &Committed, view: &View<'_>, batch: &mut Batch) {
        match committed.kind {
            Some(StreamKind::Room) => self.route_room(committed, view, batch),
            Some(StreamKind::User) => self.route_account(committed, view, batch),
            Some(StreamKind::Alias) => self.route_alias(committed, view, batch),
            None => {}
        }
        self.position = committed.position;
    }

    fn route_room(&mut self, committed: &Committed, view: &View<'_>, batch: &mut Batch) {
        let (position, stream) = (committed.position, &committed.stream);
        let bots = self.route_to_bots(committed, view, batch);
        let mut concerned: Vec<Key> = about(committed).filter_map(|user| self.key(user)).collect();
        concerned.retain(|key| !bots.contains(key));
        concerned.sort_unstable_by_key(|key| key.0);
        concerned.dedup();
        for key in self.rooms.get(stream).into_iter().flatten() {
            if !concerned.contains(key) && !bots.contains(key) {
                self.put(
                    *key,
                    WaitingCommit { position, before: Membership::Join, plain: true },
                    batch,
                );
            }
        }
        for key in concerned {
            let Some(listener) = self.listeners.get_mut(&key) else { continue };
            let before = if listener.rooms.contains(stream) {
                Membership::Join
            } else {
                // A model that has parked the room may not know yet that the user has left it.
                let before = Position(position.0.saturating_sub(1));
                let before = in_room(view, &listener.user, stream, before);
                if before == Membership::Join { Membership::Leave } else { before }
            };
            let after = membership_after(&listener.user, committed, before);
            self.put(key, WaitingCommit { position, before, plain: false }, batch);
            self.set(key, stream, after);
        }
    }

    /// Puts a commit of a room into the inboxes of the bots that it concerns. Returns all bots that
    /// have inboxes.
    fn route_to_bots(
        &mut self,
        committed: &Committed,
        view: &View<'_>,
        batch: &mut Batch,
    ) -> Vec<Key> {
        let bots = view.bots().filter_map(|bot| Some((bot, self.key(bot.as_str())?)));
        let bots: Vec<_> = bots.collect();
        for (bot, key) in &bots {
            let Some(followed) = view.followed_commit(bot, committed) else { continue };
            if followed.concerns() {
                let plain = followed.is_plain() && !is_about(committed, bot);
                let (position, before) = (committed.position, followed.before);
                self.put(*key, WaitingCommit { position, before, plain }, batch);
            }
            self.set(*key, &committed.stream, followed.last());
        }
        bots.into_iter().map(|(_, key)| key).collect()
    }

    /// Puts the commit of an alias into the inboxes of the bots to whom it opens or closes a room.
    fn route_alias(&mut self, committed: &Committed, view: &View<'_>, batch: &mut Batch) {
        let bots = view.bots().filter_map(|bot| Some((bot, self.key(bot.as_str())?)));
        let bots: Vec<_> = bots.collect();
        for (bot, key) in bots {
            let moved = view.followed_by_alias(bot, committed);
            if !moved.is_empty() {
                let (position, before) = (committed.position, Membership::None);
                self.put(key, WaitingCommit { position, before, plain: false }, batch);
            }
            for room in moved {
                let stream = StreamId::new(StreamKind::Room, room.room_id.as_str());
                let after = if room.is_open { Membership::Join } else { Membership::Leave };
                self.set(key, &stream, after);
            }
        }
    }

    fn set(&mut self, key: Key, room: &StreamId, membership: Membership) {
        let Some(listener) = self.listeners.get_mut(&key) else { return };
        if membership != Membership::Join {
            listener.rooms.remove(room);
            self.leave(room, key);
        } else if listener.rooms.insert(room.clone()) {
            self.rooms.entry(room.clone()).or_default().insert(key);
        }
    }

    fn route_account(&self, committed: &Committed, view: &View<'_>, batch: &mut Batch) {
        let position = committed.position;
        let owner = committed.stream.split().and_then(|(_, user)| self.key(user));
        if let Some(owner) = owner {
            self.put(
                owner,
                WaitingCommit { position, before: Membership::None, plain: false },
                batch,
            );
        }
        if invites_elsewhere(committed).next().is_some() {
            for bot in view.bots() {
                let Some(key) = self.key(bot.as_str()) else { continue };
                if !view.invites_of_service(bot, committed).is_empty() {
                    let before = Membership::None;
                    self.put(key, WaitingCommit { position, before, plain: false }, batch);
                }
            }
        }
        let plain = committed.receipts.len() == 1;
        let entry = WaitingCommit { position, before: Membership::Join, plain };
        let readers = committed.receipts.iter().filter_map(|(_, room)| self.rooms.get(room));
        let readers = readers.flatten().copied().filter(|key| Some(*key) != owner);
        if plain {
            readers.for_each(|key| self.put(key, entry, batch));
        } else {
            for key in readers.collect::<HashSet<_>>() {
                self.put(key, entry, batch);
            }
        }
    }

    fn key(&self, user: &str) -> Option<Key> {
        self.keys.get(<&UserId>::try_from(user).ok()?).copied()
    }

    fn put(&self, key: Key, entry: WaitingCommit, batch: &mut Batch) {
        let Some(listener) = self.listeners.get(&key) else { return };
        for inbox in &listener.inboxes {
            batch.routed += 1;
            match inbox.push(entry, self.inbox_entries_max) {
                Pushed::First => batch.wake.push(Arc::clone(inbox)),
                Pushed::Behind | Pushed::Closed => {}
                Pushed::Overflowed => {
                    batch.wake.push(Arc::clone(inbox));
                    batch.full.push((listener.user.clone(), Arc::clone(inbox)));
                }
            }
        }
    }
}
