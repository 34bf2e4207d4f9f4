//! The model of calls, and the counts of missed ones.

use rookery_domain::{Call, CallState, CallStep, EndReason, IgnoredUsers, RoomEvent};

use crate::{
    Options, ReadModels, Retried, RowKey, Unread,
    tests::testing::{
        Scene, are_those_of_the_golden_files, clear_trip, room, set_trip, settle, user,
    },
};

const ENDED: CallStep = CallStep::Ended { reason: EndReason::UserHangup, answer: None };
const REJECTED: CallStep = CallStep::Ended { reason: EndReason::Rejected, answer: None };

fn answered() -> CallStep {
    CallStep::Answered { party: "party".parse().unwrap() }
}

/// A room of Alice, Bob and Carol.
async fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    for who in ["bob", "carol"] {
        scene.member("a", who, "join").await;
    }
    scene
}

/// The active calls of a user.
fn active(models: &ReadModels, who: &str) -> Vec<String> {
    let (models, user) = (models.read(), user(who));
    models.active_calls_of(&user).map(|(_, call)| call.id.to_string()).collect()
}

/// The calls that ring, the one that ends first before the others.
fn ringing(models: &ReadModels) -> Vec<String> {
    models.read().ringing_calls().map(|(_, call)| call.id.to_string()).collect()
}

/// Reads the event at a place from the log, as the models get it.
async fn event_at(models: &ReadModels, key: RowKey) -> RoomEvent {
    let found = models.commits(vec![key.position]).await.unwrap();
    found[&key.position].room_event(key.index.into()).unwrap().clone()
}

/// The past calls of the room, newest first, read in pages of `limit`.
async fn past(models: &ReadModels, limit: usize) -> Vec<Option<Call>> {
    let (mut before, mut calls) = (None, Vec::new());
    loop {
        let rows = {
            let models = models.read();
            let key = models.room(&room("a")).unwrap();
            models.past_calls(key).unwrap().before(before, limit).unwrap()
        };
        let Some(last) = rows.last() else { return calls };
        before = Some(last.key);
        for row in rows {
            let invite = event_at(models, row.key).await;
            calls.push(Call::past(&invite, &event_at(models, row.replaced.unwrap()).await));
        }
    }
}

fn unread(models: &ReadModels, who: &str, read: u64, ignored: &[&str]) -> Unread {
    let mut list = IgnoredUsers::default();
    for other in ignored {
        list.set(&user(other), true);
    }
    let models = models.read();
    models.unread(models.room(&room("a")).unwrap(), &user(who), read, &list)
}

#[tokio::test]
async fn an_active_call_is_found_by_its_users_and_its_deadline() {
    let mut scene = scene().await;
    let models = scene.open().await;
    scene.call("a", "alice", "bob", "one", CallStep::Placed).await;
    settle(&models).await;
    assert_eq!(
        (active(&models, "alice"), active(&models, "bob")),
        (vec!["one".into()], vec!["one".into()])
    );
    assert_eq!((ringing(&models), models.read().users_in_calls().len()), (vec!["one".into()], 2));
    scene.call("a", "bob", "bob", "one", answered()).await;
    settle(&models).await;
    assert_eq!((ringing(&models), active(&models, "bob")), (Vec::new(), vec!["one".into()]));
    {
        let models = models.read();
        let key = models.room(&room("a")).unwrap();
        let (call, _) = models.active_call(key, &"one".parse().unwrap()).unwrap();
        assert!(
            matches!(&call.state, CallState::Answered { device: Some(it), .. } if it == "PHONE")
        );
    }
    scene.call("a", "alice", "bob", "one", ENDED).await;
    // A step after the end, and one of no call.
    scene.call("a", "bob", "bob", "one", answered()).await;
    scene.call("a", "bob", "bob", "none", ENDED).await;
    settle(&models).await;
    assert_eq!((active(&models, "alice").len(), models.read().users_in_calls().len()), (0, 0));
    let key = models.read().room(&room("a")).unwrap();
    assert_eq!(models.read().past_call_count(key), 1);
}

#[tokio::test]
async fn past_calls_have_pages_newest_first_and_are_read_from_the_log() {
    let mut scene = scene().await;
    let models = scene.open().await;
    // More than one block, and two calls that end in another order than they began.
    scene.call("a", "carol", "alice", "long", CallStep::Placed).await;
    for number in 0..20 {
        let name = format!("call{number}");
        scene.call("a", "alice", "bob", &name, CallStep::Placed).await;
        scene.call("a", "bob", "bob", &name, REJECTED).await;
    }
    scene.call("a", "carol", "alice", "long", ENDED).await;
    settle(&models).await;
    let mut expected: Vec<_> = (0..20).rev().map(|number| format!("call{number}")).collect();
    expected.push("long".to_owned());
    for limit in [1, 3, 50] {
        let calls = past(&models, limit).await;
        let names: Vec<_> = calls.iter().flatten().map(|call| call.id.to_string()).collect();
        assert_eq!(names, expected);
    }
    let live = models.digest().await.unwrap();
    models.save().await.unwrap();
    drop(models);
    let models = scene.open().await;
    assert_eq!(models.digest().await.unwrap(), live);
    models.rebuild(|_| {}).await.unwrap();
    assert_eq!(models.digest().await.unwrap(), live);
    assert_eq!(past(&models, 7).await.len(), expected.len());
}

