//! The events before a page, and rooms at earlier positions.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use proptest::{collection::vec, prelude::*};
use rookery_domain::{EventStatus, Holder, Membership, Power, SlotChange};
use rookery_log::{EventLog, Position};
use serde_json::json;

use crate::{
    Anchor, Begins, Meter, Missed, Reader, TimelineError, Unmetered, Viewer, Wanted, WantedRooms,
    tests::testing::{Scene, room, settle, user},
};

#[tokio::test]
async fn a_page_says_what_is_before_it() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    let joined = json!({ "history_visibility": "joined" });
    scene.send("a", "alice", "m.room.history_visibility", Some(""), joined).await;
    scene.message("a", "alice").await;
    scene.member("a", "bob", "join").await;
    scene.message("a", "alice").await;
    scene.member("half", "bob", "join").await;
    settle(&models).await;
    let begins = async |name: &str, who: &str, anchor, limit| {
        let viewer = Viewer::User(user(who));
        let wanted = Wanted { anchor, limit, filter: None, until: None };
        models.timeline(&room(name), &viewer, wanted).await.unwrap().begins
    };
    assert_eq!(begins("a", "alice", Anchor::End, 50).await, Begins::Created);
    assert_eq!(begins("a", "alice", Anchor::Start, 2).await, Begins::Created);
    assert_eq!(begins("a", "alice", Anchor::End, 3).await, Begins::More);
    assert_eq!(begins("a", "bob", Anchor::End, 50).await, Begins::Created, "what was open");
    assert_eq!(begins("a", "stranger", Anchor::End, 50).await, Begins::NotVisible);
    assert_eq!(begins("a", "bob", Anchor::End, 1).await, Begins::More);
    assert_eq!(begins("half", "bob", Anchor::End, 50).await, Begins::Missing);
}

/// The state before the join comes as outliers, which take their slots and are never shown.
#[tokio::test]
async fn a_room_that_was_joined_in_the_middle_begins_at_the_join() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    let (alice, join) = (user("alice"), json!({ "membership": "join" }));
    let parts = [
        ("m.room.create", "", json!({ "room_version": "11" })),
        ("m.room.member", alice.as_str(), join.clone()),
        ("m.room.power_levels", "", json!({ "users": { alice.as_str(): 100 } })),
        ("m.room.history_visibility", "", json!({ "history_visibility": "joined" })),
        ("m.room.name", "", json!({ "name": "tea" })),
    ];
    for (kind, state_key, content) in parts {
        let event = scene.event("a", "alice", kind, Some(state_key), &content, 0);
        let event_id = event.id.as_str().try_into().unwrap();
        let holder = Some(Holder { event_id, position: None, index: 0 });
        let (kind, state_key) = (kind.to_owned(), state_key.to_owned());
        let change = SlotChange { kind, state_key, holder };
        scene.receive("a", event, EventStatus::Outlier, Some(vec![change])).await;
    }
    scene.member("a", "bob", "join").await;
    scene.message("a", "alice").await;
    settle(&models).await;
    let page = async |who: &str, anchor| {
        let viewer = Viewer::User(user(who));
        let wanted = Wanted { anchor, limit: 50, filter: None, until: None };
        models.timeline(&room("a"), &viewer, wanted).await.unwrap()
    };
    for anchor in [Anchor::Start, Anchor::End] {
        let page = page("bob", anchor).await;
        assert_eq!((page.events.len(), page.begins), (2, Begins::Missing));
    }
    let view = models.view();
    let found = view.room(&room("a")).unwrap();
    assert_eq!(found.summary().name.as_deref(), Some("tea"));
    assert_eq!(found.summary().power(&alice), Power::Level(100));
    assert_eq!(found.joined_count(), 2);
    assert_eq!(found.summary().version.as_deref(), Some("11"));
    drop(view);
    assert_eq!(page("carol", Anchor::End).await.events.len(), 0);
    // The event that the room began with comes later, and gets its place.
    let create = json!({ "room_version": "11" });
    let event = scene.event("a", "alice", "m.room.create", Some(""), &create, 6);
    scene.receive("a", event, EventStatus::Accepted, Some(Vec::new())).await;
    settle(&models).await;
    assert_eq!(page("bob", Anchor::End).await.begins, Begins::Created);
}

