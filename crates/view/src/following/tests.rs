//! The rooms that a service follows: kept up to date commit by commit, they equal those that a start
//! finds, and those that a service is concerned with.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;
use rookery_domain::{
    Envelope, EventStatus, Holder, Membership, Origin, RoomAliasId, SlotChange, StoredFact,
};
use rookery_log::{EventLog as _, Millis, Position, Scope, StreamId, StreamKind};
use rookery_namespaces::{Claim, Service};
use serde_json::json;

use super::Followed;
use crate::{
    FollowPlace, FollowedSince, Reader,
    tests::testing::{Scene, room, room_id, settle, user},
};

/// A step of a story.
#[derive(Clone, Debug)]
enum Step {
    Member(usize, usize, usize),
    Message(usize),
    Alias(usize, Option<usize>),
    /// An event of another server that gives an earlier event its slot back.
    Resolve(usize, usize),
    /// State from before the join of this server: the membership of a user elsewhere.
    Stated(usize, usize, usize),
    /// State from before the join, and the join of a user, in one commit.
    Joined(usize, usize, usize),
}

const ROOMS: [&str; 3] = ["a", "b", "x_c"];
const USERS: [&str; 4] = ["alice", "x_one", "x_two", "bot"];
const MEMBERSHIPS: [&str; 5] = ["join", "invite", "leave", "ban", "knock"];
const ALIASES: [&str; 3] = ["x_tea", "x_jam", "other"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3_usize, 0..4_usize, 0..5_usize).prop_map(|(a, b, c)| Step::Member(a, b, c)),
        2 => (0..3_usize).prop_map(Step::Message),
        3 => (0..3_usize, prop::option::of(0..3_usize)).prop_map(|(a, b)| Step::Alias(a, b)),
        2 => (0..3_usize, 0..20_usize).prop_map(|(a, b)| Step::Resolve(a, b)),
        3 => (0..3_usize, 0..4_usize, 0..5_usize).prop_map(|(a, b, c)| Step::Stated(a, b, c)),
        1 => (0..3_usize, 0..4_usize, 0..4_usize).prop_map(|(a, b, c)| Step::Joined(a, b, c)),
    ];
    prop::collection::vec(step, 1..25)
}

fn service(with_rooms: bool) -> Arc<Service> {
    let claim = |regex: &str| vec![Claim { regex: regex.into(), exclusive: false }];
    let rooms = if with_rooms { claim("!x_.*") } else { Vec::new() };
    let namespaces = Service::namespaces_of(&claim("@x_.*"), &claim("#x_.*"), &rooms);
    let (name, bot, namespaces) = ("x".to_owned(), user("bot"), namespaces.expect("compiles"));
    Arc::new(Service { name, bot, is_rate_limited: true, namespaces })
}

async fn play(scene: &mut Scene, step: &Step) {
    match *step {
        Step::Member(room, who, membership) => {
            scene.member(ROOMS[room], USERS[who], MEMBERSHIPS[membership]).await;
        }
        Step::Message(room) => {
            scene.message(ROOMS[room], "alice").await;
        }
        Step::Alias(alias, target) => {
            scene.alias(ALIASES[alias], target.map(|room| ROOMS[room])).await;
        }
        Step::Resolve(room, number) => {
            let Some(former) = scene.former(ROOMS[room], number) else { return };
            let content = json!({ "body": "from elsewhere" });
            let event = scene.event(ROOMS[room], "alice", "m.room.message", None, &content, 0);
            scene.receive(ROOMS[room], event, EventStatus::Accepted, Some(vec![former])).await;
        }
        Step::Stated(room, who, membership) => {
            let event =
                stated(scene, room, who, MEMBERSHIPS[membership], has_begun(scene, room).await);
            scene.append(stream(room), vec![event]).await;
        }
        Step::Joined(room, who, joined) => {
            let event = stated(scene, room, who, "join", has_begun(scene, room).await);
            let (name, key) = (USERS[joined], user(USERS[joined]));
            let content = json!({ "membership": "join" });
            let join =
                scene.event(ROOMS[room], name, "m.room.member", Some(key.as_str()), &content, 0);
            scene.append(stream(room), vec![event, join]).await;
        }
    }
}