#[tokio::test]
async fn a_redacted_invite_names_nobody_and_counts_nowhere() {
    for erase in [false, true] {
        let mut scene = scene().await;
        let models = scene.open().await;
        scene.call("a", "alice", "bob", "past", CallStep::Placed).await;
        scene.call("a", "alice", "bob", "past", ENDED).await;
        scene.call("a", "alice", "bob", "now", CallStep::Placed).await;
        settle(&models).await;
        assert_eq!(unread(&models, "bob", 0, &[]), Unread { count: 1, highlights: 1 });
        // The events of a room begin with five of its creation and two joins.
        for which in [6, 8] {
            let redacted = scene.redact("a", which).await.unwrap();
            if erase {
                scene.erase(redacted).await;
            }
        }
        settle(&models).await;
        assert_eq!(unread(&models, "bob", 0, &[]), Unread::default());
        assert_eq!((active(&models, "bob").len(), ringing(&models).len()), (0, 0));
        scene.call("a", "alice", "bob", "now", ENDED).await;
        settle(&models).await;
        assert_eq!(past(&models, 5).await, [None, None]);
        assert_eq!(unread(&models, "bob", 0, &[]), Unread::default());
        assert_eq!(models.verify(|_| {}).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_room_whose_calls_were_parked_has_them_again_after_a_retry() {
    const KIND: &str = "test.trip.calls";
    let mut scene = scene().await;
    let models = scene.open().await;
    scene.call("a", "alice", "bob", "one", CallStep::Placed).await;
    set_trip("calls", KIND);
    scene.send("a", "alice", KIND, None, serde_json::json!({})).await;
    scene.call("a", "alice", "bob", "one", ENDED).await;
    scene.call("a", "alice", "carol", "two", CallStep::Placed).await;
    settle(&models).await;
    assert_eq!((active(&models, "bob"), active(&models, "carol").len()), (vec!["one".into()], 0));
    clear_trip(KIND);
    let retried = models.retry_parked().await.unwrap();
    assert_eq!(retried, Retried { mended: 1, parked: Vec::new() });
    assert_eq!((active(&models, "bob").len(), active(&models, "carol")), (0, vec!["two".into()]));
    assert_eq!(past(&models, 5).await.len(), 1);
    assert_eq!(models.verify(|_| {}).await.unwrap(), []);
}

#[tokio::test]
async fn a_missed_call_is_one_unread_message_and_one_highlight_of_its_callee() {
    let mut scene = scene().await;
    let models = scene.open().await;
    let one = Unread { count: 1, highlights: 1 };
    scene.call("a", "alice", "bob", "missed", CallStep::Placed).await;
    settle(&models).await;
    assert_eq!(unread(&models, "bob", 0, &[]), Unread::default(), "it rings");
    scene.call("a", "alice", "bob", "missed", ENDED).await;
    settle(&models).await;
    let of = |who: &str| unread(&models, who, 0, &[]);
    assert_eq!((of("alice"), of("bob"), of("carol")), (Unread::default(), one, Unread::default()));
    // It counts from the event that ended it, which is the ninth.
    assert_eq!(
        (unread(&models, "bob", 8, &[]), unread(&models, "bob", 9, &[])),
        (one, Unread::default())
    );
    assert_eq!(unread(&models, "bob", 0, &["alice"]), Unread::default());
    assert_eq!(unread(&models, "bob", 0, &["carol"]), one);
    // A call that Bob rejects, one that he answers, and one that ends because he goes.
    scene.call("a", "alice", "bob", "rejected", CallStep::Placed).await;
    scene.call("a", "bob", "bob", "rejected", REJECTED).await;
    scene.call("a", "alice", "bob", "answered", CallStep::Placed).await;
    scene.call("a", "bob", "bob", "answered", answered()).await;
    scene.call("a", "alice", "bob", "answered", ENDED).await;
    settle(&models).await;
    assert_eq!(unread(&models, "bob", 0, &[]), one);
    // After a later join, the count begins at zero.
    scene.member("a", "bob", "leave").await;
    scene.member("a", "bob", "join").await;
    settle(&models).await;
    assert_eq!(unread(&models, "bob", 0, &[]), Unread::default());
}

#[tokio::test]
async fn snapshot_of_calls_is_that_of_the_golden_files() {
    let mut scene = scene().await;
    for number in 0..10 {
        let name = format!("call{number}");
        scene.call("a", "alice", "bob", &name, CallStep::Placed).await;
        scene
            .call("a", "alice", "bob", &name, if number % 2 == 0 { ENDED } else { REJECTED })
            .await;
    }
    scene.call("a", "alice", "bob", "answered", CallStep::Placed).await;
    scene.call("a", "bob", "bob", "answered", answered()).await;
    scene.call("a", "carol", "alice", "ringing", CallStep::Placed).await;
    let models = scene.open_with(Options { rebuild_threads: 1, ..Options::default() }).await;
    models.save().await.unwrap();
    are_those_of_the_golden_files(&scene, &["calls", "unread"], "called");
}
