//! Relations: the events that edit, react to, or continue other events.
//!
//! A target is identified only by a hash of its ID, because it may be anywhere in the room, or
//! missing. A reader with the target at hand decides whether an edit counts, because the sender has
//! to be the same.
//!
//! **Invariant:** relations are in the order of the timeline, whatever the order of arrival was.
//! **Invariant:** a redacted event has no relation.

use std::collections::{BTreeMap, HashMap, HashSet};

use rookery_domain::{
    Erased, EventId, EventStatus, OwnedUserId, Relation, RelationKind, RoomEvent, UserId,
    plain_reaction,
};
use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use crate::models::{Fold, IdHash, StreamKey, Unfit, id_hash};
use crate::{Committed, RowKey};

/// An event that relates to another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relating {
    /// Its place in the timeline.
    pub key: RowKey,
    /// Its sequence in the room.
    pub sequence: u64,
    sender: OwnedUserId,
    /// For a reaction: its key.
    reaction: Option<Box<str>>,
}

impl Relating {
    /// Its sender.
    #[must_use]
    pub fn sender(&self) -> &UserId {
        &self.sender
    }
}

/// The events that relate to one event, in the order of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredRelated")]
pub struct Related {
    edits: Vec<Relating>,
    reactions: Vec<Relating>,
    thread: Vec<Relating>,
    /// How many reactions have each key, in its normal form.
    #[serde(skip)]
    keys: BTreeMap<Box<str>, usize>,
}

/// The stored form.
#[derive(Deserialize)]
struct StoredRelated {
    edits: Vec<Relating>,
    reactions: Vec<Relating>,
    thread: Vec<Relating>,
}

impl From<StoredRelated> for Related {
    fn from(StoredRelated { edits, reactions, thread }: StoredRelated) -> Self {
        let mut keys = BTreeMap::new();
        for reaction in &reactions {
            count(&mut keys, reaction, true);
        }
        Self { edits, reactions, thread, keys }
    }
}

/// Counts a new or removed reaction.
fn count(keys: &mut BTreeMap<Box<str>, usize>, relating: &Relating, comes: bool) {
    let Some(key) = relating.reaction.as_deref().map(plain_reaction) else { return };
    match keys.get_mut(&*key) {
        Some(count) if comes => *count += 1,
        Some(count) if *count > 1 => *count -= 1,
        Some(_) => drop(keys.remove(&*key)),
        None if comes => drop(keys.insert(key.into(), 1)),
        None => {}
    }
}

/// The relations of one room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoomRelations {
    // Boxed, because the nodes of such a map are half empty.
    targets: BTreeMap<IdHash, Box<Related>>,
    /// The target and place of each relating event, for its redaction.
    relating: BTreeMap<IdHash, (IdHash, RowKey)>,
}

/// The users who reacted with one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reactions {
    /// The key.
    pub key: Box<str>,
    /// The users, each once, in the order of the timeline.
    pub users: Vec<OwnedUserId>,
}

/// The thread that an event began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thread {
    /// How many events the thread has beside its root.
    pub count: u64,
    /// The last of them.
    pub last: RowKey,
    /// Whether the viewer sent one of them.
    pub participated: bool,
}

impl Related {
    fn of_kind(&mut self, kind: &RelationKind) -> Option<&mut Vec<Relating>> {
        match kind {
            RelationKind::Edit => Some(&mut self.edits),
            RelationKind::Reaction(_) => Some(&mut self.reactions),
            RelationKind::Thread { .. } => Some(&mut self.thread),
            RelationKind::Other => None,
        }
    }

    fn forget(&mut self, key: RowKey) {
        for list in [&mut self.edits, &mut self.reactions, &mut self.thread] {
            if let Ok(place) = list.binary_search_by(|relating| relating.key.cmp(&key)) {
                count(&mut self.keys, &list.remove(place), false);
            }
        }
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.edits.len() + self.reactions.len() + self.thread.len()
    }