/// The data of a room that the models returned at a position.
#[derive(Debug, PartialEq, Eq)]
struct Shown {
    name: Option<String>,
    joined: u64,
    membership: Membership,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_room_and_the_order_of_rooms_are_known_as_of_any_position(
        acts in vec((0..3usize, 0..6u8, 1..20u64), 1..40),
        since in 0..40u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            const ROOMS: [&str; 3] = ["a", "b", "c"];
            let mut scene = Scene::new();
            let models = scene.open().await;
            for name in ROOMS {
                scene.create(name, "alice").await;
                scene.member(name, "bob", "join").await;
            }
            let bob = user("bob");
            let page = async |at, since, limit, before| {
                let moved = models.moved_since(&bob, at, &|_| true, &Unmetered).await.unwrap();
                let view = models.view();
                let wanted = WantedRooms { at, since, before, limit };
                let page = view.rooms_as_of(&bob, wanted, |_| true, &moved).unwrap();
                let rooms: Vec<_> = page.rooms.iter().map(|room| room.id().to_owned()).collect();
                (rooms, page.next)
            };
            let end = Position(u64::MAX);
            let mut shown = Vec::new();
            for (number, (index, act, back)) in acts.into_iter().enumerate() {
                let name = ROOMS[index];
                match act {
                    0 => scene.late(name, "alice", back).await,
                    1 => {
                        let content = json!({ "name": number.to_string() });
                        scene.send(name, "alice", "m.room.name", Some(""), content).await
                    }
                    2 => scene.member(name, "carol", "join").await,
                    3 => scene.member(name, "carol", "leave").await,
                    _ => scene.message(name, "alice").await,
                };
                settle(&models).await;
                let at = models.view().position();
                let order = page(at, Position::ORIGIN, 9, end).await.0;
                let view = models.view();
                let of = |name: &&str| {
                    let found = view.room(&room(name)).unwrap();
                    let membership = view.membership(&room(name), &user("carol"));
                    let (name, joined) = (found.summary().name.clone(), found.joined_count());
                    Shown { name, joined, membership }
                };
                shown.push((at, order, ROOMS.iter().map(of).collect::<Vec<_>>()));
            }
            for (at, order, rooms) in &shown {
                prop_assert_eq!(&page(*at, Position::ORIGIN, 9, end).await.0, order);
                let (mut paged, mut before) = (Vec::new(), Some(end));
                while let Some(place) = before {
                    let (rooms, next) = page(*at, Position::ORIGIN, 1, place).await;
                    paged.extend(rooms);
                    before = next;
                }
                prop_assert_eq!(&paged, order, "one by one");
                for (name, expected) in ROOMS.iter().zip(rooms) {
                    let past = models.room_at(&room(name), *at).await.unwrap().unwrap();
                    let settings = models.settings_at(&room(name), *at).await.unwrap().unwrap();
                    assert_eq!(settings, past.summary, "without the count of members");
                    let membership =
                        models.view().membership_at(&room(name), &user("carol"), *at);
                    let found = Shown { name: past.summary.name, joined: past.joined, membership };
                    prop_assert_eq!(&found, expected);
                }
            }
            let tail = *scene.log.tail().borrow();
            let since = Position(since.min(tail.0).max(6));
            let (fresh, _) = page(tail, since, 9, end).await;
            for name in ROOMS {
                let missed = models.missed(&room(name), &bob, (since, tail), &Unmetered).await;
                let Missed::Events(rows) = missed.unwrap() else { panic!("it is not too much") };
                let view = models.view();
                let found = view.room(&room(name)).unwrap();
                let all = found.rows_after(None, usize::MAX).unwrap();
                let newer = all.into_iter().filter(|row| row.key.position > since);
                prop_assert!(newer.eq(rows.iter().copied()), "all that came since, in order");
                prop_assert_eq!(fresh.contains(&room(name)), !rows.is_empty());
            }
            Ok(())
        })?;
    }
}

/// Allows a request this much work, and checks at each pause that it has released the models.
struct Limited<'a> {
    models: &'a Reader,
    left: AtomicUsize,
    pauses: AtomicUsize,
}

impl<'a> Limited<'a> {
    fn new(models: &'a Reader, left: usize) -> Self {
        Self { models, left: AtomicUsize::new(left), pauses: AtomicUsize::new(0) }
    }
}

#[async_trait::async_trait]
impl Meter for Limited<'_> {
    fn look_at(&self, units: usize) -> bool {
        self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(units)).is_ok()
    }

    async fn pause(&self) -> bool {
        assert!(!self.models.models().is_held(), "the models are held");
        self.pauses.fetch_add(1, Relaxed);
        true
    }
}