fn stream(room: usize) -> StreamId {
    StreamId::new(StreamKind::Room, &room_id(ROOMS[room]))
}

/// Whether a room has more than the state from before the join.
async fn has_begun(scene: &Scene, room: usize) -> bool {
    let scope = Scope::Stream(stream(room));
    let records = scene.log.read(&scope, Position::ORIGIN, 4_096).await.expect("it is in memory");
    let mut envelopes = records.iter().flat_map(|it| &it.commit.events).map(|it| &it.envelope);
    envelopes.any(|envelope| !String::from_utf8_lossy(envelope).contains("outlier"))
}

/// The member event of a user, known without its place. It takes its slot if the room has not begun.
fn stated(
    scene: &mut Scene,
    room: usize,
    who: usize,
    membership: &str,
    has_begun: bool,
) -> StoredFact {
    let (who, key) = (USERS[who], user(USERS[who]));
    let content = json!({ "membership": membership });
    let mut event = scene.event(ROOMS[room], who, "m.room.member", Some(key.as_str()), &content, 0);
    let event_id = event.id.as_str().try_into().expect("it is one");
    let holder = Some(Holder { event_id, position: None, index: 0 });
    let (kind, state_key) = ("m.room.member".to_owned(), key.to_string());
    let slot = SlotChange { kind, state_key, holder };
    let origin = Origin::Server("else.test".try_into().expect("it is a name"));
    let state = Some(if has_begun { Vec::new() } else { vec![slot] });
    let status = EventStatus::Outlier;
    let envelope = Envelope { origin, status, state, ..Envelope::local(None, None) };
    event.envelope = serde_json::to_vec(&envelope).expect("it is JSON").into();
    event
}

/// The rooms of the bot, by key.
fn followed(reader: &Reader) -> BTreeMap<u64, Followed> {
    let (view, bot) = (reader.view(), user("bot"));
    let rooms = view.all_rooms_of(&bot);
    let rooms = rooms.filter_map(|key| {
        let followed = view.room_at(key)?.followed(&user("bot"))?;
        Some((key.0, followed.clone()))
    });
    rooms.filter(|(_, followed)| !followed.is_nothing()).collect()
}

/// The bot reads the rooms that concern its service, and those that it has joined.
fn check_now(reader: &Reader, service: &Service) {
    let view = reader.view();
    let concerns = |it: Membership| matches!(it, Membership::Join | Membership::Invite);
    let mut open = Vec::new();
    for name in ROOMS {
        let Some(found) = view.room(&room(name)) else { continue };
        let claims = |user| service.namespaces.claims_user(user);
        let users = found.members().any(|(user, it)| claims(user) && concerns(it.membership));
        let claims = |alias: &RoomAliasId| service.namespaces.claims_alias(alias);
        let aliases = found.aliases().any(claims);
        let concerns = users || aliases || service.namespaces.claims_room(found.id());
        let begun = found.first_row().expect("it can be read").is_some();
        let is_followed = concerns && begun;
        let is_open = is_followed || (begun && found.is_joined(&user("bot")));
        assert_eq!(found.reads(&user("bot")), is_open, "room {name}");
        open.extend(is_open.then(|| found.id().to_owned()));
        let followers = view.followers_of(found.id(), &user("bot"));
        assert_eq!(followers.len(), usize::from(is_followed), "followers of {name}");
    }
    let page = view.rooms_of(&user("bot"), Membership::Join, None, 10);
    let mut listed: Vec<_> = page.rooms.iter().map(|room| room.id().to_owned()).collect();
    listed.sort();
    assert_eq!(listed, open, "the list of rooms");
}

