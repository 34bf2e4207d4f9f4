//! A room in which events of several servers meet, and its state by a simple fold.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use rookery_domain::{EventStatus, Membership, OwnedEventId, Room, SlotChange, StoredFact, UserId};
use rookery_log::{EventLog, Position, Scope};
use rookery_projection::{Committed, RowKey, decode};
use rookery_view::Viewer;
use serde_json::json;

use crate::{
    Feeds,
    tests::testing::{Scene, room, user},
};

pub(super) const USERS: [&str; 3] = ["alice", "bob", "carol"];
const MEMBERSHIPS: [&str; 5] = ["join", "join", "leave", "invite", "ban"];
const KINDS: [&str; 4] = ["m.room.name", "m.room.topic", "m.room.history_visibility", "test.state"];

/// An operation. Numbers choose users, slots and values.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Message(usize),
    State(usize, u8),
    Member(usize, usize),
    /// An event of another server: its content, how far back it is, whether it holds its slot, its
    /// status, and the slots that it gives to earlier events, or empties.
    Foreign {
        state: Option<(usize, u8)>,
        back: u64,
        takes: bool,
        status: usize,
        changes: Vec<(usize, bool)>,
    },
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let state = (0..KINDS.len(), any::<u8>());
    let changes = proptest::collection::vec((any::<usize>(), any::<bool>()), 0..3);
    prop_oneof![
        2 => (0..USERS.len()).prop_map(Act::Message),
        2 => state.clone().prop_map(|(kind, value)| Act::State(kind, value)),
        3 => (0..USERS.len(), 0..MEMBERSHIPS.len()).prop_map(|(who, what)| Act::Member(who, what)),
        6 => (proptest::option::of(state), 0u64..6, any::<bool>(), 0usize..5, changes).prop_map(
            |(state, back, takes, status, changes)| {
                Act::Foreign { state, back, takes, status, changes }
            }
        ),
    ]
}

/// The holder of each slot.
pub(super) type State = BTreeMap<(String, String), OwnedEventId>;

/// The room, and its state after each event.
pub(super) struct Story {
    pub(super) scene: Scene,
    room: Room,
    /// After each event, by commit and index.
    states: BTreeMap<(Position, usize), State>,
    pub(super) commits: Vec<Arc<Committed>>,
}

impl Story {
    pub(super) async fn begin() -> Self {
        let mut scene = Scene::new();
        scene.create("a", "alice").await;
        let (room, states) = (Room::new(room("a")), BTreeMap::new());
        let mut story = Self { scene, room, states, commits: Vec::new() };
        story.fold().await;
        story
    }

    pub(super) async fn play(&mut self, act: &Act) {
        match act {
            Act::Message(who) => self.scene.message("a", USERS[*who]).await,
            Act::State(kind, value) => {
                let content = content(KINDS[*kind], *value);
                self.scene.send("a", "alice", KINDS[*kind], Some(""), content).await
            }
            Act::Member(who, what) => self.scene.member("a", USERS[*who], MEMBERSHIPS[*what]).await,
            Act::Foreign { state, back, takes, status, changes } => {
                let (kind, key, value) = match state {
                    Some((kind, value)) => (KINDS[*kind], Some(""), content(KINDS[*kind], *value)),
                    None => ("m.room.message", None, json!({ "body": "hello" })),
                };
                let event = self.scene.event("a", "bob", kind, key, &value, *back);
                let status = match status {
                    0 => EventStatus::Rejected,
                    1 => EventStatus::SoftFailed,
                    _ => EventStatus::Accepted,
                };
                let own = key.filter(|_| *takes && status != EventStatus::Rejected);
                let slots = self.changes(kind, &event, own.is_some(), changes);
                let slots = (status != EventStatus::Rejected).then_some(slots);
                self.scene.receive("a", event, status, slots).await
            }
        };
        self.fold().await;
    }

    /// Each slot once, without slots that do not change.
    fn changes(
        &self,
        kind: &str,
        event: &StoredFact,
        takes: bool,
        changes: &[(usize, bool)],
    ) -> Vec<SlotChange> {
        let mut slots: BTreeMap<(String, String), SlotChange> = BTreeMap::new();
        for (which, held) in changes {
            let Some(mut change) = self.scene.former("a", *which) else { continue };
            if change.kind == "m.room.create" {
                continue;
            }
            if !held {
                change.holder = None;
            }
            let holder = self.room.state(&change.kind, &change.state_key);
            let now = change.holder.as_ref().map(|holder| &holder.event_id);
            if holder.map(|pdu| &pdu.event_id) != now {
                slots.insert((change.kind.clone(), change.state_key.clone()), change);
            }
        }
        if takes {
            let event_id = event.id.as_str().try_into().unwrap();
            let holder = Some(rookery_domain::Holder { event_id, position: None, index: 0 });
            let change = SlotChange { kind: kind.into(), state_key: String::new(), holder };
            slots.insert((kind.into(), String::new()), change);
        }
        slots.into_values().collect()
    }