#[tokio::test]
async fn the_models_are_let_go_and_work_is_charged_while_an_earlier_moment_is_looked_for() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    scene.member("a", "bob", "join").await;
    settle(&models).await;
    let at = models.view().position();
    for number in 0..9 {
        scene.member("a", &format!("user{number}"), "join").await;
        let content = json!({ "name": number.to_string() });
        scene.send("a", "alice", "m.room.name", Some(""), content).await;
    }
    settle(&models).await;
    let bob = user("bob");
    let limited = |left| Limited::new(&models, left);
    let enough = limited(100);
    let past = models.room_at_within(&room("a"), at, &enough).await.unwrap().unwrap();
    assert_eq!((past.joined, past.summary.name), (2, Some("a".into())));
    assert!(enough.pauses.load(Relaxed) > 9, "{:?}", enough.pauses);
    let enough = limited(100);
    models.moved_since(&bob, at, &|_| true, &enough).await.unwrap();
    assert!(enough.pauses.load(Relaxed) > 3, "{:?}", enough.pauses);
    let little = limited(1);
    let past = models.room_at_within(&room("a"), at, &little).await;
    assert!(matches!(past, Err(TimelineError::Exhausted)), "{past:?}");
    let little = limited(1);
    let moved = models.moved_since(&bob, at, &|_| true, &little).await;
    assert!(matches!(moved, Err(TimelineError::Exhausted)), "{moved:?}");
}

#[tokio::test]
async fn the_walk_back_over_one_slot_and_over_what_was_missed_is_charged_and_lets_the_models_go() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    scene.member("a", "bob", "join").await;
    settle(&models).await;
    let at = models.view().position();
    for number in 0..64 {
        let content = json!({ "topic": number.to_string() });
        scene.send("a", "alice", "m.room.topic", Some(""), content).await;
    }
    settle(&models).await;
    let limited = |left| Limited::new(&models, left);
    let slots = [("m.room.topic".to_owned(), String::new())];
    let enough = limited(100);
    let held = models.held_at(&room("a"), &slots, at, &enough).await.unwrap();
    assert_eq!((held.len(), enough.left.load(Relaxed)), (0, 96), "64 changes are 4 units");
    assert!(enough.pauses.load(Relaxed) > 30, "{:?}", enough.pauses);
    let little = limited(1);
    let held = models.held_at(&room("a"), &slots, at, &little).await;
    assert!(matches!(held, Err(TimelineError::Exhausted)), "{held:?}");

    let (bob, tail) = (user("bob"), models.view().position());
    let enough = limited(100);
    let missed = models.missed(&room("a"), &bob, (at, tail), &enough).await.unwrap();
    assert!(matches!(missed, Missed::Events(rows) if rows.len() == 64));
    assert!(enough.left.load(Relaxed) <= 96 && enough.pauses.load(Relaxed) > 3);
    let little = limited(1);
    let missed = models.missed(&room("a"), &bob, (at, tail), &little).await;
    assert!(matches!(missed, Err(TimelineError::Exhausted)), "{missed:?}");
}

#[tokio::test]
async fn rooms_closed_before_a_position_are_not_looked_at() {
    let mut scene = Scene::new();
    let bob = user("bob");
    for number in 0..12 {
        let name = format!("room{number}");
        scene.create(&name, "alice").await;
        scene.member(&name, "bob", "join").await;
        if number < 8 {
            scene.member(&name, "bob", "leave").await;
        }
    }
    let since = *scene.log.tail().borrow();
    scene.member("room8", "bob", "leave").await;
    scene.member("room9", "bob", "ban").await;
    scene.member("room9", "bob", "leave").await;
    // These rooms are active again, although they are closed.
    for number in 0..8 {
        scene.message(&format!("room{number}"), "alice").await;
    }
    let live = scene.open().await;
    settle(&live).await;
    live.models().save().await.unwrap();
    drop(live);
    let models = scene.open().await;
    for rejoins in [false, true] {
        if rejoins {
            scene.member("room8", "bob", "join").await;
            scene.member("room0", "bob", "join").await;
            settle(&models).await;
        }
        let view = models.view();
        let looked = if rejoins { 1 } else { 2 };
        assert_eq!(view.closed_looked(&bob, since), looked, "rejoined: {rejoins}");
        let closed = view.closed_since(&bob, since, view.position());
        let closed: Vec<_> = closed.into_iter().map(|closed| closed.room_id).collect();
        let expected = [room("room8"), room("room9")];
        assert_eq!(closed, expected[usize::from(rejoins)..], "rejoined: {rejoins}");
    }
}
