//! The public directory as an index: the listed rooms by size, with the text for searches.
//!
//! **Invariant:** the cost of a page follows its size. A search reads the texts without the models,
//! on a thread that may block, one search at a time; no search delays a commit.
//! **Invariant:** a commit marks the rooms that it changes. When the list is requested, a task
//! checks them, a few at a time; no single reader drives it.
//! **Invariant:** the pages of one list have the order of the position at which its first page was
//! read, while that list is among the last [`LISTS_MAX`].

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

use imbl::OrdMap;
use parking_lot::Mutex;
use rookery_domain::{AliasEvent, Fact, RoomAliasId, RoomId, normal};
use rookery_log::{Position, StreamKind};
use rookery_projection::{Committed, Models, Observer, RoomMembers, StreamKey};

use crate::Reader;

/// Rooms that are checked during one lock of the models.
const ROOMS_AT_ONCE: usize = 256;

/// How many lists are remembered for their next pages. They share their common parts.
const LISTS_MAX: usize = 256;

/// The rooms of a list, with their texts for searches in normal form: largest first, and oldest
/// first among equal sizes.
type List = OrdMap<(Reverse<u64>, StreamKey), Arc<str>>;

/// The index.
#[derive(Default)]
pub(crate) struct ListedRooms {
    /// Rooms that changed since their last check; `None` before the first check, which covers all
    /// rooms.
    changed: Mutex<Option<BTreeSet<StreamKey>>>,
    state: Mutex<State>,
    /// Locked by the one task that checks rooms.
    refreshing: tokio::sync::Mutex<()>,
    /// Locked by the one search that runs.
    searching: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct State {
    rooms: List,
    /// The size of each listed room in the list.
    sizes: HashMap<StreamKey, u64>,
    /// The earlier lists, with the position from which each was valid.
    lists: VecDeque<(Position, List)>,
    /// Whether `rooms` differs from the last of them.
    is_new: bool,
}

/// The begin and the search of a page.
pub(crate) struct Asked {
    /// Only rooms with this in their text, in normal form.
    pub(crate) search: Option<Box<str>>,
    /// Only rooms after this one, in the list of this position.
    pub(crate) after: Option<(Position, u64, StreamKey)>,
    pub(crate) limit: usize,
}

/// A page of a list.
pub(crate) struct Found {
    pub(crate) position: Position,
    pub(crate) rooms: Vec<(u64, StreamKey)>,
    pub(crate) has_more: bool,
    pub(crate) total: usize,
}

impl Observer for ListedRooms {
    /// The commit may take an alias from a room.
    fn before(&self, models: &Models, committed: &Committed) {
        let Some((StreamKind::Alias, alias)) = committed.stream.split() else { return };
        let alias = <&RoomAliasId>::try_from(alias).ok();
        if let Some(room) = alias.and_then(|alias| models.alias_target(alias)) {
            self.note(models, room);
        }
    }

    fn after(&self, models: &Models, committed: &Committed) {
        match committed.stream.split() {
            Some((StreamKind::Room, room)) => {
                let changes = committed.room_events().any(|(_, event)| {
                    event.state_changes().next().is_some() || !event.erases().is_empty()
                });
                if changes && let Ok(room) = <&RoomId>::try_from(room) {
                    self.note(models, room);
                }
            }
            Some((StreamKind::Alias, _)) => {
                for fact in committed.facts.iter().flatten() {
                    if let Fact::Alias(AliasEvent::Claimed { room_id, .. }) = fact {
                        self.note(models, room_id);
                    }
                }
            }
            Some((StreamKind::User, _)) | None => {}
        }
    }

    /// All rooms are checked again.
    fn reset(&self) {
        *self.changed.lock() = None;
    }
}

impl ListedRooms {
    fn note(&self, models: &Models, room: &RoomId) {
        if let Some(changed) = &mut *self.changed.lock()
            && let Some(key) = models.room(room)
        {
            changed.insert(key);
        }
    }

    /// How many rooms have changed; `None` before the first check.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Option<usize> {
        self.changed.lock().as_ref().map(BTreeSet::len)
    }

    /// The turn of a search.
    #[cfg(test)]
    pub(crate) async fn searching(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.searching).lock_owned().await
    }

    /// Some of the rooms to check, and whether these are all.
    fn take(&self, models: &Models) -> (Vec<StreamKey>, bool) {
        let mut changed = self.changed.lock();
        let changed = changed.get_or_insert_with(|| models.rooms().collect());
        let taken: Vec<_> = changed.iter().take(ROOMS_AT_ONCE).copied().collect();
        for key in &taken {
            changed.remove(key);
        }
        (taken, changed.is_empty())
    }
}

