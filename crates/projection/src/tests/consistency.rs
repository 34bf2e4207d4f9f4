//! Any operations in any order: the rows are those of the log.

use proptest::{collection::vec, prelude::*};
use rookery_domain::{AccountEvent, CallStep, EndReason, EventStatus, Fact, RoomPreferences};
use rookery_log::{EventLog, Position, Scope, StreamId, StreamKind};
use serde_json::json;

use crate::{
    Digests, ReadModels,
    commits::decode,
    tests::testing::{Scene, settle},
};

const ROOMS: [&str; 3] = ["a", "b", "c"];
const USERS: [&str; 4] = ["alice", "bob", "carol", "dan"];
const MEMBERSHIPS: [&str; 5] = ["join", "join", "leave", "invite", "ban"];
const RELATIONS: [&str; 4] = ["m.annotation", "m.replace", "m.thread", "com.example.other"];
const SETTINGS: [&str; 4] = ["shared", "joined", "invited", "world_readable"];

/// How many kinds of steps a call has.
const STEPS: usize = 5;

/// A step of a call: placed twice as often as each other one.
fn step(number: usize) -> CallStep {
    match number {
        0 | 1 => CallStep::Placed,
        2 => CallStep::Answered { party: "party".parse().unwrap() },
        3 => CallStep::Ended { reason: EndReason::Rejected, answer: None },
        _ => CallStep::Ended { reason: EndReason::InviteTimeout, answer: None },
    }
}

/// An operation of a scene. Numbers choose rooms, users and values.
#[derive(Clone, Debug)]
enum Act {
    Create(usize, usize),
    Messages(usize, usize, u64),
    Late(usize, usize, u64),
    Member(usize, usize, usize),
    Name(usize, u8),
    LateName(usize, u8, u64),
    /// State resolution gives a slot to an older event, or to none.
    Resolve(usize, usize, bool, u64),
    Visibility(usize, usize),
    Listed(usize, bool),
    Profile(usize, u8),
    Filter(usize, u8),
    /// A user ignores another one, or no longer.
    Ignore(usize, usize, bool),
    /// A user stores account data about a room, or deletes it.
    Data(usize, usize, bool),
    /// A user makes a room a favourite, or no longer.
    Prefer(usize, usize, bool),
    Read(usize, usize, u64, bool),
    Alias(usize, Option<usize>),
    Garbage(usize),
    Numbered(usize, usize, u64),
    Noted(usize, u64),
    Relate(usize, usize, usize, u64),
    /// The room, the event, and whether the log has erased it when it is read again.
    Redact(usize, usize, bool),
    Topic(usize, u8),
    /// The sender, the other user, the number of the call, and the step.
    Call(usize, (usize, usize), u8, usize),
}

fn act() -> impl Strategy<Value = Act> {
    let (room, user) = (0..ROOMS.len(), 0..USERS.len());
    prop_oneof![
        2 => (room.clone(), user.clone()).prop_map(|(room, user)| Act::Create(room, user)),
        8 => (room.clone(), user.clone(), 1u64..6)
            .prop_map(|(room, user, count)| Act::Messages(room, user, count)),
        4 => (room.clone(), user.clone(), 1u64..40)
            .prop_map(|(room, user, back)| Act::Late(room, user, back)),
        6 => (room.clone(), user.clone(), 0..MEMBERSHIPS.len())
            .prop_map(|(room, user, what)| Act::Member(room, user, what)),
        2 => (room.clone(), any::<u8>()).prop_map(|(room, name)| Act::Name(room, name)),
        2 => (room.clone(), any::<u8>(), 1u64..9)
            .prop_map(|(room, name, back)| Act::LateName(room, name, back)),
        4 => (room.clone(), any::<usize>(), any::<bool>(), 0u64..9)
            .prop_map(|(room, which, held, back)| Act::Resolve(room, which, held, back)),
        2 => (room.clone(), 0..SETTINGS.len()).prop_map(|(room, what)| Act::Visibility(room, what)),
        1 => (room.clone(), any::<bool>()).prop_map(|(room, listed)| Act::Listed(room, listed)),
        2 => (user.clone(), any::<u8>()).prop_map(|(user, name)| Act::Profile(user, name)),
        1 => (user.clone(), any::<u8>()).prop_map(|(user, kind)| Act::Filter(user, kind)),
        1 => (user.clone(), user.clone(), any::<bool>())
            .prop_map(|(user, other, is_ignored)| Act::Ignore(user, other, is_ignored)),
        1 => (user.clone(), room.clone(), any::<bool>())
            .prop_map(|(user, room, is_stored)| Act::Data(user, room, is_stored)),
        1 => (user.clone(), room.clone(), any::<bool>())
            .prop_map(|(user, room, is_favourite)| Act::Prefer(user, room, is_favourite)),
        2 => (room.clone(), user.clone(), 1u64..20, any::<bool>())
            .prop_map(|(room, user, sequence, private)| Act::Read(room, user, sequence, private)),
        2 => (0usize..3, proptest::option::of(room.clone()))
            .prop_map(|(alias, room)| Act::Alias(alias, room)),
        2 => (room.clone(), user.clone(), 1u64..9)
            .prop_map(|(room, user, number)| Act::Numbered(room, user, number)),
        2 => (user, 1u64..9).prop_map(|(user, number)| Act::Noted(user, number)),
        1 => room.clone().prop_map(Act::Garbage),
        4 => (room.clone(), 0..USERS.len(), 0..RELATIONS.len(), 1u64..9)
            .prop_map(|(room, user, how, target)| Act::Relate(room, user, how, target)),
        8 => (room.clone(), any::<usize>(), any::<bool>())
            .prop_map(|(room, which, erase)| Act::Redact(room, which, erase)),
        2 => (room.clone(), any::<u8>()).prop_map(|(room, topic)| Act::Topic(room, topic)),
        10 => (room, (0..USERS.len(), 0..USERS.len()), 0u8..4, 0..STEPS)
            .prop_map(|(room, users, call, step)| Act::Call(room, users, call, step)),
    ]
}