    /// Whether there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty() && self.reactions.is_empty() && self.thread.is_empty()
    }

    /// The last edit by the sender of the event, among those that `is_seen` accepts.
    #[must_use]
    pub fn latest_edit(
        &self,
        sender: &UserId,
        is_seen: impl Fn(&Relating) -> bool,
    ) -> Option<RowKey> {
        let mut edits = self.edits.iter().rev();
        edits.find(|edit| edit.sender == sender && is_seen(edit)).map(|edit| edit.key)
    }

    /// How many edits there are, by any user.
    #[must_use]
    pub fn edits_len(&self) -> usize {
        self.edits.len()
    }

    /// How many edits the sender of the event has made.
    #[must_use]
    pub fn edit_count(&self, sender: &UserId) -> usize {
        self.edits.iter().filter(|edit| edit.sender == sender).count()
    }

    /// All edits by the sender of the event.
    #[must_use]
    pub fn edits(&self, sender: &UserId) -> Vec<RowKey> {
        let own = self.edits.iter().filter(|edit| edit.sender == sender);
        own.map(|edit| edit.key).collect()
    }

    /// The reactions that `is_seen` accepts, by key, in the order of the first reaction with each
    /// key.
    #[must_use]
    pub fn reactions(&self, is_seen: impl Fn(&Relating) -> bool) -> Vec<Reactions> {
        let mut found: Vec<Reactions> = Vec::new();
        let (mut places, mut counted) = (HashMap::new(), HashSet::new());
        for reaction in self.reactions.iter().filter(|reaction| is_seen(reaction)) {
            let Some(key) = &reaction.reaction else { continue };
            let place = *places.entry(plain_reaction(key)).or_insert_with(|| {
                found.push(Reactions { key: key.clone(), users: Vec::new() });
                found.len() - 1
            });
            if counted.insert((place, &reaction.sender)) {
                found[place].users.push(reaction.sender.clone());
            }
        }
        found
    }

    /// The events of the thread that `is_seen` accepts; `None` if it accepts none.
    #[must_use]
    pub fn thread(
        &self,
        viewer: Option<&UserId>,
        is_seen: impl Fn(&Relating) -> bool,
    ) -> Option<Thread> {
        let events = || self.thread.iter().filter(|event| is_seen(event));
        let last = events().next_back()?.key;
        let participated = events().any(|event| viewer == Some(&*event.sender));
        Some(Thread { count: events().count() as u64, last, participated })
    }

    /// The last event of the thread that `is_seen` accepts.
    #[must_use]
    pub fn thread_end(&self, is_seen: impl Fn(&Relating) -> bool) -> Option<RowKey> {
        Some(self.thread.iter().rev().find(|event| is_seen(event))?.key)
    }

    /// The keys of all reactions, each once.
    #[must_use]
    pub fn reaction_keys(&self) -> Vec<&str> {
        self.keys.keys().map(|key| &**key).collect()
    }

    /// The keys with which a user has reacted.
    pub fn reactions_of(&self, user: &UserId) -> impl Iterator<Item = &str> {
        let own = self.reactions.iter().filter(move |reaction| reaction.sender == user);
        own.filter_map(|reaction| reaction.reaction.as_deref())
    }
}

impl RoomRelations {
    pub(crate) fn get(&self, event: &EventId) -> Option<&Related> {
        self.targets.get(&id_hash(event.as_str())).map(|related| &**related)
    }

    fn note(&mut self, event: &RoomEvent, key: RowKey, sequence: u64) {
        let pdu = &event.pdu;
        let Some((target, kind)) = Relation::of(pdu).and_then(|relation| relation.to) else {
            return;
        };
        let target = id_hash(target.as_str());
        let related = self.targets.entry(target).or_default();
        if let Some(list) = related.of_kind(&kind) {
            let reaction = match kind {
                RelationKind::Reaction(key) => Some(key.into()),
                _ => None,
            };
            let place = list.partition_point(|other| other.key < key);
            let sender = pdu.sender.clone();
            let relating = Relating { key, sequence, sender, reaction };
            list.insert(place, relating.clone());
            count(&mut related.keys, &relating, true);
            self.relating.insert(id_hash(pdu.event_id.as_str()), (target, key));
        } else if related.is_empty() {
            self.targets.remove(&target);
        }
    }

    /// Removes the relation of a redacted event.
    fn drop_event(&mut self, event: &EventId) {
        let Some((target, key)) = self.relating.remove(&id_hash(event.as_str())) else { return };
        if let Some(related) = self.targets.get_mut(&target) {
            related.forget(key);
            if related.is_empty() {
                self.targets.remove(&target);
            }
        }
    }
}

impl Fold for RoomRelations {
    const NAME: &'static str = "relations";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = ();

    fn forget(&mut self, erased: &Erased) {
        self.drop_event(&erased.event_id);
    }

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        for (index, event) in committed.room_events() {
            if event.envelope.status == EventStatus::Accepted {
                for erased in &event.envelope.erases {
                    self.forget(erased);
                }
                let key = RowKey::of(&event.pdu, committed.position, index);
                self.note(event, key, committed.sequence(index));
            }
        }
        Ok(())
    }
}