impl State {
    fn put(&mut self, key: StreamKey, entry: Option<(u64, Arc<str>)>) {
        let before = self.sizes.get(&key).copied();
        let known = before.and_then(|size| self.rooms.get(&(Reverse(size), key)));
        if entry.as_ref().map(|(size, text)| (*size, text)) == before.zip(known) {
            return;
        }
        self.is_new = true;
        if let Some(size) = before {
            self.rooms.remove(&(Reverse(size), key));
        }
        match entry {
            Some((size, text)) => {
                self.sizes.insert(key, size);
                self.rooms.insert((Reverse(size), key), text);
            }
            None => drop(self.sizes.remove(&key)),
        }
    }

    /// Makes the list that of the models at `position`.
    fn publish(&mut self, position: Position) {
        if !self.is_new && !self.lists.is_empty() {
            return;
        }
        self.is_new = false;
        self.lists.push_back((position, self.rooms.clone()));
        if self.lists.len() > LISTS_MAX {
            self.lists.pop_front();
        }
    }

    /// The list of `position`; the last one if that is not remembered.
    fn list(&self, position: Option<Position>) -> (Position, List) {
        let asked = self.lists.iter().find(|(of, _)| Some(*of) == position);
        let list = asked.or_else(|| self.lists.back());
        list.cloned().unwrap_or_else(|| (Position::ORIGIN, List::default()))
    }
}

/// The entry of a room in the list, if it is listed.
fn entry(models: &Models, key: StreamKey) -> Option<(u64, Arc<str>)> {
    let summary = models.summary(key).filter(|summary| summary.listed)?;
    let room = models.room_id(key)?;
    let texts = [&summary.name, &summary.topic, &summary.canonical_alias];
    let texts = texts.into_iter().flatten().map(String::as_str);
    let aliases = models.aliases_of(room).map(RoomAliasId::as_str);
    let text = texts.chain(aliases).collect::<Vec<_>>().join("\n");
    let joined = models.members(key).map_or(0, RoomMembers::joined);
    Some((joined, normal(&text).into()))
}

impl Reader {
    /// Checks the changed rooms, until none is left.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "it runs in a task of its own, which no client drives"
    )]
    async fn refresh_listed(&self) {
        let _turn = self.listed.refreshing.lock().await;
        loop {
            let is_done = {
                let models = self.models.read();
                let (keys, is_all) = self.listed.take(&models);
                let mut state = self.listed.state.lock();
                for key in keys {
                    state.put(key, entry(&models, key));
                }
                if is_all {
                    state.publish(models.position());
                }
                is_all
            };
            if is_done {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// A page of the public list: the present list, or the one that the page continues.
    pub(super) async fn list(&self, asked: Asked) -> Found {
        if asked.after.is_none() {
            let reader = self.clone();
            // The task continues for other readers if this reader goes away.
            let refreshed = tokio::spawn(async move { reader.refresh_listed().await }).await;
            if let Err(error) = refreshed {
                tracing::error!(%error, "the public list is not up to date");
            }
        }
        let of = asked.after.map(|(position, ..)| position);
        let (position, list) = self.listed.state.lock().list(of);
        if asked.search.is_none() {
            return page(position, &list, &asked);
        }
        let searching = Arc::clone(&self.listed.searching);
        // A reader that is not polled would keep its turn.
        let search = tokio::spawn(async move {
            let turn = searching.lock_owned().await;
            let search = move || {
                let found = page(position, &list, &asked);
                drop(turn);
                found
            };
            tokio::task::spawn_blocking(search).await
        });
        let none = Found { position, rooms: Vec::new(), has_more: false, total: 0 };
        search.await.ok().and_then(Result::ok).unwrap_or(none)
    }
}

fn page(position: Position, list: &List, asked: &Asked) -> Found {
    let begin = asked.after.map(|(_, size, key)| (Reverse(size), key));
    let from = begin.map_or(Bound::Unbounded, Bound::Excluded);
    let fits = |text: &str| asked.search.as_deref().is_none_or(|search| text.contains(search));
    let rooms = list.range((from, Bound::Unbounded)).filter(|(_, text)| fits(text));
    let mut rooms: Vec<_> =
        rooms.take(asked.limit + 1).map(|((Reverse(size), key), _)| (*size, *key)).collect();
    let has_more = rooms.len() > asked.limit;
    rooms.truncate(asked.limit);
    let total = match asked.search {
        Some(_) => list.values().filter(|text| fits(text)).count(),
        None => list.len(),
    };
    Found { position, rooms, has_more, total }
}