    /// Folds new events, as the write side does.
    async fn fold(&mut self) {
        let after = self.commits.last().map_or(Position::ORIGIN, |last| last.position);
        let records = self.scene.log.read(&Scope::All, after, 4_096).await.unwrap();
        for commit in decode(&*self.scene.log, &records).await.unwrap() {
            for (index, event) in commit.room_events() {
                self.room.evolve(event);
                let slot = |pdu: &rookery_domain::Pdu| {
                    let (kind, state_key) = pdu.state_slot().unwrap();
                    ((kind, state_key.to_owned()), pdu.event_id.clone())
                };
                let state = self.room.state_events().map(|pdu| slot(pdu)).collect();
                self.states.insert((commit.position, index), state);
            }
            self.commits.push(Arc::new(commit));
        }
    }

    pub(super) fn state_after(&self, position: Position, index: usize) -> &State {
        &self.states[&(position, index)]
    }

    pub(super) fn state(&self) -> &State {
        self.states.values().next_back().unwrap()
    }

    pub(super) fn membership(&self, who: &UserId) -> Membership {
        self.room.membership(who)
    }

    /// Compares the models with the fold, now and as of every earlier commit.
    pub(super) fn check_models(&self, models: &Feeds) {
        let view = models.view();
        let found = view.room(&room("a")).unwrap();
        let id = |key: RowKey| {
            let commit = self.commits.iter().find(|commit| commit.position == key.position);
            commit.unwrap().room_event(key.index.into()).unwrap().pdu.event_id.clone()
        };
        let slot = |(kind, state_key, key): (&str, &str, RowKey)| {
            ((kind.to_owned(), state_key.to_owned()), id(key))
        };
        assert_eq!(found.state_all().map(slot).collect::<State>(), *self.state());
        for commit in &self.commits {
            let at = commit.position;
            let held = found.state_all_at(at).map(|held| slot(held.unwrap()));
            let (_, expected) = self.states.range(..=(at, usize::MAX)).next_back().unwrap();
            assert_eq!(held.collect::<State>(), *expected, "as of {at}");
        }
        let text = |kind: &str, key: &str| {
            let pdu = self.room.state(kind, "")?;
            let content: serde_json::Value = pdu.content_as()?;
            Some(content.get(key)?.as_str()?.to_owned())
        };
        assert_eq!(found.summary().name, text("m.room.name", "name"));
        assert_eq!(found.summary().topic, text("m.room.topic", "topic"));
        let visibility = self.room.state("m.room.history_visibility", "");
        let visibility = visibility.map(|pdu| rookery_domain::HistoryVisibility::of(pdu));
        assert_eq!(found.summary().history_visibility(), visibility.unwrap_or_default());
        assert_eq!(found.joined_count(), self.room.joined_count() as u64);
        assert_eq!(found.invited_count(), self.room.invited_count() as u64);
        for name in USERS {
            let membership = self.room.membership(&user(name));
            assert_eq!(view.membership(&room("a"), &user(name)), membership, "{name}");
            let rooms = view.rooms_of(&user(name), membership, None, 10).rooms;
            let knows = found.member(&user(name)).is_some();
            assert_eq!(rooms.iter().any(|room| room.id() == found.id()), knows, "{name}");
        }
    }

    /// The timeline has every event in its place, and each late event names the event before it.
    pub(super) async fn check_timeline(&self, models: &Feeds) {
        let rows = models.view().room(&room("a")).unwrap().rows_after(None, usize::MAX).unwrap();
        assert!(rows.is_sorted_by_key(|row| row.key));
        let events = self.commits.iter().map(|commit| commit.room_events().count());
        assert_eq!(rows.len(), events.sum::<usize>());
        for row in &rows {
            let shown = rows.iter().filter(|other| !other.flags.is_hidden());
            let earlier = shown.filter(|other| other.sequence < row.sequence);
            let is_late = earlier.clone().any(|other| other.key > row.key);
            assert_eq!(row.flags.is_late(), is_late, "{row:?}");
            for viewer in [Viewer::Server, Viewer::User(user("bob"))] {
                let expected = {
                    let view = models.view();
                    let sight = view.room(&room("a")).unwrap().sight(&viewer);
                    let before = earlier.clone().filter(|other| {
                        other.key < row.key
                            && !other.flags.is_superseded()
                            && sight.sees(other.sequence)
                    });
                    before.map(|other| other.key).max()
                };
                let found =
                    models.reader().event_before(&room("a"), &viewer, row.key).await.unwrap();
                assert_eq!(found.map(|event| event.row.key), expected, "{row:?}");
            }
        }
    }
}

fn content(kind: &str, value: u8) -> serde_json::Value {
    match kind {
        "m.room.name" => json!({ "name": format!("name {value}") }),
        "m.room.topic" => json!({ "topic": format!("topic {value}") }),
        "m.room.history_visibility" => {
            let settings = ["shared", "joined", "invited", "world_readable"];
            json!({ "history_visibility": settings[usize::from(value) % settings.len()] })
        }
        _ => json!({ "value": value }),
    }
}
