//! Answers of the models.

use rookery_domain::{HistoryVisibility, Membership};
use serde_json::json;

use crate::{
    Anchor, PublicRooms, Reader, TimelineError, Viewer, Wanted,
    tests::testing::{Scene, room, settle, user},
};

fn is_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn home_screen_is_of_one_position() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    scene.create("b", "alice").await;
    scene.member("a", "bob", "join").await;
    scene.member("a", "carol", "invite").await;
    let last = scene.message("a", "bob").await;
    settle(&models).await;
    let view = models.view();
    assert_eq!(view.position(), last);
    let page = view.rooms_of(&user("alice"), Membership::Join, None, 1);
    assert_eq!(page.rooms[0].id(), &*room("a"), "the most recent first");
    let page = view.rooms_of(&user("alice"), Membership::Join, page.next, 1);
    assert_eq!(page.rooms[0].id(), &*room("b"));
    assert_eq!(page.next, None);
    let found = view.room(&room("a")).unwrap();
    assert_eq!(found.summary().name.as_deref(), Some("a"));
    assert_eq!((found.joined_count(), found.invited_count()), (2, 1));
    assert_eq!(found.summary().last_message, found.summary().last_event);
    assert_eq!(found.summary().power(&user("alice")), rookery_domain::Power::Level(100));
    assert_eq!(found.summary().history_visibility(), HistoryVisibility::Shared);
    let bob = found.member(&user("bob")).unwrap();
    assert_eq!(bob.displayname.as_deref(), Some("bob"));
    assert_eq!(bob.since().unwrap().position.0, 3);
    assert_eq!(view.membership(&room("a"), &user("stranger")), Membership::None);
    assert_eq!(view.membership(&room("none"), &user("alice")), Membership::None);
}

#[tokio::test]
async fn home_screen_pages_are_the_rooms_by_activity() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    let mut active = std::collections::BTreeMap::new();
    for number in 0..40_u64 {
        let name = format!("room{}", number * 7 % 13);
        let position = match active.contains_key(&name) {
            false if number % 3 == 0 => scene.create(&name, "alice").await,
            false => scene.create(&name, "bob").await,
            true => scene.message(&name, "alice").await,
        };
        active.insert(name, position);
    }
    settle(&models).await;
    let view = models.view();
    for who in ["alice", "bob"] {
        let is_in = |name: &str| view.membership(&room(name), &user(who)) == Membership::Join;
        let mut expected: Vec<_> = active.iter().filter(|(name, _)| is_in(name)).collect();
        expected.sort_by_key(|(_, position)| std::cmp::Reverse(**position));
        let expected: Vec<_> = expected.into_iter().map(|(name, _)| room(name)).collect();
        assert!(expected.len() > 3, "{who} has more rooms than are merely sorted");
        for limit in 1..15 {
            let (mut rooms, mut before) = (Vec::new(), None);
            loop {
                let page = view.rooms_of(&user(who), Membership::Join, before, limit);
                assert!(page.next.is_none() || page.rooms.len() == limit);
                rooms.extend(page.rooms.iter().map(|room| room.id().to_owned()));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(rooms, expected, "{who}, in pages of {limit}");
        }
    }
}

#[tokio::test]
async fn membership_and_rooms_of_old_positions_are_known() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    let before = scene.create("b", "alice").await;
    let joined = scene.member("a", "bob", "join").await;
    let left = scene.member("a", "bob", "leave").await;
    settle(&models).await;
    let view = models.view();
    let at = |position| view.membership_at(&room("a"), &user("bob"), position);
    assert_eq!(at(before), Membership::None);
    assert_eq!(at(joined), Membership::Join);
    assert_eq!(at(left), Membership::Leave);
    assert_eq!(view.joined_rooms_at(&user("bob"), joined), [room("a")]);
    assert!(view.joined_rooms_at(&user("bob"), left).is_empty());
}