async fn check(steps: &[Step], added: usize, with_rooms: bool) {
    let service = service(with_rooms);
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    let reader = scene.open().await;
    let mut place = None;
    for (number, step) in steps.iter().enumerate() {
        if number == added {
            place = reader.follow(Arc::clone(&service), None, Millis(1)).await.ok();
            assert_eq!(place.map(|it| it.position), Some(reader.view().position()));
        }
        play(&mut scene, step).await;
        settle(&reader).await;
        if place.is_some() {
            check_now(&reader, &service);
        }
    }
    let Some(place) = place else { return };
    let later = Reader::new(reader.models().clone());
    later.follow(service, Some(place), Millis(1)).await.expect("the log can be read");
    assert_eq!(followed(&later), followed(&reader), "found again");
    let commits = later.commits((1..=later.view().position().0).map(Position).collect()).await;
    for (position, committed) in commits.expect("the log can be read") {
        let of = |reader: &Reader| reader.view().followed_by_alias(&user("bot"), &committed);
        assert_eq!(of(&later), of(&reader), "{position:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn rooms_of_a_service_are_those_that_a_start_finds(
        steps in steps(),
        added in 0..10_usize,
        with_rooms: bool,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(check(&steps, added, with_rooms));
    }
}

/// The alias named the room before it had state, and names it no more.
#[tokio::test]
async fn an_alias_that_came_and_went_before_the_room_leaves_nothing() {
    let steps = [
        Step::Alias(0, Some(1)),
        Step::Alias(0, None),
        Step::Stated(1, 0, 0),
        Step::Joined(1, 0, 0),
    ];
    for before_the_join in [3, 4] {
        check(&steps[..before_the_join], 0, false).await;
    }
}

#[tokio::test]
async fn commits_during_a_build_are_part_of_it() {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    for number in 0..300 {
        scene.member("a", &format!("x_{number}"), "join").await;
    }
    let reader = scene.open().await;
    let building = tokio::spawn({
        let reader = reader.clone();
        async move { reader.follow(service(false), None, Millis(1)).await }
    });
    let mut place = None;
    for number in 0..300 {
        scene.member("a", &format!("x_{number}"), "leave").await;
        settle(&reader).await;
        tokio::task::yield_now().await;
        if number == 150 {
            scene.alias("x_tea", Some("a")).await;
        }
    }
    place.replace(building.await.unwrap().unwrap());
    let place = place.unwrap();
    let later = Reader::new(reader.models().clone());
    later.follow(service(false), Some(place), Millis(1)).await.unwrap();
    assert_eq!(followed(&later), followed(&reader));
    assert!(reader.view().room(&room("a")).unwrap().reads(&user("bot")));
}

#[tokio::test]
async fn a_service_of_a_longer_log_begins_where_both_logs_agree() {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    scene.member("a", "x_one", "join").await;
    let reader = scene.open().await;
    let place = FollowPlace { epoch: rookery_log::Epoch(1), position: Position(1_000) };
    let begun = reader.follow(service(false), Some(place), Millis(5)).await.unwrap();
    assert_eq!(begun.epoch, reader.epoch());
    // All of this log is of another epoch than that of the service.
    assert_eq!(begun.position, Position::ORIGIN);
    let followers = reader.view().followers_of(&room("a"), &user("x_one"));
    assert_eq!(followers[0].since, FollowedSince::Commit(Position(2)));
    reader.unfollow(&user("bot"));
    assert!(reader.view().followers_of(&room("a"), &user("x_one")).is_empty());
    assert!(!reader.view().room(&room("a")).unwrap().reads(&user("bot")));
}

#[tokio::test]
async fn a_prepared_service_sees_nothing_before_it_is_shown() {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    scene.member("a", "x_one", "join").await;
    let reader = scene.open().await;
    let reads = || reader.view().room(&room("a")).unwrap().reads(&user("bot"));
    reader.prepare_following(service(false), None, Millis(5)).await.unwrap();
    assert!(!reads());
    assert!(reader.view().followers_of(&room("a"), &user("x_one")).is_empty());
    reader.show_following(&user("bot"));
    assert!(reads());
}