impl Act {
    /// The event of an act about preferences.
    fn preferred(&self) -> AccountEvent {
        let kind = "com.example".to_owned();
        let room = |room: usize| crate::tests::testing::room(ROOMS[room]);
        let user = |user: usize| crate::tests::testing::user(USERS[user]);
        match *self {
            Self::Ignore(_, other, true) => AccountEvent::UserIgnored { user_id: user(other) },
            Self::Ignore(_, other, false) => AccountEvent::UserUnignored { user_id: user(other) },
            Self::Data(_, about, true) => {
                let (room_id, content) = (Some(room(about)), serde_json::Map::new());
                AccountEvent::DataChanged { room_id, kind, content }
            }
            Self::Data(_, about, false) => {
                AccountEvent::DataDeleted { room_id: Some(room(about)), kind }
            }
            Self::Prefer(_, about, is_favourite) => {
                let preferences = RoomPreferences { is_favourite, ..RoomPreferences::default() };
                AccountEvent::RoomPreferencesChanged { room_id: room(about), preferences }
            }
            _ => unreachable!("it is about something else"),
        }
    }

    async fn play(&self, scene: &mut Scene) {
        match self {
            Self::Create(room, user) => scene.create(ROOMS[*room], USERS[*user]).await,
            Self::Messages(room, user, count) => {
                for _ in 1..*count {
                    scene.message(ROOMS[*room], USERS[*user]).await;
                }
                scene.message(ROOMS[*room], USERS[*user]).await
            }
            Self::Late(room, user, back) => scene.late(ROOMS[*room], USERS[*user], *back).await,
            Self::Member(room, user, what) => {
                scene.member(ROOMS[*room], USERS[*user], MEMBERSHIPS[*what]).await
            }
            Self::Name(room, name) => {
                let content = json!({ "name": name.to_string() });
                scene.send(ROOMS[*room], "alice", "m.room.name", Some(""), content).await
            }
            Self::LateName(room, name, back) => {
                let content = json!({ "name": name.to_string() });
                scene.late_state(ROOMS[*room], "m.room.name", &content, *back).await
            }
            Self::Resolve(room, which, held, back) => {
                let room = ROOMS[*room];
                let mut change = scene.former(room, *which);
                if let Some(change) = change.as_mut().filter(|_| !held) {
                    change.holder = None;
                }
                let event = scene.event(room, "bob", "m.room.message", None, &json!({}), *back);
                let state = Some(change.into_iter().collect());
                scene.receive(room, event, EventStatus::Accepted, state).await
            }
            Self::Visibility(room, what) => {
                let content = json!({ "history_visibility": SETTINGS[*what] });
                let kind = "m.room.history_visibility";
                scene.send(ROOMS[*room], "alice", kind, Some(""), content).await
            }
            Self::Listed(room, listed) => {
                let content = json!({ "listed": listed });
                scene.send(ROOMS[*room], "alice", "org.rookery.directory", Some(""), content).await
            }
            Self::Profile(user, name) => scene.profile(USERS[*user], &name.to_string()).await,
            Self::Filter(user, kind) => scene.filter(USERS[*user], &kind.to_string()).await,
            Self::Ignore(user, ..) | Self::Data(user, ..) | Self::Prefer(user, ..) => {
                scene.account(USERS[*user], self.preferred()).await
            }
            Self::Read(room, user, sequence, private) => {
                let event = AccountEvent::ReceiptMoved {
                    room_id: crate::tests::testing::room(ROOMS[*room]),
                    event_id: "$event".try_into().unwrap(),
                    sequence: *sequence,
                    private: *private,
                };
                let stream = StreamId::new(
                    StreamKind::User,
                    crate::tests::testing::user(USERS[*user]).as_str(),
                );
                scene.append(stream, vec![Fact::Account(event).store([1; 16])]).await
            }
            Self::Alias(alias, room) => {
                scene.alias(&format!("alias{alias}"), room.map(|room| ROOMS[room])).await
            }
            Self::Numbered(room, user, number) => {
                scene.numbered(ROOMS[*room], USERS[*user], "PHONE", *number).await
            }
            Self::Noted(user, number) => scene.noted(USERS[*user], "PHONE", *number).await,
            Self::Garbage(room) => scene.garbage(ROOMS[*room]).await,
            Self::Relate(room, user, how, target) => {
                let relates = json!({ "rel_type": RELATIONS[*how], "key": user.to_string(),
                    "event_id": format!("$event{target}") });
                let content = json!({ "m.relates_to": relates });
                let kind = if *how == 0 { "m.reaction" } else { "m.room.message" };
                scene.send(ROOMS[*room], USERS[*user], kind, None, content).await
            }
            Self::Redact(room, which, erase) => {
                let redacted = scene.redact(ROOMS[*room], *which).await;
                if let Some(redacted) = redacted.filter(|_| *erase) {
                    scene.erase(redacted).await;
                }
                redacted.map(|redacted| redacted.redaction).unwrap_or_default()
            }
            Self::Topic(room, topic) => {
                let content = json!({ "topic": topic.to_string() });
                scene.send(ROOMS[*room], "alice", "m.room.topic", Some(""), content).await
            }
            Self::Call(room, (sender, other), call, number) => {
                let (sender, other) = (USERS[*sender], USERS[*other]);
                scene.call(ROOMS[*room], sender, other, &format!("c{call}"), step(*number)).await
            }
        };
    }
}