#[tokio::test]
async fn scrolling_in_either_direction_meets_every_event_once() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    for number in 0..1_500_u64 {
        match number % 50 {
            0 => scene.late("a", "alice", 1 + number / 3).await,
            _ => scene.message("a", "alice").await,
        };
    }
    settle(&models).await;
    let len = usize::try_from(models.view().room(&room("a")).unwrap().timeline_len()).unwrap();
    assert_eq!(len, 1_505);
    let viewer = Viewer::User(user("alice"));
    for (mut anchor, limit) in [(Anchor::End, 50), (Anchor::Start, 50), (Anchor::End, 999)] {
        let mut keys = Vec::new();
        loop {
            let wanted = Wanted { anchor, limit, filter: None, until: None };
            let page = is_send(models.timeline(&room("a"), &viewer, wanted)).await.unwrap();
            assert!(page.events.is_sorted_by_key(|event| event.row.key));
            keys.extend(page.events.iter().map(|event| event.row.key));
            assert!(page.events.len() == limit || !page.has_more);
            if !page.has_more {
                break;
            }
            anchor = match anchor {
                Anchor::End | Anchor::Before(_) => Anchor::Before(page.resume.unwrap()),
                Anchor::Start | Anchor::After(_) => Anchor::After(page.resume.unwrap()),
            };
        }
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), len);
    }
}

#[tokio::test]
async fn hidden_events_never_end_a_page_early() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    let setting = json!({ "history_visibility": "joined" });
    scene.send("a", "alice", "m.room.history_visibility", Some(""), setting).await;
    scene.member("a", "bob", "join").await;
    scene.message("a", "bob").await;
    scene.member("a", "bob", "leave").await;
    for _ in 0..700 {
        scene.message("a", "alice").await;
    }
    scene.member("a", "bob", "join").await;
    settle(&models).await;
    let viewer = Viewer::User(user("bob"));
    let wanted = || Wanted { anchor: Anchor::End, limit: 3, filter: None, until: None };
    let page = models.timeline(&room("a"), &viewer, wanted()).await.unwrap();
    let senders: Vec<_> =
        page.events.iter().map(|event| event.event().pdu.sender.clone()).collect();
    assert_eq!(senders, [user("bob"), user("bob"), user("bob")], "message, leave, join");
    assert!(page.has_more, "the first join");
    let only_messages = |event: &crate::TimelineEvent| !event.row.flags.is_state();
    let wanted = Wanted { filter: Some(&only_messages), ..wanted() };
    let page = models.timeline(&room("a"), &viewer, wanted).await.unwrap();
    assert_eq!((page.events.len(), page.has_more), (1, false));
}

#[tokio::test]
async fn state_event_knows_what_it_replaced() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    let created = scene.create("a", "alice").await;
    scene.send("a", "alice", "m.room.name", Some(""), json!({ "name": "new" })).await;
    scene.late_state("a", "m.room.name", &json!({ "name": "old" }), 1).await;
    settle(&models).await;
    let key = {
        let view = models.view();
        let found = view.room(&room("a")).unwrap();
        assert_eq!(found.summary().name.as_deref(), Some("new"), "state never goes backwards");
        let key = found.state("m.room.name", "").unwrap();
        let before = found.state_at("m.room.name", "", created).unwrap().unwrap();
        assert_eq!(found.row(key).unwrap().unwrap().replaced, Some(before));
        let late = found.rows_before(Some(key), 1).unwrap()[0];
        assert!(late.flags.is_late() && late.flags.is_superseded());
        key
    };
    let event = models.events_at(&room("a"), &[key]).await.unwrap().remove(0);
    let before = models.replaced_by(&room("a"), &event, &Viewer::Server).await.unwrap().unwrap();
    assert_eq!(before.event().pdu.content.get(), r#"{"name":"a"}"#);
}

#[tokio::test]
async fn event_is_found_by_id_with_what_surrounds_it() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    scene.create("b", "alice").await;
    for _ in 0..10 {
        scene.message("a", "alice").await;
    }
    settle(&models).await;
    let event = rookery_domain::EventId::parse("$event15").unwrap();
    let place = models.view().event(&event).unwrap().unwrap();
    assert_eq!((place.room_id, place.sequence, place.index), (room("a"), 10, 0));
    let viewer = Viewer::User(user("alice"));
    let around = is_send(models.around(&room("a"), &viewer, &event, 3, None)).await.unwrap();
    let sequences = |page: &crate::TimelinePage| {
        page.events.iter().map(|event| event.row.sequence).collect::<Vec<_>>()
    };
    assert_eq!(sequences(&around.before), [7, 8, 9]);
    assert_eq!(around.event.row.sequence, 10);
    assert_eq!(sequences(&around.after), [11, 12, 13]);
    let elsewhere = models.around(&room("b"), &viewer, &event, 3, None).await;
    assert!(matches!(elsewhere, Err(TimelineError::NoSuchEvent(_))));
    let stranger = Viewer::User(user("stranger"));
    assert!(models.event(&event, &stranger).await.unwrap().is_none());
}

/// The names of the rooms of a page that are still listed.
fn shown(models: &Reader, page: &PublicRooms) -> Vec<String> {
    let view = models.view();
    let rooms = page.rooms.iter().filter_map(|place| view.listed_room(*place));
    rooms.map(|room| room.summary().name.clone().unwrap()).collect()
}

#[expect(
    clippy::await_holding_invalid_type,
    reason = "the test holds the turn to see that others wait for it alone"
)]
#[tokio::test]
async fn a_list_is_made_of_the_rooms_that_changed_and_not_of_all() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    let listed = json!({ "listed": true });
    for name in ["a", "b"] {
        scene.create(name, "alice").await;
        scene.send(name, "alice", "org.rookery.directory", Some(""), listed.clone()).await;
    }
    settle(&models).await;
    assert_eq!(models.public_rooms(None, None, 9).await.total, 2);
    assert_eq!(models.listed.waiting(), Some(0));
    // A message changes no list; a change of members does, for one room.
    scene.message("a", "alice").await;
    settle(&models).await;
    assert_eq!(models.listed.waiting(), Some(0));
    scene.member("a", "bob", "join").await;
    settle(&models).await;
    assert_eq!(models.listed.waiting(), Some(1));
    // A search does not lock the models: a commit is applied while one waits for its turn.
    let turn = models.listed.searching().await;
    let search = models.public_rooms(Some("x"), None, 9);
    tokio::pin!(search);
    tokio::select! {
        biased;
        found = &mut search => panic!("{found:?}"),
        () = std::future::ready(()) => {}
    }
    scene.member("a", "carol", "join").await;
    settle(&models).await;
    assert_eq!(models.public_rooms(None, None, 9).await.rooms[0].joined, 3);
    drop(turn);
    assert_eq!(search.await.total, 0);
}