async fn play(scene: &mut Scene, acts: &[Act]) {
    for act in acts {
        act.play(scene).await;
    }
}

async fn digest(models: &ReadModels) -> Digests {
    models.digest().await.unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn rebuild_equals_live_fold(acts in vec(act(), 0..60), later in vec(act(), 0..10)) {
        block_on(async {
            let mut scene = Scene::new();
            let models = scene.open().await;
            play(&mut scene, &acts).await;
            settle(&models).await;
            assert_eq!(models.verify(|_| {}).await.unwrap(), []);
            let live = digest(&models).await;
            models.rebuild(|_| {}).await.unwrap();
            assert_eq!(digest(&models).await, live);
            play(&mut scene, &later).await;
            settle(&models).await;
            assert_eq!(models.verify(|_| {}).await.unwrap(), []);
        });
    }

    #[test]
    fn redelivery_changes_nothing(acts in vec(act(), 1..40), from in 0u64..40) {
        block_on(async {
            let mut scene = Scene::new();
            let models = scene.open().await;
            play(&mut scene, &acts).await;
            settle(&models).await;
            let live = digest(&models).await;
            let again = scene.log.read(&Scope::All, Position(from), 4_096).await.unwrap();
            for commit in decode(&*scene.log, &again).await.unwrap() {
                models.core.models.write().apply(&commit);
            }
            assert_eq!(digest(&models).await, live);
        });
    }

    #[test]
    fn every_prefix_resumes(acts in vec(act(), 1..60), saves in vec(0usize..60, 1..4)) {
        block_on(async {
            let mut scene = Scene::new();
            let models = scene.open().await;
            for (number, act) in acts.iter().enumerate() {
                act.play(&mut scene).await;
                settle(&models).await;
                if saves.contains(&number) {
                    models.save().await.unwrap();
                }
            }
            let live = digest(&models).await;
            // Unsaved data is lost, as in a crash.
            drop(models);
            let reopened = scene.open().await;
            assert_eq!(digest(&reopened).await, live);
            reopened.save().await.unwrap();
            drop(reopened);
            let again = scene.open().await;
            assert_eq!(digest(&again).await, live);
            assert_eq!(again.verify(|_| {}).await.unwrap(), []);
        });
    }

    #[test]
    fn events_take_the_same_place_in_any_order_of_arrival(backs in vec(0u64..30, 1..80)) {
        block_on(async {
            let mut scene = Scene::new();
            let models = scene.open().await;
            scene.create("a", "alice").await;
            for back in &backs {
                scene.late("a", "alice", *back).await;
            }
            settle(&models).await;
            let models = models.read();
            let key = models.room(&crate::tests::testing::room("a")).unwrap();
            let room = models.timeline(key).unwrap();
            let rows = room.after(None, usize::MAX).unwrap();
            assert_eq!(rows.len(), backs.len() + 5);
            assert!(rows.is_sorted_by_key(|row| row.key));
            let mut backward = room.before(None, usize::MAX).unwrap();
            backward.reverse();
            assert_eq!(backward, rows);
            for row in &rows {
                assert_eq!(room.row(row.key).unwrap(), Some(*row));
                let after = room.after(Some(row.key), 3).unwrap();
                let place = rows.iter().position(|other| other.key == row.key).unwrap();
                let expected: Vec<_> = rows[place + 1..].iter().take(3).copied().collect();
                assert_eq!(after, expected);
            }
        });
    }
}

proptest! {
    // Each case folds the log once for each act.
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn after_every_act_the_rows_are_those_of_a_rebuild(acts in vec(act(), 1..14)) {
        block_on(async {
            let mut scene = Scene::new();
            let models = scene.open().await;
            scene.create("a", "alice").await;
            for (number, act) in acts.iter().enumerate() {
                act.play(&mut scene).await;
                settle(&models).await;
                assert_eq!(models.verify(|_| {}).await.unwrap(), [], "after act {number}");
            }
        });
    }
}