#[expect(
    clippy::await_holding_invalid_type,
    reason = "the test holds the turn until a reader waits for it"
)]
#[tokio::test]
async fn a_search_whose_reader_is_parked_keeps_no_turn() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    settle(&models).await;
    // The list is complete, and a reader with a search is parked while it waits in line.
    models.public_rooms(None, None, 9).await;
    let turn = models.listed.searching().await;
    let parked = models.public_rooms(Some("a"), None, 9);
    tokio::pin!(parked);
    for _ in 0..100 {
        tokio::select! {
            biased;
            found = &mut parked => panic!("{found:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(turn);
    let other = models.public_rooms(Some("b"), None, 9);
    let other = tokio::time::timeout(std::time::Duration::from_secs(10), other).await;
    assert_eq!(other.map(|found| found.total).ok(), Some(0));
}

#[tokio::test]
async fn public_list_has_listed_rooms_by_size_and_search() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    for name in ["Small", "Large", "Hidden"] {
        scene.create(name, "alice").await;
    }
    for name in ["Small", "Large"] {
        let listed = json!({ "listed": true });
        scene.send(name, "alice", "org.rookery.directory", Some(""), listed).await;
    }
    scene.member("Large", "bob", "join").await;
    scene.alias("tiny", Some("Small")).await;
    settle(&models).await;
    let names = async |search, limit| {
        let page = models.public_rooms(search, None, limit).await;
        (shown(&models, &page), page.has_more, page.total)
    };
    assert_eq!(names(None, 10).await, (vec!["Large".into(), "Small".into()], false, 2));
    assert_eq!(names(None, 1).await, (vec!["Large".into()], true, 2));
    assert_eq!(names(Some("LARGE"), 10).await, (vec!["Large".into()], false, 1));
    assert_eq!(names(Some("tiny"), 10).await, (vec!["Small".into()], false, 1));
    // Each change is found with its present value.
    scene.alias("tiny", None).await;
    scene.member("Small", "bob", "join").await;
    scene.member("Small", "carol", "join").await;
    scene.send("Large", "alice", "m.room.topic", Some(""), json!({ "topic": "Vast" })).await;
    settle(&models).await;
    assert_eq!(names(None, 10).await.0, ["Small", "Large"]);
    assert_eq!(names(Some("tiny"), 10).await, (Vec::new(), false, 0));
    assert_eq!(names(Some(" vAst "), 10).await.0, ["Large"]);
    let first = models.public_rooms(None, None, 10).await;
    let hidden = json!({ "listed": false });
    scene.send("Large", "alice", "org.rookery.directory", Some(""), hidden).await;
    scene.alias("tiny", Some("Small")).await;
    settle(&models).await;
    assert_eq!(shown(&models, &first), ["Small"], "also in a list of before");
    assert_eq!(names(None, 10).await, (vec!["Small".into()], false, 1));
    assert_eq!(names(Some("tiny"), 10).await.0, ["Small"]);
    let view = models.view();
    let alias = rookery_domain::RoomAliasId::parse("#tiny:rookery.test").unwrap();
    assert_eq!(view.alias(&alias), Some(&*room("Small")));
}

#[tokio::test]
async fn pages_of_the_public_list_neither_skip_nor_repeat_while_rooms_change() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    let names: Vec<_> = (0..9).map(|number| format!("room{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        scene.create(name, "alice").await;
        let listed = json!({ "listed": true });
        scene.send(name, "alice", "org.rookery.directory", Some(""), listed).await;
        for member in 0..number % 4 {
            scene.member(name, &format!("member{member}"), "join").await;
        }
    }
    settle(&models).await;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = models.public_rooms(None, after, 2).await;
        seen.extend(shown(&models, &page));
        after = page.rooms.last().copied();
        if !page.has_more {
            break;
        }
        // A visited room shrinks, another one grows, and a new one appears.
        let turn = seen.len();
        scene.member(&seen[turn - 1].clone(), "member0", "leave").await;
        let unseen = names.iter().find(|name| !seen.contains(name));
        for member in 10..20 {
            if let Some(name) = unseen {
                scene.member(name, &format!("member{member}"), "join").await;
            }
        }
        settle(&models).await;
    }
    seen.sort();
    assert_eq!(seen, names, "each once");
}

#[tokio::test]
async fn what_an_event_replaced_is_shown_to_whom_it_was_shown() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    let setting = |setting: &str| json!({ "history_visibility": setting });
    let visibility = "m.room.history_visibility";
    scene.send("a", "alice", visibility, Some(""), setting("joined")).await;
    scene.send("a", "alice", "m.room.topic", Some(""), json!({ "topic": "secret" })).await;
    scene.send("a", "alice", visibility, Some(""), setting("shared")).await;
    scene.send("a", "alice", "m.room.topic", Some(""), json!({ "topic": "one" })).await;
    scene.member("a", "bob", "join").await;
    scene.send("a", "alice", "m.room.topic", Some(""), json!({ "topic": "two" })).await;
    settle(&models).await;
    let replaced = async |who: &str, event: u64| {
        let id = rookery_domain::EventId::parse(format!("$event{event}")).unwrap();
        let viewer = Viewer::User(user(who));
        let (_, event) = models.event(&id, &viewer).await.unwrap().unwrap();
        let found = models.replaced_by(&room("a"), &event, &viewer).await.unwrap();
        found.map(|found| found.event().pdu.content.get().to_owned())
    };
    let secret = Some(r#"{"topic":"secret"}"#.to_owned());
    assert_eq!(replaced("alice", 9).await, secret);
    assert_eq!(replaced("bob", 9).await, None, "he never was to see it");
    assert_eq!(replaced("bob", 11).await, Some(r#"{"topic":"one"}"#.to_owned()));
}
